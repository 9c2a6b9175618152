/* SPDX-License-Identifier: 0BSD */
/*
 * Mean: y = clamp((sum over the window of x) / n), n the taps that count; 0 if there are none.
 */
#ifndef TML_AVERAGE_POOL2D_F32_H
#define TML_AVERAGE_POOL2D_F32_H

#include "../common/tml_float.h"
#include "../common/tml_window.h"

struct tml_average_pool2d_f32_params {
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
    int_fast16_t pad_bottom;  /* rows of padding below this view, for count_include_pad */
    int_fast16_t pad_right;   /* columns of padding to the right, for count_include_pad */
    bool count_include_pad;   /* n counts the taps in the padding too */
    float y_min;              /* activation limits; -FLT_MAX, FLT_MAX for none */
    float y_max;
};

/* Means of 4 channels. x: at the first tap */
TML_INLINE void tml_average_pool2d_4_f32(const struct tml_average_pool2d_f32_params *TML_RESTRICT p,
                                         struct tml_walk walk, float divisor, const float *x,
                                         float *y)
{
    float a = 0.0F;
    float b = 0.0F;
    float c = 0.0F;
    float d = 0.0F;
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns; i > 0; i--) {
            a += x[0];
            b += x[1];
            c += x[2];
            d += x[3];
            x += walk.step;
        }
        x += walk.row_step;
    }
    y[0] = tml_clamp_f32(a / divisor, p->y_min, p->y_max);
    y[1] = tml_clamp_f32(b / divisor, p->y_min, p->y_max);
    y[2] = tml_clamp_f32(c / divisor, p->y_min, p->y_max);
    y[3] = tml_clamp_f32(d / divisor, p->y_min, p->y_max);
}

/* The same of one channel. */
TML_INLINE float
tml_average_pool2d_1_f32(const struct tml_average_pool2d_f32_params *TML_RESTRICT p,
                         struct tml_walk walk, float divisor, const float *x)
{
    float a = 0.0F;
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns; i > 0; i--) {
            a += *x;
            x += walk.step;
        }
        x += walk.row_step;
    }
    return tml_clamp_f32(a / divisor, p->y_min, p->y_max);
}

/* All channels of a window. */
TML_INLINE void
tml_average_pool2d_pixel_f32(const struct tml_average_pool2d_f32_params *TML_RESTRICT p,
                             struct tml_walk walk, float divisor, const float *x, float *y)
{
    for (int_fast16_t fours = p->x_c / 4; fours > 0; fours--) {
        tml_average_pool2d_4_f32(p, walk, divisor, x, y);
        x += 4;
        y += 4;
    }
    for (int_fast16_t rest = p->x_c % 4; rest > 0; rest--) {
        *y++ = tml_average_pool2d_1_f32(p, walk, divisor, x++);
    }
}

/* The taps of a window that count, its corner at row, col. */
TML_INLINE int_fast16_t
tml_average_pool2d_count_f32(const struct tml_average_pool2d_f32_params *TML_RESTRICT p,
                             int_fast16_t row, int_fast16_t col, int_fast16_t inside)
{
    if (!p->count_include_pad) {
        return inside;
    }
    struct tml_taps v = tml_clip_taps(row + p->pad_top, p->dilation_h, p->kernel_h,
                                      p->pad_top + p->x_h + p->pad_bottom);
    struct tml_taps h = tml_clip_taps(col + p->pad_left, p->dilation_w, p->kernel_w,
                                      p->pad_left + p->x_w + p->pad_right);
    return tml_count_taps(v) * tml_count_taps(h);
}

/*
 * x: [x_h][x_w][x_c]
 * y: [y_h][y_w][x_c], must not overlap what this or a later window reads of x
 */
TML_KERNEL void tml_average_pool2d_f32(const struct tml_average_pool2d_f32_params *TML_RESTRICT p,
                                       const float *x, float *y)
{
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        struct tml_taps v = tml_clip_taps(row, p->dilation_h, p->kernel_h, p->x_h);
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            struct tml_taps h = tml_clip_taps(col, p->dilation_w, p->kernel_w, p->x_w);
            struct tml_walk walk =
                tml_walk_taps(v, h, p->dilation_w * p->x_c, p->dilation_h * p->x_row_pitch);
            ptrdiff_t first = (row + v.begin * p->dilation_h) * p->x_row_pitch +
                              (col + h.begin * p->dilation_w) * p->x_c;
            const float *x_first = walk.rows == 0 ? x : x + first;
            int_fast16_t n = tml_average_pool2d_count_f32(p, row, col, walk.rows * walk.columns);
            tml_average_pool2d_pixel_f32(p, tml_walk_straight(walk), n > 0 ? (float)n : 1.0F,
                                         x_first, y + oy * p->y_row_pitch + ox * p->x_c);
        }
    }
}

#endif
