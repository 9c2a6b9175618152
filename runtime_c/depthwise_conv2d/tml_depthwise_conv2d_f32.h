/* SPDX-License-Identifier: 0BSD */
/* Depthwise convolution, depth multiplier 1: y = clamp(bias + sum over the window of w * x), each
 * channel by itself, padding being 0. */
#ifndef TML_DEPTHWISE_CONV2D_F32_H
#define TML_DEPTHWISE_CONV2D_F32_H

#include "../common/tml_float.h"
#include "../common/tml_window.h"

struct tml_depthwise_conv2d_f32_params {
    int_fast16_t x_h;         /* rows of x in this view: 1.. */
    int_fast16_t x_w;         /* columns of x: 1.. */
    int_fast16_t x_c;         /* channels of x and y: 1.. */
    int_fast16_t x_row_pitch; /* elements from row to row of x: x_w * x_c.. */
    int_fast16_t y_h;         /* rows to compute: 1.. */
    int_fast16_t y_w;         /* columns of y: 1.. */
    int_fast16_t y_row_pitch; /* elements from row to row of y: y_w * x_c.. */
    int_fast16_t kernel_h;    /* 1.. */
    int_fast16_t kernel_w;    /* 1.. */
    int_fast16_t stride_h;    /* 1.. */
    int_fast16_t stride_w;    /* 1.. */
    int_fast16_t dilation_h;  /* 1.. */
    int_fast16_t dilation_w;  /* 1.. */
    int_fast16_t pad_top;     /* rows of padding above this view; negative skips rows */
    int_fast16_t pad_left;    /* columns of padding to the left */
    float y_min;              /* activation limits; -FLT_MAX, FLT_MAX for none */
    float y_max;
};

/* The taps of a window that lie within x. */
struct tml_depthwise_f32_taps {
    struct tml_taps rows;
    struct tml_taps columns;
};

/* One tap of 4 channels: acc[c] += w[c] * x[c]. */
TML_INLINE void tml_depthwise_tap_f32(float acc[4], const float *w, const float *x)
{
    acc[0] += tml_rom_f32(w) * x[0];
    acc[1] += tml_rom_f32(w + 1) * x[1];
    acc[2] += tml_rom_f32(w + 2) * x[2];
    acc[3] += tml_rom_f32(w + 3) * x[3];
}

/* acc[c] += the taps within x of 4 channels. x: at the first of them; w: at tap 0, 0. */
TML_LEAF void tml_depthwise_inside_f32(const struct tml_depthwise_conv2d_f32_params *TML_RESTRICT p,
                                       const struct tml_depthwise_f32_taps *TML_RESTRICT taps,
                                       const float *x, const float *TML_RESTRICT w,
                                       float acc[TML_RESTRICT 4])
{
    float a[4] = {acc[0], acc[1], acc[2], acc[3]};
    int_fast16_t columns = tml_count_taps(taps->columns);
    ptrdiff_t w_step = p->x_c;
    ptrdiff_t x_step = p->dilation_w * p->x_c;
    ptrdiff_t w_row_step = (p->kernel_w - columns) * w_step;
    ptrdiff_t x_row_step = p->dilation_h * p->x_row_pitch - columns * x_step;
    w += (taps->rows.begin * p->kernel_w + taps->columns.begin) * w_step;
    for (int_fast16_t ky = tml_count_taps(taps->rows); ky > 0; ky--) {
        for (int_fast16_t kx = columns; kx > 0; kx--) {
            tml_depthwise_tap_f32(a, w, x);
            w += w_step;
            x += x_step;
        }
        w += w_row_step;
        x += x_row_step;
    }
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
}

/* Taps within x of one channel of the last x_c % 4. x: at the first of them; w: at tap 0, 0. */
TML_LEAF float
tml_depthwise_channel_f32(const struct tml_depthwise_conv2d_f32_params *TML_RESTRICT p,
                          const struct tml_depthwise_f32_taps *TML_RESTRICT taps, const float *x,
                          const float *TML_RESTRICT w, float acc)
{
    w += (taps->rows.begin * p->kernel_w + taps->columns.begin) * p->x_c;
    for (int_fast16_t ky = tml_count_taps(taps->rows); ky > 0; ky--) {
        for (int_fast16_t kx = 0; kx < tml_count_taps(taps->columns); kx++) {
            acc += tml_rom_f32(w + kx * p->x_c) * x[kx * p->dilation_w * p->x_c];
        }
        w += p->kernel_w * p->x_c;
        x += p->dilation_h * p->x_row_pitch;
    }
    return acc;
}

/* One output pixel. x: at the first tap that lies within; y: its first channel. */
TML_INLINE void
tml_depthwise_pixel_f32(const struct tml_depthwise_conv2d_f32_params *TML_RESTRICT p,
                        const struct tml_depthwise_f32_taps *TML_RESTRICT taps, const float *x,
                        const float *TML_RESTRICT weights, const float *TML_RESTRICT bias, float *y)
{
    int_fast16_t c = 0;
    for (; c + 4 <= p->x_c; c += 4) {
        float acc[4] = {tml_rom_f32(bias + c), tml_rom_f32(bias + c + 1), tml_rom_f32(bias + c + 2),
                        tml_rom_f32(bias + c + 3)};
        tml_depthwise_inside_f32(p, taps, x + c, weights + c, acc);
        for (int i = 0; i < 4; i++) {
            y[c + i] = tml_clamp_f32(acc[i], p->y_min, p->y_max);
        }
    }
    for (int_fast16_t rest = p->x_c % 4; rest > 0; rest--) {
        float acc = tml_rom_f32(bias + c);
        acc = tml_depthwise_channel_f32(p, taps, x + c, weights + c, acc);
        y[c] = tml_clamp_f32(acc, p->y_min, p->y_max);
        c++;
    }
}

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): [kernel_h][kernel_w][x_c]
 * bias (rom): [x_c]
 * y: [y_h][y_w][x_c], must not overlap what this or a later window reads of x
 */
TML_KERNEL void
tml_depthwise_conv2d_f32(const struct tml_depthwise_conv2d_f32_params *TML_RESTRICT p,
                         const float *x, const float *TML_RESTRICT weights,
                         const float *TML_RESTRICT bias, float *y)
{
    struct tml_depthwise_f32_taps taps;
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        taps.rows = tml_clip_taps(row, p->dilation_h, p->kernel_h, p->x_h);
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            taps.columns = tml_clip_taps(col, p->dilation_w, p->kernel_w, p->x_w);
            ptrdiff_t first = (row + taps.rows.begin * p->dilation_h) * p->x_row_pitch +
                              (col + taps.columns.begin * p->dilation_w) * p->x_c;
            bool none = tml_count_taps(taps.rows) == 0 || tml_count_taps(taps.columns) == 0;
            tml_depthwise_pixel_f32(p, &taps, none ? x : x + first, weights, bias,
                                    y + oy * p->y_row_pitch + ox * p->x_c);
        }
    }
}

#endif
