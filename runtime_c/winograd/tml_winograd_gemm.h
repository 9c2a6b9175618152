/* SPDX-License-Identifier: 0BSD */
/*
 * The products of Winograd's algorithm (tml_winograd_input_i8.h): for 4 output channels and 2
 * tiles, at each of the 36 positions, the sum over the input channels of U * V, modulo 2^32. A step
 * is a pair of channels in a word: 16 cycles for 16 products on Cortex-M4.
 */
#ifndef TML_WINOGRAD_GEMM_H
#define TML_WINOGRAD_GEMM_H

#include "../common/tml_dsp.h"

/* Words of U of a block of 4 channels, and of V of two tiles, for each step. */
#define TML_WINOGRAD_U_WORDS 144
#define TML_WINOGRAD_V_WORDS 72
/* Words of the sums. */
#define TML_WINOGRAD_SUMS 288

/*
 * steps: 2..
 * v: [2 halves][steps][18 positions][2 tiles] words
 * u (rom): [36 positions][steps][4 channels] words; of the steps the last comes first
 * sums: [36 positions][2 tiles][4 channels]
 */
#if TML_HAVE_DSP_BLOCKS
/* 4 channels, 2 tiles; loads of a group in a row cost a cycle each and one for the group. */
#    define TML_WINOGRAD_PRODUCTS(in_at, w_at, first, second)                                      \
        "ldr.w %[x0], [%[in], #" in_at "]\n"                                                       \
        "ldr.w %[x1], [%[in], #" in_at "+4]\n"                                                     \
        "ldr.w %[wa], [%[w], #" w_at "]\n"                                                         \
        "ldr.w %[wb], [%[w], #" w_at "+4]\n"                                                       \
        first                                                                                      \
        "ldr.w %[wa], [%[w], #" w_at "+8]\n"                                                       \
        "ldr.w %[wb], [%[w], #" w_at "+12]\n"                                                      \
        second
/* Every step is 56 bytes long. */
#    define TML_WINOGRAD_STEP(s)                                                                   \
        TML_WINOGRAD_PRODUCTS("144*" #s, "16*" #s,                                                 \
                              "smlad %[s0], %[wa], %[x0], %[s0]\n"                                 \
                              "smlad %[t0], %[wa], %[x1], %[t0]\n"                                 \
                              "smlad %[s1], %[wb], %[x0], %[s1]\n"                                 \
                              "smlad %[t1], %[wb], %[x1], %[t1]\n",                                \
                              "smlad %[s2], %[wa], %[x0], %[s2]\n"                                 \
                              "smlad %[t2], %[wa], %[x1], %[t2]\n"                                 \
                              "smlad %[s3], %[wb], %[x0], %[s3]\n"                                 \
                              "smlad %[t3], %[wb], %[x1], %[t3]\n")
#    define TML_WINOGRAD_FIRST_STEP                                                                \
        TML_WINOGRAD_PRODUCTS("144*16+8", "16*16",                                                 \
                              "smuad %[s0], %[wa], %[x0]\n"                                        \
                              "smuad %[t0], %[wa], %[x1]\n"                                        \
                              "smuad %[s1], %[wb], %[x0]\n"                                        \
                              "smuad %[t1], %[wb], %[x1]\n",                                       \
                              "smuad %[s2], %[wa], %[x0]\n"                                        \
                              "smuad %[t2], %[wa], %[x1]\n"                                        \
                              "smuad %[s3], %[wb], %[x0]\n"                                        \
                              "smuad %[t3], %[wb], %[x1]\n")
#    define TML_WINOGRAD_STEP_BYTES 56U
#    define TML_WINOGRAD_STEPS_A_ROUND 16U

/*
 * A position takes a first step, which needs no sums to add to, then rounds of 16 steps, entered in
 * the middle so that the last round is whole. The first step is the one last in memory: after the
 * last round of a position `in` is 16 steps before it, but for the 8 bytes of a position, and
 * `w` is 16 steps before the weights of the next position. V comes in halves of 18 positions so
 * that 16 steps are within reach of an offset.
 */
