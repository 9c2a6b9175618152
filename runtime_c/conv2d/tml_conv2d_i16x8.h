/* SPDX-License-Identifier: 0BSD */
/* Convolution with int8 weights where x, y or both are int16. */
#ifndef TML_CONV2D_I16X8_H
#define TML_CONV2D_I16X8_H

#include "../wide/tml_wide_conv2d.h"

/*
 * x: [x_h][x_w][x_c] of x_bytes
 * weights (rom): for each group and each 2 of its channels { [steps] as tml_wide_dot.h has it }, a
 *     channel that is none is 0; steps: pairs of the K = kernel_h * kernel_w * x_c / groups inputs
 *     in the order ky, kx, ic, the last one filled up with 0
 * bias, multiplier (rom): [y_c]; the zero point of x is part of bias
 * scratch: 2 windows of 2 * steps int16; aligned to 4
 * y: [y_h][y_w][y_c] of y_bytes, must not overlap what a later window reads of x
 */
TML_KERNEL void tml_conv2d_i16x8(const struct tml_wide_params *p, const void *x,
                                 const int8_t *weights, const int32_t *bias,
                                 const int32_t *multiplier, void *scratch, void *y)
{
    const struct tml_wide_arrays all = {false, weights, bias, NULL, NULL, multiplier};
    tml_wide_conv2d(p, x, &all, scratch, y);
}

#endif
