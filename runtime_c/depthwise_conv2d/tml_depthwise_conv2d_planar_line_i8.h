/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution of images of one row, stride 1, on planar storage (tml_planar_pieces_i8.h,
 * tml_planar_chunks_i8.h). Rows are read where they are if there is no padding: four results are
 * written where the words were that they took, or before. pre_shift is 0, dilation 1.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_PLANAR_LINE_I8_H
#define TML_DEPTHWISE_CONV2D_PLANAR_LINE_I8_H

#include "tml_planar_chunks_i8.h"

struct tml_planar_line_params {
    int_fast16_t x_w;      /* columns of x: 1.. */
    int_fast16_t x_c;      /* channels, that is rows, of x and y: 1.. */
    int_fast16_t y_w;      /* columns of y: 1.. */
    int_fast16_t pad_left; /* columns of padding to the left */
    int32_t x_zero_point;  /* -128..127, the value of padding */
    int32_t y_zero_point;  /* -128..127 */
    int32_t y_min;         /* -128..y_max */
    int32_t y_max;         /* y_min..127 */
    int_fast16_t kernel_w; /* taps of a window: 1..16 */
    int_fast16_t chunks;   /* of 4 taps: 2..4 */
};

/* Four outputs at a time, as many as y_w begins. */
TML_INLINE void tml_planar_line_i8(const struct tml_planar_line_params *p,
                                   const struct tml_planar_piece *piece, const int32_t *weights,
                                   int_fast16_t quads)
{
#if TML_HAVE_DSP_BLOCKS
    if (p->kernel_w <= 5) {
        tml_planar_whole_i8(piece, weights, quads);
    } else {
        tml_planar_chunks_i8(piece, weights, p->chunks, quads);
    }
#else
    (void)quads;
    for (int_fast16_t i = 0; i < p->y_w; i++) {
        uint32_t sum = (uint32_t)piece->bias;
        for (int_fast16_t k = 0; k < p->kernel_w; k++) {
            uint32_t taps = (uint32_t)tml_rom_i32(weights + k / 4) >> 8 * (k % 4);
            sum += (uint32_t)(int32_t)tml_mul_i8(piece->x[i + k], (int8_t)(uint8_t)taps);
        }
        int32_t v = tml_requantize((int32_t)sum, piece->multiplier);
        piece->y[i] = tml_saturate_i8(piece->zero_point + v);
    }
#endif
}

/* y without limits; one copy for all nodes of a model. */
TML_SHARED void tml_planar_lines_i8(const struct tml_planar_line_params *p, const int8_t *x,
                                    const int32_t *weights, int8_t *scratch, int8_t *y)
{
    const int_fast16_t x_w = p->x_w;
    const int_fast16_t y_w = p->y_w;
    const int_fast16_t quads = (y_w + 3) / 4;
    const int_fast16_t reach = 4 * quads + 4 * p->chunks; /* of reads, from where a row begins */
    const int_fast16_t inside = reach - p->pad_left;
    const bool padded = p->pad_left > 0 || x_w < y_w + p->kernel_w - 1;
    struct tml_planar_piece piece = {0};
    int_fast16_t room = 0; /* between where results end and x that is still to be read */
    piece.zero_point = p->y_zero_point;
    tml_fill_i8(scratch, (int8_t)p->x_zero_point, (size_t)reach);
    for (int_fast16_t left = p->x_c; left > 0; left--) {
        bool copied = padded || left * x_w < reach;
        if (copied) {
            tml_copy_run(scratch + p->pad_left, x, (size_t)(inside < x_w ? inside : x_w));
        }
        /* results beyond y are overwritten by the next ones */
        room += x_w - y_w;
        bool whole = 4 * quads == y_w || (room >= 3 && left > 1 && !padded);
        piece.x = copied ? scratch : x;
        piece.y = whole ? y : scratch + reach;
        piece.bias = tml_rom_i32(weights);
        piece.multiplier = tml_rom_i32(weights + 1);
        weights += TML_PLANAR_ROWS_ENDS;
        tml_planar_line_i8(p, &piece, weights, quads);
        if (!whole) {
            tml_copy_run(y, scratch + reach, (size_t)y_w);
        }
        x += x_w;
        y += y_w;
        weights += p->chunks;
    }
}

/*
 * x: [x_c][x_w]
 * weights (rom): for each channel bias, multiplier, and its taps as bytes, chunks words; the word
 *     behind the fourth is an int32 if there are 5 at most
 * scratch: 8 * ceil(y_w / 4) + 4 * chunks bytes, aligned to 4
 * y: [x_c][y_w]; may begin at x or before it if y_w is no larger than x_w
 */
TML_KERNEL void tml_depthwise_conv2d_planar_line_i8(const struct tml_planar_line_params *p,
                                                    const int8_t *x, const int32_t *weights,
                                                    int8_t *scratch, int8_t *y)
{
    tml_planar_lines_i8(p, x, weights, scratch, y);
    if (p->y_min > -128 || p->y_max < 127) {
        for (int_fast16_t i = 0; i < p->x_c * p->y_w; i++) {
            y[i] = (int8_t)tml_clamp_i32(y[i], p->y_min, p->y_max);
        }
    }
}

#endif
