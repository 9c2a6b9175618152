/* SPDX-License-Identifier: 0BSD */
/*
 * Product of two activations: y[i][j] = clamp(y_zero_point + requantize(sum over k of (a[i][k] -
 * a_zero_point) * (b[k][j] - b_zero_point) * 2^pre_shift, multiplier)).
 */
#ifndef TML_MATMUL_I8_H
#define TML_MATMUL_I8_H

#include "../common/tml_fixedpoint.h"
#include "../common/tml_port.h"

struct tml_matmul_params {
    int_fast16_t m;         /* rows of a and y: 1.. */
    int_fast16_t k;         /* columns of a, rows of b: 1..32767 */
    int_fast16_t n;         /* columns of b and y: 1.. */
    int32_t a_zero_point;   /* -128..127 */
    int32_t b_zero_point;   /* -128..127 */
    int32_t y_zero_point;   /* -128..127 */
    int32_t multiplier;     /* 0..2^31 - 1 */
    int_fast16_t pre_shift; /* 0..15 */
    int32_t y_min;          /* -128..y_max */
    int32_t y_max;          /* y_min..127 */
};

/* acc[j] = sum of (a[i] - a_zero_point) * b[i * n + j], of 4 columns. */
TML_SHARED void tml_matmul_4_i8(const int8_t *a, int32_t a_zero_point, const int8_t *b, ptrdiff_t n,
                                int_fast16_t k, int32_t acc[TML_RESTRICT 4])
{
    int32_t sum[4] = {0, 0, 0, 0};
    for (; k > 0; k--) {
        int_fast16_t value = (int_fast16_t)(*a - a_zero_point);
        sum[0] += (int32_t)value * b[0];
        sum[1] += (int32_t)value * b[1];
        sum[2] += (int32_t)value * b[2];
        sum[3] += (int32_t)value * b[3];
        a++;
        b += n;
    }
    acc[0] = sum[0];
    acc[1] = sum[1];
    acc[2] = sum[2];
    acc[3] = sum[3];
}

/* The same of one column. */
TML_SHARED int32_t tml_matmul_1_i8(const int8_t *a, int32_t a_zero_point, const int8_t *b,
                                   ptrdiff_t n, int_fast16_t k)
{
    int32_t sum = 0;
    for (; k > 0; k--) {
        sum += (*a - a_zero_point) * *b;
        a++;
        b += n;
    }
    return sum;
}

/*
 * a: [m][k], b: [k][n]
 * y: [m][n], must not overlap a or b
 */
TML_KERNEL void tml_matmul_i8(const struct tml_matmul_params *TML_RESTRICT p, const int8_t *a,
                              const int8_t *b, int8_t *TML_RESTRICT y)
{
    for (int_fast16_t i = 0; i < p->m; i++) {
        int32_t a_sum = 0;
        for (int_fast16_t k = 0; k < p->k; k++) {
            a_sum += a[k] - p->a_zero_point;
        }
        for (int_fast16_t j = 0; j < p->n; j += 4) {
            int32_t acc[4];
            int_fast16_t columns = p->n - j < 4 ? p->n - j : 4;
            if (columns == 4) {
                tml_matmul_4_i8(a, p->a_zero_point, b + j, p->n, p->k, acc);
            } else {
                for (int_fast16_t c = 0; c < columns; c++) {
                    acc[c] = tml_matmul_1_i8(a, p->a_zero_point, b + j + c, p->n, p->k);
                }
            }
            for (int_fast16_t c = 0; c < columns; c++) {
                y[j + c] = tml_output_i8(acc[c] - a_sum * p->b_zero_point, p->multiplier,
                                         p->pre_shift, p->y_zero_point, p->y_min, p->y_max);
            }
        }
        a += p->k;
        y += p->n;
    }
}

#endif
