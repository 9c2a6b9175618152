/* SPDX-License-Identifier: 0BSD */
/* The products of a recurrent layer's gates: gates[r] += sum w[r][i] * x[i]. */
#ifndef TML_RECURRENT_ROWS_F32_H
#define TML_RECURRENT_ROWS_F32_H

#include "../dense/tml_dot_f32.h"

/*
 * weights (rom): ceil(rows/4) blocks; a full one is [x_len][4], the last one, of r < 4 rows,
 *     [x_len][r].
 * x: [x_len]
 * gates: [rows], must not overlap x
 */
TML_SHARED void tml_recurrent_rows_f32(size_t x_len, size_t rows, const float *weights,
                                       const float *x, float *gates)
{
    for (; rows >= 4U; rows -= 4U) {
        tml_dot_4x1_f32(weights, x, x_len, gates);
        weights += 4U * x_len;
        gates += 4;
    }
    for (size_t r = 0U; r < rows; r++) {
        gates[r] = tml_dot_1x1_f32(gates[r], weights + r, rows, x, x_len);
    }
}

#endif
