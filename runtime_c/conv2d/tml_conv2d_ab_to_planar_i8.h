/* SPDX-License-Identifier: 0BSD */
/* tml_conv2d_ab_i8 into planes: a dense image for each channel. */
#ifndef TML_CONV2D_AB_TO_PLANAR_I8_H
#define TML_CONV2D_AB_TO_PLANAR_I8_H

#include "tml_conv2d_ab_strips_i8.h"

/* y: [y_c][y_h][y_w], may overlap x as there; all else as in tml_conv2d_ab_i8.h */
TML_KERNEL void tml_conv2d_ab_to_planar_i8(const struct tml_conv2d_ab_params *p, const int8_t *x,
                                           const int32_t *weights, int8_t *scratch, int8_t *y)
{
    tml_conv2d_ab_strips_i8(p, x, weights, scratch, y, true);
}

#endif
