/* SPDX-License-Identifier: 0BSD */
/*
 * Strips: the working format of depthwise convolution on cores with dual multiplies. A strip is two
 * neighbouring output columns of 4 channels. Its input is the columns x0..x3, with stride 2 also
 * x4; a row of it is a slot: two pairs for each channel, such that windows w0, w1, w2 take dual
 * multiplies without shuffling. With stride 1 they are e = (x0, x2) and o = (x1, x3), the outputs
 * e * (w0, w2) + x1 * w1 and o * (w0, w2) + x2 * w1. With stride 2 they are (x0, x1) and (x2, x3),
 * the outputs (x0, x1) * (w0, w1) + x2 * w2 and (x2, x3) * (w0, w1) + x4 * w2; the x4 of all
 * channels are a word. Strips lie behind each other.
 * Here: rows of an image into slots.
 */
#ifndef TML_STRIP_SLOTS_I8_H
#define TML_STRIP_SLOTS_I8_H

#include "../common/tml_dsp.h"

/* Words of a slot: two pairs of channel 0, of 1, 2, 3, and with stride 2 all x4. */
#define TML_STRIP_SLOT(stride) ((stride) == 2 ? 9 : 8)

/* The image that slots are made of; 4 of its channels at a time. */
struct tml_strip_image {
    int_fast16_t rows;    /* 1.. */
    int_fast16_t columns; /* 1.. */
    ptrdiff_t row_pitch;  /* elements */
    ptrdiff_t col_pitch;  /* elements */
    int32_t outside;      /* the value beside the image, -128..127 */
};

/* n slots, columns `column`.. of rows x.. */
TML_INLINE void tml_strip_plain_i8(const struct tml_strip_image *image, const int8_t *x,
                                   int_fast16_t column, int_fast16_t n, int_fast16_t stride,
                                   uint32_t *slots)
{
    for (; n > 0; n--) {
        uint32_t x4 = 0U;
        for (int_fast16_t c = 0; c < 4; c++) {
            int32_t v[5];
            for (int_fast16_t i = 0; i < 5; i++) {
                bool inside = column + i >= 0 && column + i < image->columns;
                v[i] = inside ? x[(column + i) * image->col_pitch + c] : image->outside;
            }
            slots[2 * c] = tml_pair(v[0], v[stride == 2 ? 1 : 2]);
            slots[2 * c + 1] = tml_pair(v[stride == 2 ? 2 : 1], v[3]);
            x4 |= ((uint32_t)v[4] & 0xFFU) << (8 * c);
        }
        if (stride == 2) {
            slots[8] = x4;
        }
        slots += TML_STRIP_SLOT(stride);
        x += image->row_pitch;
    }
}

#if TML_HAVE_DSP_BLOCKS
/*
 * The same in 30 cycles a slot, 32 with x4. Halfwords of two columns side by side are bytes whose
 * SXTB16 is the pair of one channel and, rotated, of the next. Columns beside the image are not
 * loaded, their registers keep what lies outside: each round jumps back to one of several sets of
 * loads, the one for columns 1 or 0 to 1, to 2, to 3, to 4 within the image.
 */
#    define TML_STRIP_TWO_CHANNELS(at)                                                             \
        "sxtb16 %[s], %[t]\n"                                                                      \
        "str %[s], [%[slots], #" #at "]\n"                                                         \
        "sxtb16 %[s], %[u]\n"                                                                      \
        "str %[s], [%[slots], #" #at "+4]\n"                                                       \
        "sxtb16 %[t], %[t], ror #8\n"                                                              \
        "str %[t], [%[slots], #" #at "+8]\n"                                                       \
        "sxtb16 %[u], %[u], ror #8\n"                                                              \
        "str %[u], [%[slots], #" #at "+12]\n"
#    define TML_STRIP_X0 "ldr.w %[x0], [%[x]]\n"
#    define TML_STRIP_X1 "ldr.w %[x1], [%[x], %[one]]\n"
#    define TML_STRIP_X2 "ldr.w %[x2], [%[x], %[one], lsl #1]\n"
#    define TML_STRIP_X3 "ldr.w %[x3], [%[x], %[three]]\n"
#    define TML_STRIP_X4 "ldr.w %[s], [%[x], %[one], lsl #2]\n"
#    define TML_STRIP_HEAD(align) "b.w 2f\n .balign " align "\n"
#    define TML_STRIP_GATHER(align, to_four, keep_x4, b, c, bytes)                                 \
        "adr %[t], 1f + 1\n"                                                                       \
        "add %[head], %[head], %[t]\n"                                                             \
        "bx %[head]\n"                                                                             \
        ".balign " align "\n"                                                                      \
        "1:\n"                                                                                     \
        TML_STRIP_X1 TML_STRIP_HEAD(align)                                                         \
        TML_STRIP_X0 TML_STRIP_X1 TML_STRIP_HEAD(align)                                            \
        TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_HEAD(align)                                            \
        TML_STRIP_X0 TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_HEAD(align)                               \
        TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_X3 TML_STRIP_HEAD(align)                               \
        to_four                                                                                    \
        TML_STRIP_X0 TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_X3 keep_x4                                \
        "2:\n"                                                                                     \
        "pkhbt %[t], %[x0], %[" b "], lsl #16\n"                                                   \
        "pkhbt %[u], %[" c "], %[x3], lsl #16\n"                                                   \
        TML_STRIP_TWO_CHANNELS(0)                                                                  \
        "pkhtb %[t], %[" b "], %[x0], asr #16\n"                                                   \
        "pkhtb %[u], %[x3], %[" c "], asr #16\n"                                                   \
        TML_STRIP_TWO_CHANNELS(16)                                                                 \
        "add %[x], %[x], %[pitch]\n"                                                               \
        "adds %[slots], #" bytes "\n"                                                              \
        "subs %[n], #1\n"                                                                          \
        "it ne\n"                                                                                  \
        "bxne %[head]\n"
