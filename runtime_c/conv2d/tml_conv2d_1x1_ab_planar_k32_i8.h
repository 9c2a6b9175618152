/* SPDX-License-Identifier: 0BSD */
/* Pointwise convolution with AB words from planes to planes of 31 or 32 input channels
 * (tml_conv2d_1x1_ab_steady_i8.h). */
#ifndef TML_CONV2D_1X1_AB_PLANAR_K32_I8_H
#define TML_CONV2D_1X1_AB_PLANAR_K32_I8_H

#include "tml_conv2d_1x1_ab_steady_i8.h"

TML_KERNEL void tml_conv2d_1x1_ab_planar_k32_i8(const struct tml_conv2d_1x1_ab_params *p,
                                                const int8_t *x, const int32_t *weights,
                                                int8_t *scratch, int8_t *y)
{
    tml_conv2d_1x1_ab_steady_i8(p, tml_ab_16_steps_i8, x, weights, scratch, y);
}

#endif
