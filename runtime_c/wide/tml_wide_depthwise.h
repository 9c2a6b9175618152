/* SPDX-License-Identifier: 0BSD */
/* Depthwise convolution with int16 activations, tap by tap for 4 channels: windows that lie within
 * an int16 x are read there, others are gathered (tml_wide_window.h). */
#ifndef TML_WIDE_DEPTHWISE_H
#define TML_WIDE_DEPTHWISE_H

#include "tml_wide_end.h"

/* A window of int16: its corner, and elements from tap to tap and from row to row. */
struct tml_wide_taps {
    const int16_t *x;
    ptrdiff_t step;
    ptrdiff_t row;
};

/* One tap of 4 channels. On Cortex-M4 products are those of halves, SMLABB and its like. */
TML_INLINE void tml_wide_tap_i8(int32_t acc[4], const int8_t *w, const int16_t *x)
{
#if TML_HAVE_DSP
    uint32_t bytes = tml_load_u32(w);
    uint32_t x_01 = tml_load_u32(x);
    uint32_t x_23 = tml_load_u32(x + 2);
    uint32_t w_02 = tml_sxtb16(bytes);
    uint32_t w_13 = tml_sxtb16_odd(bytes);
    acc[0] += tml_low(w_02) * tml_low(x_01);
    acc[1] += tml_low(w_13) * tml_high(x_01);
    acc[2] += tml_high(w_02) * tml_low(x_23);
    acc[3] += tml_high(w_13) * tml_high(x_23);
#else
    for (int i = 0; i < 4; i++) {
        acc[i] += tml_rom_i8(w + i) * (int32_t)x[i];
    }
#endif
}

TML_INLINE void tml_wide_tap_i16(int64_t acc[4], const int16_t *w, const int16_t *x)
{
    for (int i = 0; i < 4; i++) {
        acc[i] += tml_rom_i16(w + i) * (int32_t)x[i];
    }
}

/* acc[i] += all taps of channel i of 4. w: [kernel_h][kernel_w][x_c] from the first of them on */
TML_INLINE void tml_wide_depthwise_i8(const struct tml_wide_params *TML_RESTRICT p,
                                      const struct tml_wide_taps *taps, const int8_t *w,
                                      int32_t acc[TML_RESTRICT 4])
{
    int32_t sums[4] = {acc[0], acc[1], acc[2], acc[3]};
    const int16_t *x = taps->x;
    ptrdiff_t row = taps->row - p->kernel_w * taps->step;
    for (int_fast16_t ky = p->kernel_h; ky > 0; ky--) {
        for (int_fast16_t kx = p->kernel_w; kx > 0; kx--) {
            tml_wide_tap_i8(sums, w, x);
            w += p->x_c;
            x += taps->step;
        }
        x += row;
    }
    for (int i = 0; i < 4; i++) {
        acc[i] = sums[i];
    }
}

TML_INLINE void tml_wide_depthwise_i16(const struct tml_wide_params *TML_RESTRICT p,
                                       const struct tml_wide_taps *taps, const int16_t *w,
                                       int64_t acc[TML_RESTRICT 4])
{
    int64_t sums[4] = {acc[0], acc[1], acc[2], acc[3]};
    const int16_t *x = taps->x;
    ptrdiff_t row = taps->row - p->kernel_w * taps->step;
    for (int_fast16_t ky = p->kernel_h; ky > 0; ky--) {
        for (int_fast16_t kx = p->kernel_w; kx > 0; kx--) {
            tml_wide_tap_i16(sums, w, x);
            w += p->x_c;
            x += taps->step;
        }
        x += row;
    }
    for (int i = 0; i < 4; i++) {
        acc[i] = sums[i];
    }
}

/* The window at row, col: where it lies in x, or gathered. */
TML_INLINE struct tml_wide_taps tml_wide_window(const struct tml_wide_params *p, const void *x,
                                                int_fast16_t row, int_fast16_t col,
                                                int16_t *gathered)
{
    int_fast16_t last_row = row + (p->kernel_h - 1) * p->dilation_h;
    int_fast16_t last_col = col + (p->kernel_w - 1) * p->dilation_w;
    if (p->x_bytes == 2 && row >= 0 && col >= 0 && last_row < p->x_h && last_col < p->x_w) {
        const int16_t *corner = (const int16_t *)x + row * p->x_row_pitch + col * p->x_c;
        return (struct tml_wide_taps){corner, p->dilation_w * p->x_c,
                                      p->dilation_h * p->x_row_pitch};
    }
    tml_wide_gather(p, x, row, col, 0, p->x_c, gathered);
    return (struct tml_wide_taps){gathered, p->x_c, p->kernel_w * p->x_c};
}

/* 4 channels of y from index `at` on. */
TML_INLINE void tml_wide_store_four(const struct tml_wide_params *p, struct tml_wide_four results,
                                    void *y, ptrdiff_t at)
{
    const int32_t *of = results.of;
    if (p->y_bytes == 2) {
        int16_t *to = (int16_t *)y + at;
        to[0] = (int16_t)of[0];
        to[1] = (int16_t)of[1];
        to[2] = (int16_t)of[2];
        to[3] = (int16_t)of[3];
    } else {
        int8_t *to = (int8_t *)y + at;
        to[0] = (int8_t)of[0];
        to[1] = (int8_t)of[1];
        to[2] = (int8_t)of[2];
        to[3] = (int8_t)of[3];
    }
}

#endif
