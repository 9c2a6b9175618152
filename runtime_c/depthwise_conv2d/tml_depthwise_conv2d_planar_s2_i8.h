/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution with 3x3 windows, stride 2, on planar storage (tml_planar_3x3_s2_i8.h).
 * pre_shift is 0.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_PLANAR_S2_I8_H
#define TML_DEPTHWISE_CONV2D_PLANAR_S2_I8_H

#include "tml_planar_3x3_s2_i8.h"

/* One copy for all nodes of a model. What the loops take of the parameters they take of a copy,
 * which no store reaches. */
TML_SHARED TML_ALL_REGISTERS void
tml_planar_planes_3x3_s2_i8(const struct tml_depthwise_planar_params *params, const int8_t *x,
                            const int32_t *weights, int8_t *scratch, int8_t *y)
{
    const struct tml_depthwise_planar_params p = *params;
    tml_planar_planes_i8(&p, tml_planar_3x3_s2_i8, TML_PLANAR_3X3_WORDS, x, weights, scratch, y);
}

/*
 * x: [x_c][x_h][x_w]
 * weights (rom): for each channel TML_PLANAR_3X3_WORDS words as in
 *     tml_planar_3x3_plain_i8.h
 * scratch: rows * pitch bytes, aligned to 4; rows: 2 * y_h + 1, pitch: 2 * y_w + 1.., a multiple of 4
 * y: [x_c][y_h][y_w], both 2..; may begin at x or before it if its planes are no larger
 */
TML_KERNEL void tml_depthwise_conv2d_planar_s2_i8(const struct tml_depthwise_planar_params *p,
                                               const int8_t *x, const int32_t *weights,
                                               int8_t *scratch, int8_t *y)
{
    tml_planar_planes_3x3_s2_i8(p, x, weights, scratch, y);
}

#endif
