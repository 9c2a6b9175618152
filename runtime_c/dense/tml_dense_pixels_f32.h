/* SPDX-License-Identifier: 0BSD */
/* All output channels of one or two vectors: y[c] = clamp(bias[c] + sum w[c][i] * x[i]). The common
 * part of dense and conv2d. */
#ifndef TML_DENSE_PIXELS_F32_H
#define TML_DENSE_PIXELS_F32_H

#include "tml_dot_f32.h"

struct tml_dense_f32_params {
    int_fast16_t x_len; /* elements of a vector x, K: 1.. */
    int_fast16_t y_len; /* output channels, C: 1.. */
    float y_min;        /* activation limits; -FLT_MAX, FLT_MAX for none */
    float y_max;
};

/*
 * x: 1 or 2 vectors of x_len elements, x_pitch elements apart.
 * weights (rom): ceil(C/4) blocks; a full one is [K][4], the last one, of r < 4 channels, [K][r].
 * bias (rom): [C]
 * y: the same number of vectors of y_len elements, y_pitch apart. It must not overlap x.
 */
TML_SHARED void tml_dense_pixels_f32(const struct tml_dense_f32_params *TML_RESTRICT p,
                                     const float *x, ptrdiff_t x_pitch,
                                     const float *TML_RESTRICT weights,
                                     const float *TML_RESTRICT bias, float *y, ptrdiff_t y_pitch,
                                     bool two)
{
    size_t k = (size_t)p->x_len;
    for (int_fast16_t c = 0; c < p->y_len; c += 4) {
        float acc[8];
        int_fast16_t rows = p->y_len - c < 4 ? p->y_len - c : 4;
        for (int_fast16_t i = 0; i < rows; i++) {
            acc[i] = tml_rom_f32(bias + c + i);
            acc[4 + i] = acc[i];
        }
        if (rows < 4) {
            for (int_fast16_t i = 0; i < rows; i++) {
                const float *w = weights + i;
                acc[i] = tml_dot_1x1_f32(acc[i], w, (size_t)rows, x, k);
                if (two) {
                    acc[4 + i] = tml_dot_1x1_f32(acc[4 + i], w, (size_t)rows, x + x_pitch, k);
                }
            }
        } else if (two) {
            tml_dot_4x2_f32(weights, x, x_pitch, k, acc);
        } else {
            tml_dot_4x1_f32(weights, x, k, acc);
        }
        weights += (size_t)rows * k;
        for (int_fast16_t i = 0; i < rows; i++) {
            y[c + i] = tml_clamp_f32(acc[i], p->y_min, p->y_max);
            if (two) {
                y[y_pitch + c + i] = tml_clamp_f32(acc[4 + i], p->y_min, p->y_max);
            }
        }
    }
}

#endif
