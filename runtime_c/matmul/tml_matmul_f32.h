/* SPDX-License-Identifier: 0BSD */
/* Product of two activations: y[i][j] = clamp(sum over k of a[i][k] * b[k][j]). */
#ifndef TML_MATMUL_F32_H
#define TML_MATMUL_F32_H

#include "../common/tml_float.h"
#include "../common/tml_port.h"

struct tml_matmul_f32_params {
    int_fast16_t m; /* rows of a and y: 1.. */
    int_fast16_t k; /* columns of a, rows of b: 1.. */
    int_fast16_t n; /* columns of b and y: 1.. */
    float y_min;    /* activation limits; -FLT_MAX, FLT_MAX for none */
    float y_max;
};

/* acc[j] = sum of a[i] * b[i * n + j], of 4 columns. */
TML_SHARED void tml_matmul_4_f32(const float *a, const float *b, ptrdiff_t n, int_fast16_t k,
                                 float acc[TML_RESTRICT 4])
{
    float sum[4] = {0.0F, 0.0F, 0.0F, 0.0F};
    for (; k > 0; k--) {
        sum[0] += *a * b[0];
        sum[1] += *a * b[1];
        sum[2] += *a * b[2];
        sum[3] += *a * b[3];
        a++;
        b += n;
    }
    acc[0] = sum[0];
    acc[1] = sum[1];
    acc[2] = sum[2];
    acc[3] = sum[3];
}

/* The same of one column. */
TML_SHARED float tml_matmul_1_f32(const float *a, const float *b, ptrdiff_t n, int_fast16_t k)
{
    float sum = 0.0F;
    for (; k > 0; k--) {
        sum += *a * *b;
        a++;
        b += n;
    }
    return sum;
}

/*
 * a: [m][k], b: [k][n]
 * y: [m][n], must not overlap a or b
 */
TML_KERNEL void tml_matmul_f32(const struct tml_matmul_f32_params *TML_RESTRICT p, const float *a,
                               const float *b, float *TML_RESTRICT y)
{
    for (int_fast16_t i = 0; i < p->m; i++) {
        int_fast16_t j = 0;
        for (; j + 4 <= p->n; j += 4) {
            float acc[4];
            tml_matmul_4_f32(a, b + j, p->n, p->k, acc);
            for (int c = 0; c < 4; c++) {
                y[j + c] = tml_clamp_f32(acc[c], p->y_min, p->y_max);
            }
        }
        for (; j < p->n; j++) {
            float acc = tml_matmul_1_f32(a, b + j, p->n, p->k);
            y[j] = tml_clamp_f32(acc, p->y_min, p->y_max);
        }
        a += p->k;
        y += p->n;
    }
}

#endif
