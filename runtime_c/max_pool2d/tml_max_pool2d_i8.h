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
/* The maximum of the taps of 4 channels. x: at the first tap. */
TML_INLINE uint32_t tml_max_pool2d_word_i8(struct tml_walk walk, const int8_t *x)
{
    uint32_t max = tml_4_i8(-128);
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns / 2; i > 0; i--) {
            uint32_t a = tml_load_bytes(x);
            uint32_t b = tml_load_bytes(x + walk.step);
            max = tml_max_4_i8(tml_max_4_i8(max, a), b);
            x += 2 * walk.step;
        }
        if (walk.columns % 2 != 0) {
            max = tml_max_4_i8(max, tml_load_bytes(x));
            x += walk.step;
        }
        x += walk.row_step;
    }
    return max;
}

/* The same of a row of 2, or of two such rows. */
TML_INLINE uint32_t tml_max_pool2d_pairs_i8(struct tml_walk walk, const int8_t *x)
{
    uint32_t max = tml_max_4_i8(tml_load_bytes(x), tml_load_bytes(x + walk.step));
    if (walk.rows == 2) {
        x += 2 * walk.step + walk.row_step;
        uint32_t below = tml_max_4_i8(tml_load_bytes(x), tml_load_bytes(x + walk.step));
        max = tml_max_4_i8(max, below);
    }
    return max;
}

/* All channels of one window, four at once; gives how many are left. */
TML_INLINE int_fast16_t tml_max_pool2d_words_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                                struct tml_walk walk, const int8_t *x, int8_t *y)
{
    bool small = p->kernel_w == 2 && p->kernel_h <= 2;
    bool pairs = small && walk.columns == 2 && walk.rows == p->kernel_h;
    int32_t y_min = p->y_min;
    int32_t y_max = p->y_max;
    for (int_fast16_t i = p->x_c / 4; i > 0; i--) {
        uint32_t max = pairs ? tml_max_pool2d_pairs_i8(walk, x) : tml_max_pool2d_word_i8(walk, x);
        tml_store_bytes(y, tml_clamp_4_i8(max, y_min, y_max));
        x += 4;
        y += 4;
    }
    return p->x_c % 4;
}
#else
/* All channels of one window, four at once; gives how many are left. */
TML_INLINE int_fast16_t tml_max_pool2d_words_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                                struct tml_walk walk, const int8_t *x, int8_t *y)
{
    for (int_fast16_t c = p->x_c / 4; c > 0; c--) {
        int32_t a[4] = {p->y_min, p->y_min, p->y_min, p->y_min};
        const int8_t *at = x;
        for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
            for (int_fast16_t i = walk.columns; i > 0; i--) {
                a[0] = at[0] > a[0] ? at[0] : a[0];
                a[1] = at[1] > a[1] ? at[1] : a[1];
                a[2] = at[2] > a[2] ? at[2] : a[2];
                a[3] = at[3] > a[3] ? at[3] : a[3];
                at += walk.step;
            }
            at += walk.row_step;
        }
        for (int i = 0; i < 4; i++) {
            y[i] = (int8_t)(a[i] < p->y_max ? a[i] : p->y_max);
        }
        x += 4;
        y += 4;
    }
    return p->x_c % 4;
}
#endif

/* One channel of a window. */
TML_INLINE int8_t tml_max_pool2d_1_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                      struct tml_walk walk, const int8_t *x)
{
    int32_t a = p->y_min;
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns; i > 0; i--) {
            a = *x > a ? *x : a;
            x += walk.step;
        }
        x += walk.row_step;
    }
    return (int8_t)(a < p->y_max ? a : p->y_max);
}

/*
 * x: [x_h][x_w][x_c]
 * y: [y_h][y_w][x_c], must not overlap what this or a later window reads of x
 */
TML_SMALL_KERNEL void tml_max_pool2d_i8(const struct tml_max_pool2d_params *TML_RESTRICT p,
                                        const int8_t *x, int8_t *y)
{
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        struct tml_taps v = tml_clip_taps(row, p->dilation_h, p->kernel_h, p->x_h);
        ptrdiff_t first_row = (row + v.begin * p->dilation_h) * p->x_row_pitch;
        int8_t *y_pixel = y + oy * p->y_row_pitch;
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            struct tml_taps h = tml_clip_taps(col, p->dilation_w, p->kernel_w, p->x_w);
            struct tml_walk walk =
                tml_walk_taps(v, h, p->dilation_w * p->x_c, p->dilation_h * p->x_row_pitch);
            ptrdiff_t first = first_row + (col + h.begin * p->dilation_w) * p->x_c;
            const int8_t *x_first = walk.rows == 0 ? x : x + first;
            int_fast16_t rest = tml_max_pool2d_words_i8(p, walk, x_first, y_pixel);
            for (int_fast16_t c = p->x_c - rest; rest > 0; rest--) {
                y_pixel[c] = tml_max_pool2d_1_i8(p, walk, x_first + c);
                c++;
            }
            y_pixel += p->x_c;
        }
    }
}

#endif
