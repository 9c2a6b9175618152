/* SPDX-License-Identifier: 0BSD */
/* Convolution with zeros left out (packed/tml_bytes_ab_i8.h), unpacked to AB words; the result as
 * planes. */
#ifndef TML_CONV2D_AB_SPARSE_TO_PLANAR_I8_H
#define TML_CONV2D_AB_SPARSE_TO_PLANAR_I8_H

#include "../packed/tml_bytes_ab_i8.h"
#include "tml_conv2d_ab_packed_i8.h"

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): blocks, inputs in the order of tml_conv2d_ab_i8
 * quant (rom), scratch: see tml_conv2d_ab_packed_i8
 * y: [y_c][y_h][y_w], must not overlap x
 */
TML_KERNEL void tml_conv2d_ab_sparse_to_planar_i8(const struct tml_conv2d_ab_packed_params *p,
                                                  const int8_t *x, const uint8_t *weights,
                                                  const int32_t *quant, int8_t *scratch, int8_t *y)
{
    tml_conv2d_ab_packed_i8(p, tml_sparse_unpack_ab, NULL, x, weights, quant, scratch, y, true);
}

#endif
