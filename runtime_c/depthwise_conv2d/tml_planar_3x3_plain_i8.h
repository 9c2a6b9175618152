/* SPDX-License-Identifier: 0BSD */
/*
 * Weights of 3x3 windows over a bordered plane, and the windows in plain C. Of a channel:
 * {row0, row1, row2, bias, multiplier}; a row is the bytes w0, w1, w2, -1.
 */
#ifndef TML_PLANAR_3X3_PLAIN_I8_H
#define TML_PLANAR_3X3_PLAIN_I8_H

#include "tml_planar_border_i8.h"

#define TML_PLANAR_3X3_WORDS 5

/* One output without zero point. x: where its window begins */
TML_INLINE int32_t tml_planar_3x3_at_i8(const int8_t *x, ptrdiff_t pitch, const int32_t *weights)
{
    uint32_t sum = (uint32_t)tml_rom_i32(weights + 3);
    for (int_fast16_t k = 0; k < 3; k++) {
        uint32_t row = (uint32_t)tml_rom_i32(weights + k);
        for (int_fast16_t i = 0; i < 3; i++) {
            sum += (uint32_t)(int32_t)tml_mul_i8(x[i], (int8_t)(uint8_t)(row >> (8 * i)));
        }
        x += pitch;
    }
    return tml_requantize((int32_t)sum, tml_rom_i32(weights + 4));
}

TML_INLINE void tml_planar_3x3_plain_i8(const struct tml_depthwise_planar_params *plane,
                                        const int8_t *bordered, const int32_t *weights,
                                        int_fast16_t stride, int8_t *y)
{
    for (int_fast16_t row = 0; row < plane->y_h; row++) {
        for (int_fast16_t i = 0; i < plane->y_w; i++) {
            int32_t v = tml_planar_3x3_at_i8(bordered + stride * i, plane->pitch, weights);
            y[i] = tml_saturate_i8(plane->y_zero_point + v);
        }
        bordered += stride * plane->pitch;
        y += plane->y_w;
    }
}

#endif
