/* SPDX-License-Identifier: 0BSD */
/*
 * Mean: y = clamp(y_zero_point + requantize_even(sum over the window of (x - x_zero_point) *
 * 2^pre_shift, multiplier[n - first_count])), n the taps that count. A window without any gives
 * y_zero_point. Means of few integers are often exactly between two: ties go to the even one.
 */
#ifndef TML_AVERAGE_POOL2D_I8_H
#define TML_AVERAGE_POOL2D_I8_H

#include "../common/tml_dsp.h"
#include "../common/tml_window.h"

struct tml_average_pool2d_params {
    int_fast16_t x_h;         /* rows of x in this view: 1.. */
    int_fast16_t x_w;         /* columns of x: 1.. */
    int_fast16_t x_c;         /* channels of x and y: 1.. */
    int_fast16_t x_row_pitch; /* elements from row to row of x: x_w * x_c.. */
    int_fast16_t y_h;         /* rows to compute: 1.. */
    int_fast16_t y_w;         /* columns of y: 1.. */
    int_fast16_t y_row_pitch; /* elements from row to row of y: y_w * x_c.. */
    int_fast16_t kernel_h;    /* 1.. */
    int_fast16_t kernel_w;    /* 1.. */
    int_fast16_t stride_h;    /* 1.. */
    int_fast16_t stride_w;    /* 1.. */
    int_fast16_t dilation_h;  /* 1.. */
    int_fast16_t dilation_w;  /* 1.. */
    int_fast16_t pad_top;     /* rows of padding above this view; negative skips rows */
    int_fast16_t pad_left;    /* columns of padding to the left */
    int_fast16_t pad_bottom;  /* rows of padding below this view, for count_include_pad */
    int_fast16_t pad_right;   /* columns of padding to the right, for count_include_pad */
    bool count_include_pad;   /* n counts the taps in the padding too */
    int_fast16_t first_count; /* the smallest n above 0 that occurs: 1.. */
    int32_t x_zero_point;     /* -128..127 */
    int32_t y_zero_point;     /* -128..127 */
    int_fast16_t pre_shift;   /* 0..15 */
    int32_t y_min;            /* -128..y_max */
    int32_t y_max;            /* y_min..127 */
};

#if TML_PACKED
/* An int16 holds the sum of so many int8. */
#    define TML_AVERAGE_POOL2D_MOST 255

/* Sums of n taps, `step` apart: of channels 0 and 2 added to pairs[0], of 1 and 3 to pairs[1]. */
TML_INLINE const int8_t *tml_average_pool2d_add_i8(const int8_t *x, ptrdiff_t step, int_fast16_t n,
                                                   uint32_t pairs[TML_RESTRICT 2])
{
    uint32_t even = pairs[0];
    uint32_t odd = pairs[1];
    for (; n >= 2; n -= 2) {
        uint32_t a = tml_load_bytes(x);
        uint32_t b = tml_load_bytes(x + step);
        even = tml_sxtab16(tml_sxtab16(even, a), b);
        odd = tml_sxtab16_odd(tml_sxtab16_odd(odd, a), b);
        x += 2 * step;
    }
    if (n > 0) {
        uint32_t a = tml_load_bytes(x);
        even = tml_sxtab16(even, a);
        odd = tml_sxtab16_odd(odd, a);
        x += step;
    }
    pairs[0] = even;
    pairs[1] = odd;
    return x;
}

TML_INLINE void tml_average_pool2d_spill_i8(uint32_t pairs[TML_RESTRICT 2],
                                            int32_t acc[TML_RESTRICT 4])
{
    acc[0] += tml_low(pairs[0]);
    acc[1] += tml_low(pairs[1]);
    acc[2] += tml_high(pairs[0]);
    acc[3] += tml_high(pairs[1]);
    pairs[0] = 0U;
    pairs[1] = 0U;
}

/* The sum of the taps, of 4 channels. x: at the first tap */
TML_INLINE void tml_average_pool2d_4_i8(struct tml_walk walk, const int8_t *x,
                                        int32_t acc[TML_RESTRICT 4])
{
    uint32_t pairs[2] = {0U, 0U};
    int_fast16_t room = TML_AVERAGE_POOL2D_MOST;
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t left = walk.columns; left > 0;) {
            int_fast16_t n = left < room ? left : room;
            x = tml_average_pool2d_add_i8(x, walk.step, n, pairs);
            left -= n;
            room -= n;
            if (room == 0) {
                tml_average_pool2d_spill_i8(pairs, acc);
                room = TML_AVERAGE_POOL2D_MOST;
            }
        }
        x += walk.row_step;
    }
    tml_average_pool2d_spill_i8(pairs, acc);
}
#else
/* The sum of the taps, of 4 channels. x: at the first tap */
TML_INLINE void tml_average_pool2d_4_i8(struct tml_walk walk, const int8_t *x,
                                        int32_t acc[TML_RESTRICT 4])
{
    int32_t a[4] = {0, 0, 0, 0};
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns; i > 0; i--) {
            a[0] += x[0];
            a[1] += x[1];
            a[2] += x[2];
            a[3] += x[3];
            x += walk.step;
        }
        x += walk.row_step;
    }
    acc[0] += a[0];
    acc[1] += a[1];
    acc[2] += a[2];
    acc[3] += a[3];
}
#endif

