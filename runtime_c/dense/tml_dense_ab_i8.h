/* SPDX-License-Identifier: 0BSD */
/* Dense on one vector with AB words (ab/tml_ab_8x1_i8.h): x is expanded to pairs in scratch.
 * pre_shift is 0. */
#ifndef TML_DENSE_AB_I8_H
#define TML_DENSE_AB_I8_H

#include "../ab/tml_ab_8x1_i8.h"
#include "tml_dense_pixels_i8.h"

/*
 * x: [x_len]
 * weights (rom): see tml_ab_8x1_i8.h; K in pairs as tml_ab_expand_vector_i8 makes them; inputs
 *     beyond x_len and channels beyond y_len are 0
 * scratch: 2 * x_len bytes, rounded up to a multiple of 8; aligned to 4
 * y: [y_len], must not overlap x
 */
TML_KERNEL void tml_dense_ab_i8(const struct tml_dense_params *p, const int8_t *x,
                                const int32_t *weights, int8_t *scratch, int8_t *y)
{
    const struct tml_ab_8x1 full = {((size_t)p->x_len + 3U) / 4U * 2U, (size_t)p->y_len / 8U,
                                    p->y_zero_point};
    const struct tml_ab_8x1 last = {full.steps, 1U, p->y_zero_point};
    uint32_t *pairs = (uint32_t *)(void *)scratch;
    size_t rest = (size_t)p->y_len % 8U;
    tml_ab_expand_vector_i8(x, (size_t)p->x_len, pairs);
    if (full.blocks > 0U) {
        tml_ab_8x1_i8(&full, pairs, weights, y);
    }
    if (rest > 0U) {
        int8_t eight[8];
        weights += full.blocks * (4U * full.steps + TML_AB_8X1_EXTRA);
        tml_ab_8x1_i8(&last, pairs, weights, eight);
        tml_copy(y + 8U * full.blocks, eight, rest);
    }
    if (p->y_min > -128 || p->y_max < 127) {
        for (int_fast16_t c = 0; c < p->y_len; c++) {
            y[c] = (int8_t)tml_clamp_i32(y[c], p->y_min, p->y_max);
        }
    }
}

#endif