#    define TML_STRIP_OPERANDS                                                                     \
        : [x] "+r"(x), [slots] "+l"(slots), [n] "+l"(n), [head] "+r"(head), [x0] "+r"(x0),         \
          [x1] "+r"(x1), [x2] "+r"(x2), [x3] "+r"(x3), [s] "=&r"(s), [t] "=&r"(t), [u] "=&r"(u)    \
        : [one] "r"(image->col_pitch), [three] "r"(3 * image->col_pitch),                          \
          [pitch] "r"(image->row_pitch)                                                            \
        : "memory", "cc"

TML_INLINE void tml_strip_rows_i8(const struct tml_strip_image *image, const int8_t *x,
                                  int_fast16_t column, int_fast16_t n, int_fast16_t stride,
                                  uint32_t *slots)
{
    int_fast16_t end = image->columns - column; /* of the columns within */
    if (column < -1 || end < 2) {
        tml_strip_plain_i8(image, x, column, n, stride, slots);
        return;
    }
    uint32_t set = column < 0 ? 0U : 1U;
    uint32_t x0 = ((uint32_t)image->outside & 0xFFU) * 0x01010101U;
    uint32_t x1 = x0;
    uint32_t x2 = x0;
    uint32_t x3 = x0;
    uint32_t head, s, t, u;
    x += column * image->col_pitch;
    if (stride == 2) {
        for (int_fast16_t i = 0; end < 5 && i < n; i++) {
            slots[9 * i + 8] = x0;
        }
        head = 64U * (uint32_t)(end > 5 ? 3 : end - 2) + 32U * set;
        __asm__ volatile(
            TML_STRIP_GATHER("32",
                             TML_STRIP_X0 TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_X3
                             TML_STRIP_HEAD("32")
                             TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_X3 TML_STRIP_X4
                             "str.w %[s], [%[slots], #32]\n" TML_STRIP_HEAD("32"),
                             TML_STRIP_X4 "str.w %[s], [%[slots], #32]\n", "x1", "x2", "36")
            TML_STRIP_OPERANDS);
    } else {
        head = 32U * (uint32_t)(end > 4 ? 2 : end - 2) + 16U * set;
        __asm__ volatile(TML_STRIP_GATHER("16", "", "", "x2", "x1", "32") TML_STRIP_OPERANDS);
    }
}
#else
#    define tml_strip_rows_i8 tml_strip_plain_i8
#endif

/* Neighbouring strips of 4 channels, rows as far as they lie within the image. */
struct tml_strip_part {
    int_fast16_t column; /* x0 of the first strip */
    int_fast16_t rows;   /* 1.. */
    int_fast16_t slots;  /* of a strip: rows.. */
    int_fast16_t strips; /* 1.. */
};

/* x: the first of the rows */
TML_INLINE void tml_strip_gather_i8(const struct tml_strip_image *image,
                                    const struct tml_strip_part *part, const int8_t *x,
                                    int_fast16_t stride, uint32_t *slots)
{
    int_fast16_t column = part->column;
    for (int_fast16_t strips = part->strips; strips > 0; strips--) {
        tml_strip_rows_i8(image, x, column, part->rows, stride, slots);
        slots += part->slots * TML_STRIP_SLOT(stride);
        column += 2 * stride;
    }
}

#if TML_HAVE_DSP_BLOCKS
#    define TML_STRIP_BLOCK TML_SHARED TML_ALL_REGISTERS
#else
#    define TML_STRIP_BLOCK TML_SHARED
#endif

TML_STRIP_BLOCK void tml_strip_gather_s1_i8(const struct tml_strip_image *image,
                                            const struct tml_strip_part *part, const int8_t *x,
                                            uint32_t *slots)
{
    tml_strip_gather_i8(image, part, x, 1, slots);
}

TML_STRIP_BLOCK void tml_strip_gather_s2_i8(const struct tml_strip_image *image,
                                            const struct tml_strip_part *part, const int8_t *x,
                                            uint32_t *slots)
{
    tml_strip_gather_i8(image, part, x, 2, slots);
}

/* n slots of each strip as they are outside the image. */
TML_INLINE void tml_strip_outside_i8(const struct tml_strip_image *image,
                                     const struct tml_strip_part *part, int_fast16_t n,
                                     int_fast16_t stride, uint32_t *slots)
{
    uint32_t pair = tml_pair(image->outside, image->outside);
    for (int_fast16_t strips = part->strips; strips > 0 && n > 0; strips--) {
        uint32_t *slot = slots;
        for (int_fast16_t i = 0; i < n; i++) {
            slot[0] = pair;
            slot[1] = pair;
            slot[2] = pair;
            slot[3] = pair;
            slot[4] = pair;
            slot[5] = pair;
            slot[6] = pair;
            slot[7] = pair;
            if (stride == 2) {
                slot[8] = (pair & 0x00FF00FFU) * 0x101U;
            }
            slot += TML_STRIP_SLOT(stride);
        }
        slots += part->slots * TML_STRIP_SLOT(stride);
    }
}

#endif
