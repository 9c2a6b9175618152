/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution with 3x3 windows, stride 1, by strips (tml_strip_slots_i8.h): 4 channels of
 * a few strips at a time are gathered in scratch, computed there in place, and written to y.
 * pre_shift is 0.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_STRIP_I8_H
#define TML_DEPTHWISE_CONV2D_STRIP_I8_H

#include "tml_strip_3x3_i8.h"
#include "tml_strip_tiles_i8.h"

/* One copy for all nodes of a model. */
TML_SHARED void tml_strip_tiles_s1_i8(const struct tml_depthwise_strip_params *p, const int8_t *x,
                                      const int32_t *weights, uint32_t *slots, int8_t *y)
{
    const struct tml_strip_steps steps = {tml_strip_gather_s1_i8, tml_strip_3x3_i8,
                                          4 * TML_STRIP_3X3_WORDS, 1};
    tml_strip_tiles_i8(p, &steps, x, weights, slots, y);
}

/*
 * x: [x_h][x_w][x_c]
 * weights (rom): for each 4 channels a stream as in tml_strip_3x3_i8.h; the last ones are the last
 * 4, some of them for a second time where x_c is no multiple of 4 scratch: 32 bytes for each of
 * strips * (max(2, min(band, y_h)) + 2) slots; aligned to 4 y: [y_h][y_w][x_c], must not overlap x
 */
TML_KERNEL void tml_depthwise_conv2d_strip_i8(const struct tml_depthwise_strip_params *p,
                                              const int8_t *x, const int32_t *weights,
                                              int8_t *scratch, int8_t *y)
{
    tml_strip_tiles_s1_i8(p, x, weights, (uint32_t *)(void *)scratch, y);
    tml_strip_limit_i8(p, y);
}

#endif
