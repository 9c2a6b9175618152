/* SPDX-License-Identifier: 0BSD */
/*
 * Pointwise convolution with AB words from planes to planes (tml_conv2d_1x1_ab_planes_i8.h) of few
 * input channels, by steady blocks (ab/tml_ab_steady_i8.h).
 *
 * The compiler proves: the numbers of pixels and of output channels are multiples of 4.
 */
#ifndef TML_CONV2D_1X1_AB_STEADY_I8_H
#define TML_CONV2D_1X1_AB_STEADY_I8_H

#include "../ab/tml_ab_steady_i8.h"
#include "tml_conv2d_1x1_ab_planes_i8.h"

/* All blocks of pairs of pixels, neighbours in planes. */
typedef void tml_ab_steady(const struct tml_ab_4x2 *p, const uint32_t *x, const int32_t *weights,
                           int8_t *y);

/* x, weights, scratch: as in tml_conv2d_1x1_ab_tiles_i8; y: [y_c][pixels], may be x */
TML_INLINE void tml_conv2d_1x1_ab_steady_i8(const struct tml_conv2d_1x1_ab_params *p,
                                            tml_ab_steady *blocks, const int8_t *x,
                                            const int32_t *weights, int8_t *scratch, int8_t *y)
{
    uint32_t *pairs = (uint32_t *)(void *)scratch;
    size_t steps = ((size_t)p->x_c + 1U) / 2U;
    struct tml_ab_outputs out = {
        {steps, (size_t)p->y_c / 4U, p->y_zero_point, 0U, 2U * steps, 1, 2, p->y_channel_pitch},
        (size_t)p->y_c,
        p->y_min,
        p->y_max};
    for (int_fast16_t at = 0; at < p->pixels; at += p->tile) {
        size_t n = (size_t)(p->pixels - at < p->tile ? p->pixels - at : p->tile);
        tml_ab_expand_tile_i8(p, x + at, n, pairs);
        out.pairs.pairs = n / 2U;
        blocks(&out.pairs, pairs, weights, y + at);
        if (p->y_min > -128 || p->y_max < 127) {
            tml_ab_limit_i8(&out, y + at);
        }
    }
}

#endif
