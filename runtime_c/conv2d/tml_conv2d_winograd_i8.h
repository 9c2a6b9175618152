/* SPDX-License-Identifier: 0BSD */
/*
 * 3x3 convolution, stride 1, by Winograd's algorithm (winograd/tml_winograd_input_i8.h): exact.
 * Tiles of 4x4 outputs are taken a chunk at a time; a chunk may span rows of tiles. Padding counts
 * as x_zero_point. What a tile computes beyond the image is dropped.
 */
#ifndef TML_CONV2D_WINOGRAD_I8_H
#define TML_CONV2D_WINOGRAD_I8_H

#include "../winograd/tml_winograd_gemm.h"
#include "../winograd/tml_winograd_input_i8.h"
#include "../winograd/tml_winograd_output_i8.h"

struct tml_conv2d_winograd_params {
    int_fast16_t x_h;
    int_fast16_t x_w;
    int_fast16_t x_c;        /* 4.. */
    ptrdiff_t x_row_pitch;   /* elements from row to row, at least x_w * x_c */
    int_fast16_t y_h;
    int_fast16_t y_w;
    int_fast16_t y_c;
    ptrdiff_t y_row_pitch;
    int_fast16_t pad_top;    /* rows of padding above x */
    int_fast16_t pad_left;
    int_fast16_t chunk;      /* tiles of a chunk: 2, 4.. */
    int32_t x_zero_point;    /* -128..127, the value of padding */
    int32_t y_zero_point;    /* -128..127 */
    int32_t y_min;           /* -128..y_max */
    int32_t y_max;           /* y_min..127 */
};

/* What all tiles share, and the parts of scratch. */
struct tml_conv2d_winograd {
    const struct tml_conv2d_winograd_params *p;
    size_t steps; /* pairs of input channels */
    int_fast16_t tiles_w;
    int_fast16_t tiles;
    uint32_t *v;       /* chunk tiles, transformed */
    uint32_t *columns; /* of 4 channels of neighbouring tiles; in the same place as sums */
    int32_t *sums;
    int8_t *outside; /* a tile that reaches over the edge */
    int8_t *padding; /* as much of a row as neighbouring tiles read */
};

TML_INLINE int_fast16_t tml_least(int_fast16_t a, int_fast16_t b)
{
    return a < b ? a : b;
}

TML_INLINE struct tml_conv2d_winograd
tml_conv2d_winograd(const struct tml_conv2d_winograd_params *p, int8_t *scratch)
{
    struct tml_conv2d_winograd all;
    all.p = p;
    all.steps = 2U * (((size_t)p->x_c + 3U) / 4U);
    all.tiles_w = (p->y_w + 3) / 4;
    all.tiles = all.tiles_w * ((p->y_h + 3) / 4);
    int_fast16_t widest = 4 * tml_least(p->chunk, all.tiles_w) + 2;
    size_t shared = TML_WINOGRAD_COLUMN * (size_t)widest;
    if (shared < TML_WINOGRAD_SUMS) {
        shared = TML_WINOGRAD_SUMS;
    }
    all.v = (uint32_t *)(void *)scratch;
    all.columns = all.v + TML_WINOGRAD_V_WORDS * all.steps * ((size_t)p->chunk / 2U);
    all.sums = (int32_t *)(void *)all.columns;
    all.outside = (int8_t *)(void *)(all.columns + shared);
    all.padding = all.outside + 64;
    size_t wide = (size_t)tml_least(widest, p->x_w) * (size_t)p->x_c;
    tml_fill_i8(all.padding, (int8_t)p->x_zero_point, wide);
    return all;
}

/* Columns of 4 channels for n neighbouring tiles. x_row, x_col: where the first tile reads. */
TML_LEAF void tml_conv2d_winograd_columns_i8(const struct tml_conv2d_winograd *all, const int8_t *x,
                                             int_fast16_t x_row, int_fast16_t x_col,
                                             int_fast16_t n, int_fast16_t channel)
{
    const struct tml_conv2d_winograd_params *p = all->p;
    int_fast16_t wide = 4 * n + 2;
    int_fast16_t left = tml_least(x_col < 0 ? -x_col : 0, wide);
    int_fast16_t end = tml_least(wide, p->x_w - x_col);
    uint32_t *columns = all->columns;
    tml_winograd_padding_i8(p->x_zero_point, (size_t)left, columns);
    columns += TML_WINOGRAD_COLUMN * left;
    if (end > left) {
        const int8_t *rows[6];
        for (int i = 0; i < 6; i++) {
            int_fast16_t row = x_row + i;
            bool inside = row >= 0 && row < p->x_h;
            rows[i] = channel + (inside ? x + row * p->x_row_pitch + (x_col + left) * p->x_c
                                        : all->padding);
        }
        tml_winograd_columns_i8(rows, p->x_c, (size_t)(end - left), columns);
        columns += TML_WINOGRAD_COLUMN * (end - left);
        left = end;
    }
    tml_winograd_padding_i8(p->x_zero_point, (size_t)(wide - left), columns);
}

