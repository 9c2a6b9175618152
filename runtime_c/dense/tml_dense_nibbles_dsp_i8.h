/* SPDX-License-Identifier: 0BSD */
/* Dense on one vector with nibbles and dual multiplies (packed/tml_nibbles_dsp_i8.h); formula in
 * tml_dense_i8.h. */
#ifndef TML_DENSE_NIBBLES_DSP_I8_H
#define TML_DENSE_NIBBLES_DSP_I8_H

#include "../packed/tml_nibbles_dsp_i8.h"
#include "tml_dense_pixels_i8.h"

/*
 * x: [x_len]
 * weights (rom): ceil(y_len / 4) blocks of nibbles
 * bias, multiplier (rom): [y_len]
 * scratch: 2 * x_len bytes, rounded up to a multiple of 16; aligned to 4
 * y: [y_len], must not overlap x
 */
TML_KERNEL void tml_dense_nibbles_dsp_i8(const struct tml_dense_params *p, const int8_t *x,
                                         const uint32_t *weights, const int32_t *bias,
                                         const int32_t *multiplier, int8_t *scratch, int8_t *y)
{
    uint32_t *pairs = (uint32_t *)(void *)scratch;
    size_t steps = ((size_t)p->x_len + 7U) / 8U;
    tml_nibbles_expand_i8(x, (size_t)p->x_len, pairs);
    for (int_fast16_t c = 0; c < p->y_len; c += 4) {
        int32_t acc[4] = {0, 0, 0, 0};
        weights = tml_nibbles_block_dsp(weights, pairs, steps, acc);
        for (int_fast16_t i = 0; i < 4 && c + i < p->y_len; i++) {
            int32_t sum = acc[i] + tml_rom_i32(bias + c + i);
            int32_t m = tml_rom_i32(multiplier + c + i);
            y[c + i] = tml_output_i8(sum, m, p->pre_shift, p->y_zero_point, p->y_min, p->y_max);
        }
    }
}

#endif
