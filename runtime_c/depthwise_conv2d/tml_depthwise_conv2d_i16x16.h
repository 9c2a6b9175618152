/* SPDX-License-Identifier: 0BSD */
/* Depthwise convolution, depth multiplier 1, with int16 weights where x, y or both are int16. */
#ifndef TML_DEPTHWISE_CONV2D_I16X16_H
#define TML_DEPTHWISE_CONV2D_I16X16_H

#include "../wide/tml_wide_depthwise.h"

/* A pixel from its window; the last channels may be computed twice. at: its first channel in y */
TML_SHARED void tml_depthwise_pixel_i16x16(const struct tml_wide_params *p,
                                           const struct tml_wide_taps *taps, const int16_t *weights,
                                           const int64_t *bias, const int32_t *multiplier, void *y,
                                           ptrdiff_t at)
{
    struct tml_wide_taps four = *taps;
    for (int_fast16_t from = 0; from < p->x_c; from += 4) {
        int_fast16_t c = from + 4 <= p->x_c ? from : p->x_c - 4;
        int64_t acc[4];
        for (int i = 0; i < 4; i++) {
            acc[i] = tml_rom_i64(bias + c + i);
        }
        four.x = taps->x + c;
        tml_wide_depthwise_i16(p, &four, weights + c, acc);
        const int32_t *m = multiplier + c;
        struct tml_wide_four results =
            tml_wide_results(p, acc[0] * tml_rom_i32(m), acc[1] * tml_rom_i32(m + 1),
                             acc[2] * tml_rom_i32(m + 2), acc[3] * tml_rom_i32(m + 3));
        tml_wide_store_four(p, results, y, at + c);
    }
}

/*
 * x: [x_h][x_w][x_c] of x_bytes; x_c: 4..
 * weights (rom): [kernel_h][kernel_w][x_c]
 * bias, multiplier (rom): [x_c]; the zero point of x is part of bias, over the full window
 * scratch: a window of int16; aligned to 2
 * y: [y_h][y_w][y_c] of y_bytes, y_c is x_c; must not overlap what this or a later window reads
 */
TML_KERNEL void tml_depthwise_conv2d_i16x16(const struct tml_wide_params *p, const void *x,
                                            const int16_t *weights, const int64_t *bias,
                                            const int32_t *multiplier, void *scratch, void *y)
{
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            const struct tml_wide_taps taps =
                tml_wide_window(p, x, row, ox * p->stride_w - p->pad_left, (int16_t *)scratch);
            tml_depthwise_pixel_i16x16(p, &taps, weights, bias, multiplier, y,
                                       oy * p->y_row_pitch + ox * p->x_c);
        }
    }
}

#endif
