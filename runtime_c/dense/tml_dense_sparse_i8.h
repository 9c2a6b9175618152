/* SPDX-License-Identifier: 0BSD */
/* Dense with weights as zeros left out (packed/tml_sparse_i8.h); formula in tml_dense_i8.h. */
#ifndef TML_DENSE_SPARSE_I8_H
#define TML_DENSE_SPARSE_I8_H

#include "../packed/tml_sparse_i8.h"

/*
 * x: [x_len]
 * weights (rom): blocks
 * bias, multiplier (rom): [y_len]
 * y: [y_len], must not overlap x
 */
TML_KERNEL void tml_dense_sparse_i8(const struct tml_dense_params *p, const int8_t *x,
                                    const uint8_t *weights, const int32_t *bias,
                                    const int32_t *multiplier, int8_t *y)
{
    tml_packed_pixels_i8(p, tml_sparse_dot_i8, NULL, x, 0, weights, bias, multiplier, y, 0, false);
}

#endif
