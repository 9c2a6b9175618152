/* SPDX-License-Identifier: 0BSD */
/* All output channels of one or two gathered windows, 2 channels at a time (tml_wide_dot.h). */
#ifndef TML_WIDE_CHANNELS_H
#define TML_WIDE_CHANNELS_H

#include "tml_wide_dot.h"
#include "tml_wide_end.h"

/* One or two windows, and where their results go. */
struct tml_wide_pixels {
    const int16_t *windows;
    size_t pitch; /* elements from window to window: 2 * steps */
    bool two;
    int_fast16_t channels; /* to compute: 1.. */
    void *y;
    ptrdiff_t at; /* the first of them in y */
};

/* Channels c and d of the first pixel, then of the second. Where there is no d it is c, and the
 * same result is stored twice. */
TML_INLINE void tml_wide_store_block(const struct tml_wide_params *p,
                                     const struct tml_wide_pixels *pixels,
                                     struct tml_wide_four results, int_fast16_t c, int_fast16_t d)
{
    ptrdiff_t at = pixels->at;
    ptrdiff_t next = at + (pixels->two ? p->y_c : 0);
    const int32_t *of = results.of;
    if (p->y_bytes == 2) {
        int16_t *y = (int16_t *)pixels->y;
        y[next + d] = (int16_t)of[3];
        y[next + c] = (int16_t)of[2];
        y[at + d] = (int16_t)of[1];
        y[at + c] = (int16_t)of[0];
    } else {
        int8_t *y = (int8_t *)pixels->y;
        y[next + d] = (int8_t)of[3];
        y[next + c] = (int8_t)of[2];
        y[at + d] = (int8_t)of[1];
        y[at + c] = (int8_t)of[0];
    }
}

/* The channel beside c in its block; c itself where there is none. */
TML_INLINE int_fast16_t tml_wide_partner(const struct tml_wide_pixels *pixels, int_fast16_t c)
{
    return pixels->channels - c >= 2 ? c + 1 : c;
}

/* weights, bias, multiplier (rom): from the first channel on. */
TML_SHARED void tml_wide_channels_i8(const struct tml_wide_params *TML_RESTRICT p,
                                     const struct tml_wide_pixels *TML_RESTRICT pixels,
                                     const int8_t *weights, const int32_t *bias,
                                     const int32_t *multiplier)
{
    size_t steps = pixels->pitch / 2U;
    const int16_t *x = pixels->windows;
    for (int_fast16_t c = 0; c < pixels->channels; c += 2) {
        int_fast16_t d = tml_wide_partner(pixels, c);
        int32_t sums[4] = {tml_rom_i32(bias + c), tml_rom_i32(bias + d), 0, 0};
        sums[2] = sums[0];
        sums[3] = sums[1];
        if (pixels->two) {
            tml_wide_dot_2x2_i8(weights, x, x + pixels->pitch, steps, sums);
        } else {
            tml_wide_dot_2x1_i8(weights, x, steps, sums);
        }
        int64_t m_c = tml_rom_i32(multiplier + c);
        int64_t m_d = tml_rom_i32(multiplier + d);
        struct tml_wide_four results =
            tml_wide_results(p, sums[0] * m_c, sums[1] * m_d, sums[2] * m_c, sums[3] * m_d);
        tml_wide_store_block(p, pixels, results, c, d);
        weights += 4U * steps;
    }
}

TML_SHARED void tml_wide_channels_i16(const struct tml_wide_params *TML_RESTRICT p,
                                      const struct tml_wide_pixels *TML_RESTRICT pixels,
                                      const int16_t *weights, const int64_t *bias,
                                      const int32_t *multiplier)
{
    size_t steps = pixels->pitch / 2U;
    for (int_fast16_t c = 0; c < pixels->channels; c += 2) {
        int_fast16_t d = tml_wide_partner(pixels, c);
        int64_t first[2] = {tml_rom_i64(bias + c), tml_rom_i64(bias + d)};
        int64_t second[2] = {first[0], first[1]};
        tml_wide_dot_2x1_i16(weights, pixels->windows, steps, first);
        if (pixels->two) {
            tml_wide_dot_2x1_i16(weights, pixels->windows + pixels->pitch, steps, second);
        }
        int32_t m_c = tml_rom_i32(multiplier + c);
        int32_t m_d = tml_rom_i32(multiplier + d);
        struct tml_wide_four results =
            tml_wide_results(p, first[0] * m_c, first[1] * m_d, second[0] * m_c, second[1] * m_d);
        tml_wide_store_block(p, pixels, results, c, d);
        weights += 4U * steps;
    }
}

#endif
