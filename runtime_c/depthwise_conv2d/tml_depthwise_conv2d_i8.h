/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution, depth multiplier 1: y = clamp(y_zero_point + requantize((bias + sum over
 * the window of w * x) * 2^pre_shift, multiplier)), each channel by itself.
 */
#ifndef TML_DEPTHWISE_CONV2D_I8_H
#define TML_DEPTHWISE_CONV2D_I8_H

#include "../common/tml_fixedpoint.h"
#include "../common/tml_window.h"

struct tml_depthwise_conv2d_params {
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
    int32_t x_zero_point;     /* -128..127, the value of padding */
    int32_t y_zero_point;     /* -128..127 */
    int_fast16_t pre_shift;   /* 0..15 */
    int32_t y_min;            /* -128..y_max */
    int32_t y_max;            /* y_min..127 */
};

/* The taps of a window that lie within x. */
struct tml_depthwise_taps {
    struct tml_taps rows;
    struct tml_taps columns;
};

/* One tap of 4 channels: acc[c] += w[c] * x[c]. */
TML_INLINE void tml_depthwise_tap_i8(int32_t acc[4], const int8_t *w, const int8_t *x)
{
    acc[0] += tml_mul_i8(tml_rom_i8(w), x[0]);
    acc[1] += tml_mul_i8(tml_rom_i8(w + 1), x[1]);
    acc[2] += tml_mul_i8(tml_rom_i8(w + 2), x[2]);
    acc[3] += tml_mul_i8(tml_rom_i8(w + 3), x[3]);
    TML_STEP_END(acc[0], acc[1], acc[2], acc[3]);
}

/* acc[c] += all taps of 4 channels of a 3x3 window within x. x: its corner. */
TML_LEAF void tml_depthwise_3x3_i8(const struct tml_depthwise_conv2d_params *TML_RESTRICT p,
                                   const int8_t *x, const int8_t *TML_RESTRICT w,
                                   int32_t acc[TML_RESTRICT 4])
{
    int32_t a[4] = {acc[0], acc[1], acc[2], acc[3]};
    ptrdiff_t c = p->x_c;
    ptrdiff_t step = p->dilation_w * c;
    ptrdiff_t row = p->dilation_h * p->x_row_pitch;
    tml_depthwise_tap_i8(a, w, x);
    tml_depthwise_tap_i8(a, w + c, x + step);
    tml_depthwise_tap_i8(a, w + 2 * c, x + 2 * step);
    tml_depthwise_tap_i8(a, w + 3 * c, x + row);
    tml_depthwise_tap_i8(a, w + 4 * c, x + row + step);
    tml_depthwise_tap_i8(a, w + 5 * c, x + row + 2 * step);
    tml_depthwise_tap_i8(a, w + 6 * c, x + 2 * row);
    tml_depthwise_tap_i8(a, w + 7 * c, x + 2 * row + step);
    tml_depthwise_tap_i8(a, w + 8 * c, x + 2 * row + 2 * step);
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
}

