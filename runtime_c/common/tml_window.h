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

/* The way through the taps of a window that lie within the image. */
struct tml_walk {
    int_fast16_t rows;
    int_fast16_t columns;
    ptrdiff_t step;     /* from tap to tap of a row */
    ptrdiff_t row_step; /* from behind the last tap of a row to the first of the next */
};

/* step, row_pitch: from tap to tap of a row and of a column */
TML_INLINE struct tml_walk tml_walk_taps(struct tml_taps v, struct tml_taps h, ptrdiff_t step,
                                         ptrdiff_t row_pitch)
{
    int_fast16_t columns = tml_count_taps(h);
    int_fast16_t rows = columns > 0 ? tml_count_taps(v) : 0;
    return (struct tml_walk){rows, columns, step, row_pitch - columns * step};
}

/* The same, rows that follow each other as one. */
TML_INLINE struct tml_walk tml_walk_straight(struct tml_walk walk)
{
    if (walk.rows > 1 && walk.row_step == 0) {
        walk.columns *= walk.rows;
        walk.rows = 1;
    }
    return walk;
}

#endif
