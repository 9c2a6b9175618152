/* SPDX-License-Identifier: 0BSD */
/*
 * Maximum: y = clamp(max over the window of x). Padding is ignored; a window of padding only gives
 * y_min.
 */
#ifndef TML_MAX_POOL2D_F32_H
#define TML_MAX_POOL2D_F32_H

#include "../common/tml_float.h"
#include "../common/tml_window.h"

struct tml_max_pool2d_f32_params {
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

TML_INLINE float tml_max_f32(float a, float b)
{
    return b > a ? b : a;
}

TML_INLINE float tml_max_pool2d_limit_f32(float max, float y_max)
{
    return max < y_max ? max : y_max;
}

/* The maximum of y_min and the taps, of 4 channels. x: at the first tap */
TML_INLINE void tml_max_pool2d_4_f32(const struct tml_max_pool2d_f32_params *TML_RESTRICT p,
                                     struct tml_walk walk, const float *x, float *y)
{
    float y_min = p->y_min;
    float y_max = p->y_max;
    float a = y_min;
    float b = y_min;
    float c = y_min;
    float d = y_min;
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns; i > 0; i--) {
            a = tml_max_f32(a, x[0]);
            b = tml_max_f32(b, x[1]);
            c = tml_max_f32(c, x[2]);
            d = tml_max_f32(d, x[3]);
            x += walk.step;
        }
        x += walk.row_step;
    }
    y[0] = tml_max_pool2d_limit_f32(a, y_max);
    y[1] = tml_max_pool2d_limit_f32(b, y_max);
    y[2] = tml_max_pool2d_limit_f32(c, y_max);
    y[3] = tml_max_pool2d_limit_f32(d, y_max);
}

/* The same of one channel. */
TML_INLINE float tml_max_pool2d_1_f32(const struct tml_max_pool2d_f32_params *TML_RESTRICT p,
                                      struct tml_walk walk, const float *x)
{
    float a = p->y_min;
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns; i > 0; i--) {
            a = tml_max_f32(a, *x);
            x += walk.step;
        }
        x += walk.row_step;
    }
    return tml_max_pool2d_limit_f32(a, p->y_max);
}

/* All channels of a window. */
TML_INLINE void tml_max_pool2d_pixel_f32(const struct tml_max_pool2d_f32_params *TML_RESTRICT p,
                                         struct tml_walk walk, const float *x, float *y)
{
    for (int_fast16_t fours = p->x_c / 4; fours > 0; fours--) {
        tml_max_pool2d_4_f32(p, walk, x, y);
        x += 4;
        y += 4;
    }
    for (int_fast16_t rest = p->x_c % 4; rest > 0; rest--) {
        *y++ = tml_max_pool2d_1_f32(p, walk, x++);
    }
}

/*
 * x: [x_h][x_w][x_c]
 * y: [y_h][y_w][x_c], must not overlap what this or a later window reads of x
 */
TML_KERNEL void tml_max_pool2d_f32(const struct tml_max_pool2d_f32_params *TML_RESTRICT p,
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
            tml_max_pool2d_pixel_f32(p, walk, x_first, y + oy * p->y_row_pitch + ox * p->x_c);
        }
    }
}

#endif
