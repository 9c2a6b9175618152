/* SPDX-License-Identifier: 0BSD */
/* The products of a recurrent layer's gates, in Q3.12: gates[r] = clamp(before + requantize((bias[r] +
 * sum w[r][i] * x[i]) * 2^pre_shift, multiplier[r])), before: 0 or what gates[r] was. */
#ifndef TML_RECURRENT_ROWS_I8_H
#define TML_RECURRENT_ROWS_I8_H

#include "../dense/tml_dot_i8.h"
#include "tml_recurrent_table_i16.h"

struct tml_recurrent_rows {
    size_t x_len;           /* elements of x: 1.. */
    size_t rows;            /* 1.. */
    int_fast16_t pre_shift; /* 0..15 */
    bool add;               /* before is gates[r] */
};

/*
 * x: [x_len]
 * weights (rom): ceil(rows/4) blocks; a full one is [x_len][4], the last one, of r < 4 rows,
 *     [x_len][r].
 * bias, multiplier (rom): [rows]; the zero point of x is part of bias.
 * gates: [rows]
 */
TML_SHARED void tml_recurrent_rows_i8(const struct tml_recurrent_rows *TML_RESTRICT p,
                                      const int8_t *x, const int8_t *TML_RESTRICT weights,
                                      const int32_t *TML_RESTRICT bias,
                                      const int32_t *TML_RESTRICT multiplier, int16_t *gates)
{
    for (size_t r = 0U; r < p->rows; r += 4U) {
        int32_t acc[4] = {0, 0, 0, 0};
        size_t count = p->rows - r < 4U ? p->rows - r : 4U;
        for (size_t i = 0U; i < count; i++) {
            acc[i] = tml_rom_i32(bias + r + i);
        }
        if (count < 4U) {
            for (size_t i = 0U; i < count; i++) {
                acc[i] += tml_dot_1x1_i8(weights + i, count, x, p->x_len);
            }
        } else {
            tml_dot_4x1_i8(weights, x, p->x_len, acc);
        }
        weights += count * p->x_len;
        for (size_t i = 0U; i < count; i++) {
            int32_t sum = tml_shift_left(acc[i], p->pre_shift);
            int32_t before = p->add ? gates[r + i] : 0;
            int32_t made = tml_requantize(sum, tml_rom_i32(multiplier + r + i));
            gates[r + i] = tml_saturate_i16(before + made);
        }
    }
}

#endif
