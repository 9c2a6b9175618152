/* SPDX-License-Identifier: 0BSD */
/* Dense: y[c] = clamp(bias[c] + sum w[c][i] * x[i]). */
#ifndef TML_DENSE_F32_H
#define TML_DENSE_F32_H

#include "tml_dense_pixels_f32.h"

/*
 * x: [x_len]
 * weights, bias: see tml_dense_pixels_f32.h
 * y: [y_len], must not overlap x
 */
TML_KERNEL void tml_dense_f32(const struct tml_dense_f32_params *p, const float *x,
                              const float *weights, const float *bias, float *y)
{
    tml_dense_pixels_f32(p, x, 0, weights, bias, y, 0, false);
}

#endif
