/* SPDX-License-Identifier: 0BSD */
/*
 * Convolution with AB words (ab/tml_ab_block.h) as sliding columns. A pair of pixels is two columns
 * of y in the same row, or two rows of the column that is left over. The rows of x under such a
 * strip are expanded to pairs in scratch one behind the other: the window of a pair is then
 * kernel_h consecutive rows, and that of the next pair begins some rows further on, so that no
 * input is expanded twice within a strip.
 */
#ifndef TML_CONV2D_AB_COLUMNS_I8_H
#define TML_CONV2D_AB_COLUMNS_I8_H

#include "../ab/tml_ab_expand_i8.h"
#include "../ab/tml_ab_outputs_i8.h"

struct tml_conv2d_ab_params {
    int_fast16_t x_h;             /* rows of x: 1.. */
    int_fast16_t x_w;             /* columns of x: 1.. */
    int_fast16_t x_c;             /* input channels: 1.. */
    int_fast16_t x_row_pitch;     /* elements from row to row of x: x_w * x_c.. */
    int_fast16_t y_h;             /* rows to compute: 1.. */
    int_fast16_t y_w;             /* columns of y: 1.. */
    int_fast16_t y_c;             /* output channels: 1.. */
    int_fast16_t y_row_pitch;     /* elements from row to row of y */
    int_fast16_t y_col_pitch;     /* and from column to column */
    int_fast16_t y_channel_pitch; /* and from channel to channel */
    int_fast16_t kernel_h;        /* 1.. */
    int_fast16_t kernel_w;        /* 1.. */
    int_fast16_t stride_h;        /* 1.. */
    int_fast16_t stride_w;        /* 1.. */
    int_fast16_t dilation_h;      /* 1.. */
    int_fast16_t dilation_w;      /* 1.. */
    int_fast16_t pad_top;         /* rows of padding above x; negative skips rows */
    int_fast16_t pad_left;        /* columns of padding to the left */
    int_fast16_t band;            /* rows of y that are computed at a time: 1.. */
    int_fast16_t pairs_bytes;     /* scratch for pairs, see below */
    int32_t x_zero_point;         /* -128..127, the value of padding */
    int32_t y_zero_point;         /* -128..127 */
    int32_t y_min;                /* -128..y_max */
    int32_t y_max;                /* y_min..127 */
};

/* Pairs of pixels, one below the other. */
struct tml_conv2d_ab_strip {
    int_fast16_t row; /* corner of the first window in x */
    int_fast16_t col;
    int_fast16_t partner_row; /* from the window of a pixel to that of its partner */
    int_fast16_t partner_col;
    int_fast16_t slide; /* rows from a pair's windows to those of the next */
    int_fast16_t pairs; /* 1.. */
};

/* Inputs that follow each other in x and in the window: a kernel row, or a tap of a dilated one. */
TML_INLINE int_fast16_t tml_conv2d_ab_taps(const struct tml_conv2d_ab_params *p)
{
    return p->dilation_w == 1 ? p->kernel_w : 1;
}

/* A row of a window, its first tap at row, col of x, wherever that lies. */
TML_SHARED void tml_conv2d_ab_gather_i8(const struct tml_conv2d_ab_params *p, const int8_t *x,
                                        int_fast16_t row, int_fast16_t col, int8_t *to)
{
    size_t c = (size_t)p->x_c;
    if (row < 0 || row >= p->x_h) {
        tml_fill_i8(to, (int8_t)p->x_zero_point, (size_t)p->kernel_w * c);
        return;
    }
    x += row * p->x_row_pitch;
    for (int_fast16_t tap = 0; tap < p->kernel_w; tap++) {
        if (col < 0 || col >= p->x_w) {
            tml_fill_i8(to, (int8_t)p->x_zero_point, c);
        } else {
            tml_copy(to, x + col * p->x_c, c);
        }
        col += p->dilation_w;
        to += c;
    }
}

/* One row of windows that can't be read as it lies. gathered: a row of each pixel */
TML_SHARED uint32_t *tml_conv2d_ab_edge_i8(const struct tml_conv2d_ab_params *p,
                                           const struct tml_conv2d_ab_strip *strip, const int8_t *x,
                                           int_fast16_t row, int8_t *gathered, uint32_t *pairs)
{
    int_fast16_t taps = tml_conv2d_ab_taps(p);
    int8_t *partner = gathered + p->kernel_w * p->x_c;
    const struct tml_ab_runs runs = {(size_t)(taps * p->x_c), taps * p->x_c,
                                     (size_t)(p->kernel_w / taps)};
    tml_conv2d_ab_gather_i8(p, x, row, strip->col, gathered);
    tml_conv2d_ab_gather_i8(p, x, row + strip->partner_row, strip->col + strip->partner_col,
                            partner);
    return tml_ab_expand_i8(&runs, gathered, partner, pairs);
}

/* Rows at the end of x beside which the window must not be read: what is read there belongs to x.
 */
