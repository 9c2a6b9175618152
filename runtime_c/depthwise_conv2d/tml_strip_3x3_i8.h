/* SPDX-License-Identifier: 0BSD */
/*
 * 3x3 windows slide down a strip (tml_strip_slots_i8.h). Three output rows are in flight, a, b and
 * c: each input row is loaded once and is the last of one, the middle of the next and the first of
 * the third. Three rows of code rename them; the loop is entered in its middle, so that its last
 * round is whole. 21 cycles for 18 products with their requantisation on Cortex-M4.
 */
#ifndef TML_STRIP_3X3_I8_H
#define TML_STRIP_3X3_I8_H

#include "tml_strip_slots_i8.h"

/* Words of the stream for a channel: three rows of weights, bias, multiplier. */
#define TML_STRIP_3X3_WORDS 5

/*
 * slots: [strips][rows + 2] slots; the two results of output row r of a strip replace e of its slot
 *     r, 16 bits each, without zero point. rows: 2..32000
 * weights (rom): for each of 4 channels {row0, row1, row2, bias, multiplier}; a row is the bytes
 *     w0, w1, w2, -1
 */
#if TML_HAVE_DSP_BLOCKS
#    define TML_STRIP_LOAD(at)                                                                     \
        "ldr %[e], [%[p], #" #at "]\n"                                                             \
        "ldr %[o], [%[p], #" #at "+4]\n"
/* The first, middle and last row of a window, of outputs r##0 and r##1. */
#    define TML_STRIP_FIRST(r)                                                                     \
        "smlad %[" #r "1], %[o], %[w0], %[" #r "0]\n"                                              \
        "smlad %[" #r "0], %[e], %[w0], %[" #r "0]\n"                                              \
        "smlabb %[" #r "0], %[o], %[wm], %[" #r "0]\n"                                             \
        "smlatb %[" #r "1], %[e], %[wm], %[" #r "1]\n"
#    define TML_STRIP_MIDDLE(r)                                                                    \
        "smlad %[" #r "0], %[e], %[w1], %[" #r "0]\n"                                              \
        "smlad %[" #r "1], %[o], %[w1], %[" #r "1]\n"                                              \
        "smlabt %[" #r "0], %[o], %[wm], %[" #r "0]\n"                                             \
        "smlatt %[" #r "1], %[e], %[wm], %[" #r "1]\n"
#    define TML_STRIP_LAST(r, m, at)                                                               \
        "smlad %[" #r "0], %[e], %[w2], %[" #r "0]\n"                                              \
        "smlad %[" #r "1], %[o], %[w2], %[" #r "1]\n"                                              \
        "smlabb %[" #r "0], %[o], %[wn], %[" #r "0]\n"                                             \
        "smlatb %[" #r "1], %[e], %[wn], %[" #r "1]\n"                                             \
        "smmulr %[" #r "0], %[" #r "0], %[" #m "]\n"                                               \
        "smmulr %[" #r "1], %[" #r "1], %[" #m "]\n"                                               \
        "pkhbt %[" #r "0], %[" #r "0], %[" #r "1], lsl #16\n"                                      \
        "str %[" #r "0], [%[p], #" #at "-64]\n"
