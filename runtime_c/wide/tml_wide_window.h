/* SPDX-License-Identifier: 0BSD */
/*
 * Windows for kernels with int16 activations: gathered into scratch as int16, whatever x is, so
 * that the sums of products know neither edges nor the type of x. One value is copied for many
 * products.
 */
#ifndef TML_WIDE_WINDOW_H
#define TML_WIDE_WINDOW_H

#include "../common/tml_dsp.h"

struct tml_wide_params {
    int_fast16_t x_h;         /* rows of x in this view: 1.. */
    int_fast16_t x_w;         /* columns of x: 1.. */
    int_fast16_t x_c;         /* input channels, a multiple of groups */
    int_fast16_t x_row_pitch; /* elements from row to row of x: x_w * x_c.. */
    int_fast16_t y_h;         /* rows to compute: 1.. */
    int_fast16_t y_w;         /* columns of y: 1.. */
    int_fast16_t y_c;         /* output channels, a multiple of groups */
    int_fast16_t y_row_pitch; /* elements from row to row of y: y_w * y_c.. */
    int_fast16_t kernel_h;    /* 1.. */
    int_fast16_t kernel_w;    /* 1.. */
    int_fast16_t stride_h;    /* 1.. */
    int_fast16_t stride_w;    /* 1.. */
    int_fast16_t dilation_h;  /* 1.. */
    int_fast16_t dilation_w;  /* 1.. */
    int_fast16_t pad_top;     /* rows of padding above this view; negative skips rows */
    int_fast16_t pad_left;    /* columns of padding to the left */
    int_fast16_t groups;      /* 1.. ; of a depthwise convolution 1 */
    int_fast16_t x_bytes;     /* 1: x is int8, 2: int16 */
    int_fast16_t y_bytes;     /* the same of y */
    int32_t x_zero_point;     /* within the type of x, the value of padding */
    int32_t y_zero_point;     /* within that of y */
    int_fast16_t shift;       /* 17..62: y is floor(acc * multiplier / 2^shift + 1/2) */
    int32_t y_min;            /* within the type of y, up to y_max */
    int32_t y_max;
};

/* n elements of x from index `at` on. */
TML_INLINE int16_t *tml_wide_copy(const struct tml_wide_params *p, const void *x, ptrdiff_t at,
                                  size_t n, int16_t *to)
{
    if (p->x_bytes == 2) {
        tml_copy(to, (const int16_t *)x + at, 2U * n);
    } else {
        const int8_t *from = (const int8_t *)x + at;
        for (size_t i = 0U; i < n; i++) {
            to[i] = from[i];
        }
    }
    return to + n;
}

TML_INLINE int16_t *tml_wide_pad(const struct tml_wide_params *p, size_t n, int16_t *to)
{
    for (size_t i = 0U; i < n; i++) {
        to[i] = (int16_t)p->x_zero_point;
    }
    return to + n;
}

/* One window of c channels, its corner at row, col of x, from the given channel on:
 * to[(ky * kernel_w + kx) * c + ic]. */
TML_SHARED void tml_wide_gather(const struct tml_wide_params *TML_RESTRICT p, const void *x,
                                int_fast16_t row, int_fast16_t col, int_fast16_t channel,
                                int_fast16_t c, int16_t *to)
{
    int_fast16_t last_col = col + (p->kernel_w - 1) * p->dilation_w;
    bool one_run = c == p->x_c && p->dilation_w == 1 && col >= 0 && last_col < p->x_w;
    size_t run = (size_t)(p->kernel_w * c);
    for (int_fast16_t ky = 0; ky < p->kernel_h; ky++) {
        ptrdiff_t at = row * p->x_row_pitch + channel;
        if (row < 0 || row >= p->x_h) {
            to = tml_wide_pad(p, run, to);
        } else if (one_run) {
            to = tml_wide_copy(p, x, at + col * p->x_c, run, to);
        } else {
            for (int_fast16_t tap = col; tap <= last_col; tap += p->dilation_w) {
                bool inside = tap >= 0 && tap < p->x_w;
                to = inside ? tml_wide_copy(p, x, at + tap * p->x_c, (size_t)c, to)
                            : tml_wide_pad(p, (size_t)c, to);
            }
        }
        row += p->dilation_h;
    }
}

#endif
