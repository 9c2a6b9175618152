/* SPDX-License-Identifier: 0BSD */
/*
 * Weights in less than a byte. A form packs blocks of 4 output channels one behind the other; the
 * last block is filled up with channels of zeros. What is packed are int8 weights and nothing is
 * rounded: results are those of tml_dense_pixels_i8.
 */
#ifndef TML_PACKED_PIXELS_I8_H
#define TML_PACKED_PIXELS_I8_H

#include "../dense/tml_dense_pixels_i8.h"

/*
 * acc[4 * i + c] += channel c of pixel i, pitch elements apart; of pixel 0 only unless `two`.
 * Returns the next block. table: of the form, in RAM. w (rom): a block
 */
typedef const uint8_t *(*tml_packed_dot)(const int8_t *table, const uint8_t *w, const int8_t *x,
                                         ptrdiff_t pitch, size_t k, bool two, int32_t acc[8]);

/* All output channels of one or two vectors, as tml_dense_pixels_i8. */
TML_INLINE void tml_packed_pixels_i8(const struct tml_dense_params *p, tml_packed_dot dot,
                                     const int8_t *table, const int8_t *x, ptrdiff_t x_pitch,
                                     const uint8_t *weights, const int32_t *bias,
                                     const int32_t *multiplier, int8_t *y, ptrdiff_t y_pitch,
                                     bool two)
{
    for (int_fast16_t c = 0; c < p->y_len; c += 4) {
        int32_t acc[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        int_fast16_t rows = p->y_len - c < 4 ? p->y_len - c : 4;
        weights = dot(table, weights, x, x_pitch, (size_t)p->x_len, two, acc);
        for (int_fast16_t i = 0; i < rows; i++) {
            int32_t b = tml_rom_i32(bias + c + i);
            int32_t m = tml_rom_i32(multiplier + c + i);
            y[c + i] =
                tml_output_i8(acc[i] + b, m, p->pre_shift, p->y_zero_point, p->y_min, p->y_max);
            if (two) {
                y[y_pitch + c + i] = tml_output_i8(acc[4 + i] + b, m, p->pre_shift, p->y_zero_point,
                                                   p->y_min, p->y_max);
            }
        }
    }
}

#endif
