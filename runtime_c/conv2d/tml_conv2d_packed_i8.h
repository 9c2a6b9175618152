/* SPDX-License-Identifier: 0BSD */
/* Convolution with packed weights (packed/tml_packed_pixels_i8.h), of one group: as tml_conv2d_i8.
 */
#ifndef TML_CONV2D_PACKED_I8_H
#define TML_CONV2D_PACKED_I8_H

#include "../packed/tml_packed_pixels_i8.h"
#include "tml_conv2d_i8.h"

TML_INLINE void tml_conv2d_packed_i8(const struct tml_conv2d_params *p, tml_packed_dot dot,
                                     const int8_t *table, const int8_t *x, const uint8_t *weights,
                                     const int32_t *bias, const int32_t *multiplier,
                                     int8_t *scratch, int8_t *y)
{
    const struct tml_dense_params dense = {p->kernel_h * p->kernel_w * p->x_c,
                                           p->y_c,
                                           p->y_zero_point,
                                           p->pre_shift,
                                           p->y_min,
                                           p->y_max};
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        for (int_fast16_t ox = 0; ox < p->y_w; ox += 2) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            bool two = p->y_w - ox >= 2;
            tml_conv2d_gather_i8(p, x, row, col, scratch);
            if (two) {
                tml_conv2d_gather_i8(p, x, row, col + p->stride_w, scratch + dense.x_len);
            }
            tml_packed_pixels_i8(&dense, dot, table, scratch, dense.x_len, weights, bias,
                                 multiplier, y + oy * p->y_row_pitch + ox * p->y_c, p->y_c, two);
        }
    }
}

#endif
