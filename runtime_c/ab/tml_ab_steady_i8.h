/* SPDX-License-Identifier: 0BSD */
/*
 * Steady blocks of AB words (tml_ab_block.h), for few steps: their number is written into the code,
 * and all pairs of pixels go through a block before the next one begins. Weights stay where they
 * are, so that nothing but the inputs and the results moves on from pair to pair, and no round is
 * entered in its middle: 54 cycles for a pair beside the 15 of each step on Cortex-M4, 51 where a
 * round of the loop takes two pairs.
 */
#ifndef TML_AB_STEADY_I8_H
#define TML_AB_STEADY_I8_H

#include "tml_ab_4x2_portable.h"
#include "tml_ab_pieces.h"

#if TML_HAVE_DSP_BLOCKS
#    define TML_AB_8_STEPS(offset) TML_AB_4_STEPS(offset) TML_AB_4_STEPS(offset + 32)
/* The steps but the first of a block of 4, 8, 14, 16. */
#    define TML_AB_AFTER_1 TML_AB_STEP(8) TML_AB_STEP(16) TML_AB_STEP(24)
#    define TML_AB_AFTER_1_OF_8 TML_AB_AFTER_1 TML_AB_4_STEPS(32)
#    define TML_AB_AFTER_1_OF_14                                                                   \
        TML_AB_AFTER_1_OF_8 TML_AB_4_STEPS(64) TML_AB_STEP(96) TML_AB_STEP(104)
#    define TML_AB_AFTER_1_OF_16 TML_AB_AFTER_1_OF_8 TML_AB_8_STEPS(64)

/* The frame. Y_BACK leads from the end of a block's results to the next block's. */
#    define TML_AB_STEADY_ZERO "[sp, #0]" /* 256 * zero point + 128 */
#    define TML_AB_STEADY_Y "[sp, #4]"
#    define TML_AB_STEADY_Y_CHANNEL "[sp, #8]"
#    define TML_AB_STEADY_Y_END "[sp, #12]"
#    define TML_AB_STEADY_X "[sp, #20]"
#    define TML_AB_STEADY_Y_BACK "[sp, #24]"
#    define TML_AB_STEADY_W_END "[sp, #28]"
#    define TML_AB_STEADY_Y_ADVANCE "[sp, #32]"
#    define TML_AB_STEADY_R7 "[sp, #36]"

/* The multipliers lie BYTES behind w. t is requantised first: four registers hold zero point and
 * multipliers, so that in stays. Afterwards x0 is Y and x1 Y_CHANNEL; wa and wb are left to MORE.
 */
#    define TML_AB_STEADY_REQUANTIZE(BYTES, MORE)                                                  \
        "ldr wb, " TML_AB_STEADY_ZERO "\n"                                                         \
        "ldr wa, [w, #" BYTES "+8]\n"                                                              \
        "ldr x0, [w, #" BYTES "+12]\n"                                                             \
        "ldr x1, [w, #" BYTES "]\n"                                                                \
        "sub t0, t0, b0\n"                                                                         \
        "sub t1, t1, b1\n"                                                                         \
        "sub t2, t2, b2\n"                                                                         \
        "sub t3, t3, b3\n"                                                                         \
        "smmla t0, t0, wa, wb\n"                                                                   \
        "smmla t1, t1, wa, wb\n"                                                                   \
        "smmla t2, t2, x0, wb\n"                                                                   \
        "smmla t3, t3, x0, wb\n"                                                                   \
        "ldr wa, [w, #" BYTES "+4]\n"                                                              \
        "ldr x0, " TML_AB_STEADY_Y "\n"                                                            \
        "asr wb, wb, #8\n"                                                                         \
        "smmlar b0, b0, x1, wb\n"                                                                  \
        "smmlar b1, b1, x1, wb\n"                                                                  \
        "smmlar b2, b2, wa, wb\n"                                                                  \
        "smmlar b3, b3, wa, wb\n"                                                                  \
        "ldr x1, " TML_AB_STEADY_Y_CHANNEL "\n" MORE

/* Neighbours in four planes, AT bytes on; addresses are made some instructions before they are
 * used. */
