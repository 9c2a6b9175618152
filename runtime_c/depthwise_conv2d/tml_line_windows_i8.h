/* SPDX-License-Identifier: 0BSD */
/*
 * Lines: the working format of depthwise windows of any size, horizontal stride 1, on cores with
 * dual multiplies. A line is an input row of 4 channels as pairs (x0, x1), (x2, x3).. of columns.
 * Outputs at even columns take pairs of weights (w0, w1), (w2, w3).., those at odd columns the same
 * shifted by one, (0, w0), (w1, w2)..: six neighbouring outputs sum over the same pairs without any
 * shuffling. A step is a pair of weights of each kind, times three pairs of x; three steps rename
 * the pairs and are a round, a row of a window is a whole number of rounds. 40 cycles a round on
 * Cortex-M4, which is 30 products with 5 weights a row.
 */
#ifndef TML_LINE_WINDOWS_I8_H
#define TML_LINE_WINDOWS_I8_H

#include "../common/tml_dsp.h"

/* Words of a round: weights of three steps, then the way to the pairs of the next, in bytes. */
#define TML_LINE_ROUND 7

struct tml_line_windows {
    int_fast16_t rounds;  /* of a window: 1.. */
    int_fast16_t groups;  /* of 6 outputs in a row: 1.. */
    int_fast16_t rows;    /* of outputs: 1.. */
    ptrdiff_t row_step;   /* words from row to row of outputs */
};

/*
 * lines: 16 bytes for each pair of columns, a word a channel; the results of a row replace the
 *     first pairs of its window's first line, two in a word, without zero point
 * weights (rom): for each of 4 channels {bias, [rounds][TML_LINE_ROUND], multiplier}
 */
#if TML_HAVE_DSP_BLOCKS
/* One step: pairs x, y, z; z is loaded from z_at, weights from w_at. */
#    define TML_LINE_STEP(x, y, z, z_at, w_at)                                                     \
        "ldr %[" #z "], [%[p], #" #z_at "]\n"                                                      \
        "ldr %[wa], [%[w], #" #w_at "]\n"                                                          \
        "ldr %[wb], [%[w], #" #w_at "+4]\n"                                                        \
        "smlad %[y0], %[" #x "], %[wa], %[y0]\n"                                                   \
        "smlad %[y1], %[" #x "], %[wb], %[y1]\n"                                                   \
        "smlad %[y2], %[" #y "], %[wa], %[y2]\n"                                                   \
        "smlad %[y3], %[" #y "], %[wb], %[y3]\n"                                                   \
        "smlad %[y4], %[" #z "], %[wa], %[y4]\n"                                                   \
        "smlad %[y5], %[" #z "], %[wb], %[y5]\n"

TML_SHARED TML_ALL_REGISTERS void tml_line_windows_i8(const struct tml_line_windows *windows,
                                                      uint32_t *lines, const int32_t *weights)
{
    int_fast16_t rounds = windows->rounds;
    for (int_fast16_t c = 0; c < 4; c++) {
        uint32_t *first = lines + c;
        for (int_fast16_t row = 0; row < windows->rows; row++) {
            uint32_t *line = first;
            uint32_t *end = line + 12 * windows->groups;
            uint32_t y0, y1, y2, y3, y4, y5, x0, x1, x2, wa, wb, p, w, n;
            __asm__ volatile(
                "1:\n"
                "ldr %[w], %[weights]\n"
                "ldr %[p], %[line]\n"
                "ldr %[n], %[rounds]\n"
                "ldr %[y0], [%[w]], #4\n"
                "mov %[y1], %[y0]\n"
                "mov %[y2], %[y0]\n"
                "mov %[y3], %[y0]\n"
                "mov %[y4], %[y0]\n"
                "mov %[y5], %[y0]\n"
                "2:\n"
                "ldr %[x0], [%[p]]\n"
                "ldr %[x1], [%[p], #16]\n"
                TML_LINE_STEP(x0, x1, x2, 32, 0)
                TML_LINE_STEP(x1, x2, x0, 48, 8)
                TML_LINE_STEP(x2, x0, x1, 64, 16)
                "ldr %[x0], [%[w], #24]\n"
                "adds %[w], #28\n"
                "subs %[n], #1\n"
                "add %[p], %[p], %[x0]\n"
                "bne 2b\n"
                "ldr %[wa], [%[w]]\n"
                "ldr %[p], %[line]\n"
                "ldr %[n], %[end]\n"
                "smmulr %[y0], %[y0], %[wa]\n"
                "smmulr %[y1], %[y1], %[wa]\n"
                "smmulr %[y2], %[y2], %[wa]\n"
                "smmulr %[y3], %[y3], %[wa]\n"
                "smmulr %[y4], %[y4], %[wa]\n"
                "smmulr %[y5], %[y5], %[wa]\n"
                "pkhbt %[y0], %[y0], %[y1], lsl #16\n"
                "pkhbt %[y2], %[y2], %[y3], lsl #16\n"
                "pkhbt %[y4], %[y4], %[y5], lsl #16\n"
                "str %[y2], [%[p], #16]\n"
                "str %[y4], [%[p], #32]\n"
                "str %[y0], [%[p]], #48\n"
                "str %[p], %[line]\n"
                "cmp %[p], %[n]\n"
                "bne 1b\n"
                : [y0] "=&r"(y0), [y1] "=&r"(y1), [y2] "=&r"(y2), [y3] "=&r"(y3), [y4] "=&r"(y4),
                  [y5] "=&r"(y5), [x0] "=&r"(x0), [x1] "=&r"(x1), [x2] "=&r"(x2), [wa] "=&r"(wa),
                  [wb] "=&r"(wb), [p] "=&r"(p), [w] "=&r"(w), [n] "=&r"(n), [line] "+m"(line)
                : [weights] "m"(weights), [rounds] "m"(rounds), [end] "m"(end)
                : "memory", "cc");
            first += windows->row_step;
        }
        weights += 2 + TML_LINE_ROUND * rounds;
    }
}
#else
/* One row of outputs of one channel. */
TML_INLINE void tml_line_row_i8(const struct tml_line_windows *windows, uint32_t *line,
                                const int32_t *weights)
{
    int32_t m = tml_rom_i32(weights + 1 + TML_LINE_ROUND * windows->rounds);
    for (int_fast16_t pair = 0; pair < 3 * windows->groups; pair++) {
        const int32_t *w = weights + 1;
        const uint32_t *x = line;
        uint32_t even = (uint32_t)tml_rom_i32(weights);
        uint32_t odd = even;
        for (int_fast16_t round = 0; round < windows->rounds; round++) {
            for (int_fast16_t s = 0; s < 3; s++) {
                even = tml_smlad(x[4 * s], (uint32_t)tml_rom_i32(w + 2 * s), even);
                odd = tml_smlad(x[4 * s], (uint32_t)tml_rom_i32(w + 2 * s + 1), odd);
            }
            x += tml_rom_i32(w + 6) / 4;
            w += TML_LINE_ROUND;
        }
        *line = tml_pair(tml_requantize((int32_t)even, m), tml_requantize((int32_t)odd, m));
        line += 4;
    }
}

TML_SHARED void tml_line_windows_i8(const struct tml_line_windows *windows, uint32_t *lines,
                                    const int32_t *weights)
{
    for (int_fast16_t c = 0; c < 4; c++) {
        for (int_fast16_t row = 0; row < windows->rows; row++) {
            tml_line_row_i8(windows, lines + c + row * windows->row_step, weights);
        }
        weights += 2 + TML_LINE_ROUND * windows->rounds;
    }
}
#endif

#endif
