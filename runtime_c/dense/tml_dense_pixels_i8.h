/* SPDX-License-Identifier: 0BSD */
/*
 * All output channels of one or two vectors: y[c] = clamp(y_zero_point + requantize((bias[c] + sum
 * w[c][i] * x[i]) * 2^pre_shift, multiplier[c])). The common part of dense and conv2d.
 */
#ifndef TML_DENSE_PIXELS_I8_H
#define TML_DENSE_PIXELS_I8_H

#include "tml_dot_i8.h"

struct tml_dense_params {
    int_fast16_t x_len;     /* elements of a vector x, K: 1.. */
    int_fast16_t y_len;     /* output channels, C: 1.. */
    int32_t y_zero_point;   /* -128..127 */
    int_fast16_t pre_shift; /* 0..15 */
    int32_t y_min;          /* -128..y_max */
    int32_t y_max;          /* y_min..127 */
};

/*
 * x: 1 or 2 vectors of x_len elements, x_pitch elements apart.
 * weights (rom): ceil(C/4) blocks; a full one is [K][4], the last one, of r < 4 channels, [K][r].
 * bias, multiplier (rom): [C]; the zero point of x is part of bias.
 * y: the same number of vectors of y_len elements, y_pitch apart. It must not overlap x.
 */
TML_SHARED void tml_dense_pixels_i8(const struct tml_dense_params *TML_RESTRICT p, const int8_t *x,
                                    ptrdiff_t x_pitch, const int8_t *TML_RESTRICT weights,
                                    const int32_t *TML_RESTRICT bias,
                                    const int32_t *TML_RESTRICT multiplier, int8_t *y,
                                    ptrdiff_t y_pitch, bool two)
{
    size_t k = (size_t)p->x_len;
    for (int_fast16_t c = 0; c < p->y_len; c += 4) {
        int32_t acc[8];
        int_fast16_t rows = p->y_len - c < 4 ? p->y_len - c : 4;
        for (int_fast16_t i = 0; i < rows; i++) {
            acc[i] = tml_rom_i32(bias + c + i);
            acc[4 + i] = acc[i];
        }
        if (rows < 4) {
            for (int_fast16_t i = 0; i < rows; i++) {
                acc[i] += tml_dot_1x1_i8(weights + i, (size_t)rows, x, k);
                acc[4 + i] += two ? tml_dot_1x1_i8(weights + i, (size_t)rows, x + x_pitch, k) : 0;
            }
        } else if (two) {
            tml_dot_4x2_i8(weights, x, x_pitch, k, acc);
        } else {
            tml_dot_4x1_i8(weights, x, k, acc);
        }
        weights += (size_t)rows * k;
        for (int_fast16_t i = 0; i < rows; i++) {
            int32_t m = tml_rom_i32(multiplier + c + i);
            y[c + i] = tml_output_i8(acc[i], m, p->pre_shift, p->y_zero_point, p->y_min, p->y_max);
            if (two) {
                y[y_pitch + c + i] =
                    tml_output_i8(acc[4 + i], m, p->pre_shift, p->y_zero_point, p->y_min, p->y_max);
            }
        }
    }
}

#endif
