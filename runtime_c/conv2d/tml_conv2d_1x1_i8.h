/* SPDX-License-Identifier: 0BSD */
/* Pointwise convolution, stride 1, no padding, one group: a dense over the channels of a pixel. */
#ifndef TML_CONV2D_1X1_I8_H
#define TML_CONV2D_1X1_I8_H

#include "../dense/tml_dense_pixels_i8.h"

struct tml_conv2d_1x1_params {
    int_fast16_t x_c;         /* input channels: 1.. */
    int_fast16_t x_row_pitch; /* elements from row to row of x: y_w * x_c.. */
    int_fast16_t y_h;         /* rows to compute: 1.. */
    int_fast16_t y_w;         /* columns of x and y: 1.. */
    int_fast16_t y_c;         /* output channels: 1.. */
    int_fast16_t y_row_pitch; /* elements from row to row of y: y_w * y_c.. */
    int32_t y_zero_point;     /* -128..127 */
    int_fast16_t pre_shift;   /* 0..15 */
    int32_t y_min;            /* -128..y_max */
    int32_t y_max;            /* y_min..127 */
};

/*
 * x: [y_h][y_w][x_c]
 * weights, bias, multiplier: see tml_dense_pixels_i8.h, K = x_c and C = y_c
 * y: [y_h][y_w][y_c]. Two pixels of x are read while they are written, then never again: with
 * pitches without gaps and y_c <= x_c, y may run over x from 2 * y_c elements below it.
 */
TML_KERNEL void tml_conv2d_1x1_i8(const struct tml_conv2d_1x1_params *p, const int8_t *x,
                                  const int8_t *weights, const int32_t *bias,
                                  const int32_t *multiplier, int8_t *y)
{
    const struct tml_dense_params dense = {p->x_c,       p->y_c,   p->y_zero_point,
                                           p->pre_shift, p->y_min, p->y_max};
    bool gapless = p->x_row_pitch == p->y_w * p->x_c && p->y_row_pitch == p->y_w * p->y_c;
    int_fast16_t h = gapless ? 1 : p->y_h;
    int_fast16_t w = gapless ? p->y_h * p->y_w : p->y_w;
    for (int_fast16_t row = 0; row < h; row++) {
        const int8_t *x_pixel = x;
        int8_t *y_pixel = y;
        for (int_fast16_t col = 0; col < w; col += 2) {
            tml_dense_pixels_i8(&dense, x_pixel, p->x_c, weights, bias, multiplier, y_pixel, p->y_c,
                                w - col >= 2);
            x_pixel += 2 * p->x_c;
            y_pixel += 2 * p->y_c;
        }
        x += p->x_row_pitch;
        y += p->y_row_pitch;
    }
}

#endif
