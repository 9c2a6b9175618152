/* SPDX-License-Identifier: 0BSD */
/* The blocks of AB words (tml_ab_block.h) in C. */
#ifndef TML_AB_4X2_PORTABLE_H
#define TML_AB_4X2_PORTABLE_H

#include "tml_ab_block.h"

#if !TML_HAVE_DSP_BLOCKS
/* 256 * A + B and B of one word of two channels, and of one pixel. */
struct tml_ab_sums {
    uint32_t t;
    uint32_t b;
};

/* x, weights: every other word */
TML_INLINE struct tml_ab_sums tml_ab_sum(struct tml_ab_sums sums, size_t steps, const uint32_t *x,
                                         const int32_t *weights)
{
    for (size_t s = 0U; s < steps; s++) {
        uint32_t ab = (uint32_t)tml_rom_i32(weights + 2U * s);
        sums.t = tml_smlad(ab, x[2U * s], sums.t);
        sums.b = tml_smlad(tml_sxtb16(ab), x[2U * s], sums.b);
    }
    return sums;
}

/* Channels k and k + 2 of a block of one pixel. */
TML_INLINE void tml_ab_two_channels_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                       const int32_t *weights, ptrdiff_t k, int8_t *y)
{
    const int32_t *multiplier = weights + 4U + 2U * p->steps + k;
    struct tml_ab_sums sums = {(uint32_t)tml_rom_i32(weights + k),
                               (uint32_t)tml_rom_i32(weights + 2 + k)};
    sums = tml_ab_sum(sums, p->steps, x, weights + 4 + k);
    int32_t a = (int32_t)(sums.t - sums.b) / 256;
    int32_t low = tml_requantize((int32_t)sums.b, tml_rom_i32(multiplier));
    int32_t high = tml_requantize(a, tml_rom_i32(multiplier + 2));
    y[k * p->y_channel] = tml_saturate_i8(p->y_zero_point + low);
    y[(k + 2) * p->y_channel] = tml_saturate_i8(p->y_zero_point + high);
}

/* A block of one pair of pixels. */
TML_INLINE void tml_ab_block_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                const int32_t *weights, int8_t *y)
{
    for (ptrdiff_t k = 0; k < 2; k++) {
        tml_ab_two_channels_i8(p, x + 1, weights, k, y + p->y_step);
        tml_ab_two_channels_i8(p, x, weights, k, y);
    }
}

TML_SHARED void tml_ab_4x2_portable(const struct tml_ab_4x2 *p, const uint32_t *x,
                                    const int32_t *weights, int8_t *y)
{
    for (size_t pair = 0U; pair < p->pairs; pair++) {
        const int32_t *w = weights;
        int8_t *channels = y;
        for (size_t block = 0U; block < p->blocks; block++) {
            tml_ab_block_i8(p, x, w, channels);
            w += 2U * p->steps + TML_AB_4X2_EXTRA;
            channels += 4 * p->y_channel;
        }
        x += p->x_advance;
        y += p->y_advance;
    }
}
#endif

#endif
