/* SPDX-License-Identifier: 0BSD */
/* Inputs of two pixels as the pairs of int16 that the blocks of AB words multiply. */
#ifndef TML_AB_EXPAND_I8_H
#define TML_AB_EXPAND_I8_H

#include "tml_ab_block.h"

/* Runs of n inputs, one every `step` bytes. */
struct tml_ab_runs {
    size_t n;
    ptrdiff_t step;
    size_t count;
};

/* Where the inputs of a pixel and of its partner are read, and their pairs are written. */
struct tml_ab_at {
    const int8_t *x0;
    const int8_t *x1;
    uint32_t *pairs;
};

/* Of each 4 inputs the pairs are (0, 2) and (1, 3), as SXTB16 gives them. */
TML_INLINE struct tml_ab_at tml_ab_expand_4_i8(struct tml_ab_at at)
{
    uint32_t bytes0 = tml_load_bytes(at.x0);
    uint32_t bytes1 = tml_load_bytes(at.x1);
    at.pairs[0] = tml_sxtb16(bytes0);
    at.pairs[1] = tml_sxtb16(bytes1);
    at.pairs[2] = tml_sxtb16_odd(bytes0);
    at.pairs[3] = tml_sxtb16_odd(bytes1);
    return (struct tml_ab_at){at.x0 + 4, at.x1 + 4, at.pairs + 4};
}

/* eights: 1.. */
TML_INLINE struct tml_ab_at tml_ab_expand_eights_i8(struct tml_ab_at at, size_t eights)
{
#if TML_HAVE_DSP
    uint32_t a, b, c, d;
    __asm__ volatile("1:\n"
                     "ldr %[a], [%[x0]]\n"
                     "ldr %[b], [%[x1]]\n"
                     "ldr %[c], [%[x0], #4]\n"
                     "ldr %[d], [%[x1], #4]\n"
                     "add %[x0], %[x0], #8\n"
                     "add %[x1], %[x1], #8\n"
                     "subs %[eights], %[eights], #1\n"
                     "sxtb16 r12, %[a]\n"
                     "sxtb16 %[a], %[a], ror #8\n"
                     "str r12, [%[pairs]], #32\n"
                     "str %[a], [%[pairs], #-24]\n"
                     "sxtb16 r12, %[b]\n"
                     "sxtb16 %[b], %[b], ror #8\n"
                     "str r12, [%[pairs], #-28]\n"
                     "str %[b], [%[pairs], #-20]\n"
                     "sxtb16 r12, %[c]\n"
                     "sxtb16 %[c], %[c], ror #8\n"
                     "str r12, [%[pairs], #-16]\n"
                     "str %[c], [%[pairs], #-8]\n"
                     "sxtb16 r12, %[d]\n"
                     "sxtb16 %[d], %[d], ror #8\n"
                     "str r12, [%[pairs], #-12]\n"
                     "str %[d], [%[pairs], #-4]\n"
                     "bne 1b\n"
                     : [x0] "+r"(at.x0), [x1] "+r"(at.x1), [pairs] "+r"(at.pairs),
                       [eights] "+r"(eights), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)
                     :
                     : "r12", "memory", "cc");
#else
    for (; eights > 0U; eights--) {
        at = tml_ab_expand_4_i8(tml_ab_expand_4_i8(at));
    }
#endif
    return at;
}

/* Rows of 9 inputs, the kernel rows of a first layer on colours. count: 1.. */
TML_INLINE struct tml_ab_at tml_ab_expand_nines_i8(struct tml_ab_at at, ptrdiff_t step,
                                                   size_t count)
{
#if TML_HAVE_DSP
    uint32_t a, b, c, d, e, f;
    __asm__ volatile(
        "1:\n"
        "ldr %[a], [%[x0]]\n"
        "ldr %[b], [%[x1]]\n"
        "ldr %[c], [%[x0], #4]\n"
        "ldr %[d], [%[x1], #4]\n"
        "ldr %[e], [%[x0], #8]\n"
        "ldr %[f], [%[x1], #8]\n"
        "add %[x0], %[x0], %[step]\n"
        "add %[x1], %[x1], %[step]\n"
        "subs %[count], %[count], #1\n"
        "sxtb16 r12, %[a]\n"
        "sxtb16 %[a], %[a], ror #8\n"
        "str r12, [%[pairs]], #40\n"
        "str %[a], [%[pairs], #-32]\n"
        "sxtb16 r12, %[b]\n"
        "sxtb16 %[b], %[b], ror #8\n"
        "str r12, [%[pairs], #-36]\n"
        "str %[b], [%[pairs], #-28]\n"
        "sxtb16 r12, %[c]\n"
        "sxtb16 %[c], %[c], ror #8\n"
        "str r12, [%[pairs], #-24]\n"
        "str %[c], [%[pairs], #-16]\n"
        "sxtb16 r12, %[d]\n"
        "sxtb16 %[d], %[d], ror #8\n"
        "str r12, [%[pairs], #-20]\n"
        "str %[d], [%[pairs], #-12]\n"
        "sxtb16 %[e], %[e]\n"
        "sxtb16 %[f], %[f]\n"
        "str %[e], [%[pairs], #-8]\n"
        "str %[f], [%[pairs], #-4]\n"
        "bne 1b\n"
        : [x0] "+r"(at.x0), [x1] "+r"(at.x1), [pairs] "+r"(at.pairs), [count] "+r"(count),
          [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f)
        : [step] "r"(step)
        : "r12", "memory", "cc");
#else
    for (; count > 0U; count--) {
        struct tml_ab_at rest = tml_ab_expand_4_i8(tml_ab_expand_4_i8(at));
        rest.pairs[0] = tml_sxtb16(tml_load_bytes(rest.x0));
        rest.pairs[1] = tml_sxtb16(tml_load_bytes(rest.x1));
        at = (struct tml_ab_at){at.x0 + step, at.x1 + step, rest.pairs + 2};
    }
#endif
    return at;
}

