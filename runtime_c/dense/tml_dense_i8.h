/* SPDX-License-Identifier: 0BSD */
/* Dense: y[c] = clamp(y_zero_point + requantize((bias[c] + sum w[c][i] * x[i]) * 2^pre_shift,
 * multiplier[c])). */
#ifndef TML_DENSE_I8_H
#define TML_DENSE_I8_H

#include "tml_dense_pixels_i8.h"

/*
 * x: [x_len]
 * weights, bias, multiplier: see tml_dense_pixels_i8.h
 * y: [y_len], must not overlap x
 */
TML_KERNEL void tml_dense_i8(const struct tml_dense_params *p, const int8_t *x,
                             const int8_t *weights, const int32_t *bias, const int32_t *multiplier,
                             int8_t *y)
{
    tml_dense_pixels_i8(p, x, 0, weights, bias, multiplier, y, 0, false);
}

#endif
