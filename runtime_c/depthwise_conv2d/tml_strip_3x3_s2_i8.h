/* SPDX-License-Identifier: 0BSD */
/*
 * 3x3 windows of stride 2 go down a strip (tml_strip_slots_i8.h): every other input row is the last
 * of one output row and, loaded once, the first of the next. 30 cycles for 18 products with their
 * requantisation on Cortex-M4.
 */
#ifndef TML_STRIP_3X3_S2_I8_H
#define TML_STRIP_3X3_S2_I8_H

#include "tml_strip_slots_i8.h"

/* Words of the stream for a channel: three rows of weights, bias, multiplier. */
#define TML_STRIP_3X3_S2_WORDS 5

/*
 * slots: [strips][2 * rows + 1] slots; the two results of output row r of a strip replace the first
 *     pair of its slot 2r, 16 bits each, without zero point. rows: 1..32000
 * weights (rom): for each of 4 channels {row0, row1, row2, bias, multiplier}; a row is the bytes
 *     w0, w2, w1, -1
 */
#if TML_HAVE_DSP_BLOCKS
#    define TML_STRIP_S2_LOAD(at)                                                                  \
        "ldr %[e], [%[p], #" #at "]\n"                                                             \
        "ldr %[o], [%[p], #" #at "+4]\n"                                                           \
        "ldrsb %[z], [%[q], #" #at "]\n"
/* A row of a window: w holds (w0, w1), half `half` of v w2; outputs start at y0, y1. */
#    define TML_STRIP_S2_ROW(w, v, half, y0, y1)                                                   \
        "smlad %[a1], %[o], %[" #w "], %[" #y1 "]\n"                                               \
        "smlad %[a0], %[e], %[" #w "], %[" #y0 "]\n"                                               \
        "smlab" #half " %[a1], %[z], %[" #v "], %[a1]\n"                                           \
        "smlab" #half " %[a0], %[o], %[" #v "], %[a0]\n"

