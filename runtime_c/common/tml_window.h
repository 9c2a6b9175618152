/* SPDX-License-Identifier: 0BSD */
/* Which taps of a window lie within the tensor, per axis. */
#ifndef TML_WINDOW_H
#define TML_WINDOW_H

#include "tml_port.h"

/* Taps begin..end - 1 of a window; none if begin == end. */
struct tml_taps {
    int_fast16_t begin;
    int_fast16_t end;
};

/* Of n taps, dilation apart, the first at position at: those whose position is 0..size - 1. */
TML_INLINE struct tml_taps tml_clip_taps(int_fast16_t at, int_fast16_t dilation, int_fast16_t n,
                                         int_fast16_t size)
{
    struct tml_taps taps = {0, n};
    while (taps.begin < n && at + taps.begin * dilation < 0) {
        taps.begin++;
    }
    while (taps.end > taps.begin && at + (taps.end - 1) * dilation >= size) {
        taps.end--;
    }
    return taps;
}

TML_INLINE int_fast16_t tml_count_taps(struct tml_taps taps)
{
    return taps.end - taps.begin;
}

#endif
