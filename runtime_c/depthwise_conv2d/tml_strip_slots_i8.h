/* SPDX-License-Identifier: 0BSD */
/*
 * Strips: the working format of depthwise convolution on cores with dual multiplies. A strip is two
 * neighbouring output columns of 4 channels. Its input is 4 columns x0..x3 wide; a row of it is a
 * slot, for each channel the pairs e = (x0, x2) and o = (x1, x3). With weights w0, w1, w2 the two
 * outputs are e * (w0, w2) + x1 * w1 and o * (w0, w2) + x2 * w1: dual multiplies without shuffling.
 * Here: rows of an image into slots, and results in slots into rows of an image.
 */
#ifndef TML_STRIP_SLOTS_I8_H
#define TML_STRIP_SLOTS_I8_H

#include "../common/tml_dsp.h"

/* Words of a slot: e and o of 4 channels. */
#define TML_STRIP_SLOT 8

/* An image of which 4 channels are looked at. */
struct tml_strip_image {
    int_fast16_t columns; /* 1.. */
    ptrdiff_t row_pitch;  /* elements */
    ptrdiff_t col_pitch;  /* elements */
};

/* n slots of padding; returns the place behind them. */
TML_INLINE uint32_t *tml_strip_fill_i8(uint32_t *slots, int_fast16_t n, int32_t value)
{
    uint32_t pair = tml_pair(value, value);
    for (; n > 0; n--) {
        for (int i = 0; i < TML_STRIP_SLOT; i++) {
            slots[i] = pair;
        }
        slots += TML_STRIP_SLOT;
    }
    return slots;
}

/* n slots of columns `column`.. of 4 channels. x: at column 0; outside: what lies beside the image. */
TML_INLINE void tml_strip_gather_plain_i8(const struct tml_strip_image *image, const int8_t *x,
                                          int_fast16_t column, int_fast16_t n, int32_t outside,
                                          uint32_t *slots)
{
    for (; n > 0; n--) {
        for (int_fast16_t c = 0; c < 4; c++) {
            int32_t v[4];
            for (int_fast16_t i = 0; i < 4; i++) {
                bool inside = column + i >= 0 && column + i < image->columns;
                v[i] = inside ? x[(column + i) * image->col_pitch + c] : outside;
            }
            *slots++ = tml_pair(v[0], v[2]);
            *slots++ = tml_pair(v[1], v[3]);
        }
        x += image->row_pitch;
    }
}

#if TML_HAVE_DSP_BLOCKS
/*
 * The same in 31 cycles a slot. Halfwords of x0 and x2 side by side are bytes whose SXTB16 is e of
 * one channel and, rotated, of the next. Columns beside the image are not loaded, their registers
 * keep `outside`: each loop jumps back to one of six sets of loads, each 16 bytes long.
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
#    define TML_STRIP_X0 "ldr.w %[v0], [%[x]]\n"
#    define TML_STRIP_X1 "ldr.w %[v1], [%[x], %[one]]\n"
#    define TML_STRIP_X2 "ldr.w %[v2], [%[x], %[one], lsl #1]\n"
#    define TML_STRIP_X3 "ldr.w %[v3], [%[x], %[three]]\n"

TML_SHARED TML_ALL_REGISTERS void tml_strip_gather_i8(const struct tml_strip_image *image,
                                                      const int8_t *x, int_fast16_t column,
                                                      int_fast16_t n, int32_t outside,
                                                      uint32_t *slots)
{
    int_fast16_t past = image->columns - column; /* the first column beyond the image */
    if (column < -1 || past < 2) {
        tml_strip_gather_plain_i8(image, x, column, n, outside, slots);
        return;
    }
    uint32_t head = 32U * (uint32_t)(past > 4 ? 2 : past - 2) + (column < 0 ? 0U : 16U);
    uint32_t v0 = ((uint32_t)outside & 0xFFU) * 0x01010101U;
    uint32_t v1 = v0;
    uint32_t v2 = v0;
    uint32_t v3 = v0;
    uint32_t s, t, u;
    x += column * image->col_pitch;
    __asm__ volatile(
        "adr %[t], 1f + 1\n"
        "add %[head], %[head], %[t]\n"
        "bx %[head]\n"
        ".balign 4\n"
        "1:\n"
        TML_STRIP_X1 "b.w 2f\n nop.w\n nop.w\n"
        TML_STRIP_X0 TML_STRIP_X1 "b.w 2f\n nop.w\n"
        TML_STRIP_X1 TML_STRIP_X2 "b.w 2f\n nop.w\n"
        TML_STRIP_X0 TML_STRIP_X1 TML_STRIP_X2 "b.w 2f\n"
        TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_X3 "b.w 2f\n"
        TML_STRIP_X0 TML_STRIP_X1 TML_STRIP_X2 TML_STRIP_X3
        "2:\n"
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
        : [one] "r"(image->col_pitch), [three] "r"(3 * image->col_pitch),
          [pitch] "r"(image->row_pitch)
        : "memory", "cc");
}
#else
TML_SHARED void tml_strip_gather_i8(const struct tml_strip_image *image, const int8_t *x,
                                    int_fast16_t column, int_fast16_t n, int32_t outside,
                                    uint32_t *slots)
{
    tml_strip_gather_plain_i8(image, x, column, n, outside, slots);
}
#endif

