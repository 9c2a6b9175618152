/* SPDX-License-Identifier: 0BSD */
/*
 * Sums of products of int16 inputs in blocks of 2 channels a, b and 1 or 2 pixels: sums += sum over
 * k of w[k] * x[k], two k a step.
 *
 * Weights lie in rom, block by block, step by step. int8: a0 b0 a1 b1, so that SXTB16 gives the
 * pair of a channel; the sums are proven to fit 32 bits, so that SMLAD makes them: a step of two
 * pixels takes 10 cycles for 8 products on Cortex-M4. int16: a0 a1 b0 b1; sums have 64 bits, by
 * SMLALD: 6 cycles for the 4 products of a pixel.
 */
#ifndef TML_WIDE_DOT_H
#define TML_WIDE_DOT_H

#include "../common/tml_dsp.h"

#if TML_HAVE_DSP
/* k: the step of a round. Loads in a row cost a cycle each and one for all. */
#    define TML_WIDE_STEP_2X2_I8(k)                                                                \
        "ldr %[x0], [%[x], #4*" #k "]\n"                                                           \
        "ldr %[x1], [%[y], #4*" #k "]\n"                                                           \
        "ldr %[a], [%[w], #4*" #k "]\n"                                                            \
        "sxtb16 %[b], %[a], ror #8\n"                                                              \
        "sxtb16 %[a], %[a]\n"                                                                      \
        "smlad %[s1], %[b], %[x0], %[s1]\n"                                                        \
        "smlad %[s3], %[b], %[x1], %[s3]\n"                                                        \
        "smlad %[s0], %[a], %[x0], %[s0]\n"                                                        \
        "smlad %[s2], %[a], %[x1], %[s2]\n"
#    define TML_WIDE_STEP_2X1_I8(k)                                                                \
        "ldr %[x0], [%[x], #4*" #k "]\n"                                                           \
        "ldr %[a], [%[w], #4*" #k "]\n"                                                            \
        "sxtb16 %[b], %[a], ror #8\n"                                                              \
        "sxtb16 %[a], %[a]\n"                                                                      \
        "smlad %[s1], %[b], %[x0], %[s1]\n"                                                        \
        "smlad %[s0], %[a], %[x0], %[s0]\n"
#    define TML_WIDE_STEP_2X1_I16(k)                                                               \
        "ldr %[x0], [%[x], #4*" #k "]\n"                                                           \
        "ldr %[a], [%[w], #8*" #k "]\n"                                                            \
        "ldr %[b], [%[w], #8*" #k "+4]\n"                                                          \
        "smlald %Q[s0], %R[s0], %[a], %[x0]\n"                                                     \
        "smlald %Q[s1], %R[s1], %[b], %[x0]\n"
#    define TML_WIDE_8(STEP) STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
#    define TML_WIDE_2X2(steps)                                                                    \
        __asm__(steps                                                                              \
                : [s0] "+r"(sums[0]), [s1] "+r"(sums[1]), [s2] "+r"(sums[2]), [s3] "+r"(sums[3]),  \
                  [x0] "=&r"(x0), [x1] "=&r"(x1), [a] "=&r"(a), [b] "=&r"(b)                       \
                : [x] "r"(x), [y] "r"(y), [w] "r"(w)                                               \
                : "memory")
#    define TML_WIDE_2X1(steps)                                                                    \
        __asm__(                                                                                   \
            steps                                                                                  \
            : [s0] "+r"(sums[0]), [s1] "+r"(sums[1]), [x0] "=&r"(x0), [a] "=&r"(a), [b] "=&r"(b)   \
            : [x] "r"(x), [w] "r"(w)                                                               \
            : "memory")
#endif

/* Two channels of one pixel. */
TML_INLINE void tml_wide_dot_2x1_i8(const int8_t *w, const int16_t *x, size_t steps,
                                    int32_t sums[2])
{
#if TML_HAVE_DSP
    uint32_t x0, a, b;
    for (; steps >= 8U; steps -= 8U) {
        TML_WIDE_2X1(TML_WIDE_8(TML_WIDE_STEP_2X1_I8));
        w += 32;
        x += 16;
    }
    for (; steps > 0U; steps--) {
        TML_WIDE_2X1(TML_WIDE_STEP_2X1_I8(0));
        w += 4;
        x += 2;
    }
#else
    for (; steps > 0U; steps--) {
        sums[0] += tml_rom_i8(w) * (int32_t)x[0] + tml_rom_i8(w + 2) * (int32_t)x[1];
        sums[1] += tml_rom_i8(w + 1) * (int32_t)x[0] + tml_rom_i8(w + 3) * (int32_t)x[1];
        w += 4;
        x += 2;
    }
#endif
}

#if !TML_HAVE_DSP
/* One channel of one pixel: a sum takes two registers. Weights are above -2^15, so that two
 * products fit an int32. */
TML_SHARED int64_t tml_wide_sum_i16(const int16_t *w, const int16_t *x, size_t steps)
{
    int64_t sum = 0;
    for (; steps > 0U; steps--) {
        sum += tml_rom_i16(w) * (int32_t)x[0] + tml_rom_i16(w + 1) * (int32_t)x[1];
        w += 4;
        x += 2;
    }
    return sum;
}
#endif

TML_INLINE void tml_wide_dot_2x1_i16(const int16_t *w, const int16_t *x, size_t steps,
                                     int64_t sums[2])
{
#if TML_HAVE_DSP
    uint32_t x0, a, b;
    for (; steps >= 8U; steps -= 8U) {
        TML_WIDE_2X1(TML_WIDE_8(TML_WIDE_STEP_2X1_I16));
        w += 32;
        x += 16;
    }
    for (; steps > 0U; steps--) {
        TML_WIDE_2X1(TML_WIDE_STEP_2X1_I16(0));
        w += 4;
        x += 2;
    }
#else
    sums[0] += tml_wide_sum_i16(w, x, steps);
    sums[1] += tml_wide_sum_i16(w + 2, x, steps);
#endif
}

/* Two channels of two pixels; sums[2] and sums[3] are of the one at y. */
TML_INLINE void tml_wide_dot_2x2_i8(const int8_t *w, const int16_t *x, const int16_t *y,
                                    size_t steps, int32_t sums[4])
{
#if TML_HAVE_DSP
    uint32_t x0, x1, a, b;
    for (; steps >= 8U; steps -= 8U) {
        TML_WIDE_2X2(TML_WIDE_8(TML_WIDE_STEP_2X2_I8));
        w += 32;
        x += 16;
        y += 16;
    }
    for (; steps > 0U; steps--) {
        TML_WIDE_2X2(TML_WIDE_STEP_2X2_I8(0));
        w += 4;
        x += 2;
        y += 2;
    }
#else
    tml_wide_dot_2x1_i8(w, x, steps, sums);
    tml_wide_dot_2x1_i8(w, y, steps, sums + 2);
#endif
}

#endif
