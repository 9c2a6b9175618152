/* SPDX-License-Identifier: 0BSD */
/*
 * Softmax of rows of logits, in integers only. With d = max - x and t = table[d]:
 * y = clamp(y_zero_point + floor((floor(t * k / sum of t) + 128) / 256), -128, 127).
 */
#ifndef TML_SOFTMAX_I8_H
#define TML_SOFTMAX_I8_H

#include "../common/tml_fixedpoint.h"
#include "../common/tml_port.h"

struct tml_softmax_params {
    int_fast16_t rows; /* 1.. */
    uint32_t n;        /* logits of a row: 1..65536 */
    uint32_t k;        /* 1 / output scale in Q8, rounded; table[0] * k < 2^32, so k: 1..2^17 - 1 */
    int32_t y_zero_point; /* -128..127 */
};

/*
 * x: [rows][n]
 * table (rom): [256], exp(-d * input scale) in Q15, table[0] = 2^15
 * y: [rows][n]; may be x itself
 */
TML_KERNEL void tml_softmax_i8(const struct tml_softmax_params *TML_RESTRICT p, const int8_t *x,
                               const uint16_t *TML_RESTRICT table, int8_t *y)
{
    for (int_fast16_t row = 0; row < p->rows; row++) {
        int_fast16_t max = -128;
        for (uint32_t i = 0U; i < p->n; i++) {
            max = x[i] > max ? x[i] : max;
        }
        uint32_t sum = 0U;
        for (uint32_t i = 0U; i < p->n; i++) {
            sum += tml_rom_u16(table + (max - x[i]));
        }
        for (uint32_t i = 0U; i < p->n; i++) {
            uint32_t r = tml_rom_u16(table + (max - x[i])) * p->k / sum;
            y[i] = tml_saturate_i8(p->y_zero_point + (int32_t)((r + 128U) >> 8));
        }
        x += p->n;
        y += p->n;
    }
}

#endif
