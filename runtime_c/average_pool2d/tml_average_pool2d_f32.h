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

/* The sum of the taps, of 4 channels. x: at the first of rows x columns taps. */
TML_LEAF void tml_average_pool2d_4_f32(const struct tml_average_pool2d_f32_params *TML_RESTRICT p,
                                       const float *x, int_fast16_t rows, int_fast16_t columns,
                                       float acc[TML_RESTRICT 4])
{
    float a[4] = {0.0F, 0.0F, 0.0F, 0.0F};
    ptrdiff_t step = p->dilation_w * p->x_c;
    ptrdiff_t row_step = p->dilation_h * p->x_row_pitch - columns * step;
    for (; rows > 0; rows--) {
        for (int_fast16_t i = columns; i > 0; i--) {
            a[0] += x[0];
            a[1] += x[1];
            a[2] += x[2];
            a[3] += x[3];
            x += step;
        }
        x += row_step;
    }
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
}

/* The same of one channel. */
TML_LEAF float tml_average_pool2d_1_f32(const struct tml_average_pool2d_f32_params *TML_RESTRICT p,
                                        const float *x, int_fast16_t rows, int_fast16_t columns)
{
    float a = 0.0F;
    ptrdiff_t step = p->dilation_w * p->x_c;
    ptrdiff_t row_step = p->dilation_h * p->x_row_pitch - columns * step;
    for (; rows > 0; rows--) {
        for (int_fast16_t i = columns; i > 0; i--) {
            a += *x;
            x += step;
        }
        x += row_step;
    }
    return a;
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
            int_fast16_t rows = tml_count_taps(v);
            int_fast16_t columns = tml_count_taps(h);
            ptrdiff_t first = (row + v.begin * p->dilation_h) * p->x_row_pitch +
                              (col + h.begin * p->dilation_w) * p->x_c;
            const float *x_first = rows * columns == 0 ? x : x + first;
            float *y_pixel = y + oy * p->y_row_pitch + ox * p->x_c;
            int_fast16_t n = tml_average_pool2d_count_f32(p, row, col, rows * columns);
            float divisor = n > 0 ? (float)n : 1.0F;
            int_fast16_t c = 0;
            for (; c + 4 <= p->x_c; c += 4) {
                float acc[4];
                tml_average_pool2d_4_f32(p, x_first + c, rows, columns, acc);
                for (int i = 0; i < 4; i++) {
                    y_pixel[c + i] = tml_clamp_f32(acc[i] / divisor, p->y_min, p->y_max);
                }
            }
            for (int_fast16_t rest = p->x_c % 4; rest > 0; rest--) {
                float acc = tml_average_pool2d_1_f32(p, x_first + c, rows, columns);
                y_pixel[c] = tml_clamp_f32(acc / divisor, p->y_min, p->y_max);
                c++;
            }
        }
    }
}

#endif
