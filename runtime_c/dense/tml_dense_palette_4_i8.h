/* SPDX-License-Identifier: 0BSD */
/* Dense with weights as a palette of 4 values (packed/tml_palette_i8.h); formula in tml_dense_i8.h.
 */
#ifndef TML_DENSE_PALETTE_4_I8_H
#define TML_DENSE_PALETTE_4_I8_H

#include "../packed/tml_palette_i8.h"

/*
 * x: [x_len]
 * weights (rom): the 4 values, then blocks
 * bias, multiplier (rom): [y_len]
 * y: [y_len], must not overlap x
 */
TML_KERNEL void tml_dense_palette_4_i8(const struct tml_dense_params *p, const int8_t *x,
                                       const uint8_t *weights, const int32_t *bias,
                                       const int32_t *multiplier, int8_t *y)
{
    int8_t table[4];
    weights = tml_palette_load(weights, 4U, table);
    tml_packed_pixels_i8(p, tml_palette_4_dot_i8, table, x, 0, weights, bias, multiplier, y, 0,
                         false);
}

#endif
