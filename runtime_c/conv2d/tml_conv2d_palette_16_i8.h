/* SPDX-License-Identifier: 0BSD */
/* Convolution with weights as a palette of 16 values (packed/tml_palette_i8.h); formula in
 * tml_conv2d_i8.h. */
#ifndef TML_CONV2D_PALETTE_16_I8_H
#define TML_CONV2D_PALETTE_16_I8_H

#include "../packed/tml_palette_i8.h"
#include "tml_conv2d_packed_i8.h"

/*
 * x: [x_h][x_w][x_c]; groups is 1
 * weights (rom): the 16 values, then blocks, inputs in the order ky, kx, ic
 * bias, multiplier (rom): [y_c]
 * scratch: 2 * kernel_h * kernel_w * x_c bytes
 * y: [y_h][y_w][y_c], must not overlap what a later window reads of x
 */
TML_KERNEL void tml_conv2d_palette_16_i8(const struct tml_conv2d_params *p, const int8_t *x,
                                         const uint8_t *weights, const int32_t *bias,
                                         const int32_t *multiplier, int8_t *scratch, int8_t *y)
{
    int8_t table[16];
    weights = tml_palette_load(weights, 16U, table);
    tml_conv2d_packed_i8(p, tml_palette_16_dot_i8, table, x, weights, bias, multiplier, scratch, y);
}

#endif
