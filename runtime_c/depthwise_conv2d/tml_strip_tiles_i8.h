/* SPDX-License-Identifier: 0BSD */
/* Around the strips of depthwise convolution: tiles of 4 channels, some rows and some strips. */
#ifndef TML_STRIP_TILES_I8_H
#define TML_STRIP_TILES_I8_H

#include "../common/tml_window.h"
#include "tml_strip_results_i8.h"
#include "tml_strip_slots_i8.h"

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

/* The slots of a tile, the windows that slide down its strips, and the words of weights of 4
 * channels. */
struct tml_strip_steps {
    void (*gather)(const struct tml_strip_image *image, const struct tml_strip_part *part,
                   const int8_t *x, uint32_t *slots);
    void (*slide)(uint32_t *slots, int_fast16_t rows, int_fast16_t strips, const int32_t *weights);
    int_fast16_t weights;
    int_fast16_t stride;
};

/* Rows oy to oy + rows - 1 of 4 channels. x, y: at the first of the channels. */
TML_INLINE void tml_strip_band_i8(const struct tml_depthwise_strip_params *p,
                                  const struct tml_strip_steps *steps, const int8_t *x,
                                  const int32_t *weights, int_fast16_t oy, int_fast16_t rows,
                                  uint32_t *slots, int8_t *y)
{
    const struct tml_strip_image image = {p->x_h, p->x_w, p->x_row_pitch, p->x_c, p->x_zero_point};
    int_fast16_t stride = steps->stride;
    int_fast16_t slid = rows < 2 ? 2 : rows;
    int_fast16_t slot = TML_STRIP_SLOT(stride);
    const struct tml_strip_results results = {p->y_row_pitch, p->x_c, 4U * (size_t)(stride * slot),
                                              p->y_zero_point};
    int_fast16_t row = oy * stride - p->pad_top;
    int_fast16_t n = (slid - 1) * stride + 3;
    struct tml_taps inside = tml_clip_taps(row, 1, n, p->x_h);
    struct tml_strip_part part = {-p->pad_left, tml_count_taps(inside), n, 1};
    x += part.rows > 0 ? (row + inside.begin) * p->x_row_pitch : 0;
    for (int_fast16_t ox = 0; ox < p->y_w; ox += 2 * p->strips) {
        int_fast16_t left = (p->y_w - ox + 1) / 2;
        part.strips = left < p->strips ? left : p->strips;
        tml_strip_outside_i8(&image, &part, inside.begin, stride, slots);
        if (part.rows > 0) {
            steps->gather(&image, &part, x, slots + inside.begin * slot);
        }
        tml_strip_outside_i8(&image, &part, n - inside.end, stride, slots + inside.end * slot);
        steps->slide(slots, slid, part.strips, weights);
        for (int_fast16_t s = 0; s < part.strips; s++) {
            int_fast16_t column = ox + 2 * s;
            tml_strip_scatter_i8(&results, slots + s * n * slot, rows, column + 1 < p->y_w,
                                 y + column * p->x_c);
        }
        part.column += 2 * stride * part.strips;
    }
}

/* y without limits. Band after band, so that y may lie over rows of x that no later band reads. */
TML_INLINE void tml_strip_tiles_i8(const struct tml_depthwise_strip_params *p,
                                   const struct tml_strip_steps *steps, const int8_t *x,
                                   const int32_t *weights, uint32_t *slots, int8_t *y)
{
    for (int_fast16_t oy = 0; oy < p->y_h; oy += p->band) {
        int_fast16_t rows = p->y_h - oy < p->band ? p->y_h - oy : p->band;
        const int32_t *four = weights;
        for (int_fast16_t done = 0; done < p->x_c; done += 4) {
            int_fast16_t c = done + 4 > p->x_c ? p->x_c - 4 : done;
            tml_strip_band_i8(p, steps, x + c, four, oy, rows, slots, y + oy * p->y_row_pitch + c);
            four += steps->weights;
        }
    }
}

TML_INLINE void tml_strip_limit_i8(const struct tml_depthwise_strip_params *p, int8_t *y)
{
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
