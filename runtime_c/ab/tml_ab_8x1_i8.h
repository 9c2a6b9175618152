/* SPDX-License-Identifier: 0BSD */
/*
 * AB words (tml_ab_block.h) for a single pixel: 8 output channels at a time. An input serves four
 * words, so loads dominate: those of two steps are staggered over three groups, as far as four
 * operand registers go, which leaves 37 cycles for 32 products on Cortex-M4.
 */
#ifndef TML_AB_8X1_I8_H
#define TML_AB_8X1_I8_H

#include "tml_ab_registers.h"

/* Words of a block of 8 channels beside its weights: 8 biases before them, 8 multipliers behind. */
#define TML_AB_8X1_EXTRA 16

struct tml_ab_8x1 {
    size_t steps;         /* pairs of inputs: 2, 4, 6.. */
    size_t blocks;        /* blocks of 8 output channels: 1.. */
    int32_t y_zero_point; /* -128..127 */
};

/* n inputs, filled up with 0 to a multiple of 4, as pairs of int16: (0, 2) and (1, 3) of each 4. */
TML_INLINE void tml_ab_expand_vector_i8(const int8_t *x, size_t n, uint32_t *pairs)
{
    for (; n >= 4U; n -= 4U) {
        uint32_t bytes = tml_load_bytes(x);
        pairs[0] = tml_sxtb16(bytes);
        pairs[1] = tml_sxtb16_odd(bytes);
        x += 4;
        pairs += 2;
    }
    if (n > 0U) {
        pairs[0] = tml_pair(x[0], n > 2U ? x[2] : 0);
        pairs[1] = tml_pair(n > 1U ? x[1] : 0, 0);
    }
}

/*
 * x: [steps] words, a pair of inputs each
 * weights (rom): for each block { 256 * bias0 + bias1, 256 * bias2 + bias3, .., bias1, 3, 5, 7,
 *     [steps][4] AB words of channels 0, 1 to 6, 7, multiplier0, 1 to 7 }
 * y: [8 * blocks], at any address
 */
#if TML_HAVE_DSP_BLOCKS
/* Channels 2i and 2i + 1 of one step. */
#    define TML_AB_PAIR(i, w, x)                                                                   \
        "smlad t" #i ", " #w ", " #x ", t" #i "\n"                                                 \
        "sxtb16 " #w ", " #w "\n"                                                                  \
        "smlad b" #i ", " #w ", " #x ", b" #i "\n"
/* Two steps, always 136 bytes long. */
#    define TML_AB_TWO_STEPS(x_at, w_at)                                                           \
        "ldr.w x0, [in, #" #x_at "]\n"                                                             \
        "ldr.w x1, [w, #" #w_at "]\n"                                                              \
        "ldr.w wa, [w, #" #w_at "+4]\n"                                                            \
        "ldr.w wb, [w, #" #w_at "+8]\n" TML_AB_PAIR(0, x1, x0) TML_AB_PAIR(1, wa, x0)              \
            TML_AB_PAIR(2, wb, x0) "ldr.w x1, [w, #" #w_at "+12]\n"                                \
                                   "ldr.w wa, [in, #" #x_at "+4]\n"                                \
                                   "ldr.w wb, [w, #" #w_at "+16]\n" TML_AB_PAIR(3, x1, x0)         \
                                       TML_AB_PAIR(0, wb, wa) "ldr.w x1, [w, #" #w_at "+20]\n"     \
                                                              "ldr.w wb, [w, #" #w_at "+24]\n"     \
                                                              "ldr.w x0, [w, #" #w_at              \
                                                              "+28]\n" TML_AB_PAIR(1, x1, wa)      \
                                                                  TML_AB_PAIR(2, wb, wa)           \
                                                                      TML_AB_PAIR(3, x0, wa)
#    define TML_AB_TWO_STEPS_BYTES 136U
#    define TML_AB_TWO_STEPS_A_ROUND 4U
/* Four channels from t, t', b, b': bytes 0 and 2 in t, 1 and 3 in b, unsigned until here. */
#    define TML_AB_FOUR_BYTES(t, u, b, c)                                                          \
        "pkhbt " #t ", " #t ", " #u ", lsl #16\n"                                                  \
        "pkhbt " #b ", " #b ", " #c ", lsl #16\n"                                                  \
        "usat16 " #t ", #8, " #t "\n"                                                              \
        "usat16 " #b ", #8, " #b "\n"                                                              \
        "orr " #t ", " #t ", " #b ", lsl #8\n"                                                     \
        "eor " #t ", " #t ", #0x80808080\n"

