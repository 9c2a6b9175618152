/* SPDX-License-Identifier: 0BSD */
/*
 * Maximum: y = clamp(max over the window of x). Padding is ignored; a window of padding only gives
 * y_min.
 */
#ifndef TML_MAX_POOL2D_I8_H
#define TML_MAX_POOL2D_I8_H

#include "../common/tml_dsp.h"
#include "../common/tml_window.h"

struct tml_max_pool2d_params {
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
    int32_t y_min;            /* -128..y_max */
    int32_t y_max;            /* y_min..127 */
};

#if TML_PACKED
/* The maximum of the taps of 4 channels, y_min..y_max. x: at the first of rows x columns taps. */
TML_LEAF uint32_t tml_max_pool2d_word_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                         const int8_t *x, int_fast16_t rows, int_fast16_t columns)
{
    ptrdiff_t step = p->dilation_w * p->x_c;
    ptrdiff_t row_step = p->dilation_h * p->x_row_pitch - columns * step;
    uint32_t max = tml_4_i8(-128);
    for (; rows > 0; rows--) {
        for (int_fast16_t i = columns / 2; i > 0; i--) {
            uint32_t a = tml_load_bytes(x);
            uint32_t b = tml_load_bytes(x + step);
            max = tml_max_4_i8(tml_max_4_i8(max, a), b);
            x += 2 * step;
        }
        if (columns % 2 != 0) {
            max = tml_max_4_i8(max, tml_load_bytes(x));
            x += step;
        }
        x += row_step;
    }
    return tml_clamp_4_i8(max, p->y_min, p->y_max);
}

/* The same of a whole window of 2 x 2. */
TML_INLINE uint32_t tml_max_pool2d_2x2_i8(const struct tml_max_pool2d_params *p, const int8_t *x)
{
    ptrdiff_t step = p->dilation_w * p->x_c;
    ptrdiff_t row_step = p->dilation_h * p->x_row_pitch;
    uint32_t a = tml_load_bytes(x);
    uint32_t b = tml_load_bytes(x + step);
    uint32_t c = tml_load_bytes(x + row_step);
    uint32_t d = tml_load_bytes(x + row_step + step);
    uint32_t max = tml_max_4_i8(tml_max_4_i8(a, b), tml_max_4_i8(c, d));
    return tml_clamp_4_i8(max, p->y_min, p->y_max);
}

TML_INLINE void tml_max_pool2d_4_i8(const struct tml_max_pool2d_params *p, const int8_t *x,
                                    int_fast16_t rows, int_fast16_t columns, int8_t *y)
{
    bool whole = p->kernel_h == 2 && p->kernel_w == 2 && rows == 2 && columns == 2;
    uint32_t max =
        whole ? tml_max_pool2d_2x2_i8(p, x) : tml_max_pool2d_word_i8(p, x, rows, columns);
    tml_store_bytes(y, max);
}
#else
/* The maximum of y_min and the taps, of 4 channels, y_max at most. x: at the first of rows x
 * columns taps. */
TML_LEAF void tml_max_pool2d_4_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                  const int8_t *x, int_fast16_t rows, int_fast16_t columns,
                                  int8_t *y)
{
    int32_t a[4] = {p->y_min, p->y_min, p->y_min, p->y_min};
    ptrdiff_t step = p->dilation_w * p->x_c;
    ptrdiff_t row_step = p->dilation_h * p->x_row_pitch - columns * step;
    for (; rows > 0; rows--) {
        for (int_fast16_t i = columns; i > 0; i--) {
            a[0] = x[0] > a[0] ? x[0] : a[0];
            a[1] = x[1] > a[1] ? x[1] : a[1];
            a[2] = x[2] > a[2] ? x[2] : a[2];
            a[3] = x[3] > a[3] ? x[3] : a[3];
            x += step;
        }
        x += row_step;
    }
    for (int i = 0; i < 4; i++) {
        y[i] = (int8_t)(a[i] < p->y_max ? a[i] : p->y_max);
    }
}
#endif

/* The same of one channel. */
TML_LEAF int32_t tml_max_pool2d_1_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                     const int8_t *x, int_fast16_t rows, int_fast16_t columns)
{
    int32_t a = p->y_min;
    ptrdiff_t step = p->dilation_w * p->x_c;
    ptrdiff_t row_step = p->dilation_h * p->x_row_pitch - columns * step;
    for (; rows > 0; rows--) {
        for (int_fast16_t i = columns; i > 0; i--) {
            a = *x > a ? *x : a;
            x += step;
        }
        x += row_step;
    }
    return a;
}

/*
 * x: [x_h][x_w][x_c]
 * y: [y_h][y_w][x_c], must not overlap what this or a later window reads of x
 */
TML_KERNEL void tml_max_pool2d_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                  const int8_t *x, int8_t *y)
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
            const int8_t *x_first = rows * columns == 0 ? x : x + first;
            int8_t *y_pixel = y + oy * p->y_row_pitch + ox * p->x_c;
            int_fast16_t c = 0;
            for (; c + 4 <= p->x_c; c += 4) {
                tml_max_pool2d_4_i8(p, x_first + c, rows, columns, y_pixel + c);
            }
            for (int_fast16_t rest = p->x_c % 4; rest > 0; rest--) {
                int32_t acc = tml_max_pool2d_1_i8(p, x_first + c, rows, columns);
                y_pixel[c] = (int8_t)(acc < p->y_max ? acc : p->y_max);
                c++;
            }
        }
    }
}

#endif