/* acc[c] += the taps within x of 4 channels. x: at the first of them; w: at tap 0, 0. */
TML_LEAF void tml_depthwise_inside_i8(const struct tml_depthwise_conv2d_params *TML_RESTRICT p,
                                      const struct tml_depthwise_taps *TML_RESTRICT taps,
                                      const int8_t *x, const int8_t *TML_RESTRICT w,
                                      int32_t acc[TML_RESTRICT 4])
{
    int32_t a[4] = {acc[0], acc[1], acc[2], acc[3]};
    int_fast16_t columns = tml_count_taps(taps->columns);
    ptrdiff_t w_step = p->x_c;
    ptrdiff_t x_step = p->dilation_w * p->x_c;
    ptrdiff_t w_row_step = (p->kernel_w - columns) * w_step;
    ptrdiff_t x_row_step = p->dilation_h * p->x_row_pitch - columns * x_step;
    w += (taps->rows.begin * p->kernel_w + taps->columns.begin) * w_step;
    for (int_fast16_t ky = tml_count_taps(taps->rows); ky > 0; ky--) {
        for (int_fast16_t kx = columns; kx > 0; kx--) {
            tml_depthwise_tap_i8(a, w, x);
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

/* acc[c] += the taps in the padding of 4 channels. w: at tap 0, 0. */
TML_LEAF void tml_depthwise_padding_i8(const struct tml_depthwise_conv2d_params *TML_RESTRICT p,
                                       const struct tml_depthwise_taps *TML_RESTRICT taps,
                                       const int8_t *TML_RESTRICT w, int32_t acc[TML_RESTRICT 4])
{
    int32_t sum[4] = {0, 0, 0, 0};
    for (int_fast16_t ky = 0; ky < p->kernel_h; ky++) {
        bool row_inside = ky >= taps->rows.begin && ky < taps->rows.end;
        for (int_fast16_t kx = 0; kx < p->kernel_w; kx++) {
            if (!row_inside || kx < taps->columns.begin || kx >= taps->columns.end) {
                sum[0] += tml_rom_i8(w);
                sum[1] += tml_rom_i8(w + 1);
                sum[2] += tml_rom_i8(w + 2);
                sum[3] += tml_rom_i8(w + 3);
            }
            w += p->x_c;
        }
    }
    acc[0] += sum[0] * p->x_zero_point;
    acc[1] += sum[1] * p->x_zero_point;
    acc[2] += sum[2] * p->x_zero_point;
    acc[3] += sum[3] * p->x_zero_point;
}

/* All taps of one channel, of the last x_c % 4. x: at the first tap that lies within; w: at tap 0,
 * 0. */
TML_LEAF int32_t tml_depthwise_channel_i8(const struct tml_depthwise_conv2d_params *TML_RESTRICT p,
                                          const struct tml_depthwise_taps *TML_RESTRICT taps,
                                          const int8_t *x, const int8_t *TML_RESTRICT w)
{
    int32_t sum = 0;
    for (int_fast16_t ky = 0; ky < p->kernel_h; ky++) {
        bool row_inside = ky >= taps->rows.begin && ky < taps->rows.end;
        const int8_t *x_tap = x;
        for (int_fast16_t kx = 0; kx < p->kernel_w; kx++) {
            if (row_inside && kx >= taps->columns.begin && kx < taps->columns.end) {
                sum += tml_mul_i8(tml_rom_i8(w), *x_tap);
                x_tap += p->dilation_w * p->x_c;
            } else {
                sum += tml_rom_i8(w) * p->x_zero_point;
            }
            w += p->x_c;
        }
        x += row_inside ? p->dilation_h * p->x_row_pitch : 0;
    }
    return sum;
}

/* One output of channel c. */
TML_INLINE int8_t tml_depthwise_output_i8(const struct tml_depthwise_conv2d_params *TML_RESTRICT p,
                                          int32_t acc, const int32_t *multiplier)
{
    return tml_output_i8(acc, tml_rom_i32(multiplier), p->pre_shift, p->y_zero_point, p->y_min,
                         p->y_max);
}

/* One output pixel. x: at the first tap that lies within; y: its first channel. */
TML_INLINE void tml_depthwise_pixel_i8(const struct tml_depthwise_conv2d_params *TML_RESTRICT p,
                                       const struct tml_depthwise_taps *TML_RESTRICT taps,
                                       const int8_t *x, const int8_t *TML_RESTRICT weights,
                                       const int32_t *TML_RESTRICT bias,
                                       const int32_t *TML_RESTRICT multiplier, int8_t *y)
{
    int_fast16_t inside = tml_count_taps(taps->rows) * tml_count_taps(taps->columns);
    bool full = inside == p->kernel_h * p->kernel_w;
    int_fast16_t c = 0;
    for (; c + 4 <= p->x_c; c += 4) {
        int32_t acc[4] = {tml_rom_i32(bias + c), tml_rom_i32(bias + c + 1),
                          tml_rom_i32(bias + c + 2), tml_rom_i32(bias + c + 3)};
        if (full && p->kernel_h == 3 && p->kernel_w == 3) {
            tml_depthwise_3x3_i8(p, x + c, weights + c, acc);
        } else {
            tml_depthwise_inside_i8(p, taps, x + c, weights + c, acc);
        }
        if (!full) {
            tml_depthwise_padding_i8(p, taps, weights + c, acc);
        }
        for (int i = 0; i < 4; i++) {
            y[c + i] = tml_depthwise_output_i8(p, acc[i], multiplier + c + i);
        }
    }
    for (int_fast16_t rest = p->x_c % 4; rest > 0; rest--) {
        int32_t acc = tml_depthwise_channel_i8(p, taps, x + c, weights + c);
        y[c] = tml_depthwise_output_i8(p, tml_rom_i32(bias + c) + acc, multiplier + c);
        c++;
    }
}

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): [kernel_h][kernel_w][x_c]
 * bias, multiplier (rom): [x_c]; the zero point of x is part of bias, over the full window
 * y: [y_h][y_w][x_c], must not overlap what this or a later window reads of x
 */
TML_KERNEL void tml_depthwise_conv2d_i8(const struct tml_depthwise_conv2d_params *TML_RESTRICT p,
                                        const int8_t *x, const int8_t *TML_RESTRICT weights,
                                        const int32_t *TML_RESTRICT bias,
                                        const int32_t *TML_RESTRICT multiplier, int8_t *y)
{
    struct tml_depthwise_taps taps;
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        taps.rows = tml_clip_taps(row, p->dilation_h, p->kernel_h, p->x_h);
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            taps.columns = tml_clip_taps(col, p->dilation_w, p->kernel_w, p->x_w);
            ptrdiff_t first = (row + taps.rows.begin * p->dilation_h) * p->x_row_pitch +
                              (col + taps.columns.begin * p->dilation_w) * p->x_c;
            bool none = tml_count_taps(taps.rows) == 0 || tml_count_taps(taps.columns) == 0;
            tml_depthwise_pixel_i8(p, &taps, none ? x : x + first, weights, bias, multiplier,
                                   y + oy * p->y_row_pitch + ox * p->x_c);
        }
    }
}

#endif