TML_SHARED TML_ALL_REGISTERS void tml_winograd_gemm(size_t steps, const uint32_t *v,
                                                    const int32_t *u, int32_t *sums)
{
    uint32_t after_first = (uint32_t)steps - 1U;
    uint32_t rounds = (after_first + TML_WINOGRAD_STEPS_A_ROUND - 1U) / TML_WINOGRAD_STEPS_A_ROUND;
    uint32_t skipped = rounds * TML_WINOGRAD_STEPS_A_ROUND - after_first;
    uint32_t in_step = 8U - (rounds - 1U) * 144U * TML_WINOGRAD_STEPS_A_ROUND;
    uint32_t w_step = 16U * (TML_WINOGRAD_STEPS_A_ROUND + 1U - skipped);
    uint32_t entry = TML_WINOGRAD_STEP_BYTES * skipped;
    /* `in` in the last round of the first position of a half */
    uint32_t last_round = (uint32_t)v + 144U * after_first - 144U * TML_WINOGRAD_STEPS_A_ROUND;
    uint32_t in = last_round - 8U;
    uint32_t w = (uint32_t)u - 16U * TML_WINOGRAD_STEPS_A_ROUND;
    uint32_t half = 144U * (uint32_t)steps;
    uint32_t halves = 2U;
    uint32_t x0, x1, wa, wb, s0, s1, s2, s3, t0, t1, t2, t3;
    __asm__ volatile(
        "adr %[x0], 1f + 1\n"
        "ldr %[x1], %[entry]\n"
        "add %[x0], %[x0], %[x1]\n"
        "str %[x0], %[entry]\n"
        "b 3f\n"
        ".balign 4\n"
        "1:\n" /* a round */
        TML_WINOGRAD_STEP(0) TML_WINOGRAD_STEP(1) TML_WINOGRAD_STEP(2) TML_WINOGRAD_STEP(3)
        TML_WINOGRAD_STEP(4) TML_WINOGRAD_STEP(5) TML_WINOGRAD_STEP(6) TML_WINOGRAD_STEP(7)
        TML_WINOGRAD_STEP(8) TML_WINOGRAD_STEP(9) TML_WINOGRAD_STEP(10) TML_WINOGRAD_STEP(11)
        TML_WINOGRAD_STEP(12) TML_WINOGRAD_STEP(13) TML_WINOGRAD_STEP(14) TML_WINOGRAD_STEP(15)
        "ldr %[x0], %[last_round]\n"
        "ldr %[wa], %[sums]\n"
        "cmp %[in], %[x0]\n"
        "blo 2f\n"
        "sub %[x0], %[in], %[x0]\n" /* 8 * position */
        "add %[wa], %[wa], %[x0], lsl #2\n"
        "cmp %[x0], #8*17\n"
        "str %[s0], [%[wa]]\n"
        "str %[s1], [%[wa], #4]\n"
        "str %[s2], [%[wa], #8]\n"
        "str %[s3], [%[wa], #12]\n"
        "str %[t0], [%[wa], #16]\n"
        "str %[t1], [%[wa], #20]\n"
        "str %[t2], [%[wa], #24]\n"
        "str %[t3], [%[wa], #28]\n"
        "beq 4f\n"
        "3:\n" /* the next position */
        TML_WINOGRAD_FIRST_STEP
        "ldr %[x0], %[in_step]\n"
        "ldr %[x1], %[w_step]\n"
        "ldr %[wa], %[entry]\n"
        "add %[in], %[in], %[x0]\n"
        "add %[w], %[w], %[x1]\n"
        "bx %[wa]\n"
        "2:\n" /* one more round */
        "add %[in], %[in], #144*16\n"
        "add %[w], %[w], #16*16\n"
        "b 1b\n"
        "4:\n" /* a half is done */
        "ldr %[x0], %[halves]\n"
        "ldr %[x1], %[last_round]\n"
        "ldr %[wa], %[half]\n"
        "ldr %[wb], %[sums]\n"
        "subs %[x0], #1\n"
        "add %[x1], %[x1], %[wa]\n"
        "add %[wb], %[wb], #32*18\n"
        "sub %[in], %[x1], #8\n"
        "str %[x0], %[halves]\n"
        "str %[x1], %[last_round]\n"
        "str %[wb], %[sums]\n"
        "bne 3b\n"
        : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [t0] "=&r"(t0),
          [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [x0] "=&r"(x0), [x1] "=&r"(x1),
          [wa] "=&r"(wa), [wb] "=&r"(wb), [in] "+&r"(in), [w] "+&r"(w), [entry] "+m"(entry),
          [last_round] "+m"(last_round), [sums] "+m"(sums), [halves] "+m"(halves)
        : [in_step] "m"(in_step), [w_step] "m"(w_step), [half] "m"(half)
        : "memory", "cc");
}
#else
TML_SHARED void tml_winograd_gemm(size_t steps, const uint32_t *v, const int32_t *u, int32_t *sums)
{
    for (size_t position = 0U; position < 36U; position++) {
        const uint32_t *in = v + position / 18U * 36U * steps + position % 18U * 2U;
        for (size_t i = 0U; i < 8U; i++) {
            size_t tile = i / 4U;
            const int32_t *w = u + i % 4U;
            uint32_t sum = tml_smlad((uint32_t)tml_rom_i32(w), in[36U * (steps - 1U) + tile], 0U);
            for (size_t s = 0U; s + 1U < steps; s++) {
                w += 4;
                sum = tml_smlad((uint32_t)tml_rom_i32(w), in[36U * s + tile], sum);
            }
            sums[i] = (int32_t)sum;
        }
        u += 4U * steps;
        sums += 8;
    }
}
#endif

#endif
