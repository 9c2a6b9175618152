/* SPDX-License-Identifier: 0BSD */
/*
 * Nibbles as AB words (tml_packed_ab_i8.h): within a group of steps the weights of a channel are
 * m * q, q: -8..7.
 *
 * A block is groups one behind the other: the number of steps, 1..255, the m of channels 0, 2, 1,
 * 3, 1..127, then four bytes for each step: q + 8 of channels 0, 2, 0, 2 in the low halves, of 1,
 * 3, 1, 3 in the high ones, for the first input, then the second.
 */
#ifndef TML_NIBBLES_AB_I8_H
#define TML_NIBBLES_AB_I8_H

#include "tml_packed_ab_i8.h"

/* What an AB word is made of: m of channels B and A, and 8 of both in each half. */
struct tml_nibbles_scale {
    uint32_t b;
    uint32_t a;
    uint32_t offset;
};

TML_INLINE struct tml_nibbles_scale tml_nibbles_scale_of(const uint8_t *m)
{
    struct tml_nibbles_scale scale = {tml_rom_u8(m), tml_rom_u8(m + 1), 0U};
    uint32_t eight = (8U * scale.b + 2048U * scale.a) & 0xFFFFU;
    scale.offset = eight | eight << 16;
    return scale;
}

/* u: q + 8 of B, A, B, A. Sums and differences are those of halves. */
TML_INLINE uint32_t tml_nibbles_word(uint32_t u, const struct tml_nibbles_scale *scale)
{
    uint32_t b = tml_uxtb16(u) * scale->b;
    uint32_t a = tml_uxtb16(tml_uxtb16_odd(u) * scale->a) << 8;
    return tml_sub_2_i16(tml_add_2_i16(a, b), scale->offset);
}

TML_SHARED const uint8_t *tml_nibbles_unpack_ab(const uint8_t *head, const uint8_t *packed,
                                                size_t steps, uint32_t *words)
{
    (void)head;
    while (steps > 0U) {
        size_t n = tml_rom_u8(packed);
        const struct tml_nibbles_scale low = tml_nibbles_scale_of(packed + 1);
        const struct tml_nibbles_scale high = tml_nibbles_scale_of(packed + 3);
        packed += 5;
        for (size_t s = 0U; s < n; s++) {
            uint32_t u = tml_load_bytes((const int8_t *)packed);
            words[0] = tml_nibbles_word(u & 0x0F0F0F0FU, &low);
            words[1] = tml_nibbles_word(u >> 4 & 0x0F0F0F0FU, &high);
            packed += 4;
            words += 2;
        }
        steps -= n;
    }
    return packed;
}

#endif
