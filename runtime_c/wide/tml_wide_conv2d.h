/* SPDX-License-Identifier: 0BSD */
/* Convolution with int16 activations: windows of two neighbouring pixels in scratch. */
#ifndef TML_WIDE_CONV2D_H
#define TML_WIDE_CONV2D_H

#include "tml_wide_channels.h"

/* Weights of one type with their bias; the pointers to the other are not read. */
struct tml_wide_arrays {
    bool wide; /* the weights are int16: a literal, so that a kernel has no code for the other */
    const int8_t *weights_i8;
    const int32_t *bias_i32;
    const int16_t *weights_i16;
    const int64_t *bias_i64;
    const int32_t *multiplier;
};

/* Group g of one or two pixels. */
TML_INLINE void tml_wide_group(const struct tml_wide_params *p,
                               const struct tml_wide_pixels *pixels,
                               const struct tml_wide_arrays *all, int_fast16_t g)
{
    int_fast16_t c = g * pixels->channels;
    size_t weights = (size_t)g * 2U * pixels->pitch * (size_t)((pixels->channels + 1) / 2);
    if (!all->wide) {
        tml_wide_channels_i8(p, pixels, all->weights_i8 + weights, all->bias_i32 + c,
                             all->multiplier + c);
    } else {
        tml_wide_channels_i16(p, pixels, all->weights_i16 + weights, all->bias_i64 + c,
                              all->multiplier + c);
    }
}

/* Elements from window to window: sums take two inputs at a time, the last of an odd number with 0.
 */
TML_INLINE size_t tml_wide_even_windows(const struct tml_wide_params *p, int_fast16_t c,
                                        int16_t *windows)
{
    size_t pitch = ((size_t)(p->kernel_h * p->kernel_w * c) + 1U) / 2U * 2U;
    windows[pitch - 1U] = 0;
    windows[2U * pitch - 1U] = 0;
    return pitch;
}

TML_INLINE void tml_wide_conv2d(const struct tml_wide_params *p, const void *x,
                                const struct tml_wide_arrays *all, void *scratch, void *y)
{
    int_fast16_t x_c = p->x_c / p->groups;
    int16_t *windows = (int16_t *)scratch;
    struct tml_wide_pixels pixels = {
        windows, tml_wide_even_windows(p, x_c, windows), false, p->y_c / p->groups, y, 0};
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        for (int_fast16_t ox = 0; ox < p->y_w; ox += 2) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            pixels.two = p->y_w - ox >= 2;
            for (int_fast16_t g = 0; g < p->groups; g++) {
                tml_wide_gather(p, x, row, col, g * x_c, x_c, windows);
                if (pixels.two) {
                    tml_wide_gather(p, x, row, col + p->stride_w, g * x_c, x_c,
                                    windows + pixels.pitch);
                }
                pixels.at = oy * p->y_row_pitch + ox * p->y_c + g * pixels.channels;
                tml_wide_group(p, &pixels, all, g);
            }
        }
    }
}

#endif
