/* SPDX-License-Identifier: 0BSD */
/*
 * Nibbles for one vector on cores with dual multiplies: within a group of inputs the weights of a
 * channel are m * q, q: -8..7. A q is multiplied where it stands, in the upper four bits of a half
 * word after a shift that costs nothing: sums are 2^12 times what they should be.
 *
 * A block of 4 channels is groups one behind the other: a word with the number of eights of inputs,
 * 1..63, one with the m of each channel, 1..127, channel 0 lowest, then for each 8 inputs a word of
 * each channel: q of inputs 0 to 3 in its low half, of 4 to 7 in its high half, the first one
 * lowest.
 */
#ifndef TML_NIBBLES_DSP_I8_H
#define TML_NIBBLES_DSP_I8_H

#include "../common/tml_dsp.h"

/* x: [n], as pairs of inputs j and j + 4 of each 8, j: 3, 2, 1, 0; inputs beyond n are 0. */
TML_INLINE void tml_nibbles_expand_i8(const int8_t *x, size_t n, uint32_t *pairs)
{
    for (size_t k = 0U; k < n; k += 8U) {
        int8_t eight[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        tml_copy(eight, x + k, n - k < 8U ? n - k : 8U);
        for (size_t j = 0U; j < 4U; j++) {
            pairs[j] = tml_pair(eight[3U - j], eight[7U - j]);
        }
        pairs += 4;
    }
}

/* 4 channels of eights of inputs. s: sums, 2^12 times too large; mask: 0xF000F000 */
#if TML_HAVE_DSP
#    define TML_NIBBLES_CHANNEL(s)                                                                 \
        "and %[t], %[mask], %[w]\n"                                                                \
        "smlad %[" #s "], %[t], %[x0], %[" #s "]\n"                                                \
        "and %[t], %[mask], %[w], lsl #4\n"                                                        \
        "smlad %[" #s "], %[t], %[x1], %[" #s "]\n"                                                \
        "and %[t], %[mask], %[w], lsl #8\n"                                                        \
        "smlad %[" #s "], %[t], %[x2], %[" #s "]\n"                                                \
        "and %[t], %[mask], %[w], lsl #12\n"                                                       \
        "smlad %[" #s "], %[t], %[x3], %[" #s "]\n"

TML_INLINE void tml_nibbles_group_dsp(const uint32_t *w, const uint32_t *x, size_t n,
                                      uint32_t s[TML_RESTRICT 4])
{
    const uint32_t *end = w + 4U * n;
    uint32_t s0 = 0U;
    uint32_t s1 = 0U;
    uint32_t s2 = 0U;
    uint32_t s3 = 0U;
    while (w < end) {
        uint32_t word;
        uint32_t t;
        uint32_t x0;
        uint32_t x1;
        uint32_t x2;
        uint32_t x3;
        __asm__ volatile("ldr %[w], [%[from]], #16\n"
                         "ldr %[x0], [%[at]], #16\n"
                         "ldr %[x1], [%[at], #-12]\n"
                         "ldr %[x2], [%[at], #-8]\n"
                         "ldr %[x3], [%[at], #-4]\n" TML_NIBBLES_CHANNEL(
                             s0) "ldr %[w], [%[from], "
                                 "#-12]\n" TML_NIBBLES_CHANNEL(
                                     s1) "ldr %[w], [%[from], "
                                         "#-8]"
                                         "\n" TML_NIBBLES_CHANNEL(s2) "ldr %[w], "
                                                                      "[%[from], "
                                                                      "#-4]"
                                                                      "\n" TML_NIBBLES_CHANNEL(s3)
                         : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3),
                           [from] "+r"(w), [at] "+r"(x), [w] "=&r"(word), [t] "=&r"(t),
                           [x0] "=&r"(x0), [x1] "=&r"(x1), [x2] "=&r"(x2), [x3] "=&r"(x3)
                         : [mask] "r"(0xF000F000U)
                         : "memory");
    }
    s[0] = s0;
    s[1] = s1;
    s[2] = s2;
    s[3] = s3;
}
#else
TML_INLINE void tml_nibbles_group_dsp(const uint32_t *w, const uint32_t *x, size_t n,
                                      uint32_t s[TML_RESTRICT 4])
{
    for (size_t c = 0U; c < 4U; c++) {
        s[c] = 0U;
        for (size_t k = 0U; k < 4U * n; k++) {
            uint32_t q = tml_rom_u32(w + k / 4U * 4U + c) << 4U * (k % 4U) & 0xF000F000U;
            s[c] = tml_smlad(q, x[k], s[c]);
        }
    }
}
#endif

/* acc[c] += channel c. steps: eights of inputs. Returns the next block. */
TML_SHARED const uint32_t *tml_nibbles_block_dsp(const uint32_t *w, const uint32_t *x, size_t steps,
                                                 int32_t acc[4])
{
    while (steps > 0U) {
        uint32_t sum[4];
        size_t n = (size_t)tml_rom_u32(w);
        uint32_t m = tml_rom_u32(w + 1);
        tml_nibbles_group_dsp(w + 2, x, n, sum);
        acc[0] += (int32_t)(m & 0xFFU) * ((int32_t)sum[0] >> 12);
        acc[1] += (int32_t)(m >> 8 & 0xFFU) * ((int32_t)sum[1] >> 12);
        acc[2] += (int32_t)(m >> 16 & 0xFFU) * ((int32_t)sum[2] >> 12);
        acc[3] += (int32_t)(m >> 24) * ((int32_t)sum[3] >> 12);
        w += 2U + 4U * n;
        x += 4U * n;
        steps -= n;
    }
    return w;
}

#endif
