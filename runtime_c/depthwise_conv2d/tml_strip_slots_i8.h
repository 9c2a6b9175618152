/* SPDX-License-Identifier: 0BSD */
/*
 * Strips: the working format of depthwise convolution on cores with dual multiplies. A strip is two
 * neighbouring output columns of 4 channels. Its input is 4 columns x0..x3 wide; a row of it is a
 * slot, for each channel the pairs e = (x0, x2) and o = (x1, x3). Then an output row of a window
 * w0, w1, w2 is e * (w0, w2) + x1 * w1 and o * (w0, w2) + x2 * w1: pairs without any shuffling.
 * Here: channels-last rows into slots, and results in slots back into channels-last rows.
 */
#ifndef TML_STRIP_SLOTS_I8_H
#define TML_STRIP_SLOTS_I8_H

#include "../common/tml_dsp.h"

/* Words of a slot: e and o of 4 channels. */
#define TML_STRIP_SLOT 8

/* 4 channels of an image, any pitches. */
struct tml_strip_image {
    int_fast16_t rows;      /* 1.. */
    int_fast16_t columns;   /* 1.. */
    ptrdiff_t row_pitch;    /* elements */
    ptrdiff_t column_pitch; /* elements */
};

TML_INLINE void tml_strip_fill_i8(uint32_t *slots, int_fast16_t n, int32_t value)
{
    uint32_t pair = tml_pair(value, value);
    for (int_fast16_t i = 0; i < n * TML_STRIP_SLOT; i++) {
        slots[i] = pair;
    }
}

/* One slot, whatever lies outside. x: row of the image; column: of x0. */
TML_INLINE void tml_strip_slot_i8(const struct tml_strip_image *image, const int8_t *x,
                                  int_fast16_t column, int32_t outside, uint32_t *slot)
{
    for (int_fast16_t c = 0; c < 4; c++) {
        int32_t v[4];
        for (int_fast16_t i = 0; i < 4; i++) {
            bool inside = column + i >= 0 && column + i < image->columns;
            v[i] = inside ? x[(column + i) * image->column_pitch + c] : outside;
        }
        slot[2 * c] = tml_pair(v[0], v[2]);
        slot[2 * c + 1] = tml_pair(v[1], v[3]);
    }
}

#if TML_HAVE_DSP_BLOCKS
/*
 * n slots, two channels of two columns at a time: halfwords of columns x0 and x2 side by side are
 * bytes whose SXTB16 is e of one channel and, rotated, of the next. Columns outside the image are
 * not loaded, their registers keep `outside`: one set of loads, 16 bytes long, for each way to lie.
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

TML_INLINE void tml_strip_load_i8(const struct tml_strip_image *image, const int8_t *x,
                                  int_fast16_t n, uint32_t loads, uint32_t outside, uint32_t *slots)
{
    ptrdiff_t one = image->column_pitch;
    ptrdiff_t three = 3 * one;
    uint32_t v0 = outside;
    uint32_t v1 = outside;
    uint32_t v2 = outside;
    uint32_t v3 = outside;
    uint32_t head = 16U * loads;
    uint32_t s, t, u;
    __asm__ volatile(
        "adr %[t], 10f + 1\n"
        "add %[head], %[head], %[t]\n"
        "bx %[head]\n"
        ".balign 4\n"
        "10:\n" /* x1 to x3 */
        "ldr.w %[v1], [%[x], %[one]]\n"
        "ldr.w %[v2], [%[x], %[one], lsl #1]\n"
        "ldr.w %[v3], [%[x], %[three]]\n"
        "b.w 11f\n" /* x0 to x2 */
        "ldr.w %[v0], [%[x]]\n"
        "ldr.w %[v1], [%[x], %[one]]\n"
        "ldr.w %[v2], [%[x], %[one], lsl #1]\n"
        "b.w 11f\n" /* x1 and x2 */
        "ldr.w %[v1], [%[x], %[one]]\n"
        "ldr.w %[v2], [%[x], %[one], lsl #1]\n"
        "b.w 11f\n"
        "nop.w\n" /* x0 and x1 */
        "ldr.w %[v0], [%[x]]\n"
        "ldr.w %[v1], [%[x], %[one]]\n"
        "b.w 11f\n"
        "nop.w\n" /* x1 */
        "ldr.w %[v1], [%[x], %[one]]\n"
        "b.w 11f\n"
        "nop.w\n"
        "nop.w\n" /* all */
        "ldr.w %[v0], [%[x]]\n"
        "ldr.w %[v1], [%[x], %[one]]\n"
        "ldr.w %[v2], [%[x], %[one], lsl #1]\n"
        "ldr.w %[v3], [%[x], %[three]]\n"
        "11:\n"
        "pkhbt %[t], %[v0], %[v2], lsl #16\n"
        "pkhbt %[u], %[v1], %[v3], lsl #16\n"
        TML_STRIP_TWO_CHANNELS(0)
        "pkhtb %[t], %[v2], %[v0], asr #16\n"
        "pkhtb %[u], %[v3], %[v1], asr #16\n"
        TML_STRIP_TWO_CHANNELS(16)
        "add %[x], %[x], %[pitch]\n"
        "adds %[slots], #32\n"
        "subs %[n], #1\n"
        "it ne\n"
        "bxne %[head]\n"
        : [x] "+r"(x), [slots] "+r"(slots), [n] "+r"(n), [head] "+r"(head), [v0] "+r"(v0),
          [v1] "+r"(v1), [v2] "+r"(v2), [v3] "+r"(v3), [s] "=&r"(s), [t] "=&r"(t), [u] "=&r"(u)
        : [one] "r"(one), [three] "r"(three), [pitch] "r"(image->row_pitch)
        : "memory", "cc");
}

/* Which set of loads; 6 if none fits. first, end: of the columns within the image. */
TML_INLINE uint32_t tml_strip_loads(int_fast16_t first, int_fast16_t end)
{
    static const uint8_t of[4][4] = {{6, 3, 1, 5}, {4, 2, 0, 6}, {6, 6, 6, 6}, {6, 6, 6, 6}};
    return 0U;
}
#endif

#endif
