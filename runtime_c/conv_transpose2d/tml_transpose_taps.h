/* SPDX-License-Identifier: 0BSD */
/* Which inputs an output of a transposed convolution sums, per axis. */
#ifndef TML_TRANSPOSE_TAPS_H
#define TML_TRANSPOSE_TAPS_H

#include "../common/tml_port.h"

/* Taps tap, tap + tap_step, .. of the kernel meet inputs at, at - at_step, .. */
struct tml_transpose_taps {
    int_fast16_t tap;
    int_fast16_t tap_step;
    int_fast16_t at;
    int_fast16_t at_step;
};

/* For every output of an axis: the distance from one tap that meets an input to the next. */
TML_INLINE struct tml_transpose_taps tml_transpose_steps(int_fast16_t dilation, int_fast16_t stride)
{
    struct tml_transpose_taps taps = {0, 1, 0, 0};
    while (taps.tap_step * dilation % stride != 0) {
        taps.tap_step++;
    }
    taps.at_step = taps.tap_step * dilation / stride;
    return taps;
}

/* Sets tap and at for the output at position out, padding included; tap is n, the size of the
 * kernel, if there is none. */
TML_INLINE void tml_transpose_start(struct tml_transpose_taps *taps, int_fast16_t out,
                                    int_fast16_t dilation, int_fast16_t stride, int_fast16_t n)
{
    int_fast16_t tap = 0;
    while (tap < taps->tap_step && (out - tap * dilation) % stride != 0) {
        tap++;
    }
    taps->tap = tap < taps->tap_step ? tap : n;
    taps->at = (out - tap * dilation) / stride;
}

#endif
