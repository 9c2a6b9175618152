/* SPDX-License-Identifier: 0BSD */
/*
 * AB words: two output channels in one multiply. A word of weights holds, for two inputs k0 and k1,
 * the halfwords 256 * a[k] + b[k] of channels A and B, so that T += SMLAD(word, x) sums 256 * A + B
 * while flash stays at a byte a weight. SXTB16 turns the word into the b alone, B += SMLAD(b, x),
 * and at the end A = (T - B) >> 8: exact modulo 2^32 while |A| < 2^23. One unpacking serves two
 * channels and two pixels, which leaves 15 cycles for 16 products on Cortex-M4.
 *
 * The compiler proves: 256 * a + b fits int16, |A| < 2^23, and |requantised result| < 2^15.
 */
#ifndef TML_AB_4X2_I8_H
#define TML_AB_4X2_I8_H

#include "../common/tml_dsp.h"

/* Words of a block of 4 channels beside its weights: 4 biases before them, 4 multipliers behind. */
#define TML_AB_4X2_EXTRA 8

struct tml_ab_4x2 {
    size_t steps;         /* pairs of inputs: 1.. */
    size_t blocks;        /* blocks of 4 output channels: 1.. */
    int32_t y_zero_point; /* -128..127 */
};

/*
 * x: [steps][2] words, a pair of inputs of pixel 0, then of pixel 1
 * weights (rom): for each block { 256 * bias0 + bias1, 256 * bias2 + bias3, bias1, bias3,
 *     [steps][2] AB words of channels 0, 1 and 2, 3, multiplier0, 1, 2, 3 }
 * y0, y1: [4 * blocks] channels of the two pixels, at any address
 */
#if TML_HAVE_DSP_BLOCKS
/* One step: 4 loads in a row cost 5 cycles, the rest one each. Every step is 56 bytes long. */
#    define TML_AB_STEP(offset)                                                                    \
        "ldr.w %[x0], [%[in], #" #offset "]\n"                                                     \
        "ldr.w %[x1], [%[in], #" #offset "+4]\n"                                                   \
        "ldr.w %[wa], [%[w], #" #offset "]\n"                                                      \
        "ldr.w %[wb], [%[w], #" #offset "+4]\n"                                                    \
        "smlad %[t0], %[wa], %[x0], %[t0]\n"                                                       \
        "smlad %[t1], %[wa], %[x1], %[t1]\n"                                                       \
        "sxtb16 %[wa], %[wa]\n"                                                                    \
        "smlad %[t2], %[wb], %[x0], %[t2]\n"                                                       \
        "smlad %[t3], %[wb], %[x1], %[t3]\n"                                                       \
        "sxtb16 %[wb], %[wb]\n"                                                                    \
        "smlad %[b0], %[wa], %[x0], %[b0]\n"                                                       \
        "smlad %[b1], %[wa], %[x1], %[b1]\n"                                                       \
        "smlad %[b2], %[wb], %[x0], %[b2]\n"                                                       \
        "smlad %[b3], %[wb], %[x1], %[b3]\n"
#    define TML_AB_STEP_BYTES 56U
#    define TML_AB_8_STEPS(offset)                                                                 \
        TML_AB_STEP(offset + 0)                                                                    \
        TML_AB_STEP(offset + 8)                                                                    \
        TML_AB_STEP(offset + 16)                                                                   \
        TML_AB_STEP(offset + 24)                                                                   \
        TML_AB_STEP(offset + 32)                                                                   \
        TML_AB_STEP(offset + 40)                                                                   \
        TML_AB_STEP(offset + 48)                                                                   \
        TML_AB_STEP(offset + 56)

/* A round of 8 steps stays in a flash cache of 1 KB; one of 32 saves 6 cycles in 8 steps. */
#    if defined(TML_INLINE_KERNELS) && TML_INLINE_KERNELS
#        define TML_AB_STEPS_A_ROUND 32U
#        define TML_AB_ROUND                                                                       \
            TML_AB_8_STEPS(0) TML_AB_8_STEPS(64) TML_AB_8_STEPS(128) TML_AB_8_STEPS(192)
