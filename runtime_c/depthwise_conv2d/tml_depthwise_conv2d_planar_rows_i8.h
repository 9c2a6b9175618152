/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution with windows of any size, horizontal stride 1, on planar storage
 * (tml_planar_pieces_i8.h). pre_shift is 0, dilation 1.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_PLANAR_ROWS_I8_H
#define TML_DEPTHWISE_CONV2D_PLANAR_ROWS_I8_H

#include "tml_planar_rows_i8.h"

/*
 * x: [x_c][x_h][x_w]
 * weights (rom): for each channel bias, multiplier, and TML_PLANAR_ROWS_PIECE words for each of
 *     [kernel_h][pieces]
 * scratch: rows * pitch bytes, 16 more for each 4 columns of y begun if there are several pieces,
 *     and 4 * ceil(y_w / 4) + 5 * pieces - 1 at least from the last row on; aligned to 4.
 *     rows: (y_h - 1) * stride_h + kernel_h, pitch: y_w - 1 + the window's columns.., a multiple of 4
 * y: [x_c][y_h][y_w], y_w: 4..; may begin at x or before it if its planes are no larger
 */
TML_KERNEL void tml_depthwise_conv2d_planar_rows_i8(const struct tml_depthwise_planar_params *p,
                                                    const int8_t *x, const int32_t *weights,
                                                    int8_t *scratch, int8_t *y)
{
    int_fast16_t words = TML_PLANAR_ROWS_ENDS + TML_PLANAR_ROWS_PIECE * p->kernel_h * p->pieces;
    tml_planar_planes_i8(p, tml_planar_rows_i8, words, x, weights, scratch, y);
}

#endif