/* V of n tiles from tile first on. */
TML_LEAF void tml_conv2d_winograd_input_i8(const struct tml_conv2d_winograd *all, const int8_t *x,
                                           int_fast16_t first, int_fast16_t n)
{
    const struct tml_conv2d_winograd_params *p = all->p;
    for (int_fast16_t done = 0; done < n;) {
        int_fast16_t tile_row = (first + done) / all->tiles_w;
        int_fast16_t tile_col = (first + done) % all->tiles_w;
        int_fast16_t neighbours = tml_least(n - done, all->tiles_w - tile_col);
        for (size_t step = 0U; step < all->steps; step += 2U) {
            /* The last four channels may be taken twice, the second time with weights of 0. */
            int_fast16_t channel = tml_least(2 * (int_fast16_t)step, p->x_c - 4);
            tml_conv2d_winograd_columns_i8(all, x, 4 * tile_row - p->pad_top,
                                           4 * tile_col - p->pad_left, neighbours, channel);
            const uint32_t *columns = all->columns;
            for (int_fast16_t i = done; i < done + neighbours; i++) {
                size_t pair = TML_WINOGRAD_V_WORDS * all->steps * ((size_t)i / 2U);
                tml_winograd_tile_i8(columns, 36U * all->steps,
                                     all->v + pair + 36U * step + (size_t)i % 2U);
                columns += 4 * TML_WINOGRAD_COLUMN;
            }
        }
        done += neighbours;
    }
}

/* 4 channels of a tile from their sums, as much of it as lies within y; y: at the first channel */
TML_LEAF void tml_conv2d_winograd_tile_i8(const struct tml_conv2d_winograd *all, int_fast16_t tile,
                                          size_t channels, int32_t *sums, const int32_t *quant,
                                          int8_t *y)
{
    const struct tml_conv2d_winograd_params *p = all->p;
    int_fast16_t row = 4 * (tile / all->tiles_w);
    int_fast16_t col = 4 * (tile % all->tiles_w);
    int8_t *to = y + row * p->y_row_pitch + col * p->y_c;
    if (row + 4 <= p->y_h && col + 4 <= p->y_w) {
        const struct tml_winograd_output out = {p->y_zero_point, channels, p->y_c, p->y_row_pitch};
        tml_winograd_output_i8(&out, sums, quant, to);
        return;
    }
    const struct tml_winograd_output out = {p->y_zero_point, channels, 4, 16};
    tml_winograd_output_i8(&out, sums, quant, all->outside);
    for (int_fast16_t i = 0; i < 4 && row + i < p->y_h; i++) {
        for (int_fast16_t k = 0; k < 4 && col + k < p->y_w; k++) {
            const int8_t *pixel = all->outside + 16 * i + 4 * k;
            if (channels == 4U) {
                tml_store_u32(to + k * p->y_c, tml_load_u32(pixel));
            } else {
                for (size_t c = 0U; c < channels; c++) {
                    to[k * p->y_c + (ptrdiff_t)c] = pixel[c];
                }
            }
        }
        to += p->y_row_pitch;
    }
}

/* The outputs of n tiles from tile first on, whose V is there. */
TML_LEAF void tml_conv2d_winograd_output_i8(const struct tml_conv2d_winograd *all,
                                            const int32_t *weights, int_fast16_t first,
                                            int_fast16_t n, int8_t *y)
{
    for (int_fast16_t c = 0; c < all->p->y_c; c += 4) {
        const int32_t *quant = weights + TML_WINOGRAD_U_WORDS * all->steps;
        size_t channels = (size_t)tml_least(4, all->p->y_c - c);
        const uint32_t *v = all->v;
        for (int_fast16_t i = 0; i < n; i += 2) {
            tml_winograd_gemm(all->steps, v, weights, all->sums);
            tml_conv2d_winograd_tile_i8(all, first + i, channels, all->sums, quant, y + c);
            if (i + 1 < n) {
                tml_conv2d_winograd_tile_i8(all, first + i + 1, channels, all->sums + 4, quant,
                                            y + c);
            }
            v += TML_WINOGRAD_V_WORDS * all->steps;
        }
        weights = quant + 8;
    }
}

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): for each block of 4 output channels { U as tml_winograd_gemm.h has it, 576 * bias
 *     and multiplier of each channel }; bias is that of inputs x + 128; channels beyond y_c are 0.
 *     Steps: of each 4 input channels (0, 2), (1, 3); if x_c is no multiple of 4, the last 4 are
 *     the last of x, with weights of 0 where they were there before
 * scratch: aligned to 4, the sum of 144 * steps * chunk bytes; the larger of 1152 and 48 * widest,
 *     where widest is the smaller of chunk and tiles in a row, times 4, plus 2; 64; the smaller of
 *     widest and x_w, times x_c
 * y: [y_h][y_w][y_c], must not overlap x
 */
TML_KERNEL void tml_conv2d_winograd_i8(const struct tml_conv2d_winograd_params *p, const int8_t *x,
                                       const int32_t *weights, int8_t *scratch, int8_t *y)
{
    const struct tml_conv2d_winograd all = tml_conv2d_winograd(p, scratch);
    for (int_fast16_t first = 0; first < all.tiles; first += p->chunk) {
        int_fast16_t n = tml_least(p->chunk, all.tiles - first);
        tml_conv2d_winograd_input_i8(&all, x, first, n);
        tml_conv2d_winograd_output_i8(&all, weights, first, n, y);
    }
    if (p->y_min > -128 || p->y_max < 127) {
        for (int_fast16_t row = 0; row < p->y_h; row++) {
            int8_t *at = y + row * p->y_row_pitch;
            for (int_fast16_t i = 0; i < p->y_w * p->y_c; i++) {
                at[i] = (int8_t)tml_clamp_i32(at[i], p->y_min, p->y_max);
            }
        }
    }
}

#endif
