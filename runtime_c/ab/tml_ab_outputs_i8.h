/* SPDX-License-Identifier: 0BSD */
/* All output channels of pairs of pixels by blocks of AB words: any number of channels, and limits.
 */
#ifndef TML_AB_OUTPUTS_I8_H
#define TML_AB_OUTPUTS_I8_H

#include "tml_ab_4x2_i8.h"
#include "tml_ab_4x2_planar_i8.h"

struct tml_ab_outputs {
    struct tml_ab_4x2 pairs; /* blocks: y_c / 4 */
    size_t y_c;              /* 1.. */
    int32_t y_min;           /* -128..y_max */
    int32_t y_max;           /* y_min..127 */
};

/* Fewer than 4 channels, from whole blocks. */
TML_SHARED void tml_ab_scatter_i8(const struct tml_ab_outputs *out, const int8_t *four, int8_t *y)
{
    for (size_t pair = 0U; pair < out->pairs.pairs; pair++) {
        for (size_t c = 0U; c < out->y_c; c++) {
            int8_t *channel = y + (ptrdiff_t)c * out->pairs.y_channel;
            channel[out->pairs.y_step] = four[4U + c];
            channel[0] = four[c];
        }
        four += 8;
        y += out->pairs.y_advance;
    }
}

TML_SHARED void tml_ab_limit_i8(const struct tml_ab_outputs *out, int8_t *y)
{
    for (size_t pair = 0U; pair < out->pairs.pairs; pair++) {
        int8_t *channel = y;
        for (size_t c = 0U; c < out->y_c; c++) {
            int8_t *partner = channel + out->pairs.y_step;
            *channel = (int8_t)tml_clamp_i32(*channel, out->y_min, out->y_max);
            *partner = (int8_t)tml_clamp_i32(*partner, out->y_min, out->y_max);
            channel += out->pairs.y_channel;
        }
        y += out->pairs.y_advance;
    }
}

#if defined(TML_INLINE_KERNELS) && TML_INLINE_KERNELS
#    define TML_AB_LOOP_EACH true
#else
#    define TML_AB_LOOP_EACH false
#endif

/* planar: what is stored is a plane, or what is read: such kernels come together in a net and share
 * a loop, unless it is for speed. */
TML_INLINE void tml_ab_blocks_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                 const int32_t *weights, int8_t *y, bool planar)
{
    if (planar && (!TML_AB_LOOP_EACH || p->y_step != 1)) {
        tml_ab_4x2_apart_i8(p, x, weights, y);
    } else if (planar) {
        tml_ab_4x2_planar_i8(p, x, weights, y);
    } else {
        tml_ab_4x2_i8(p, x, weights, y);
    }
}

/*
 * weights: as for the blocks; the last block has the last 4 channels, some of them for a second
 * time; channels beyond y_c < 4 are 0 four: 8 bytes for each pair if y_c < 4
 */
TML_INLINE void tml_ab_outputs_i8(const struct tml_ab_outputs *out, const uint32_t *x,
                                  const int32_t *weights, int8_t *four, int8_t *y, bool planar)
{
    struct tml_ab_4x2 last = out->pairs;
    size_t blocks = out->pairs.blocks;
    int8_t *to = y + ((ptrdiff_t)out->y_c - 4) * last.y_channel;
    if (blocks > 0U) {
        tml_ab_blocks_i8(&out->pairs, x, weights, y, planar);
    } else {
        to = four;
        last.y_step = 4;
        last.y_advance = 8;
        last.y_channel = 1;
    }
    if (out->y_c % 4U > 0U) {
        last.blocks = 1U;
        weights += blocks * (2U * last.steps + TML_AB_4X2_EXTRA);
        tml_ab_blocks_i8(&last, x, weights, to, planar);
    }
    if (blocks == 0U) {
        tml_ab_scatter_i8(out, four, y);
    }
    if (out->y_min > -128 || out->y_max < 127) {
        tml_ab_limit_i8(out, y);
    }
}

#endif
