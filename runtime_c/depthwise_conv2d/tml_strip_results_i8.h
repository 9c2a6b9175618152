/* SPDX-License-Identifier: 0BSD */
/* Results of depthwise windows in scratch, two of each of 4 channels in a word, to rows of y. */
#ifndef TML_STRIP_RESULTS_I8_H
#define TML_STRIP_RESULTS_I8_H

#include "../common/tml_dsp.h"

/* Where results go: 4 channels of y. */
struct tml_strip_results {
    ptrdiff_t row_pitch;  /* elements */
    ptrdiff_t col_pitch;  /* elements */
    size_t slot_step;     /* bytes from result row to result row in scratch */
    int32_t zero_point;   /* -128..127 */
};

/*
 * The results of n rows, in e of each channel, to two columns of y, only the first of them without
 * `both`. A result is 16 bits wide and has no zero point yet.
 */
#if TML_HAVE_DSP_BLOCKS
/* Four words of two results to two words of four channels, unsigned until they are stored. */
#    define TML_STRIP_SCATTER                                                                      \
        "ldr %[a], [%[slots]]\n"                                                                   \
        "ldr %[b], [%[slots], #8]\n"                                                               \
        "ldr %[c], [%[slots], #16]\n"                                                              \
        "ldr %[d], [%[slots], #24]\n"                                                              \
        "pkhbt %[t], %[a], %[c], lsl #16\n"                                                        \
        "pkhbt %[u], %[b], %[d], lsl #16\n"                                                        \
        "pkhtb %[c], %[c], %[a], asr #16\n"                                                        \
        "pkhtb %[d], %[d], %[b], asr #16\n"                                                        \
        "cbz %[zero], 3f\n"                                                                        \
        "sadd16 %[t], %[t], %[zero]\n"                                                             \
        "sadd16 %[u], %[u], %[zero]\n"                                                             \
        "sadd16 %[c], %[c], %[zero]\n"                                                             \
        "sadd16 %[d], %[d], %[zero]\n"                                                             \
        "3:\n"                                                                                     \
        "usat16 %[t], #8, %[t]\n"                                                                  \
        "usat16 %[u], #8, %[u]\n"                                                                  \
        "usat16 %[c], #8, %[c]\n"                                                                  \
        "usat16 %[d], #8, %[d]\n"                                                                  \
        "orr %[t], %[t], %[u], lsl #8\n"                                                           \
        "orr %[c], %[c], %[d], lsl #8\n"                                                           \
        "eor %[t], %[t], #0x80808080\n"                                                            \
        "eor %[c], %[c], #0x80808080\n"                                                            \
        "str %[c], [%[y], %[second]]\n"                                                            \
        "str %[t], [%[y]]\n"                                                                       \
        "add %[y], %[y], %[pitch]\n"                                                               \
        "add %[slots], %[slots], %[step]\n"

TML_SHARED TML_ALL_REGISTERS void tml_strip_scatter_i8(const struct tml_strip_results *p,
                                                       const uint32_t *slots, int_fast16_t n,
                                                       bool both, int8_t *y)
{
    uint32_t zero = tml_pair(p->zero_point + 128, p->zero_point + 128);
    ptrdiff_t second = both ? p->col_pitch : 0; /* stored first, then overwritten */
    uint32_t a, b, c, d, t, u;
    __asm__ volatile(
        "lsrs %[n], %[n], #1\n"
        "bcs 2f\n" /* an odd row first */
        "1:\n"
        TML_STRIP_SCATTER
        "subs %[n], #1\n"
        "2:\n"
        TML_STRIP_SCATTER
        "bne 1b\n"
        : [slots] "+l"(slots), [n] "+l"(n), [y] "+r"(y), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
          [d] "=&r"(d), [t] "=&r"(t), [u] "=&r"(u)
        : [zero] "l"(zero), [second] "r"(second), [pitch] "r"(p->row_pitch), [step] "r"(p->slot_step)
        : "memory", "cc");
}
#else
TML_SHARED void tml_strip_scatter_i8(const struct tml_strip_results *p, const uint32_t *slots,
                                     int_fast16_t n, bool both, int8_t *y)
{
    for (; n > 0; n--) {
        for (int_fast16_t c = 0; c < 4; c++) {
            uint32_t result = slots[2 * c];
            y[c] = tml_saturate_i8(tml_low(result) + p->zero_point);
            if (both) {
                y[p->col_pitch + c] = tml_saturate_i8(tml_high(result) + p->zero_point);
            }
        }
        slots += p->slot_step / 4U;
        y += p->row_pitch;
    }
}
#endif

#endif
