/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution with 3x3 windows, stride 1, by strips (tml_strip_slots_i8.h): 4 channels of
 * a few strips at a time are gathered in scratch, computed there in place, and written to y.
 * pre_shift is 0.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_STRIP_I8_H
#define TML_DEPTHWISE_CONV2D_STRIP_I8_H

#include "../common/tml_window.h"
#include "tml_strip_3x3_i8.h"

struct tml_depthwise_strip_params {
    int_fast16_t x_h;         /* rows of x in this view: 1.. */
    int_fast16_t x_w;         /* columns of x: 1.. */
    int_fast16_t x_c;         /* channels of x and y: 4.. */
    int_fast16_t x_row_pitch; /* elements from row to row of x: x_w * x_c.. */
    int_fast16_t y_h;         /* rows to compute: 1.. */
    int_fast16_t y_w;         /* columns of y: 1.. */
    int_fast16_t y_row_pitch; /* elements from row to row of y: y_w * x_c.. */
    int_fast16_t pad_top;     /* rows of padding above this view; negative skips rows */
    int_fast16_t pad_left;    /* columns of padding to the left */
    int32_t x_zero_point;     /* -128..127, the value of padding */
    int32_t y_zero_point;     /* -128..127 */
    int32_t y_min;            /* -128..y_max */
    int32_t y_max;            /* y_min..127 */
    int_fast16_t band;        /* rows of y at a time: 2..32000 */
    int_fast16_t strips;      /* strips at a time: 1.. */
};

/* One strip of 4 channels of x, n slots from row on. */
TML_INLINE void tml_depthwise_gather_i8(const struct tml_depthwise_strip_params *p, const int8_t *x,
                                        int_fast16_t row, int_fast16_t column, int_fast16_t n,
                                        uint32_t *slots)
{
    const struct tml_strip_image image = {p->x_w, p->x_row_pitch, p->x_c};
    struct tml_taps inside = tml_clip_taps(row, 1, n, p->x_h);
    int_fast16_t rows = tml_count_taps(inside);
    slots = tml_strip_fill_i8(slots, inside.begin, p->x_zero_point);
    if (rows > 0) {
        tml_strip_gather_i8(&image, x + (row + inside.begin) * p->x_row_pitch, column, rows,
                            p->x_zero_point, slots);
    }
    (void)tml_strip_fill_i8(slots + rows * TML_STRIP_SLOT, n - inside.end, p->x_zero_point);
}

/* 4 channels of rows oy to oy + rows - 1. x, y: at the first of the channels. */
TML_INLINE void tml_depthwise_band_i8(const struct tml_depthwise_strip_params *p, const int8_t *x,
                                      const int32_t *weights, int_fast16_t oy, int_fast16_t rows,
                                      uint32_t *slots, int8_t *y)
{
    const struct tml_strip_image image = {p->y_w, p->y_row_pitch, p->x_c};
    int_fast16_t slid = rows < 2 ? 2 : rows;
    ptrdiff_t length = (slid + 2) * TML_STRIP_SLOT;
    for (int_fast16_t ox = 0; ox < p->y_w; ox += 2 * p->strips) {
        int_fast16_t left = (p->y_w - ox + 1) / 2;
        int_fast16_t strips = left < p->strips ? left : p->strips;
        for (int_fast16_t s = 0; s < strips; s++) {
            tml_depthwise_gather_i8(p, x, oy - p->pad_top, ox + 2 * s - p->pad_left, slid + 2,
                                    slots + s * length);
        }
        tml_strip_3x3_i8(slots, slid, strips, weights);
        for (int_fast16_t s = 0; s < strips; s++) {
            int_fast16_t column = ox + 2 * s;
            tml_strip_scatter_i8(&image, slots + s * length, rows, p->y_zero_point,
                                 column + 1 < p->y_w, y + column * p->x_c);
        }
    }
}

/* The results of tml_depthwise_conv2d_strip_i8 before limits; the same for every node of a model. */
TML_SHARED void tml_depthwise_strips_i8(const struct tml_depthwise_strip_params *p, const int8_t *x,
                                        const int32_t *weights, uint32_t *slots, int8_t *y)
{
    for (int_fast16_t done = 0; done < p->x_c; done += 4) {
        int_fast16_t c = done + 4 > p->x_c ? p->x_c - 4 : done;
        for (int_fast16_t oy = 0; oy < p->y_h; oy += p->band) {
            int_fast16_t rows = p->y_h - oy < p->band ? p->y_h - oy : p->band;
            tml_depthwise_band_i8(p, x + c, weights, oy, rows, slots, y + oy * p->y_row_pitch + c);
        }
        weights += 4 * TML_STRIP_3X3_WORDS;
    }
}

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): for each 4 channels a stream as in tml_strip_3x3_i8.h; the last ones are the last 4,
 *     some of them for a second time where x_c is no multiple of 4
 * scratch: 32 bytes for each of strips * (max(2, min(band, y_h)) + 2) slots; aligned to 4
 * y: [y_h][y_w][x_c], must not overlap x
 */
TML_KERNEL void tml_depthwise_conv2d_strip_i8(const struct tml_depthwise_strip_params *p,
                                              const int8_t *x, const int32_t *weights,
                                              int8_t *scratch, int8_t *y)
{
    tml_depthwise_strips_i8(p, x, weights, (uint32_t *)(void *)scratch, y);
    if (p->y_min > -128 || p->y_max < 127) {
        for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
            for (int_fast16_t i = 0; i < p->y_w * p->x_c; i++) {
                int8_t *at = y + oy * p->y_row_pitch + i;
                *at = (int8_t)tml_clamp_i32(*at, p->y_min, p->y_max);
            }
        }
    }
}

#endif
