/* SPDX-License-Identifier: 0BSD */
/*
 * Nibbles for one vector on cores with dual multiplies: within a group of inputs the weights of a
 * channel are m * q, q: -8..7. A q is multiplied where it stands, in the upper four bits of a half
 * word after a shift that costs nothing: sums are 2^12 times what they should be.
 *
 * A block of 4 channels is groups one behind the other: a word with the number of eights of inputs,
 * 1..63, one with the m of each channel, 1..127, channel 0 lowest, then for each 8 inputs a word of
 * each channel: q of inputs 0 to 3 in its low half, of 4 to 7 in its high half, the first one
 * lowest.
 */
#ifndef TML_NIBBLES_DSP_I8_H
#define TML_NIBBLES_DSP_I8_H

#include "../common/tml_dsp.h"

/* x: [n], as pairs of inputs j and j + 4 of each 8, j: 3, 2, 1, 0; inputs beyond n are 0. */
TML_INLINE void tml_nibbles_expand_i8(const int8_t *x, size_t n, uint32_t *pairs)
{
    for (size_t k = 0U; k < n; k += 8U) {
        int8_t eight[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        tml_copy(eight, x + k, n - k < 8U ? n - k : 8U);
        for (size_t j = 0U; j < 4U; j++) {
            pairs[j] = tml_pair(eight[3U - j], eight[7U - j]);
        }
        pairs += 4;
    }
}

/* One pair of inputs and 4 channels; shift: of the pair's q to the upper bits. */
TML_INLINE void tml_nibbles_pair_4x1(uint32_t sum[4], const uint32_t w[4], uint32_t x, int shift)
{
    for (size_t c = 0U; c < 4U; c++) {
        sum[c] = tml_smlad(w[c] << shift & 0xF000F000U, x, sum[c]);
    }
}

/* acc[c] += channel c. steps: eights of inputs. Returns the next block. */
TML_SHARED const uint32_t *tml_nibbles_block_dsp(const uint32_t *w, const uint32_t *x, size_t steps,
                                                 int32_t acc[4])
{
    while (steps > 0U) {
        uint32_t sum[4] = {0U, 0U, 0U, 0U};
        size_t n = tml_rom_u32(w);
        uint32_t m = tml_rom_u32(w + 1);
        w += 2;
        steps -= n;
        for (; n > 0U; n--) {
            const uint32_t four[4] = {tml_rom_u32(w), tml_rom_u32(w + 1), tml_rom_u32(w + 2),
                                      tml_rom_u32(w + 3)};
            tml_nibbles_pair_4x1(sum, four, x[0], 0);
            tml_nibbles_pair_4x1(sum, four, x[1], 4);
            tml_nibbles_pair_4x1(sum, four, x[2], 8);
            tml_nibbles_pair_4x1(sum, four, x[3], 12);
            w += 4;
            x += 4;
        }
        for (size_t c = 0U; c < 4U; c++) {
            acc[c] += (int32_t)(m >> 8U * c & 0xFFU) * ((int32_t)sum[c] >> 12);
        }
    }
    return w;
}

#endif
