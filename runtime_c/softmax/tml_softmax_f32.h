/* SPDX-License-Identifier: 0BSD */
/* Softmax of rows of logits: y = exp(x - max) / sum of exp(x - max). */
#ifndef TML_SOFTMAX_F32_H
#define TML_SOFTMAX_F32_H

#include "../common/tml_math.h"
#include "../common/tml_port.h"

struct tml_softmax_f32_params {
    int_fast16_t rows; /* 1.. */
    uint32_t n;        /* logits of a row: 1.. */
};

/*
 * x: [rows][n]
 * y: [rows][n]; may be x itself
 */
TML_KERNEL void tml_softmax_f32(const struct tml_softmax_f32_params *TML_RESTRICT p, const float *x,
                                float *y)
{
    for (int_fast16_t row = 0; row < p->rows; row++) {
        float max = x[0];
        for (uint32_t i = 1U; i < p->n; i++) {
            max = x[i] > max ? x[i] : max;
        }
        float sum = 0.0F;
        for (uint32_t i = 0U; i < p->n; i++) {
            y[i] = expf(x[i] - max);
            sum += y[i];
        }
        for (uint32_t i = 0U; i < p->n; i++) {
            y[i] /= sum;
        }
        x += p->n;
        y += p->n;
    }
}

#endif
