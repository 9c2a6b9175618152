/* SPDX-License-Identifier: 0BSD */
/* Dense on float32 with weights as float16; formula in tml_dense_f32.h. */
#ifndef TML_DENSE_F16_H
#define TML_DENSE_F16_H

#include "tml_dense_pixels_f16.h"

/*
 * x: [x_len]
 * weights (float16), bias: see tml_dense_pixels_f32.h
 * y: [y_len], must not overlap x
 */
TML_KERNEL void tml_dense_f16(const struct tml_dense_f32_params *p, const float *x,
                              const uint16_t *weights, const float *bias, float *y)
{
    tml_dense_pixels_f16(p, x, 0, weights, bias, y, 0, false);
}

#endif