TML_STRIP_BLOCK void tml_strip_3x3_s2_i8(uint32_t *slots, int_fast16_t rows, int_fast16_t strips,
                                         const int32_t *weights)
{
    const uint32_t *x4 = slots + 8;
    uint32_t rounds = (uint32_t)rows << 16; /* counted in the upper half of wn, from -1 */
    uint32_t length = 36U * (uint32_t)(strips * (2 * rows + 1)) - 8U; /* slots has moved on by 8 */
    const int32_t *w_end = weights + 4 * TML_STRIP_3X3_S2_WORDS;
    uint32_t e, o, z, p, q, w0, w1, w2, wm, wn, a0, a1, bias, multiplier;
    __asm__ volatile(
        "1:\n"
        "ldr %[e], %[weights]\n"
        "ldr %[p], %[slots]\n"
        "ldr %[q], %[x4]\n"
        "ldr %[w0], [%[e]]\n"
        "ldr %[w1], [%[e], #4]\n"
        "ldr %[w2], [%[e], #8]\n"
        "ldr %[bias], [%[e], #12]\n"
        "ldr %[m], [%[e], #16]\n"
        "add %[e], %[e], #20\n"
        "str %[e], %[weights]\n"
        "add %[o], %[p], #8\n"
        "str %[o], %[slots]\n"
        "add %[o], %[q], #1\n"
        "str %[o], %[x4]\n"
        /* rows of weights to the pairs (w0, w1) of each and the w2 of the first two, of the last */
        "sxtb16 %[wm], %[w0], ror #8\n"
        "sxtb16 %[wn], %[w1], ror #8\n"
        "pkhbt %[wm], %[wm], %[wn], lsl #16\n"
        "sxtb16 %[wn], %[w2], ror #8\n"
        "sxtb16 %[w0], %[w0]\n"
        "sxtb16 %[w1], %[w1]\n"
        "sxtb16 %[w2], %[w2]\n"
        "2:\n"
        "ldr %[a0], %[rounds]\n"
        TML_STRIP_S2_LOAD(0)
        "add %[wn], %[wn], %[a0]\n"
        TML_STRIP_S2_ROW(w0, wm, b, bias, bias)
        "3:\n"
        TML_STRIP_S2_LOAD(36)
        TML_STRIP_S2_ROW(w1, wm, t, a0, a1)
        TML_STRIP_S2_LOAD(72)
        TML_STRIP_S2_ROW(w2, wn, b, a0, a1)
        "smmulr %[a0], %[a0], %[m]\n"
        "smmulr %[a1], %[a1], %[m]\n"
        "pkhbt %[a0], %[a0], %[a1], lsl #16\n"
        "str %[a0], [%[p]], #72\n"
        TML_STRIP_S2_ROW(w0, wm, b, bias, bias)
        "add %[q], %[q], #72\n"
        "subs %[wn], #0x10000\n"
        "bpl 3b\n"
        "ldr %[e], %[slots]\n"
        "ldr %[o], %[length]\n"
        "add %[p], %[p], #36\n"
        "add %[q], %[q], #36\n"
        "add %[e], %[e], %[o]\n"
        "cmp %[p], %[e]\n"
        "bne 2b\n"
        "ldr %[e], %[weights]\n"
        "ldr %[o], %[w_end]\n"
        "cmp %[e], %[o]\n"
        "bne 1b\n"
        : [e] "=&r"(e), [o] "=&r"(o), [z] "=&r"(z), [p] "=&r"(p), [q] "=&r"(q), [w0] "=&r"(w0),
          [w1] "=&r"(w1), [w2] "=&r"(w2), [wm] "=&r"(wm), [wn] "=&r"(wn), [a0] "=&r"(a0),
          [a1] "=&r"(a1), [bias] "=&r"(bias), [m] "=&r"(multiplier), [slots] "+m"(slots),
          [x4] "+m"(x4), [weights] "+m"(weights)
        : [rounds] "m"(rounds), [length] "m"(length), [w_end] "m"(w_end)
        : "memory", "cc");
}
#else
/* Both results of one channel. slot: e of the window's first row; channel: 0..3 */
TML_INLINE uint32_t tml_strip_3x3_s2_pair_i8(const uint32_t *slot, int_fast16_t channel,
                                             const int32_t *weights)
{
    uint32_t first = (uint32_t)tml_rom_i32(weights + 3);
    uint32_t second = first;
    int32_t m = tml_rom_i32(weights + 4);
    for (int_fast16_t k = 0; k < 3; k++) {
        uint32_t row = (uint32_t)tml_rom_i32(weights + k);
        uint32_t pair = tml_sxtb16(row);
        int32_t w2 = tml_low(tml_sxtb16_odd(row));
        int32_t x4 = (int8_t)(uint8_t)(slot[8 - 2 * channel] >> (8 * channel));
        first = tml_smlad(slot[0], pair, first) + (uint32_t)(tml_low(slot[1]) * w2);
        second = tml_smlad(slot[1], pair, second) + (uint32_t)(x4 * w2);
        slot += TML_STRIP_SLOT(2);
    }
    return tml_pair(tml_requantize((int32_t)first, m), tml_requantize((int32_t)second, m));
}

TML_SHARED void tml_strip_3x3_s2_i8(uint32_t *slots, int_fast16_t rows, int_fast16_t strips,
                                    const int32_t *weights)
{
    for (int_fast16_t c = 0; c < 4; c++) {
        uint32_t *slot = slots + 2 * c;
        for (int_fast16_t strip = 0; strip < strips; strip++) {
            for (int_fast16_t r = 0; r < rows; r++) {
                slot[0] = tml_strip_3x3_s2_pair_i8(slot, c, weights);
                slot += 2 * TML_STRIP_SLOT(2);
            }
            slot += TML_STRIP_SLOT(2);
        }
        weights += TML_STRIP_3X3_S2_WORDS;
    }
}
#endif

#endif
