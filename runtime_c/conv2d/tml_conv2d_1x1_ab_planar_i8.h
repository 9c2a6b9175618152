/* SPDX-License-Identifier: 0BSD */
/* Pointwise convolution with AB words from planes to planes (tml_conv2d_1x1_ab_planes_i8.h). */
#ifndef TML_CONV2D_1X1_AB_PLANAR_I8_H
#define TML_CONV2D_1X1_AB_PLANAR_I8_H

#include "tml_conv2d_1x1_ab_planes_i8.h"

/* y: [y_c][pixels], may be x: a tile is read from all planes before it is written to all planes */
TML_KERNEL void tml_conv2d_1x1_ab_planar_i8(const struct tml_conv2d_1x1_ab_params *p,
                                            const int8_t *x, const int32_t *weights,
                                            int8_t *scratch, int8_t *y)
{
    tml_conv2d_1x1_ab_tiles_i8(p, x, weights, scratch, y, true);
}

#endif