/* Loads in a row cost a cycle but for the first. The first row's r1 is free for a multiplier. */
#    define TML_STRIP_ROW(first, middle, last, at)                                                 \
        TML_STRIP_LOAD(at)                                                                         \
        "ldr %[" #first "0], %[bias]\n"                                                            \
        "ldr %[" #first "1], %[multiplier]\n"                                                      \
        TML_STRIP_LAST(last, first##1, at) TML_STRIP_MIDDLE(middle) TML_STRIP_FIRST(first)
#    define TML_STRIP_MOVE(to, from)                                                               \
        "mov %[" #to "0], %[" #from "0]\n"                                                         \
        "mov %[" #to "1], %[" #from "1]\n"

TML_STRIP_BLOCK void tml_strip_3x3_i8(uint32_t *slots, int_fast16_t rows,
                                                   int_fast16_t strips, const int32_t *weights)
{
    /* All rows but the first two and the last two go round; 3: none does */
    uint32_t rounds = (uint32_t)rows / 3U;
    uint32_t skipped = rounds == 0U ? 3U : 3U * rounds + 2U - (uint32_t)rows;
    uint32_t advance = rounds == 0U ? 64U : 64U - 32U * skipped;
    uint32_t length = 32U * (uint32_t)(strips * (rows + 2)) - 8U; /* slots has moved on by 8 */
    const int32_t *w_end = weights + 4 * TML_STRIP_3X3_WORDS;
    int32_t bias, multiplier;
    uint32_t e, o, p, w0, w1, w2, wm, wn, a0, a1, b0, b1, c0, c1;
    rounds <<= 16; /* counted in the upper half of wn, which starts at -1 */
    __asm__ volatile(
        "1:\n"
        "ldr %[e], %[weights]\n"
        "ldr %[p], %[slots]\n"
        "ldr %[w0], [%[e]]\n"
        "ldr %[w1], [%[e], #4]\n"
        "ldr %[w2], [%[e], #8]\n"
        "ldr %[a0], [%[e], #12]\n"
        "ldr %[a1], [%[e], #16]\n"
        "add %[e], %[e], #20\n"
        "str %[e], %[weights]\n"
        "str %[a0], %[bias]\n"
        "str %[a1], %[multiplier]\n"
        "add %[o], %[p], #8\n"
        "str %[o], %[slots]\n"
        /* rows of weights to the pairs (w0, w2) of each and the w1 of the first two, of the last */
        "sxtb16 %[wm], %[w0], ror #8\n"
        "sxtb16 %[wn], %[w1], ror #8\n"
        "pkhbt %[wm], %[wm], %[wn], lsl #16\n"
        "sxtb16 %[wn], %[w2], ror #8\n"
        "sxtb16 %[w0], %[w0]\n"
        "sxtb16 %[w1], %[w1]\n"
        "sxtb16 %[w2], %[w2]\n"
        "2:\n"
        TML_STRIP_LOAD(0) "ldr %[a0], %[bias]\n" TML_STRIP_FIRST(a)
        TML_STRIP_LOAD(32) "ldr %[b0], %[bias]\n" TML_STRIP_FIRST(b) TML_STRIP_MIDDLE(a)
        "ldr %[e], %[skipped]\n"
        "ldr %[o], %[advance]\n"
        "ldr %[c0], %[rounds]\n"
        "add %[p], %[p], %[o]\n"
        "add %[wn], %[wn], %[c0]\n"
        "tbb [pc, %[e]]\n"
        "3:\n"
        ".byte (5f - 3b) / 2, (6f - 3b) / 2, (4f - 3b) / 2, (9f - 3b) / 2\n"
        "6:\n" /* one row skipped: what is called a, b there is b, c */
        TML_STRIP_MOVE(c, b) TML_STRIP_MOVE(b, a)
        "b 8f\n"
        "4:\n" /* two rows skipped: what is called a, b there is c, a */
        TML_STRIP_MOVE(c, a) TML_STRIP_MOVE(a, b)
        "b 7f\n"
        "5:\n"
        TML_STRIP_ROW(c, b, a, 0)
        "8:\n"
        TML_STRIP_ROW(a, c, b, 32)
        "7:\n"
        TML_STRIP_ROW(b, a, c, 64)
        "adds %[p], #96\n"
        "subs %[wn], #0x10000\n"
        "bpl 5b\n"
        "9:\n"
        TML_STRIP_LOAD(0) "ldr %[c0], %[multiplier]\n" TML_STRIP_MIDDLE(b)
        TML_STRIP_LAST(a, c0, 0)
        TML_STRIP_LOAD(32) TML_STRIP_LAST(b, c0, 32)
        "ldr %[e], %[slots]\n"
        "ldr %[o], %[length]\n"
        "adds %[p], #64\n"
        "add %[e], %[e], %[o]\n"
        "cmp %[p], %[e]\n"
        "bne 2b\n"
        "ldr %[e], %[weights]\n"
        "ldr %[o], %[w_end]\n"
        "cmp %[e], %[o]\n"
        "bne 1b\n"
        : [e] "=&r"(e), [o] "=&r"(o), [p] "=&r"(p), [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2),
          [wm] "=&r"(wm), [wn] "=&r"(wn), [a0] "=&r"(a0), [a1] "=&r"(a1), [b0] "=&r"(b0),
          [b1] "=&r"(b1), [c0] "=&r"(c0), [c1] "=&r"(c1), [slots] "+m"(slots),
          [weights] "+m"(weights), [bias] "=m"(bias), [multiplier] "=m"(multiplier)
        : [skipped] "m"(skipped), [advance] "m"(advance), [rounds] "m"(rounds),
          [length] "m"(length), [w_end] "m"(w_end)
        : "memory", "cc");
}
#else
/* A row of weights: the pair (w0, w2), and w1. */
TML_INLINE uint32_t tml_strip_window_i8(const uint32_t *slot, int32_t row, bool second,
                                        uint32_t sum)
{
    uint32_t outer = tml_sxtb16((uint32_t)row);
    int32_t middle = tml_low(tml_sxtb16_odd((uint32_t)row));
    int32_t x = second ? tml_high(slot[0]) : tml_low(slot[1]);
    return tml_smlad(slot[second ? 1 : 0], outer, sum) + (uint32_t)(x * middle);
}

TML_SHARED void tml_strip_3x3_i8(uint32_t *slots, int_fast16_t rows, int_fast16_t strips,
                                 const int32_t *weights)
{
    for (int_fast16_t c = 0; c < 4; c++) {
        uint32_t *slot = slots + 2 * c;
        for (int_fast16_t strip = 0; strip < strips; strip++) {
            for (int_fast16_t r = 0; r < rows; r++) {
                int32_t y[2];
                for (int_fast16_t i = 0; i < 2; i++) {
                    uint32_t sum = (uint32_t)tml_rom_i32(weights + 3);
                    for (int_fast16_t k = 0; k < 3; k++) {
                        sum = tml_strip_window_i8(slot + k * TML_STRIP_SLOT(1),
                                                  tml_rom_i32(weights + k), i == 1, sum);
                    }
                    y[i] = tml_requantize((int32_t)sum, tml_rom_i32(weights + 4));
                }
                slot[0] = tml_pair(y[0], y[1]);
                slot += TML_STRIP_SLOT(1);
            }
            slot += 2 * TML_STRIP_SLOT(1);
        }
        weights += TML_STRIP_3X3_WORDS;
    }
}
#endif

#endif