TML_SHARED void tml_ab_8x1_i8(const struct tml_ab_8x1 *p, const uint32_t *x, const int32_t *weights,
                              int8_t *y)
{
    /* The loop of 8 steps is entered in its middle, so that its last round is whole. */
    uint32_t skipped = (0U - (uint32_t)p->steps / 2U) % TML_AB_TWO_STEPS_A_ROUND;
    const uint32_t frame[8] = {
        (uint32_t)x - 8U * skipped,
        (uint32_t)(x + p->steps),
        32U * skipped - 32U, /* back to the weights: the biases before them are 32 bytes */
        TML_AB_TWO_STEPS_BYTES * skipped,
        (uint32_t)weights,
        (uint32_t)(p->y_zero_point + 128), /* results are unsigned until they are stored */
        (uint32_t)y,
        (uint32_t)(weights + p->blocks * (4U * p->steps + TML_AB_8X1_EXTRA)),
    };
    TML_AB_RUN(frame,
               "sub sp, #40\n"
               "str r7, [sp, #32]\n"
               "ldm in, {r0-r3, r5-r6, r8-r9}\n"
               "stm sp, {r0-r3, r5-r6, r8-r9}\n"
               "1:\n"
               "ldr t0, [w]\n"
               "ldr t1, [w, #4]\n"
               "ldr t2, [w, #8]\n"
               "ldr t3, [w, #12]\n"
               "ldr b0, [w, #16]\n"
               "ldr b1, [w, #20]\n"
               "ldr b2, [w, #24]\n"
               "ldr b3, [w, #28]\n"
               "ldr x0, [sp, #8]\n"
               "ldr x1, [sp, #12]\n"
               "ldr in, [sp, #0]\n"
               "adr wa, 2f + 1\n"
               "add wa, wa, x1\n"
               "sub w, w, x0\n"
               "bx wa\n"
               ".balign 4\n"
               "2:\n" TML_AB_TWO_STEPS(0, 0) TML_AB_TWO_STEPS(8, 32) TML_AB_TWO_STEPS(16, 64)
                   TML_AB_TWO_STEPS(
                       24, 96) "ldr x0, [sp, #4]\n"
                               "adds in, #32\n"
                               "adds w, #128\n"
                               "cmp in, x0\n"
                               "bne 2b\n"
                               "ldr x0, [w]\n"
                               "ldr x1, [w, #4]\n"
                               "ldr wa, [w, #8]\n"
                               "ldr wb, [w, #12]\n"
                               "ldr in, [sp, #20]\n"
                               /* A = (T - B) >> 8 */
                               "sub t0, t0, b0\n"
                               "sub t1, t1, b1\n"
                               "sub t2, t2, b2\n"
                               "sub t3, t3, b3\n"
                               "asr t0, t0, #8\n"
                               "asr t1, t1, #8\n"
                               "asr t2, t2, #8\n"
                               "asr t3, t3, #8\n"
                               /* zero point + floor(acc * m / 2^32 + 1/2) in one instruction */
                               "smmlar t0, t0, x0, in\n"
                               "smmlar b0, b0, x1, in\n"
                               "smmlar t1, t1, wa, in\n"
                               "smmlar b1, b1, wb, in\n"
                               "ldr x0, [w, #16]\n"
                               "ldr x1, [w, #20]\n"
                               "ldr wa, [w, #24]\n"
                               "ldr wb, [w, #28]\n"
                               "smmlar t2, t2, x0, in\n"
                               "ldr x0, [sp, #24]\n"
                               "smmlar b2, b2, x1, in\n"
                               "ldr x1, [sp, #28]\n"
                               "smmlar t3, t3, wa, in\n"
                               "smmlar b3, b3, wb, in\n" TML_AB_FOUR_BYTES(t0, t1, b0, b1)
                                   TML_AB_FOUR_BYTES(t2, t3, b2, b3) "str t2, [x0, #4]\n"
                                                                     "str t0, [x0], #8\n"
                                                                     "str x0, [sp, #24]\n"
                                                                     "adds w, #32\n"
                                                                     "cmp w, x1\n"
                                                                     "bne 1b\n"
                                                                     "ldr r7, [sp, #32]\n"
                                                                     "add sp, #40\n");
}
#else
TML_SHARED void tml_ab_8x1_i8(const struct tml_ab_8x1 *p, const uint32_t *x, const int32_t *weights,
                              int8_t *y)
{
    for (size_t block = 0U; block < p->blocks; block++) {
        const int32_t *w = weights + 8;
        const int32_t *multiplier = w + 4U * p->steps;
        for (size_t pair = 0U; pair < 4U; pair++) {
            uint32_t t = (uint32_t)tml_rom_i32(weights + pair);
            uint32_t b = (uint32_t)tml_rom_i32(weights + 4U + pair);
            for (size_t s = 0U; s < p->steps; s++) {
                uint32_t ab = (uint32_t)tml_rom_i32(w + 4U * s + pair);
                t = tml_smlad(ab, x[s], t);
                b = tml_smlad(tml_sxtb16(ab), x[s], b);
            }
            int32_t acc[2] = {(int32_t)(t - b) >> 8, (int32_t)b};
            for (size_t i = 0U; i < 2U; i++) {
                int32_t m = tml_rom_i32(multiplier + 2U * pair + i);
                y[2U * pair + i] = tml_saturate_i8(p->y_zero_point + tml_requantize(acc[i], m));
            }
        }
        weights = multiplier + 8;
        y += 8;
    }
}
#endif

#endif
