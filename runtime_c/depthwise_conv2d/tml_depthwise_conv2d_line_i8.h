/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution with windows of any size, horizontal stride 1 or 2, by lines
 * (tml_line_windows_i8.h): 4 channels of a tile of y at a time. Either axis of the image may be the
 * horizontal one. With stride 2 there are no outputs at odd columns: two rows of y share the pairs
 * instead, the second one's weights lie stride_h rows lower in a window that much higher.
 * pre_shift is 0, dilation 1.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_LINE_I8_H
#define TML_DEPTHWISE_CONV2D_LINE_I8_H

#include "tml_line_gather_i8.h"
#include "tml_line_windows_i8.h"
#include "tml_strip_results_i8.h"

struct tml_depthwise_line_params {
    int_fast16_t x_h;         /* rows of x: 1.. */
    int_fast16_t x_w;         /* columns of x: 1.. */
    int_fast16_t x_c;         /* channels of x and y: 4.. */
    ptrdiff_t x_row_pitch;    /* elements from row to row of x */
    ptrdiff_t x_col_pitch;    /* elements from column to column of x */
    int_fast16_t y_h;         /* rows of y: 1.. */
    int_fast16_t y_w;         /* columns of y: 1.. */
    ptrdiff_t y_row_pitch;    /* elements from row to row of y */
    ptrdiff_t y_col_pitch;    /* elements from column to column of y */
    int_fast16_t kernel_h;    /* 1.. */
    int_fast16_t kernel_w;    /* 1.. */
    int_fast16_t stride_h;    /* 1.. */
    int_fast16_t stride_w;    /* 1, 2 */
    int_fast16_t pad_top;     /* rows of padding above */
    int_fast16_t pad_left;    /* columns of padding to the left */
    int32_t x_zero_point;     /* -128..127, the value of padding */
    int32_t y_zero_point;     /* -128..127 */
    int32_t y_min;            /* -128..y_max */
    int32_t y_max;            /* y_min..127 */
    int_fast16_t rounds;      /* of a window, see tml_line_windows_i8.h */
    int_fast16_t line_pairs;  /* pairs that a line has room for */
    int_fast16_t tile_rows;   /* of y at a time: 1.., even with stride 2 */
    int_fast16_t tile_groups; /* of 6 outputs next to each other at a time: 1.. */
};

/* Results of a tile. lines: as the windows leave them; y: at its first output */
TML_INLINE void tml_line_results_i8(const struct tml_depthwise_line_params *p,
                                    const uint32_t *lines, ptrdiff_t row_step, int_fast16_t rows,
                                    int_fast16_t columns, int8_t *y)
{
    const struct tml_strip_results across = {2 * p->y_col_pitch, p->y_col_pitch, 16U,
                                             p->y_zero_point};
    const struct tml_strip_results down = {p->y_col_pitch, p->y_row_pitch, 16U, p->y_zero_point};
    for (int_fast16_t i = 0; i < rows; i += p->stride_w) {
        if (p->stride_w == 2) {
            tml_strip_scatter_dense_i8(&down, lines, columns, i + 1 < rows, y);
        } else if (columns > 1) {
            tml_strip_scatter_dense_i8(&across, lines, columns / 2, true, y);
        }
        if (p->stride_w == 1 && columns % 2 == 1) {
            tml_strip_scatter_dense_i8(&across, lines + columns / 2 * 4, 1, false,
                                       y + (columns - 1) * p->y_col_pitch);
        }
        lines += row_step;
        y += p->stride_w * p->y_row_pitch;
    }
}

/* Columns of y that a tile has at most. */
TML_INLINE int_fast16_t tml_line_tile_columns(const struct tml_depthwise_line_params *p)
{
    return 6 / p->stride_w * p->tile_groups;
}

/* The part of y that begins at oy, ox, 4 channels. x, y: at the first of the channels. */
TML_INLINE void tml_line_tile_i8(const struct tml_depthwise_line_params *p, const int8_t *x,
                                 const int32_t *weights, int_fast16_t oy, int_fast16_t ox,
                                 uint32_t *lines, int8_t *y)
{
    int_fast16_t most = tml_line_tile_columns(p);
    int_fast16_t group = 6 / p->stride_w;
    int_fast16_t rows = p->y_h - oy < p->tile_rows ? p->y_h - oy : p->tile_rows;
    int_fast16_t columns = p->y_w - ox < most ? p->y_w - ox : most;
    int_fast16_t pairs = ((columns - 1) * p->stride_w + p->kernel_w + 1) / 2;
    ptrdiff_t line_words = 4 * p->line_pairs;
    const struct tml_line_windows windows = {p->rounds, (columns + group - 1) / group,
                                             (rows + p->stride_w - 1) / p->stride_w,
                                             p->stride_w * p->stride_h * line_words};
    int_fast16_t row = oy * p->stride_h - p->pad_top;
    for (int_fast16_t i = 0; i < (rows - 1) * p->stride_h + p->kernel_h; i++) {
        bool inside = row + i >= 0 && row + i < p->x_h;
        tml_line_gather_i8(inside ? x + (row + i) * p->x_row_pitch : x, p->x_col_pitch,
                           inside ? p->x_w : 0, ox * p->stride_w - p->pad_left, pairs,
                           p->x_zero_point, lines + i * line_words);
    }
    tml_line_windows_i8(&windows, lines, weights);
    tml_line_results_i8(p, lines, windows.row_step, rows, columns,
                        y + oy * p->y_row_pitch + ox * p->y_col_pitch);
}

/* y without limits; one copy for all nodes of a model. */
TML_SHARED void tml_line_tiles_i8(const struct tml_depthwise_line_params *p, const int8_t *x,
                                  const int32_t *weights, uint32_t *lines, int8_t *y)
{
    for (int_fast16_t done = 0; done < p->x_c; done += 4) {
        int_fast16_t c = done + 4 > p->x_c ? p->x_c - 4 : done;
        for (int_fast16_t oy = 0; oy < p->y_h; oy += p->tile_rows) {
            for (int_fast16_t ox = 0; ox < p->y_w; ox += tml_line_tile_columns(p)) {
                tml_line_tile_i8(p, x + c, weights, oy, ox, lines, y + c);
            }
        }
        weights += 4 * (2 + TML_LINE_ROUND * p->rounds);
    }
}

/*
 * x: x_h rows of x_w columns of [x_c]
 * weights (rom): for each 4 channels a stream as in tml_line_windows_i8.h; the last ones are the
 *     last 4, some of them for a second time where x_c is no multiple of 4
 * scratch: 16 * line_pairs bytes for each of (r - 1) * stride_h + kernel_h lines, r: min(tile_rows,
 *     y_h), made even with stride_w 2; aligned to 4
 * y: y_h rows of y_w columns of [x_c], must not overlap x
 */
TML_KERNEL void tml_depthwise_conv2d_line_i8(const struct tml_depthwise_line_params *p,
                                             const int8_t *x, const int32_t *weights,
                                             int8_t *scratch, int8_t *y)
{
    tml_line_tiles_i8(p, x, weights, (uint32_t *)(void *)scratch, y);
    if (p->y_min > -128 || p->y_max < 127) {
        for (int_fast16_t i = 0; i < p->y_h * p->y_w; i++) {
            int8_t *pixel = y + i / p->y_w * p->y_row_pitch + i % p->y_w * p->y_col_pitch;
            for (int_fast16_t c = 0; c < p->x_c; c++) {
                pixel[c] = (int8_t)tml_clamp_i32(pixel[c], p->y_min, p->y_max);
            }
        }
    }
}

#endif