/*
 * The results of n rows, in e of each channel's slot, to 4 channels of y at each row's two columns;
 * of the second one only with `both`. A result is 16 bits wide and misses the zero point.
 */
#if TML_HAVE_DSP_BLOCKS
/* In 26 cycles a row: 30 where unsigned results, as USAT16 makes them, have a zero point. */
TML_SHARED TML_ALL_REGISTERS void tml_strip_scatter_i8(const struct tml_strip_image *image,
                                                       const uint32_t *slots, int_fast16_t n,
                                                       int32_t zero_point, bool both, int8_t *y)
{
    uint32_t zero = tml_pair(zero_point + 128, zero_point + 128);
    ptrdiff_t second = both ? image->col_pitch : 0; /* stored first, then overwritten */
    uint32_t a, b, c, d, t, u;
    __asm__ volatile(
        "1:\n"
        "ldr %[a], [%[slots]]\n"
        "ldr %[b], [%[slots], #8]\n"
        "ldr %[c], [%[slots], #16]\n"
        "ldr %[d], [%[slots], #24]\n"
        "pkhbt %[t], %[a], %[c], lsl #16\n"
        "pkhbt %[u], %[b], %[d], lsl #16\n"
        "pkhtb %[c], %[c], %[a], asr #16\n"
        "pkhtb %[d], %[d], %[b], asr #16\n"
        "cbz %[zero], 2f\n"
        "sadd16 %[t], %[t], %[zero]\n"
        "sadd16 %[u], %[u], %[zero]\n"
        "sadd16 %[c], %[c], %[zero]\n"
        "sadd16 %[d], %[d], %[zero]\n"
        "2:\n"
        "usat16 %[t], #8, %[t]\n"
        "usat16 %[u], #8, %[u]\n"
        "usat16 %[c], #8, %[c]\n"
        "usat16 %[d], #8, %[d]\n"
        "orr %[t], %[t], %[u], lsl #8\n"
        "orr %[c], %[c], %[d], lsl #8\n"
        "eor %[t], %[t], #0x80808080\n"
        "eor %[c], %[c], #0x80808080\n"
        "str %[c], [%[y], %[second]]\n"
        "str %[t], [%[y]]\n"
        "add %[y], %[y], %[pitch]\n"
        "adds %[slots], #32\n"
        "subs %[n], #1\n"
        "bne 1b\n"
        : [slots] "+l"(slots), [n] "+l"(n), [y] "+r"(y), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
          [d] "=&r"(d), [t] "=&r"(t), [u] "=&r"(u)
        : [zero] "l"(zero), [second] "r"(second), [pitch] "r"(image->row_pitch)
        : "memory", "cc");
}
#else
TML_SHARED void tml_strip_scatter_i8(const struct tml_strip_image *image, const uint32_t *slots,
                                     int_fast16_t n, int32_t zero_point, bool both, int8_t *y)
{
    for (; n > 0; n--) {
        for (int_fast16_t c = 0; c < 4; c++) {
            uint32_t result = slots[2 * c];
            y[c] = tml_saturate_i8(tml_low(result) + zero_point);
            if (both) {
                y[image->col_pitch + c] = tml_saturate_i8(tml_high(result) + zero_point);
            }
        }
        slots += TML_STRIP_SLOT;
        y += image->row_pitch;
    }
}
#endif

#endif