#    define TML_AB_STEADY_STORE(AT)                                                                \
        "ssat b0, #8, b0\n"                                                                        \
        "ssat b1, #8, b1\n"                                                                        \
        "strb b0, [x0, #" AT "]\n"                                                                 \
        "add b0, x0, x1\n"                                                                         \
        "strb b1, [x0, #" AT "+1]\n"                                                               \
        "ssat b2, #8, b2\n"                                                                        \
        "ssat b3, #8, b3\n"                                                                        \
        "strb b2, [b0, #" AT "]\n"                                                                 \
        "add b1, b0, x1\n"                                                                         \
        "strb b3, [b0, #" AT "+1]\n"                                                               \
        "ssat t0, #8, t0, asr #8\n"                                                                \
        "ssat t1, #8, t1, asr #8\n"                                                                \
        "strb t0, [b1, #" AT "]\n"                                                                 \
        "add b2, b1, x1\n"                                                                         \
        "strb t1, [b1, #" AT "+1]\n"                                                               \
        "ssat t2, #8, t2, asr #8\n"                                                                \
        "ssat t3, #8, t3, asr #8\n"                                                                \
        "strb t2, [b2, #" AT "]\n"                                                                 \
        "strb t3, [b2, #" AT "+1]\n"

/* A pair of pixels. X_STEP: bytes from its inputs to those of the next */
#    define TML_AB_STEADY_PAIR(AFTER_1, BYTES, X_STEP, MORE, AT)                                   \
        "ldr x0, [in]\n"                                                                           \
        "ldr x1, [in, #4]\n"                                                                       \
        "ldr t0, [w, #-16]\n"                                                                      \
        "ldr t2, [w, #-12]\n"                                                                      \
        "ldr b0, [w, #-8]\n"                                                                       \
        "ldr b2, [w, #-4]\n"                                                                       \
        "ldr wa, [w]\n"                                                                            \
        "ldr wb, [w, #4]\n" TML_AB_FIRST_STEP AFTER_1                                              \
        TML_AB_STEADY_REQUANTIZE(BYTES, MORE) "add in, in, #" X_STEP "\n" TML_AB_STEADY_STORE(AT)

/* PAIRS: those of a round, the last of which loads Y_END to wb; Y_STEP: bytes of their results, a
 * literal or wa */
#    define TML_AB_STEADY_BLOCKS(PAIRS, BYTES, Y_STEP)                                             \
        "sub sp, #40\n"                                                                            \
        "str t1, " TML_AB_STEADY_R7 "\n"                                                           \
        "ldm in, {r0-r3, r5, r6, r8-r10}\n"                                                        \
        "stm sp, {r0-r3, r5, r6, r8-r10}\n"                                                        \
        "mov in, t0\n"                                                                             \
        "1:\n" PAIRS "add x0, x0, " Y_STEP "\n"                                                    \
        "str x0, " TML_AB_STEADY_Y "\n"                                                            \
        "cmp x0, wb\n"                                                                             \
        "bne 1b\n"                                                                                 \
        "ldr x1, " TML_AB_STEADY_Y_BACK "\n"                                                       \
        "ldr wa, " TML_AB_STEADY_Y_CHANNEL "\n"                                                    \
        "ldr t0, " TML_AB_STEADY_W_END "\n"                                                        \
        "ldr in, " TML_AB_STEADY_X "\n"                                                            \
        "add x0, x0, x1\n"                                                                         \
        "add wb, wb, wa, lsl #2\n"                                                                 \
        "add w, w, #" BYTES "+32\n"                                                                \
        "str x0, " TML_AB_STEADY_Y "\n"                                                            \
        "str wb, " TML_AB_STEADY_Y_END "\n"                                                        \
        "cmp w, t0\n"                                                                              \
        "bne 1b\n"                                                                                 \
        "ldr t1, " TML_AB_STEADY_R7 "\n"                                                           \
        "add sp, #40\n"

