/* SPDX-License-Identifier: 0BSD */
/* All output channels of one or two vectors with weights as float16; formula and packing in
 * tml_dense_pixels_f32.h. */
#ifndef TML_DENSE_PIXELS_F16_H
#define TML_DENSE_PIXELS_F16_H

#include "tml_dense_pixels_f32.h"
#include "tml_dot_f16.h"

/* acc[i] and, where there are two vectors, acc[4 + i] += channel i of a last block of `rows` < 4.
 */
TML_INLINE void tml_dense_rest_f16(float acc[8], const uint16_t *w, int_fast16_t rows,
                                   const float *x, ptrdiff_t x_pitch, size_t k, bool two)
{
    for (int_fast16_t i = 0; i < rows; i++) {
        acc[i] = tml_dot_1x1_f16(acc[i], w + i, (size_t)rows, x, k);
        if (two) {
            acc[4 + i] = tml_dot_1x1_f16(acc[4 + i], w + i, (size_t)rows, x + x_pitch, k);
        }
    }
}

/* Arguments as in tml_dense_pixels_f32. */
TML_SHARED void tml_dense_pixels_f16(const struct tml_dense_f32_params *TML_RESTRICT p,
                                     const float *x, ptrdiff_t x_pitch,
                                     const uint16_t *TML_RESTRICT weights,
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
            tml_dense_rest_f16(acc, weights, rows, x, x_pitch, k, two);
        } else if (two) {
            tml_dot_4x2_f16(weights, x, x_pitch, k, acc);
        } else {
            tml_dot_4x1_f16(weights, x, k, acc);
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
