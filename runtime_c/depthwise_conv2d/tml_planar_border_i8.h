/* SPDX-License-Identifier: 0BSD */
/*
 * Planes with a border: depthwise convolution on planar storage copies a channel's plane into
 * scratch, where padding is bytes like any other, and slides windows over the copy. The border is
 * the same for all channels and is written once. As a plane is read before its results are written,
 * these may lie over it.
 */
#ifndef TML_PLANAR_BORDER_I8_H
#define TML_PLANAR_BORDER_I8_H

#include "../common/tml_dsp.h"

struct tml_depthwise_planar_params {
    int_fast16_t x_h;      /* rows of x: 1.. */
    int_fast16_t x_w;      /* columns of x: 1.. */
    int_fast16_t x_c;      /* channels, that is planes, of x and y: 1.. */
    int_fast16_t y_h;      /* rows of y */
    int_fast16_t y_w;      /* columns of y */
    int_fast16_t pad_top;  /* rows of padding above */
    int_fast16_t pad_left; /* columns of padding to the left */
    int32_t x_zero_point;  /* -128..127, the value of padding */
    int32_t y_zero_point;  /* -128..127 */
    int32_t y_min;         /* -128..y_max */
    int32_t y_max;         /* y_min..127 */
    int_fast16_t rows;     /* of the bordered plane: those that windows reach */
    int_fast16_t pitch;    /* bytes from row to row of the bordered plane: a multiple of 4 */
    int_fast16_t kernel_h; /* 1.. */
    int_fast16_t stride_h; /* 1.. */
    int_fast16_t pieces;   /* of a row of a window: of 5 taps */
};

/* Rows of bytes from x to another pitch. */
struct tml_planar_copy {
    int_fast16_t rows;    /* 0.. */
    int_fast16_t columns; /* 0.. */
    ptrdiff_t from_pitch;
    ptrdiff_t to_pitch;
};

#if TML_HAVE_DSP_BLOCKS
/* Words of a row; the last one may lie over the one before. */
#    define TML_PLANAR_COPY_ROW(loads, stores)                                                     \
        loads "ldr %[d], [%[x], %[last]]\n"                                                        \
              "str %[d], [%[to], %[last]]\n" stores                                                \
              "add %[x], %[x], %[from_pitch]\n"                                                    \
              "add %[to], %[to], %[to_pitch]\n"
/* Two rows a round, the second one first if their number is odd. */
#    define TML_PLANAR_ROWS(loads, stores)                                                         \
        __asm__ volatile(                                                                          \
            "lsls %[d], %[n], #31\n"                                                               \
            "bne 2f\n"                                                                             \
            "1:\n" TML_PLANAR_COPY_ROW(loads, stores)                                              \
            "2:\n" TML_PLANAR_COPY_ROW(loads, stores)                                              \
            "subs %[n], #2\n"                                                                      \
            "bgt 1b\n"                                                                             \
            : [x] "+r"(x), [to] "+r"(to), [n] "+r"(n), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),   \
              [d] "=&r"(d)                                                                         \
            : [last] "r"(columns - 4), [from_pitch] "r"(copy->from_pitch),                         \
              [to_pitch] "r"(copy->to_pitch)                                                       \
            : "memory", "cc")

/* columns: 1..16; below 4 of them the bytes before are copied once more */
TML_SHARED TML_ALL_REGISTERS void tml_planar_stripe_i8(const struct tml_planar_copy *copy,
                                                       const int8_t *x, int_fast16_t columns,
                                                       int8_t *to)
{
    int_fast16_t n = copy->rows;
    uint32_t a, b, c, d;
    if (columns > 12) {
        TML_PLANAR_ROWS("ldr %[a], [%[x]]\nldr %[b], [%[x], #4]\nldr %[c], [%[x], #8]\n",
                        "str %[a], [%[to]]\nstr %[b], [%[to], #4]\nstr %[c], [%[to], #8]\n");
    } else if (columns > 8) {
        TML_PLANAR_ROWS("ldr %[a], [%[x]]\nldr %[b], [%[x], #4]\n",
                        "str %[a], [%[to]]\nstr %[b], [%[to], #4]\n");
    } else if (columns > 4) {
        TML_PLANAR_ROWS("ldr %[a], [%[x]]\n", "str %[a], [%[to]]\n");
    } else {
        TML_PLANAR_ROWS("", "");
    }
}
#endif

TML_INLINE void tml_planar_bytes_i8(const struct tml_planar_copy *copy, const int8_t *x, int8_t *to)
{
    for (int_fast16_t row = 0; row < copy->rows; row++) {
        for (int_fast16_t i = 0; i < copy->columns; i++) {
            to[i] = x[i];
        }
        x += copy->from_pitch;
        to += copy->to_pitch;
    }
}

/* to: at the first byte */
TML_SHARED void tml_planar_copy_i8(const struct tml_planar_copy *copy, const int8_t *x, int8_t *to)
{
#if TML_HAVE_DSP_BLOCKS
    if (copy->columns >= 4 && copy->rows > 0) {
        for (int_fast16_t i = 0; i < copy->columns; i += 16) {
            int_fast16_t left = copy->columns - i;
            tml_planar_stripe_i8(copy, x + i, left < 16 ? left : 16, to + i);
        }
        return;
    }
#endif
    tml_planar_bytes_i8(copy, x, to);
}

/* The part of a plane that lies within the bordered one, and the way there. */
TML_INLINE struct tml_planar_copy
tml_planar_inside_i8(const struct tml_depthwise_planar_params *p)
{
    int_fast16_t rows = p->rows - p->pad_top;
    int_fast16_t columns = p->pitch - p->pad_left;
    struct tml_planar_copy copy = {rows < p->x_h ? rows : p->x_h,
                                   columns < p->x_w ? columns : p->x_w, p->x_w, p->pitch};
    return copy;
}

/* Windows over a bordered plane: weights of one channel, y a plane without limits. */
typedef void tml_planar_slide(const struct tml_depthwise_planar_params *p, int8_t *bordered,
                              const int32_t *weights, int8_t *y);

/* All planes. words: of a channel's weights */
TML_INLINE void tml_planar_planes_i8(const struct tml_depthwise_planar_params *p,
                                     tml_planar_slide *slide, int_fast16_t words, const int8_t *x,
                                     const int32_t *weights, int8_t *bordered, int8_t *y)
{
    const struct tml_planar_copy copy = tml_planar_inside_i8(p);
    int8_t *first = bordered + p->pad_top * p->pitch + p->pad_left;
    int_fast16_t size = p->y_h * p->y_w;
    bool limited = p->y_min > -128 || p->y_max < 127;
    tml_fill_i8(bordered, (int8_t)p->x_zero_point, (size_t)(p->rows * p->pitch));
    for (int_fast16_t c = 0; c < p->x_c; c++) {
        tml_planar_copy_i8(&copy, x, first);
        slide(p, bordered, weights, y);
        for (int_fast16_t i = 0; limited && i < size; i++) {
            y[i] = (int8_t)tml_clamp_i32(y[i], p->y_min, p->y_max);
        }
        x += p->x_h * p->x_w;
        y += size;
        weights += words;
    }
}

#endif