#        define TML_AB_ROUND_BYTES "256"
#    else
#        define TML_AB_STEPS_A_ROUND 8U
#        define TML_AB_ROUND TML_AB_8_STEPS(0)
#        define TML_AB_ROUND_BYTES "64"
#    endif

TML_SHARED TML_ALL_REGISTERS void tml_ab_4x2_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                                const int32_t *weights, int8_t *y0, int8_t *y1)
{
    /* A round of the loop is entered in its middle, so that the last one is whole. Operands in memory
     * are read when registers are free: 8 sums, 4 operands and 2 pointers take them all. */
    uint32_t skipped = (0U - (uint32_t)p->steps) % TML_AB_STEPS_A_ROUND;
    uint32_t entry = TML_AB_STEP_BYTES * skipped; /* then the address to jump to */
    uint32_t back = 8U * skipped;
    uint32_t x_first = (uint32_t)x - back;
    uint32_t x_end = (uint32_t)(x + 2U * p->steps);
    uint32_t w_end = (uint32_t)(weights + p->blocks * (2U * p->steps + TML_AB_4X2_EXTRA));
    uint32_t y_step = (uint32_t)y1 - (uint32_t)y0;
    int32_t zero_point = p->y_zero_point + 128; /* results are unsigned until they are stored */
    uint32_t in, x0, x1, wa, wb, t0, t1, t2, t3, b0, b1, b2, b3;
    __asm__ volatile(
        "ldr %[x0], %[entry]\n"
        "adr.w %[wa], 2f + 1\n"
        "add %[wa], %[wa], %[x0]\n"
        "str %[wa], %[entry]\n"
        "1:\n"
        "ldr %[t0], [%[w]]\n"
        "ldr %[t2], [%[w], #4]\n"
        "ldr %[b0], [%[w], #8]\n"
        "ldr %[b2], [%[w], #12]\n"
        "ldr %[x0], %[back]\n"
        "ldr %[wa], %[entry]\n"
        "ldr %[in], %[x_first]\n"
        "adds %[w], #16\n"
        "mov %[t1], %[t0]\n"
        "mov %[t3], %[t2]\n"
        "mov %[b1], %[b0]\n"
        "mov %[b3], %[b2]\n"
        "sub %[w], %[w], %[x0]\n"
        "bx %[wa]\n"
        ".balign 4\n"
        "2:\n"
        TML_AB_ROUND
        "ldr %[x0], %[x_end]\n"
        "add.w %[in], %[in], #" TML_AB_ROUND_BYTES "\n"
        "add.w %[w], %[w], #" TML_AB_ROUND_BYTES "\n"
        "cmp %[in], %[x0]\n"
        "bne 2b\n"
        /* A = (T - B) >> 8 */
        "sub %[t0], %[t0], %[b0]\n"
        "sub %[t1], %[t1], %[b1]\n"
        "sub %[t2], %[t2], %[b2]\n"
        "sub %[t3], %[t3], %[b3]\n"
        "ldr %[x0], [%[w]]\n"
        "ldr %[x1], [%[w], #4]\n"
        "ldr %[wa], [%[w], #8]\n"
        "ldr %[wb], %[zero_point]\n"
        "asr %[t0], %[t0], #8\n"
        "asr %[t1], %[t1], #8\n"
        "asr %[t2], %[t2], #8\n"
        "asr %[t3], %[t3], #8\n"
        /* zero point + floor(acc * m / 2^32 + 1/2) in one instruction */
        "smmlar %[t0], %[t0], %[x0], %[wb]\n"
        "smmlar %[t1], %[t1], %[x0], %[wb]\n"
        "smmlar %[b0], %[b0], %[x1], %[wb]\n"
        "smmlar %[b1], %[b1], %[x1], %[wb]\n"
        "ldr %[x0], [%[w], #12]\n"
        "ldr %[x1], %[y]\n"
        "ldr %[in], %[y_step]\n"
        "smmlar %[t2], %[t2], %[wa], %[wb]\n"
        "smmlar %[t3], %[t3], %[wa], %[wb]\n"
        "smmlar %[b2], %[b2], %[x0], %[wb]\n"
        "smmlar %[b3], %[b3], %[x0], %[wb]\n"
        /* four bytes a pixel: channels 0 and 2 in t, 1 and 3 in b */
        "pkhbt %[t0], %[t0], %[t2], lsl #16\n"
        "pkhbt %[b0], %[b0], %[b2], lsl #16\n"
        "pkhbt %[t1], %[t1], %[t3], lsl #16\n"
        "pkhbt %[b1], %[b1], %[b3], lsl #16\n"
        "usat16 %[t0], #8, %[t0]\n"
        "usat16 %[b0], #8, %[b0]\n"
        "usat16 %[t1], #8, %[t1]\n"
        "usat16 %[b1], #8, %[b1]\n"
        "orr %[t0], %[t0], %[b0], lsl #8\n"
        "orr %[t1], %[t1], %[b1], lsl #8\n"
        "eor %[t0], %[t0], #0x80808080\n"
        "eor %[t1], %[t1], #0x80808080\n"
        "str %[t1], [%[x1], %[in]]\n"
        "str %[t0], [%[x1]], #4\n"
        "adds %[w], #16\n"
        "str %[x1], %[y]\n"
        "ldr %[x0], %[w_end]\n"
        "cmp %[w], %[x0]\n"
        "bne 1b\n"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [b0] "=&r"(b0),
          [b1] "=&r"(b1), [b2] "=&r"(b2), [b3] "=&r"(b3), [x0] "=&r"(x0), [x1] "=&r"(x1),
          [wa] "=&r"(wa), [wb] "=&r"(wb), [in] "=&r"(in), [w] "+r"(weights), [y] "+m"(y0), [entry] "+m"(entry)
        : [x_first] "m"(x_first), [x_end] "m"(x_end), [back] "m"(back), [zero_point] "m"(zero_point), [y_step] "m"(y_step), [w_end] "m"(w_end)
        : "memory", "cc");
}
#else
/* A pair of channels of one pixel. sums: 256 * A + B and B; y: at channel A. */
TML_INLINE void tml_ab_output_i8(const struct tml_ab_4x2 *p, uint32_t t, uint32_t b,
                                 const int32_t *multiplier, int8_t *y)
{
    int32_t acc_a = (int32_t)(t - b) >> 8;
    int32_t acc_b = (int32_t)b;
    y[0] = tml_saturate_i8(p->y_zero_point + tml_requantize(acc_a, tml_rom_i32(multiplier)));
    y[1] = tml_saturate_i8(p->y_zero_point + tml_requantize(acc_b, tml_rom_i32(multiplier + 1)));
}