/* The last 1..3 inputs, of a whole word: those behind them meet weights of 0. Two are a pair, of
 * three the pairs are (0, 2) and the middle one. */
TML_INLINE struct tml_ab_at tml_ab_expand_rest_i8(struct tml_ab_at at, size_t rest)
{
    uint32_t bytes0 = tml_load_bytes(at.x0);
    uint32_t bytes1 = tml_load_bytes(at.x1);
    uint32_t odd0 = tml_sxtb16_odd(bytes0);
    uint32_t odd1 = tml_sxtb16_odd(bytes1);
    at.pairs[0] = tml_sxtb16(bytes0);
    at.pairs[1] = tml_sxtb16(bytes1);
    if (rest == 2U) {
        at.pairs[0] = tml_lows(at.pairs[0], odd0);
        at.pairs[1] = tml_lows(at.pairs[1], odd1);
    }
    if (rest == 3U) {
        at.pairs[2] = odd0;
        at.pairs[3] = odd1;
        at.pairs += 2;
    }
    return (struct tml_ab_at){at.x0 + rest, at.x1 + rest, at.pairs + 2};
}

/* How far beyond a run of n its inputs are read. */
TML_INLINE int_fast16_t tml_ab_beyond(int_fast16_t n)
{
    return (4 - n % 4) % 4;
}

/*
 * The runs of a pixel from x0 and of its partner from x1, and tml_ab_beyond(n) bytes behind each.
 * pairs: for each run [n / 2 rounded up][2] words, of the first pixel and of the second
 * Returns the place behind the last pair.
 */
TML_AB_LOOPS uint32_t *tml_ab_expand_i8(const struct tml_ab_runs *runs, const int8_t *x0,
                                        const int8_t *x1, uint32_t *pairs)
{
    struct tml_ab_at at = {x0, x1, pairs};
    size_t n = runs->n;
    size_t eights = n / 8U;
    ptrdiff_t gap = runs->step - (ptrdiff_t)n;
    if (n == 9U) {
        return tml_ab_expand_nines_i8(at, runs->step, runs->count).pairs;
    }
    for (size_t run = runs->count; run > 0U; run--) {
        if (eights > 0U) {
            at = tml_ab_expand_eights_i8(at, eights);
        }
        if (n % 8U >= 4U) {
            at = tml_ab_expand_4_i8(at);
        }
        if (n % 4U > 0U) {
            at = tml_ab_expand_rest_i8(at, n % 4U);
        }
        at.x0 += gap;
        at.x1 += gap;
    }
    return at.pairs;
}

/*
 * Overwrites input k of a run of n in pairs of the first pixel, for `count` runs of `words` words.
 * pairs + 1: the same of the second pixel.
 */
TML_SHARED void tml_ab_overwrite_i8(size_t n, size_t k, int32_t value, uint32_t *pairs,
                                    size_t count, size_t words)
{
    bool of_two = n % 4U == 2U && k >= n - 2U;
    size_t pair = of_two ? (n - 2U) / 2U : k / 4U * 2U + k % 2U;
    bool high = of_two ? k == n - 1U : k % 4U >= 2U;
    for (pairs += 2U * pair; count > 0U; count--) {
        *pairs = high ? tml_pair(tml_low(*pairs), value) : tml_pair(value, tml_high(*pairs));
        pairs += words;
    }
}

#endif
