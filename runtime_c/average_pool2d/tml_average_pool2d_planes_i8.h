/* SPDX-License-Identifier: 0BSD */
/* As tml_average_pool2d_i8 with one window over the whole image, of an image stored in planes. */
#ifndef TML_AVERAGE_POOL2D_PLANES_I8_H
#define TML_AVERAGE_POOL2D_PLANES_I8_H

#include "tml_average_pool2d_i8.h"

/* Four bytes at once, as 128 more than they are: without sign. */
TML_INLINE uint32_t tml_average_pool2d_word_i8(uint32_t sum, uint32_t bytes)
{
    return tml_sum_4_u8(sum, bytes ^ 0x80808080U);
}

/* The sum of n values, each plus 128. */
TML_SMALL_LEAF uint32_t tml_average_pool2d_sum_i8(const int8_t *x, uint32_t n)
{
    uint32_t sum = 0U;
    for (uint32_t i = n / 16U; i > 0U; i--) {
        uint32_t a = tml_load_bytes(x);
        uint32_t b = tml_load_bytes(x + 4);
        uint32_t c = tml_load_bytes(x + 8);
        uint32_t d = tml_load_bytes(x + 12);
        sum = tml_average_pool2d_word_i8(tml_average_pool2d_word_i8(sum, a), b);
        sum = tml_average_pool2d_word_i8(tml_average_pool2d_word_i8(sum, c), d);
        x += 16;
    }
    for (uint32_t i = n % 16U / 4U; i > 0U; i--) {
        sum = tml_average_pool2d_word_i8(sum, tml_load_bytes(x));
        x += 4;
    }
    for (uint32_t rest = n % 4U; rest > 0U; rest--) {
        sum += (uint32_t)(*x++ + 128);
    }
    return sum;
}

/*
 * x: [x_c][x_h][x_w]
 * multiplier (rom): one, for x_h * x_w taps
 * y: [x_c]
 */
TML_SMALL_KERNEL void
tml_average_pool2d_planes_i8(const struct tml_average_pool2d_params *TML_RESTRICT p,
                             const int8_t *x, const int32_t *TML_RESTRICT multiplier, int8_t *y)
{
    uint32_t n = (uint32_t)p->x_h * (uint32_t)p->x_w;
    struct tml_average_pool2d_mean mean =
        tml_average_pool2d_mean_of(p, multiplier, p->x_h * p->x_w, p->first_count);
    mean.offset += (int32_t)n * 128; /* as 128 more than they are */
    for (int_fast16_t c = p->x_c; c > 0; c--) {
        *y++ = tml_average_pool2d_output_i8(mean, (int32_t)tml_average_pool2d_sum_i8(x, n));
        x += n;
    }
}

#endif
