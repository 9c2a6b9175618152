/* SPDX-License-Identifier: 0BSD */
/* Convolution on float32 with weights as float16; formula in tml_conv2d_f32.h. */
#ifndef TML_CONV2D_F16_H
#define TML_CONV2D_F16_H

#include "../dense/tml_dense_pixels_f16.h"
#include "tml_conv2d_f32.h"

/* Arguments as in tml_conv2d_f32, weights as float16. */
TML_KERNEL void tml_conv2d_f16(const struct tml_conv2d_f32_params *p, const float *x,
                               const uint16_t *weights, const float *bias, float *scratch, float *y)
{
    int_fast16_t group_c = p->x_c / p->groups;
    const struct tml_dense_f32_params dense = {p->kernel_h * p->kernel_w * group_c,
                                               p->y_c / p->groups, p->y_min, p->y_max};
    size_t group_size = (size_t)dense.x_len * (size_t)dense.y_len;
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        for (int_fast16_t ox = 0; ox < p->y_w; ox += 2) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            bool two = p->y_w - ox >= 2;
            for (int_fast16_t g = 0; g < p->groups; g++) {
                int_fast16_t c = g * dense.y_len;
                const float *channels = x + g * group_c;
                tml_conv2d_gather_f32(p, channels, row, col, scratch);
                if (two) {
                    tml_conv2d_gather_f32(p, channels, row, col + p->stride_w,
                                          scratch + dense.x_len);
                }
                tml_dense_pixels_f16(&dense, scratch, dense.x_len, weights + (size_t)g * group_size,
                                     bias + c, y + oy * p->y_row_pitch + ox * p->y_c + c, p->y_c,
                                     two);
            }
        }
    }
}

#endif
