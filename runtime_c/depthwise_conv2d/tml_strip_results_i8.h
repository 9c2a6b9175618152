/* SPDX-License-Identifier: 0BSD */
/*
 * Results of depthwise windows in scratch to an image: a word holds two results of one channel, for
 * two neighbouring columns of y, each 16 bits wide and still without zero point.
 */
#ifndef TML_STRIP_RESULTS_I8_H
#define TML_STRIP_RESULTS_I8_H

#include "../common/tml_dsp.h"

/* Where results go. */
struct tml_strip_results {
    ptrdiff_t pitch;     /* elements of y from word to word of a channel */
    ptrdiff_t col_pitch; /* elements of y from the first result of a word to the second */
    size_t step;         /* bytes of scratch from word to word of a channel */
    int32_t zero_point;  /* -128..127 */
};

/*
 * n words of each of 4 channels, the channels 8 bytes apart, or 4 with _dense. Without `both` only
 * the first results are wanted. y: at the first of the channels
 */
#if TML_HAVE_DSP_BLOCKS
/* Four words of two results to two words of four channels, unsigned until they are stored. */
#    define TML_STRIP_SCATTER(at1, at2, at3)                                                       \
        "ldr %[a], [%[words]]\n"                                                                   \
        "ldr %[b], [%[words], #" at1 "]\n"                                                         \
        "ldr %[c], [%[words], #" at2 "]\n"                                                         \
        "ldr %[d], [%[words], #" at3 "]\n"                                                         \
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
        "add %[words], %[words], %[step]\n"
/* Two words a round, an odd one first. */
#    define TML_STRIP_SCATTER_LOOP(at1, at2, at3)                                                  \
        uint32_t zero = tml_pair(p->zero_point + 128, p->zero_point + 128);                        \
        ptrdiff_t second = both ? p->col_pitch : 0; /* stored first, then overwritten */           \
        uint32_t v0, v1, v2, v3, t, u;                                                             \
        __asm__ volatile(                                                                          \
            "lsrs %[n], %[n], #1\n"                                                                \
            "bcs 2f\n"                                                                             \
            "1:\n"                                                                                 \
            TML_STRIP_SCATTER(at1, at2, at3)                                                       \
            "subs %[n], #1\n"                                                                      \
            "2:\n"                                                                                 \
            TML_STRIP_SCATTER(at1, at2, at3)                                                       \
            "bne 1b\n"                                                                             \
            : [words] "+l"(words), [n] "+l"(n), [y] "+r"(y), [a] "=&r"(v0), [b] "=&r"(v1),         \
              [c] "=&r"(v2), [d] "=&r"(v3), [t] "=&r"(t), [u] "=&r"(u)                             \
            : [zero] "l"(zero), [second] "r"(second), [pitch] "r"(p->pitch), [step] "r"(p->step)   \
            : "memory", "cc")

TML_SHARED TML_ALL_REGISTERS void tml_strip_scatter_i8(const struct tml_strip_results *p,
                                                       const uint32_t *words, int_fast16_t n,
                                                       bool both, int8_t *y)
{
    TML_STRIP_SCATTER_LOOP("8", "16", "24");
}

TML_SHARED TML_ALL_REGISTERS void tml_strip_scatter_dense_i8(const struct tml_strip_results *p,
                                                             const uint32_t *words, int_fast16_t n,
                                                             bool both, int8_t *y)
{
    TML_STRIP_SCATTER_LOOP("4", "8", "12");
}
#else
TML_INLINE void tml_strip_scatter_plain_i8(const struct tml_strip_results *p, const uint32_t *words,
                                           int_fast16_t apart, int_fast16_t n, bool both, int8_t *y)
{
    for (; n > 0; n--) {
        for (int_fast16_t c = 0; c < 4; c++) {
            uint32_t word = words[apart * c];
            y[c] = tml_saturate_i8(tml_low(word) + p->zero_point);
            if (both) {
                y[p->col_pitch + c] = tml_saturate_i8(tml_high(word) + p->zero_point);
            }
        }
        words += p->step / 4U;
        y += p->pitch;
    }
}

TML_SHARED void tml_strip_scatter_i8(const struct tml_strip_results *p, const uint32_t *words,
                                     int_fast16_t n, bool both, int8_t *y)
{
    tml_strip_scatter_plain_i8(p, words, 2, n, both, y);
}

TML_SHARED void tml_strip_scatter_dense_i8(const struct tml_strip_results *p, const uint32_t *words,
                                           int_fast16_t n, bool both, int8_t *y)
{
    tml_strip_scatter_plain_i8(p, words, 1, n, both, y);
}
#endif

#endif
