/* SPDX-License-Identifier: 0BSD */
/*
 * Convolution with AB words (ab/tml_ab_4x2_i8.h): the windows of two pixels at a time are expanded
 * to pairs in scratch, straight from x where they lie within it. groups is 1, pre_shift 0.
 */
#ifndef TML_CONV2D_AB_I8_H
#define TML_CONV2D_AB_I8_H

#include "../ab/tml_ab_pixels_i8.h"
#include "tml_conv2d_i8.h"

/* Inputs that follow each other in x and in the window: a kernel row, or a tap of a dilated one. */
TML_INLINE int_fast16_t tml_conv2d_ab_run(const struct tml_conv2d_params *p)
{
    return p->dilation_w == 1 ? p->kernel_w * p->x_c : p->x_c;
}

/* The window at row, col of x, expanded; window: for one that reaches into the padding. */
TML_LEAF void tml_conv2d_ab_gather_i8(const struct tml_conv2d_params *TML_RESTRICT p,
                                      const int8_t *x, int_fast16_t row, int_fast16_t col,
                                      int8_t *TML_RESTRICT window, uint32_t *TML_RESTRICT pairs)
{
    int_fast16_t run = tml_conv2d_ab_run(p);
    int_fast16_t runs = p->kernel_w * p->x_c / run;
    bool inside = row >= 0 && row + (p->kernel_h - 1) * p->dilation_h < p->x_h && col >= 0 &&
                  col + (p->kernel_w - 1) * p->dilation_w < p->x_w;
    const int8_t *from = window;
    ptrdiff_t row_step = p->kernel_w * p->x_c;
    ptrdiff_t run_step = run;
    if (inside) {
        from = x + row * p->x_row_pitch + col * p->x_c;
        row_step = p->dilation_h * p->x_row_pitch;
        run_step = p->dilation_w * p->x_c;
    } else {
        tml_conv2d_gather_i8(p, x, row, col, window);
    }
    for (int_fast16_t ky = 0; ky < p->kernel_h; ky++) {
        for (int_fast16_t i = 0; i < runs; i++) {
            pairs = tml_ab_expand_i8(from + i * run_step, (size_t)run, pairs);
        }
        from += row_step;
    }
}

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): see tml_ab_4x2_i8.h; K in the order ky, kx, ic, each run of a kernel row expanded
 *     as by tml_ab_expand_i8; channels beyond y_c are 0
 * scratch: 8 * steps bytes, then kernel_h * kernel_w * x_c for a window, then y_c; aligned to 4
 * y: [y_h][y_w][y_c], must not overlap what a later window reads of x
 */
TML_KERNEL void tml_conv2d_ab_i8(const struct tml_conv2d_params *p, const int8_t *x,
                                 const int32_t *weights, int8_t *scratch, int8_t *y)
{
    size_t run = (size_t)tml_conv2d_ab_run(p);
    size_t taps = (size_t)(p->kernel_h * p->kernel_w * p->x_c);
    const struct tml_ab_pixels out = {taps / run * ((run + 1U) / 2U), (size_t)p->y_c,
                                      p->y_zero_point, p->y_min, p->y_max};
    uint32_t *pairs = (uint32_t *)(void *)scratch;
    int8_t *window = scratch + 8U * out.steps;
    int8_t *first = y;
    size_t waiting = 0U;
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            int8_t *pixel = y + oy * p->y_row_pitch + ox * p->y_c;
            tml_conv2d_ab_gather_i8(p, x, oy * p->stride_h - p->pad_top,
                                    ox * p->stride_w - p->pad_left, window, pairs + waiting);
            if (waiting == 1U) {
                tml_ab_pixels_i8(&out, pairs, weights, first, pixel);
            }
            first = pixel;
            waiting = 1U - waiting;
        }
    }
    if (waiting == 1U) { /* an odd pixel is left: its partner's results go to scratch */
        tml_ab_pixels_i8(&out, pairs, weights, first, window + taps);
    }
}

#endif
