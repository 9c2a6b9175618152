/* SPDX-License-Identifier: 0BSD */
/*
 * Forms that store weights one by one as AB words (tml_packed_ab_i8.h): the 8 weights of a step are
 * those of channels 0, 2, 0, 2, 1, 3, 1, 3, for the first input, then the second.
 *
 * Palette: 8 numbers of 4, or 2 bits, the first one lowest; head is the palette. Sparse: a byte
 * whose bits say which are not 0, the first one lowest, and then those.
 */
#ifndef TML_BYTES_AB_I8_H
#define TML_BYTES_AB_I8_H

#include "tml_packed_ab_i8.h"

/* Four weights by their numbers, of `bits` bits each. */
TML_INLINE uint32_t tml_palette_four(const uint8_t *head, uint32_t numbers, int bits)
{
    uint32_t mask = (1U << bits) - 1U;
    uint32_t bytes = 0U;
    for (int i = 0; i < 4; i++) {
        bytes |= (uint32_t)tml_rom_u8(head + (numbers >> i * bits & mask)) << 8 * i;
    }
    return bytes;
}

TML_SHARED const uint8_t *tml_palette_16_unpack_ab(const uint8_t *head, const uint8_t *packed,
                                                   size_t steps, uint32_t *words)
{
    for (size_t s = 0U; s < steps; s++) {
        uint32_t numbers = tml_load_bytes((const int8_t *)packed);
        words[0] = tml_ab_word(tml_palette_four(head, numbers, 4));
        words[1] = tml_ab_word(tml_palette_four(head, numbers >> 16, 4));
        packed += 4;
        words += 2;
    }
    return packed;
}

TML_SHARED const uint8_t *tml_palette_4_unpack_ab(const uint8_t *head, const uint8_t *packed,
                                                  size_t steps, uint32_t *words)
{
    for (size_t s = 0U; s < steps; s++) {
        words[0] = tml_ab_word(tml_palette_four(head, tml_rom_u8(packed), 2));
        words[1] = tml_ab_word(tml_palette_four(head, tml_rom_u8(packed + 1), 2));
        packed += 2;
        words += 2;
    }
    return packed;
}

TML_SHARED const uint8_t *tml_sparse_unpack_ab(const uint8_t *head, const uint8_t *packed,
                                               size_t steps, uint32_t *words)
{
    (void)head;
    for (size_t s = 0U; s < steps; s++) {
        uint32_t mask = tml_rom_u8(packed++);
        for (size_t half = 0U; half < 2U; half++) {
            uint32_t bytes = 0U;
            for (int i = 0; i < 32; i += 8) {
                if ((mask & 1U) != 0U) {
                    bytes |= (uint32_t)tml_rom_u8(packed++) << i;
                }
                mask >>= 1;
            }
            words[half] = tml_ab_word(bytes);
        }
        words += 2;
    }
    return packed;
}

#endif