TML_INLINE void tml_ab_steady_frame(const struct tml_ab_4x2 *p, const uint32_t *x,
                                    const int32_t *weights, int8_t *y, uint32_t frame[9])
{
    uint32_t row = (uint32_t)p->pairs * (uint32_t)p->y_advance;
    uint32_t block = 8U * (uint32_t)p->steps + 4U * TML_AB_4X2_EXTRA;
    frame[0] = 256U * (uint32_t)p->y_zero_point + 128U;
    frame[1] = (uint32_t)y;
    frame[2] = (uint32_t)p->y_channel;
    frame[3] = (uint32_t)y + row;
    frame[4] = (uint32_t)weights + 16U;
    frame[5] = (uint32_t)x;
    frame[6] = 4U * (uint32_t)p->y_channel - row;
    frame[7] = frame[4] + (uint32_t)p->blocks * block;
    frame[8] = (uint32_t)p->y_advance;
}

#    define TML_AB_STEADY_LAST "ldr wb, " TML_AB_STEADY_Y_END "\n"
#    define TML_AB_STEADY_ROW(PAIRS, BYTES, Y_STEP)                                                \
        uint32_t frame[9];                                                                         \
        tml_ab_steady_frame(p, x, weights, y, frame);                                              \
        TML_AB_RUN(frame, TML_AB_STEADY_BLOCKS(PAIRS, BYTES, Y_STEP))
/* ONE pair a round, TWO; DOWN: one, any Y_ADVANCE. */
#    define TML_AB_STEADY_ONE(AFTER_1, BYTES)                                                      \
        TML_AB_STEADY_ROW(TML_AB_STEADY_PAIR(AFTER_1, BYTES, BYTES, TML_AB_STEADY_LAST, "0"),      \
                          BYTES, "#2")
#    define TML_AB_STEADY_TWO(AFTER_1, BYTES)                                                      \
        TML_AB_STEADY_ROW(TML_AB_STEADY_PAIR(AFTER_1, BYTES, BYTES, "", "0")                       \
                              TML_AB_STEADY_PAIR(AFTER_1, BYTES, BYTES, TML_AB_STEADY_LAST, "2"),  \
                          BYTES, "#4")
#    define TML_AB_STEADY_DOWN(AFTER_1, BYTES, X_STEP)                                             \
        TML_AB_STEADY_ROW(                                                                         \
            TML_AB_STEADY_PAIR(AFTER_1, BYTES, X_STEP,                                             \
                               TML_AB_STEADY_LAST "ldr wa, " TML_AB_STEADY_Y_ADVANCE "\n", "0"),   \
            BYTES, "wa")
/* Loops of more than 1 KB are for those who ask for speed. */
#    if defined(TML_INLINE_KERNELS) && TML_INLINE_KERNELS
#        define TML_AB_STEADY_MORE TML_AB_STEADY_TWO
#    else
#        define TML_AB_STEADY_MORE TML_AB_STEADY_ONE
#    endif
#else
#    define TML_AB_STEADY_TWO(AFTER_1, BYTES) tml_ab_4x2_portable(p, x, weights, y)
#    define TML_AB_STEADY_MORE(AFTER_1, BYTES) tml_ab_4x2_portable(p, x, weights, y)
#    define TML_AB_STEADY_DOWN(AFTER_1, BYTES, X_STEP) tml_ab_4x2_portable(p, x, weights, y)
#endif

/* As tml_ab_4x2_planar_i8 with 4 steps, x_advance 8, y_advance 2, an even number of pairs. */
TML_SHARED void tml_ab_4_steps_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                  const int32_t *weights, int8_t *y)
{
    TML_AB_STEADY_TWO(TML_AB_AFTER_1, "32");
}

/* The same with 8 steps, x_advance 16. */
TML_SHARED void tml_ab_8_steps_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                  const int32_t *weights, int8_t *y)
{
    TML_AB_STEADY_MORE(TML_AB_AFTER_1_OF_8, "64");
}

/* The same with 16 steps, x_advance 32. */
TML_SHARED void tml_ab_16_steps_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                   const int32_t *weights, int8_t *y)
{
    TML_AB_STEADY_MORE(TML_AB_AFTER_1_OF_16, "128");
}

/* The same with 14 steps, x_advance 18, any y_advance and number of pairs: windows that
 * overlap. */
TML_SHARED void tml_ab_14_steps_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                   const int32_t *weights, int8_t *y)
{
    TML_AB_STEADY_DOWN(TML_AB_AFTER_1_OF_14, "112", "72");
}

#endif