/* The same of one channel. */
TML_INLINE int32_t tml_average_pool2d_1_i8(struct tml_walk walk, const int8_t *x)
{
    int32_t a = 0;
    for (int_fast16_t rows = walk.rows; rows > 0; rows--) {
        for (int_fast16_t i = walk.columns; i > 0; i--) {
            a += *x;
            x += walk.step;
        }
        x += walk.row_step;
    }
    return a;
}

/* The taps of a window that count, its corner at row, col. */
TML_INLINE int_fast16_t
tml_average_pool2d_count_i8(const struct tml_average_pool2d_params *TML_RESTRICT p,
                            int_fast16_t row, int_fast16_t col, int_fast16_t inside)
{
    if (!p->count_include_pad) {
        return inside;
    }
    struct tml_taps v = tml_clip_taps(row + p->pad_top, p->dilation_h, p->kernel_h,
                                      p->pad_top + p->x_h + p->pad_bottom);
    struct tml_taps h = tml_clip_taps(col + p->pad_left, p->dilation_w, p->kernel_w,
                                      p->pad_left + p->x_w + p->pad_right);
    return tml_count_taps(v) * tml_count_taps(h);
}

/* How the sum of a window's taps becomes their mean. */
struct tml_average_pool2d_mean {
    int32_t offset; /* taken from sums */
    int32_t m;
    int_fast16_t pre_shift;
    int32_t y_zero_point;
    int32_t y_min;
    int32_t y_max;
};

/* taps: within the image; n: those that count */
TML_INLINE struct tml_average_pool2d_mean
tml_average_pool2d_mean_of(const struct tml_average_pool2d_params *TML_RESTRICT p,
                           const int32_t *TML_RESTRICT multiplier, int_fast16_t taps,
                           int_fast16_t n)
{
    int32_t m = n > 0 ? tml_rom_i32(multiplier + n - p->first_count) : 0;
    return (struct tml_average_pool2d_mean){
        (int32_t)taps * p->x_zero_point, m, p->pre_shift, p->y_zero_point, p->y_min, p->y_max};
}

TML_INLINE int8_t tml_average_pool2d_output_i8(struct tml_average_pool2d_mean mean, int32_t sum)
{
    int32_t acc = tml_shift_left(sum - mean.offset, mean.pre_shift);
    int32_t y = mean.y_zero_point + tml_requantize_even(acc, mean.m);
    return (int8_t)tml_clamp_i32(y, mean.y_min, mean.y_max);
}

/* All channels of a window. */
TML_INLINE void tml_average_pool2d_pixel_i8(struct tml_average_pool2d_mean mean,
                                            struct tml_walk walk, int_fast16_t channels,
                                            const int8_t *x, int8_t *y)
{
    for (int_fast16_t fours = channels / 4; fours > 0; fours--) {
        int32_t acc[4] = {0, 0, 0, 0};
        tml_average_pool2d_4_i8(walk, x, acc);
        y[0] = tml_average_pool2d_output_i8(mean, acc[0]);
        y[1] = tml_average_pool2d_output_i8(mean, acc[1]);
        y[2] = tml_average_pool2d_output_i8(mean, acc[2]);
        y[3] = tml_average_pool2d_output_i8(mean, acc[3]);
        x += 4;
        y += 4;
    }
    for (int_fast16_t rest = channels % 4; rest > 0; rest--) {
        *y++ = tml_average_pool2d_output_i8(mean, tml_average_pool2d_1_i8(walk, x++));
    }
}

/*
 * x: [x_h][x_w][x_c]
 * multiplier (rom): one for each count n of taps from first_count to the largest that occurs
 * y: [y_h][y_w][x_c], must not overlap what this or a later window reads of x
 */
TML_KERNEL void tml_average_pool2d_i8(const struct tml_average_pool2d_params *TML_RESTRICT p,
                                      const int8_t *x, const int32_t *TML_RESTRICT multiplier,
                                      int8_t *y)
{
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        int_fast16_t row = oy * p->stride_h - p->pad_top;
        struct tml_taps v = tml_clip_taps(row, p->dilation_h, p->kernel_h, p->x_h);
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            int_fast16_t col = ox * p->stride_w - p->pad_left;
            struct tml_taps h = tml_clip_taps(col, p->dilation_w, p->kernel_w, p->x_w);
            struct tml_walk walk =
                tml_walk_taps(v, h, p->dilation_w * p->x_c, p->dilation_h * p->x_row_pitch);
            int_fast16_t taps = walk.rows * walk.columns;
            ptrdiff_t first = (row + v.begin * p->dilation_h) * p->x_row_pitch +
                              (col + h.begin * p->dilation_w) * p->x_c;
            const int8_t *x_first = taps == 0 ? x : x + first;
            int_fast16_t n = tml_average_pool2d_count_i8(p, row, col, taps);
            tml_average_pool2d_pixel_i8(tml_average_pool2d_mean_of(p, multiplier, taps, n),
                                        tml_walk_straight(walk), p->x_c, x_first,
                                        y + oy * p->y_row_pitch + ox * p->x_c);
        }
    }
}

#endif
