/* SPDX-License-Identifier: 0BSD */
/* Convolution with AB words (tml_conv2d_ab_columns_i8.h) that are unpacked some channels at a time.
 */
#ifndef TML_CONV2D_AB_PACKED_I8_H
#define TML_CONV2D_AB_PACKED_I8_H

#include "../packed/tml_packed_ab_i8.h"
#include "tml_conv2d_ab_strips_i8.h"

struct tml_conv2d_ab_packed_params {
    struct tml_conv2d_ab_params image;
    size_t blocks; /* of 4 channels that are unpacked at a time: 1.. */
};

/* Computes channels of y from `first` on with unpacked words. */
TML_INLINE void tml_conv2d_ab_some_i8(const struct tml_conv2d_ab_params *all, const int8_t *x,
                                      const uint32_t *words, int_fast16_t first,
                                      int_fast16_t channels, int8_t *scratch, int8_t *y,
                                      bool planar)
{
    struct tml_conv2d_ab_params p = *all;
    p.y_c = channels;
    tml_conv2d_ab_strips_i8(&p, x, (const int32_t *)(const void *)words, scratch,
                            y + first * p.y_channel_pitch, planar);
}

/*
 * A last block that is not full has the last 4 channels and is computed by itself.
 * weights, head, quant: see tml_packed_ab_i8.h
 * scratch: the unpacked blocks, then as for the kernel on AB words; aligned to 4
 */
TML_INLINE void tml_conv2d_ab_packed_i8(const struct tml_conv2d_ab_packed_params *p,
                                        tml_packed_unpack unpack, const uint8_t *head,
                                        const int8_t *x, const uint8_t *weights,
                                        const int32_t *quant, int8_t *scratch, int8_t *y,
                                        bool planar)
{
    const struct tml_conv2d_ab_params *image = &p->image;
    int_fast16_t taps = tml_conv2d_ab_taps(image);
    size_t steps =
        (size_t)(image->kernel_h * image->kernel_w / taps * ((taps * image->x_c + 1) / 2));
    size_t full = (size_t)image->y_c / 4U;
    uint32_t *words = (uint32_t *)(void *)scratch;
    scratch += 4U * p->blocks * (2U * steps + TML_AB_4X2_EXTRA);
    for (size_t block = 0U; block < full; block += p->blocks) {
        size_t count = full - block < p->blocks ? full - block : p->blocks;
        weights = tml_packed_ab_blocks(unpack, head, weights, quant, count, steps, words);
        tml_conv2d_ab_some_i8(image, x, words, (int_fast16_t)(4U * block),
                              (int_fast16_t)(4U * count), scratch, y, planar);
        quant += 8U * count;
    }
    if (image->y_c % 4 > 0) {
        bool few = image->y_c < 4;
        tml_packed_ab_blocks(unpack, head, weights, quant, 1U, steps, words);
        tml_conv2d_ab_some_i8(image, x, words, few ? 0 : image->y_c - 4, few ? image->y_c : 4,
                              scratch, y, planar);
    }
}

#endif
