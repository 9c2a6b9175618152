/* SPDX-License-Identifier: 0BSD */
/* Pointwise convolution of planes with AB words (tml_conv2d_1x1_ab_planes_i8.h). */
#ifndef TML_CONV2D_1X1_AB_FROM_PLANAR_I8_H
#define TML_CONV2D_1X1_AB_FROM_PLANAR_I8_H

#include "tml_conv2d_1x1_ab_planes_i8.h"

/* y: [pixels][y_c], must not overlap x */
TML_KERNEL void tml_conv2d_1x1_ab_from_planar_i8(const struct tml_conv2d_1x1_ab_params *p,
                                                 const int8_t *x, const int32_t *weights,
                                                 int8_t *scratch, int8_t *y)
{
    tml_conv2d_1x1_ab_tiles_i8(p, x, weights, scratch, y, !TML_AB_LOOP_EACH);
}

#endif
