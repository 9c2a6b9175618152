/* SPDX-License-Identifier: 0BSD */
/*
 * Bordered planes in blocks: depthwise convolution on planar storage copies a channel's plane into
 * scratch, where padding is bytes like any other, and slides windows over the copy. A block is all
 * rows of up to 14 columns of results, 16 bytes a row: a pitch that assembly can count on. Results
 * replace the first byte of their window and are copied to y from there, so that y may lie over x.
 */
#ifndef TML_PLANAR_BLOCKS_I8_H
#define TML_PLANAR_BLOCKS_I8_H

#include "../common/tml_dsp.h"

#define TML_PLANAR_PITCH 16

struct tml_depthwise_blocks_params {
    int_fast16_t x_h;      /* rows of x: y_h - pad_top.. */
    int_fast16_t x_w;      /* columns of x: y_w - pad_left.., 2.. */
    int_fast16_t x_c;      /* channels, that is planes, of x and y: 1.. */
    int_fast16_t y_h;      /* rows of y: 2.. */
    int_fast16_t y_w;      /* columns of y: 2.., not 1 more than a multiple of block_w */
    int_fast16_t pad_top;  /* rows of padding above: 0, 1 */
    int_fast16_t pad_left; /* columns of padding to the left: 0, 1 */
    int32_t x_zero_point;  /* -128..127, the value of padding */
    int32_t y_zero_point;  /* -128..127 */
    int32_t y_min;         /* -128..y_max */
    int32_t y_max;         /* y_min..127 */
    int_fast16_t block_w;  /* columns of y in a block, an even number: 2..14 */
};

/* Rows of bytes between a plane and a block. */
struct tml_planar_rows {
    int_fast16_t rows;    /* 1.. */
    int_fast16_t columns; /* 2..16 */
    ptrdiff_t pitch;      /* of the plane */
};

#if TML_HAVE_DSP_BLOCKS
/* Of a row, what comes before the last word or byte, which may lie over it. */
#    define TML_PLANAR_MOVE_1(op, base, at) op " %[a], [%[" base "], #" at "]\n"
#    define TML_PLANAR_MOVE_2(op, base, at)                                                        \
        TML_PLANAR_MOVE_1(op, base, at) op " %[b], [%[" base "], #" at "+4]\n"
#    define TML_PLANAR_MOVE_3(op, base, at)                                                        \
        TML_PLANAR_MOVE_2(op, base, at) op " %[c], [%[" base "], #" at "+8]\n"
#    define TML_PLANAR_MOVE_B(op, base, at)                                                        \
        op "b %[a], [%[" base "], #" at "]\n" op "b %[b], [%[" base "], #" at "+1]\n"
#    define TML_PLANAR_IN(k, size, at)                                                             \
        "strb %[border], [%[left], #" at "]\n" TML_PLANAR_MOVE_##k("ldr", "plane", "0")            \
        "ldr" size " %[d], [%[plane], %[last]]\n"                                                  \
        "add %[plane], %[plane], %[pitch]\n" TML_PLANAR_MOVE_##k("str", "block", at)               \
        "str" size " %[d], [%[end], #" at "]\n"
#    define TML_PLANAR_OUT(k, size, at)                                                            \
        TML_PLANAR_MOVE_##k("ldr", "block", at)                                                    \
        "ldr" size " %[d], [%[end], #" at "]\n"                                                    \
        "str" size " %[d], [%[plane], %[last]]\n" TML_PLANAR_MOVE_##k("str", "plane", "0")         \
        "add %[plane], %[plane], %[pitch]\n"
/* Four rows a round; the first round begins in its middle. */
#    define TML_PLANAR_ROUNDS(row, k, size)                                                        \
        __asm__ volatile(                                                                          \
            "tbb [pc, %[a]]\n"                                                                     \
            "0:\n"                                                                                 \
            ".byte (1f-0b)/2, (2f-0b)/2, (3f-0b)/2, (4f-0b)/2\n"                                   \
            "1:\n" row(k, size, "0")                                                               \
            "2:\n" row(k, size, "16")                                                              \
            "3:\n" row(k, size, "32")                                                              \
            "4:\n" row(k, size, "48")                                                              \
            "add %[left], %[left], #64\n"                                                          \
            "add %[block], %[block], #64\n"                                                        \
            "add %[end], %[end], #64\n"                                                            \
            "subs %[n], %[n], #4\n"                                                                \
            "bgt 1b\n"                                                                             \
            : [plane] "+&r"(plane), [block] "+&r"(block), [end] "+&r"(end), [left] "+&r"(left),    \
              [n] "+&r"(n), [a] "+&r"(skipped), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)           \
            : [last] "r"(last), [pitch] "r"(rows.pitch), [border] "r"(border)                      \
            : "memory", "cc")
#    define TML_PLANAR_COPY(row)                                                                   \
        uint32_t skipped = (0U - (uint32_t)rows.rows) % 4U;                                        \
        int_fast16_t n = rows.rows + (int_fast16_t)skipped;                                        \
        int_fast16_t last = rows.columns - (rows.columns < 4 ? 1 : 4);                             \
        block -= TML_PLANAR_PITCH * (int32_t)skipped;                                              \
        left -= TML_PLANAR_PITCH * (int32_t)skipped;                                               \
        int8_t *end = block + last;                                                                \
        uint32_t b, c, d;                                                                          \
        if (rows.columns < 4) {                                                                    \
            TML_PLANAR_ROUNDS(row, B, "b");                                                        \
        } else if (rows.columns <= 8) {                                                            \
            TML_PLANAR_ROUNDS(row, 1, "");                                                         \
        } else if (rows.columns <= 12) {                                                           \
            TML_PLANAR_ROUNDS(row, 2, "");                                                         \
        } else {                                                                                   \
            TML_PLANAR_ROUNDS(row, 3, "");                                                         \
        }

/* Rows of a plane into a block, behind a byte of border on the left unless they begin there.
 * border: four such bytes */
TML_INLINE void tml_planar_in_i8(struct tml_planar_rows rows, uint32_t border, const int8_t *plane,
                                 int8_t *left, int8_t *block)
{
    TML_PLANAR_COPY(TML_PLANAR_IN)
}

/* Results from a block to their plane. */
TML_INLINE void tml_planar_out_i8(struct tml_planar_rows rows, int8_t *block, int8_t *plane)
{
    int8_t *left = block;
    uint32_t border = 0U;
    TML_PLANAR_COPY(TML_PLANAR_OUT)
}
#else
TML_INLINE void tml_planar_in_i8(struct tml_planar_rows rows, uint32_t border, const int8_t *plane,
                                 int8_t *left, int8_t *block)
{
    for (int_fast16_t row = 0; row < rows.rows; row++) {
        left[TML_PLANAR_PITCH * row] = (int8_t)(uint8_t)border;
        for (int_fast16_t i = 0; i < rows.columns; i++) {
            block[TML_PLANAR_PITCH * row + i] = plane[i];
        }
        plane += rows.pitch;
    }
}

TML_INLINE void tml_planar_out_i8(struct tml_planar_rows rows, int8_t *block, int8_t *plane)
{
    for (int_fast16_t row = 0; row < rows.rows; row++) {
        for (int_fast16_t i = 0; i < rows.columns; i++) {
            plane[i] = block[i];
        }
        block += TML_PLANAR_PITCH;
        plane += rows.pitch;
    }
}
#endif

#endif
