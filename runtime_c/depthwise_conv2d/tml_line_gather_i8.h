/* SPDX-License-Identifier: 0BSD */
/* Rows of an image as lines (tml_line_windows_i8.h). */
#ifndef TML_LINE_GATHER_I8_H
#define TML_LINE_GATHER_I8_H

#include "../common/tml_dsp.h"

/* n pairs from column on of a row x, 4 channels; columns beside 0..columns - 1 hold outside. */
TML_INLINE void tml_line_plain_i8(const int8_t *x, ptrdiff_t col_pitch, int_fast16_t columns,
                                  int_fast16_t column, int_fast16_t n, int32_t outside,
                                  uint32_t *line)
{
    uint32_t none = tml_pair(outside, outside);
    for (; n > 0; n--) {
        bool low = column >= 0 && column < columns;
        bool high = column + 1 >= 0 && column + 1 < columns;
        const int8_t *a = x + column * col_pitch;
        const int8_t *b = a + col_pitch;
        for (int_fast16_t c = 0; c < 4; c++) {
            line[c] = low || high ? tml_pair(low ? a[c] : outside, high ? b[c] : outside) : none;
        }
        line += 4;
        column += 2;
    }
}

/* n pairs within the row, from x on, in 19 cycles each on Cortex-M4. */
TML_INLINE void tml_line_inside_i8(const int8_t *x, ptrdiff_t col_pitch, int_fast16_t n,
                                   uint32_t *line)
{
#if TML_HAVE_DSP_BLOCKS
    uint32_t a, b, t;
    __asm__ volatile(
        "1:\n"
        "ldr %[a], [%[x]]\n"
        "ldr %[b], [%[x], %[pitch]]\n"
        "add %[x], %[x], %[pitch], lsl #1\n"
        "pkhbt %[t], %[a], %[b], lsl #16\n"
        "pkhtb %[b], %[b], %[a], asr #16\n"
        "sxtb16 %[a], %[t]\n"
        "str %[a], [%[line]]\n"
        "sxtb16 %[t], %[t], ror #8\n"
        "str %[t], [%[line], #4]\n"
        "sxtb16 %[a], %[b]\n"
        "str %[a], [%[line], #8]\n"
        "sxtb16 %[b], %[b], ror #8\n"
        "str %[b], [%[line], #12]\n"
        "adds %[line], #16\n"
        "subs %[n], #1\n"
        "bne 1b\n"
        : [x] "+r"(x), [line] "+r"(line), [n] "+r"(n), [a] "=&r"(a), [b] "=&r"(b), [t] "=&r"(t)
        : [pitch] "r"(col_pitch)
        : "memory", "cc");
#else
    tml_line_plain_i8(x, col_pitch, 2 * n, 0, n, 0, line);
#endif
}

/* As tml_line_plain_i8. Without the attribute gcc 12 keeps a frame pointer in the next block. */
#if TML_HAVE_DSP_BLOCKS
TML_SHARED TML_ALL_REGISTERS
#else
TML_SHARED
#endif
void tml_line_gather_i8(const int8_t *x, ptrdiff_t col_pitch, int_fast16_t columns,
                        int_fast16_t column, int_fast16_t n, int32_t outside, uint32_t *line)
{
    int_fast16_t before = column < 0 ? (1 - column) / 2 : 0; /* pairs that begin in the padding */
    int_fast16_t inside = columns > column ? (columns - column) / 2 - before : 0;
    before = before < n ? before : n;
    inside = inside < n - before ? inside : n - before;
    tml_line_plain_i8(x, col_pitch, columns, column, before, outside, line);
    if (inside > 0) {
        tml_line_inside_i8(x + (column + 2 * before) * col_pitch, col_pitch, inside,
                           line + 4 * before);
    } else {
        inside = 0;
    }
    before += inside;
    tml_line_plain_i8(x, col_pitch, columns, column + 2 * before, n - before, outside,
                      line + 4 * before);
}

#endif
