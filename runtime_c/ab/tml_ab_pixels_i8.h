/* SPDX-License-Identifier: 0BSD */
/* Around the block of AB words: inputs expanded to pairs, and all output channels of two pixels. */
#ifndef TML_AB_PIXELS_I8_H
#define TML_AB_PIXELS_I8_H

#include "tml_ab_4x2_i8.h"

/*
 * n inputs of one pixel as pairs of int16, every other word of pairs. Of each 4 inputs the pairs are
 * (0, 2) and (1, 3), as SXTB16 gives them; the last n % 4 are paired in order, a single one with 0.
 * Returns the place behind the last pair.
 */
TML_INLINE uint32_t *tml_ab_expand_i8(const int8_t *x, size_t n, uint32_t *pairs)
{
    for (; n >= 4U; n -= 4U) {
        uint32_t bytes = tml_load_bytes(x);
        pairs[0] = tml_sxtb16(bytes);
        pairs[2] = tml_sxtb16_odd(bytes);
        x += 4;
        pairs += 4;
    }
    for (; n >= 2U; n -= 2U) {
        pairs[0] = tml_pair(x[0], x[1]);
        x += 2;
        pairs += 2;
    }
    if (n == 1U) {
        pairs[0] = tml_pair(x[0], 0);
        pairs += 2;
    }
    return pairs;
}

struct tml_ab_pixels {
    size_t steps;         /* pairs of inputs: 1.. */
    size_t y_c;           /* output channels: 1.. */
    int32_t y_zero_point; /* -128..127 */
    int32_t y_min;        /* -128..y_max */
    int32_t y_max;        /* y_min..127 */
};

TML_INLINE void tml_ab_limit_i8(const struct tml_ab_pixels *p, int8_t *y)
{
    for (size_t c = 0U; c < p->y_c; c++) {
        y[c] = (int8_t)tml_clamp_i32(y[c], p->y_min, p->y_max);
    }
}

/* pairs: [steps][2], see tml_ab_4x2_i8.h, also for the weights; y0, y1: [y_c] */
TML_INLINE void tml_ab_pixels_i8(const struct tml_ab_pixels *p, const uint32_t *pairs,
                                 const int32_t *weights, int8_t *y0, int8_t *y1)
{
    const struct tml_ab_4x2 full = {p->steps, p->y_c / 4U, p->y_zero_point};
    size_t rest = p->y_c % 4U;
    if (full.blocks > 0U) {
        tml_ab_4x2_i8(&full, pairs, weights, y0, y1);
    }
    if (rest > 0U) {
        const struct tml_ab_4x2 last = {p->steps, 1U, p->y_zero_point};
        int8_t four[2][4];
        weights += full.blocks * (2U * p->steps + TML_AB_4X2_EXTRA);
        tml_ab_4x2_i8(&last, pairs, weights, four[0], four[1]);
        tml_copy(y0 + p->y_c - rest, four[0], rest);
        tml_copy(y1 + p->y_c - rest, four[1], rest);
    }
    if (p->y_min > -128 || p->y_max < 127) {
        tml_ab_limit_i8(p, y0);
        tml_ab_limit_i8(p, y1);
    }
}

#endif
