/* SPDX-License-Identifier: 0BSD */
/*
 * Convolution: y = clamp(y_zero_point + requantize((bias + sum over the window of w * x) *
 * 2^pre_shift, multiplier)). The windows of two neighbouring pixels are gathered into scratch,
 * where they are vectors for a dense.
 */
#ifndef TML_CONV2D_I8_H
#define TML_CONV2D_I8_H

#include "../dense/tml_dense_pixels_i8.h"

struct tml_conv2d_params {
    int_fast16_t x_h;         /* rows of x in this view: 1.. */
    int_fast16_t x_w;         /* columns of x: 1.. */
    int_fast16_t x_c;         /* input channels, a multiple of groups */
    int_fast16_t x_row_pitch; /* elements from row to row of x: x_w * x_c.. */
    int_fast16_t y_h;         /* rows to compute: 1.. */
    int_fast16_t y_w;         /* columns of y: 1.. */
    int_fast16_t y_c;         /* output channels, a multiple of groups */
    int_fast16_t y_row_pitch; /* elements from row to row of y: y_w * y_c.. */
    int_fast16_t kernel_h;    /* 1.. */
    int_fast16_t kernel_w;    /* 1.. */
    int_fast16_t stride_h;    /* 1.. */
    int_fast16_t stride_w;    /* 1.. */
    int_fast16_t dilation_h;  /* 1.. */
    int_fast16_t dilation_w;  /* 1.. */
    int_fast16_t pad_top;     /* rows of padding above this view; negative skips rows */
    int_fast16_t pad_left;    /* columns of padding to the left */
    int_fast16_t groups;      /* 1.. */
    int32_t x_zero_point;     /* -128..127, the value of padding */
    int32_t y_zero_point;     /* -128..127 */
    int_fast16_t pre_shift;   /* 0..15 */
    int32_t y_min;            /* -128..y_max */
    int32_t y_max;            /* y_min..127 */
};

/* One window of a group, its corner at row, col of x: dst[(ky * kernel_w + kx) * c + ic], c = x_c /
 * groups. x: at the group's first channel. */
TML_SHARED void tml_conv2d_gather_i8(const struct tml_conv2d_params *TML_RESTRICT p,
                                     const int8_t *x, int_fast16_t row, int_fast16_t col,
                                     int8_t *TML_RESTRICT dst)
{
    size_t c = (size_t)(p->x_c / p->groups);
    int_fast16_t last_col = col + (p->kernel_w - 1) * p->dilation_w;
    bool one_run = p->groups == 1 && p->dilation_w == 1 && col >= 0 && last_col < p->x_w;
    for (int_fast16_t ky = 0; ky < p->kernel_h; ky++) {
        if (row < 0 || row >= p->x_h) {
            tml_fill_i8(dst, (int8_t)p->x_zero_point, (size_t)p->kernel_w * c);
            dst += (size_t)p->kernel_w * c;
        } else if (one_run) {
            tml_copy(dst, x + row * p->x_row_pitch + col * p->x_c, (size_t)p->kernel_w * c);
            dst += (size_t)p->kernel_w * c;
        } else {
            for (int_fast16_t tap = col; tap <= last_col; tap += p->dilation_w) {
                if (tap < 0 || tap >= p->x_w) {
                    tml_fill_i8(dst, (int8_t)p->x_zero_point, c);
                } else {
                    tml_copy(dst, x + row * p->x_row_pitch + tap * p->x_c, c);
                }
                dst += c;
            }
        }
        row += p->dilation_h;
    }
}

/*
 * x: [x_h][x_w][x_c]
 * weights: per group as in tml_dense_pixels_i8.h, K = kernel_h * kernel_w * x_c / groups in the
 * order ky, kx, ic and C = y_c / groups bias, multiplier: [y_c] scratch: 2 * K bytes y:
 * [y_h][y_w][y_c], must not overlap what a later window reads of x
 */
TML_KERNEL void tml_conv2d_i8(const struct tml_conv2d_params *p, const int8_t *x,
                              const int8_t *weights, const int32_t *bias, const int32_t *multiplier,
                              int8_t *scratch, int8_t *y)
{
    int_fast16_t group_c = p->x_c / p->groups;
    const struct tml_dense_params dense = {p->kernel_h * p->kernel_w * group_c,
                                           p->y_c / p->groups,
                                           p->y_zero_point,
                                           p->pre_shift,
                                           p->y_min,
                                           p->y_max};
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        for (int_fast16_t ox = 0; ox < p->y_w; ox += 2) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            bool two = p->y_w - ox >= 2;
            const int8_t *w = weights;
            for (int_fast16_t g = 0; g < p->groups; g++) {
                int_fast16_t c = g * dense.y_len;
                tml_conv2d_gather_i8(p, x + g * group_c, row, col, scratch);
                if (two) {
                    tml_conv2d_gather_i8(p, x + g * group_c, row, col + p->stride_w,
                                         scratch + dense.x_len);
                }
                tml_dense_pixels_i8(&dense, scratch, dense.x_len, w, bias + c, multiplier + c,
                                    y + oy * p->y_row_pitch + ox * p->y_c + c, p->y_c, two);
                w += (size_t)dense.x_len * (size_t)dense.y_len;
            }
        }
    }
}

#endif
