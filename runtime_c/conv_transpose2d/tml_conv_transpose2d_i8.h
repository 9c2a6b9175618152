/* SPDX-License-Identifier: 0BSD */
/*
 * Transposed convolution, each output gathering the inputs that reach it: y = clamp(y_zero_point +
 * requantize((bias + sum of w * (x - x_zero_point)) * 2^pre_shift, multiplier)).
 */
#ifndef TML_CONV_TRANSPOSE2D_I8_H
#define TML_CONV_TRANSPOSE2D_I8_H

#include "../common/tml_fixedpoint.h"
#include "tml_transpose_taps.h"

struct tml_conv_transpose2d_params {
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
    int_fast16_t
        pad_top; /* row 0 of y is row pad_top of the full output of this view; may be negative */
    int_fast16_t pad_left;  /* columns cut off the full output to the left */
    int_fast16_t groups;    /* 1.. */
    int32_t x_zero_point;   /* -128..127 */
    int32_t y_zero_point;   /* -128..127 */
    int_fast16_t pre_shift; /* 0..15 */
    int32_t y_min;          /* -128..y_max */
    int32_t y_max;          /* y_min..127 */
};

/* The sum of one output channel of one pixel. x: at the group's first channel; w:
 * [kernel_h][kernel_w][x_c / groups]. */
TML_LEAF int32_t tml_conv_transpose2d_sum_i8(
    const struct tml_conv_transpose2d_params *TML_RESTRICT p,
    const struct tml_transpose_taps *TML_RESTRICT v,
    const struct tml_transpose_taps *TML_RESTRICT h, const int8_t *x, const int8_t *TML_RESTRICT w)
{
    int32_t sum = 0;
    int_fast16_t c = p->x_c / p->groups;
    int_fast16_t row = v->at;
    for (int_fast16_t ky = v->tap; ky < p->kernel_h; ky += v->tap_step) {
        int_fast16_t col = h->at;
        for (int_fast16_t kx = h->tap; kx < p->kernel_w; kx += h->tap_step) {
            if (row >= 0 && row < p->x_h && col >= 0 && col < p->x_w) {
                const int8_t *x_tap = x + row * p->x_row_pitch + col * p->x_c;
                const int8_t *w_tap = w + (ky * p->kernel_w + kx) * c;
                for (int_fast16_t i = 0; i < c; i++) {
                    sum += (int32_t)tml_rom_i8(w_tap + i) * (x_tap[i] - p->x_zero_point);
                }
            }
            col -= h->at_step;
        }
        row -= v->at_step;
    }
    return sum;
}

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): [y_c][kernel_h][kernel_w][x_c / groups]
 * bias, multiplier (rom): [y_c]; unlike elsewhere the zero point of x is NOT part of bias: how many
 * taps count depends on the pixel, so the kernel subtracts it y: [y_h][y_w][y_c], must not overlap
 * x
 */
TML_KERNEL void tml_conv_transpose2d_i8(const struct tml_conv_transpose2d_params *TML_RESTRICT p,
                                        const int8_t *x, const int8_t *TML_RESTRICT weights,
                                        const int32_t *TML_RESTRICT bias,
                                        const int32_t *TML_RESTRICT multiplier,
                                        int8_t *TML_RESTRICT y)
{
    int_fast16_t group_x_c = p->x_c / p->groups;
    int_fast16_t group_y_c = p->y_c / p->groups;
    ptrdiff_t k = p->kernel_h * p->kernel_w * group_x_c;
    struct tml_transpose_taps v = tml_transpose_steps(p->dilation_h, p->stride_h);
    struct tml_transpose_taps h = tml_transpose_steps(p->dilation_w, p->stride_w);
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        tml_transpose_start(&v, oy + p->pad_top, p->dilation_h, p->stride_h, p->kernel_h);
        int8_t *y_pixel = y + oy * p->y_row_pitch;
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            tml_transpose_start(&h, ox + p->pad_left, p->dilation_w, p->stride_w, p->kernel_w);
            for (int_fast16_t oc = 0; oc < p->y_c; oc++) {
                const int8_t *x_group = x + oc / group_y_c * group_x_c;
                int32_t acc = tml_rom_i32(bias + oc) +
                              tml_conv_transpose2d_sum_i8(p, &v, &h, x_group, weights + oc * k);
                y_pixel[oc] = tml_output_i8(acc, tml_rom_i32(multiplier + oc), p->pre_shift,
                                            p->y_zero_point, p->y_min, p->y_max);
            }
            y_pixel += p->y_c;
        }
    }
}

#endif