TML_INLINE int_fast16_t tml_conv2d_ab_last_rows(const struct tml_conv2d_ab_params *p,
                                                const struct tml_conv2d_ab_strip *strip)
{
    int_fast16_t end = strip->col + strip->partner_col + p->kernel_w;
    int_fast16_t beside = (end - p->x_w) * p->x_c + tml_ab_beyond(p->kernel_w * p->x_c);
    return beside > 0 ? (beside - 1) / p->x_row_pitch + 1 : 0;
}

/* Of count rows, `step` apart, from row on: how many can be read as they lie before one can't, for
 * both pixels. */
TML_INLINE int_fast16_t tml_conv2d_ab_readable(const struct tml_conv2d_ab_params *p,
                                               const struct tml_conv2d_ab_strip *strip,
                                               int_fast16_t row, int_fast16_t count,
                                               int_fast16_t step)
{
    int_fast16_t end = strip->col + strip->partner_col + p->kernel_w;
    int_fast16_t first = strip->col < 0 ? 1 : 0;
    int_fast16_t left = p->x_h - tml_conv2d_ab_last_rows(p, strip) - row - strip->partner_row;
    bool near = strip->col + p->x_w >= 0 && end <= 2 * p->x_w && p->dilation_w == 1;
    if (row < first || left <= 0 || !near) {
        return 0;
    }
    int_fast16_t rows = step == 1 ? left : (left - 1) / step + 1;
    return rows < count ? rows : count;
}

/* The taps of a pixel, the first in column col, that lie outside. pairs: those of the pixel */
TML_INLINE void tml_conv2d_ab_pad_i8(const struct tml_conv2d_ab_params *p, int_fast16_t col,
                                     uint32_t *pairs, size_t rows)
{
    size_t n = (size_t)(p->kernel_w * p->x_c);
    for (int_fast16_t tap = 0; tap < p->kernel_w; tap++) {
        bool outside = col + tap < 0 || col + tap >= p->x_w;
        size_t from = (size_t)(tap * p->x_c);
        for (size_t k = from; outside && k < from + (size_t)p->x_c; k++) {
            tml_ab_overwrite_i8(n, k, p->x_zero_point, pairs, rows, (n + 1U) / 2U * 2U);
        }
    }
}

/* Rows that can be read as they lie. */
TML_INLINE uint32_t *tml_conv2d_ab_inside_i8(const struct tml_conv2d_ab_params *p,
                                             const struct tml_conv2d_ab_strip *strip,
                                             const int8_t *x, int_fast16_t row,
                                             const struct tml_ab_runs *rows, uint32_t *pairs)
{
    ptrdiff_t partner = strip->partner_row * p->x_row_pitch + strip->partner_col * p->x_c;
    x += row * p->x_row_pitch + strip->col * p->x_c;
    uint32_t *end = tml_ab_expand_i8(rows, x, x + partner, pairs);
    if (strip->col < 0 || strip->col + strip->partner_col + p->kernel_w > p->x_w) {
        tml_conv2d_ab_pad_i8(p, strip->col, pairs, rows->count);
        tml_conv2d_ab_pad_i8(p, strip->col + strip->partner_col, pairs + 1, rows->count);
    }
    return end;
}

/* count rows of windows, `step` apart. */
TML_SHARED uint32_t *tml_conv2d_ab_rows_i8(const struct tml_conv2d_ab_params *p,
                                           const struct tml_conv2d_ab_strip *strip, const int8_t *x,
                                           int_fast16_t row, int_fast16_t count, int_fast16_t step,
                                           int8_t *gathered, uint32_t *pairs)
{
    while (count > 0) {
        int_fast16_t rows = tml_conv2d_ab_readable(p, strip, row, count, step);
        if (rows == 0) {
            pairs = tml_conv2d_ab_edge_i8(p, strip, x, row, gathered, pairs);
            rows = 1;
        } else {
            const struct tml_ab_runs inside = {(size_t)(p->kernel_w * p->x_c),
                                               step * p->x_row_pitch, (size_t)rows};
            pairs = tml_conv2d_ab_inside_i8(p, strip, x, row, &inside, pairs);
        }
        row += rows * step;
        count -= rows;
    }
    return pairs;
}

/* The windows of a strip. Returns the rows from a pair to the next one. */
TML_INLINE int_fast16_t tml_conv2d_ab_expand_i8(const struct tml_conv2d_ab_params *p,
                                                const struct tml_conv2d_ab_strip *strip,
                                                const int8_t *x, int8_t *gathered, uint32_t *pairs)
{
    int_fast16_t row = strip->row;
    if (p->kernel_h == 1) {
        tml_conv2d_ab_rows_i8(p, strip, x, row, strip->pairs, strip->slide, gathered, pairs);
        return 1;
    }
    if (p->dilation_h == 1 && strip->slide < p->kernel_h) {
        int_fast16_t count = (strip->pairs - 1) * strip->slide + p->kernel_h;
        tml_conv2d_ab_rows_i8(p, strip, x, row, count, 1, gathered, pairs);
        return strip->slide;
    }
    for (int_fast16_t pair = 0; pair < strip->pairs; pair++) {
        pairs =
            tml_conv2d_ab_rows_i8(p, strip, x, row, p->kernel_h, p->dilation_h, gathered, pairs);
        row += strip->slide;
    }
    return p->kernel_h;
}

#endif
