/* SPDX-License-Identifier: 0BSD */
/* The strips of a convolution with AB words (tml_conv2d_ab_columns_i8.h), band by band. */
#ifndef TML_CONV2D_AB_STRIPS_I8_H
#define TML_CONV2D_AB_STRIPS_I8_H

#include "tml_conv2d_ab_columns_i8.h"

/* Computes the pairs of a strip. scratch: see tml_conv2d_ab_i8; y: its first pixel */
TML_INLINE void tml_conv2d_ab_strip_i8(const struct tml_conv2d_ab_params *p,
                                       const struct tml_conv2d_ab_strip *strip,
                                       const struct tml_ab_outputs *out, const int8_t *x,
                                       const int32_t *weights, int8_t *scratch, int8_t *y,
                                       bool planar)
{
    uint32_t *pairs = (uint32_t *)(void *)scratch;
    int8_t *gathered = scratch + p->pairs_bytes;
    int8_t *four = gathered + 2 * p->kernel_w * p->x_c;
    struct tml_ab_outputs strip_out = *out;
    int_fast16_t advance = tml_conv2d_ab_expand_i8(p, strip, x, gathered, pairs);
    strip_out.pairs.x_advance = (size_t)advance * 2U * (out->pairs.steps / (size_t)p->kernel_h);
    strip_out.pairs.pairs = (size_t)strip->pairs;
    tml_ab_outputs_i8(&strip_out, pairs, weights, four, y, planar);
}

/* Rows of y from first to end, of the one or two columns at ox. */
TML_INLINE void tml_conv2d_ab_band_i8(const struct tml_conv2d_ab_params *p,
                                      struct tml_ab_outputs *out, const int8_t *x,
                                      const int32_t *weights, int8_t *scratch, int8_t *y,
                                      int_fast16_t first, int_fast16_t end, int_fast16_t ox,
                                      bool planar)
{
    bool across = p->y_w - ox >= 2;
    while (first < end) {
        /* A pixel at the end of a single column is its own partner. */
        int_fast16_t down = !across && end - first >= 2 ? 1 : 0;
        const struct tml_conv2d_ab_strip strip = {
            first * p->stride_h - p->pad_top,
            ox * p->stride_w - p->pad_left,
            down * p->stride_h,
            across ? p->stride_w : 0,
            (1 + down) * p->stride_h,
            down == 1 ? (end - first) / 2 : end - first,
        };
        out->pairs.y_step = across ? p->y_col_pitch : down * p->y_row_pitch;
        out->pairs.y_advance = (1 + down) * p->y_row_pitch;
        tml_conv2d_ab_strip_i8(p, &strip, out, x, weights, scratch,
                               y + first * p->y_row_pitch + ox * p->y_col_pitch, planar);
        first += (1 + down) * strip.pairs;
    }
}

TML_INLINE void tml_conv2d_ab_strips_i8(const struct tml_conv2d_ab_params *p, const int8_t *x,
                                        const int32_t *weights, int8_t *scratch, int8_t *y,
                                        bool planar)
{
    int_fast16_t taps = tml_conv2d_ab_taps(p);
    size_t steps = (size_t)(p->kernel_h * p->kernel_w / taps * ((taps * p->x_c + 1) / 2));
    struct tml_ab_outputs out = {
        {steps, (size_t)p->y_c / 4U, p->y_zero_point, 0U, 0U, 0, 0, p->y_channel_pitch},
        (size_t)p->y_c,
        p->y_min,
        p->y_max,
    };
    for (int_fast16_t oy = 0; oy < p->y_h; oy += p->band) {
        int_fast16_t end = p->y_h - oy < p->band ? p->y_h : oy + p->band;
        for (int_fast16_t ox = 0; ox < p->y_w; ox += 2) {
            tml_conv2d_ab_band_i8(p, &out, x, weights, scratch, y, oy, end, ox, planar);
        }
    }
}

#endif
