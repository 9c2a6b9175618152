/* SPDX-License-Identifier: 0BSD */
/* Convolution with AB words as sliding columns (tml_conv2d_ab_columns_i8.h). groups is 1,
 * pre_shift 0. */
#ifndef TML_CONV2D_AB_I8_H
#define TML_CONV2D_AB_I8_H

#include "tml_conv2d_ab_strips_i8.h"

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): see tml_ab_outputs_i8; K in the order ky, kx, ic, each run of a kernel row in
 *     pairs as tml_ab_expand_i8 makes them
 * scratch: pairs_bytes for the rows of a strip, then 2 * kernel_w * x_c for rows of windows, then 8
 *     bytes for each pair of a strip if y_c < 4, else tml_ab_beyond() bytes; aligned to 4
 * y: [y_h][y_w][y_c]; may overlap x where no strip writes over what it or a later one reads. Strips
 *     follow each other band by band from the top, each from left to right, and read before they
 *     write
 */
TML_KERNEL void tml_conv2d_ab_i8(const struct tml_conv2d_ab_params *p, const int8_t *x,
                                 const int32_t *weights, int8_t *scratch, int8_t *y)
{
    tml_conv2d_ab_strips_i8(p, x, weights, scratch, y, false);
}

#endif