TML_SHARED void tml_ab_4x2_i8(const struct tml_ab_4x2 *p, const uint32_t *x, const int32_t *weights,
                              int8_t *y0, int8_t *y1)
{
    for (size_t block = 0U; block < p->blocks; block++) {
        const int32_t *w = weights + 4;
        const int32_t *multiplier = w + 2U * p->steps;
        for (size_t pair = 0U; pair < 2U; pair++) {
            uint32_t t0 = (uint32_t)tml_rom_i32(weights + pair);
            uint32_t b0 = (uint32_t)tml_rom_i32(weights + 2U + pair);
            uint32_t t1 = t0;
            uint32_t b1 = b0;
            for (size_t s = 0U; s < p->steps; s++) {
                uint32_t ab = (uint32_t)tml_rom_i32(w + 2U * s + pair);
                uint32_t b = tml_sxtb16(ab);
                t0 = tml_smlad(ab, x[2U * s], t0);
                t1 = tml_smlad(ab, x[2U * s + 1U], t1);
                b0 = tml_smlad(b, x[2U * s], b0);
                b1 = tml_smlad(b, x[2U * s + 1U], b1);
            }
            tml_ab_output_i8(p, t0, b0, multiplier + 2U * pair, y0 + 2U * pair);
            tml_ab_output_i8(p, t1, b1, multiplier + 2U * pair, y1 + 2U * pair);
        }
        weights = multiplier + 4;
        y0 += 4;
        y1 += 4;
    }
}
#endif

#endif
