/* SPDX-License-Identifier: 0BSD */
/* Pieces of the loops over blocks of 4 channels and pairs of pixels (tml_ab_block.h). The sums of
 * channels 2, 0 are in t, b 0 and 1, of 3, 1 in t, b 2 and 3; even ones are of the first pixel. */
#ifndef TML_AB_PIECES_H
#define TML_AB_PIECES_H

#include "tml_ab_block.h"
#include "tml_ab_registers.h"

#if TML_HAVE_DSP_BLOCKS
/* One step: 4 loads in a row cost 5 cycles, the rest one each. Every step is 56 bytes long. */
#    define TML_AB_STEP(offset)                                                                    \
        "ldr.w x0, [in, #" #offset "]\n"                                                           \
        "ldr.w x1, [in, #" #offset "+4]\n"                                                         \
        "ldr.w wa, [w, #" #offset "]\n"                                                            \
        "ldr.w wb, [w, #" #offset "+4]\n"                                                          \
        "smlad t0, wa, x0, t0\n"                                                                   \
        "smlad t1, wa, x1, t1\n"                                                                   \
        "sxtb16 wa, wa\n"                                                                          \
        "smlad t2, wb, x0, t2\n"                                                                   \
        "smlad t3, wb, x1, t3\n"                                                                   \
        "sxtb16 wb, wb\n"                                                                          \
        "smlad b0, wa, x0, b0\n"                                                                   \
        "smlad b1, wa, x1, b1\n"                                                                   \
        "smlad b2, wb, x0, b2\n"                                                                   \
        "smlad b3, wb, x1, b3\n"
#    define TML_AB_STEP_BYTES 56U
#    define TML_AB_4_STEPS(offset)                                                                 \
        TML_AB_STEP(offset + 0)                                                                    \
        TML_AB_STEP(offset + 8)                                                                    \
        TML_AB_STEP(offset + 16)                                                                   \
        TML_AB_STEP(offset + 24)

/* The first one, whose operands are loaded: it makes the sums of the second pixel from the biases.
 */
#    define TML_AB_FIRST_STEP                                                                      \
        "smlad t1, wa, x1, t0\n"                                                                   \
        "smlad t0, wa, x0, t0\n"                                                                   \
        "sxtb16 wa, wa\n"                                                                          \
        "smlad t3, wb, x1, t2\n"                                                                   \
        "smlad t2, wb, x0, t2\n"                                                                   \
        "sxtb16 wb, wb\n"                                                                          \
        "smlad b1, wa, x1, b0\n"                                                                   \
        "smlad b0, wa, x0, b0\n"                                                                   \
        "smlad b3, wb, x1, b2\n"                                                                   \
        "smlad b2, wb, x0, b2\n"

/* ROUND, BYTES: an unrolled loop of steps and the inputs it takes. With rounds of 12 steps all
 * loops of a block stay in a flash cache of 1 KB; rounds of 32 save a dozen cycles in 32 steps. */
#    define TML_AB_12_STEPS TML_AB_4_STEPS(0) TML_AB_4_STEPS(32) TML_AB_4_STEPS(64)
#    if defined(TML_INLINE_KERNELS) && TML_INLINE_KERNELS
#        define TML_AB_STEPS_A_ROUND 32U
#        define TML_AB_ROUND                                                                       \
            TML_AB_12_STEPS                                                                        \
            TML_AB_4_STEPS(96)                                                                     \
            TML_AB_4_STEPS(128) TML_AB_4_STEPS(160) TML_AB_4_STEPS(192) TML_AB_4_STEPS(224)
#        define TML_AB_ROUND_BYTES "256"
#    else
#        define TML_AB_STEPS_A_ROUND 12U
#        define TML_AB_ROUND TML_AB_12_STEPS
#        define TML_AB_ROUND_BYTES "96"
#    endif

/* The frame. X lies BYTES + 32 before the inputs of the pair, so that one W_STEP leads
 * both pointers from the end of a block into the loop of the next. */
#    define TML_AB_X "[sp, #0]"
#    define TML_AB_X_LAST "[sp, #4]" /* in, at the last round of a block */
#    define TML_AB_Y "[sp, #8]"
#    define TML_AB_X_ADVANCE "[sp, #12]"
#    define TML_AB_Y_STEP "[sp, #24]"
#    define TML_AB_Y_ADVANCE "[sp, #20]" /* from the end of one pair's channels */
#    define TML_AB_W_BEFORE "[sp, #16]"  /* w before the first block, as after any other */
#    define TML_AB_W_STEP "[sp, #28]"
#    define TML_AB_W_LAST "[sp, #32]" /* w at the last round of the last block */
#    define TML_AB_ZERO "[sp, #36]"   /* 256 * zero point + 128 */
#    define TML_AB_X_END "[sp, #40]"  /* X after the last pair */
#    define TML_AB_ENTRY "[sp, #44]"
#    define TML_AB_Y_CHANNEL "[sp, #48]"
#    define TML_AB_ENTRY_ROUND "[sp, #52]"
#    define TML_AB_R7 "[sp, #56]"

/* in: the words of the frame. Carry tells at the end of a round whether it was the last: it is set
 * at 5, and a block of several rounds clears it at 4. w: W_BEFORE, as after every pair. */
#    define TML_AB_SET_UP                                                                          \
        "sub sp, #64\n"                                                                            \
        "str t1, " TML_AB_R7 "\n"                                                                  \
        "ldm in, {r0-r3, r5-r12, lr}\n"                                                            \
        "stm sp, {r0-r3, r5-r12, lr}\n"                                                            \
        "adr.w x1, 2f + 1\n"                                                                       \
        "add.w b2, b2, x1\n"                                                                       \
        "str b2, " TML_AB_ENTRY_ROUND "\n"                                                         \
        "add.w x0, x0, t2\n"                                                                       \
        "ldr x1, " TML_AB_X_LAST "\n"                                                              \
        "cmp x0, x1\n"                                                                             \
        "beq 3f\n"                                                                                 \
        "adr.w b2, 4f + 1\n"                                                                       \
        "3:\n"                                                                                     \
        "str b2, " TML_AB_ENTRY "\n"                                                               \
        "b 5f\n"                                                                                   \
        "4:\n"                                                                                     \
        "cmn.w w, #0\n"                                                                            \
        "ldr.w pc, " TML_AB_ENTRY_ROUND "\n"

/* The rounds of a block; afterwards its multipliers lie BYTES behind w. */
#    define TML_AB_ROUNDS(ROUND, BYTES)                                                            \
        ".balign 4\n"                                                                              \
        "1:\n"                                                                                     \
        "add.w in, in, #" BYTES "\n"                                                               \
        "add.w w, w, #" BYTES "\n"                                                                 \
        "ldr.w x0, " TML_AB_X_LAST "\n"                                                            \
        "cmp.w in, x0\n"                                                                           \
        "2:\n" ROUND "bcc 1b\n"

/* t: 256 * (zero point + result) of channels 2 and 3 (and what is below 1, rounding half up), as
 * floor(256 * A * m / 2^32) holds floor(A * m / 2^32 + 1/2) after the addition of 128.
 * b: zero point + result of channels 0 and 1. */
#    define TML_AB_REQUANTIZE(BYTES)                                                               \
        "ldr wb, " TML_AB_ZERO "\n"                                                                \
        "ldr x0, [w, #" BYTES "]\n"                                                                \
        "ldr x1, [w, #" BYTES "+4]\n"                                                              \
        "ldr wa, [w, #" BYTES "+8]\n"                                                              \
        "ldr in, [w, #" BYTES "+12]\n"                                                             \
        "sub t0, t0, b0\n"                                                                         \
        "sub t1, t1, b1\n"                                                                         \
        "sub t2, t2, b2\n"                                                                         \
        "sub t3, t3, b3\n"                                                                         \
        "smmla t0, t0, wa, wb\n"                                                                   \
        "smmla t1, t1, wa, wb\n"                                                                   \
        "smmla t2, t2, in, wb\n"                                                                   \
        "smmla t3, t3, in, wb\n"                                                                   \
        "asr wb, wb, #8\n"                                                                         \
        "smmlar b0, b0, x0, wb\n"                                                                  \
        "smmlar b1, b1, x0, wb\n"                                                                  \
        "smmlar b2, b2, x1, wb\n"                                                                  \
        "smmlar b3, b3, x1, wb\n"

/* On to the next block, or to the next pair. wb: W_LAST, x0: Y. */
#    define TML_AB_NEXT(BYTES)                                                                     \
        "cmp wb, w\n"                                                                              \
        "beq 6f\n"                                                                                 \
        "str x0, " TML_AB_Y "\n"                                                                   \
        "5:\n"                                                                                     \
        "ldr in, " TML_AB_X "\n"                                                                   \
        "7:\n"                                                                                     \
        "ldr t1, " TML_AB_W_STEP "\n"                                                              \
        "ldr t0, [w, #" BYTES "+16]\n"                                                             \
        "ldr t2, [w, #" BYTES "+20]\n"                                                             \
        "ldr b0, [w, #" BYTES "+24]\n"                                                             \
        "ldr b2, [w, #" BYTES "+28]\n"                                                             \
        "ldr wa, [w, #" BYTES "+32]\n"                                                             \
        "ldr wb, [w, #" BYTES "+36]\n"                                                             \
        "ldr x0, [in, #" BYTES "+32]\n"                                                            \
        "ldr x1, [in, #" BYTES "+36]\n"                                                            \
        "add w, w, t1\n"                                                                           \
        "add in, in, t1\n" TML_AB_FIRST_STEP "ldr.w pc, " TML_AB_ENTRY "\n"                        \
        "6:\n"                                                                                     \
        "ldr in, " TML_AB_X "\n"                                                                   \
        "ldr x1, " TML_AB_X_LAST "\n"                                                              \
        "ldr wa, " TML_AB_X_ADVANCE "\n"                                                           \
        "ldr wb, " TML_AB_Y_ADVANCE "\n"                                                           \
        "ldr t0, " TML_AB_X_END "\n"                                                               \
        "ldr w, " TML_AB_W_BEFORE "\n"                                                             \
        "add in, in, wa\n"                                                                         \
        "add x1, x1, wa\n"                                                                         \
        "add x0, x0, wb\n"                                                                         \
        "str in, " TML_AB_X "\n"                                                                   \
        "str x1, " TML_AB_X_LAST "\n"                                                              \
        "str x0, " TML_AB_Y "\n"                                                                   \
        "cmp t0, in\n"                                                                             \
        "bne 7b\n"                                                                                 \
        "ldr t1, " TML_AB_R7 "\n"                                                                  \
        "add sp, #64\n"

/* STORE: what is done with the results of a block; it leaves W_LAST in wb and the next Y in x0 */
#    define TML_AB_BLOCKS(ROUND, BYTES, STORE)                                                     \
        TML_AB_SET_UP                                                                              \
        TML_AB_ROUNDS(ROUND, BYTES)                                                                \
        TML_AB_REQUANTIZE(BYTES)                                                                   \
        STORE                                                                                      \
        TML_AB_NEXT(BYTES)

/* bias: what is added to the zero point of the results; steps: of a round */
TML_INLINE void tml_ab_frame(const struct tml_ab_4x2 *p, const uint32_t *x, const int32_t *weights,
                             int8_t *y, int32_t bias, uint32_t steps, uint32_t frame[13])
{
    struct tml_ab_rounds rounds = tml_ab_rounds_of(p->steps, steps);
    uint32_t round = 8U * steps;
    uint32_t back = 8U * rounds.skipped;
    uint32_t block = 8U * (uint32_t)p->steps + 4U * TML_AB_4X2_EXTRA;
    uint32_t last = 8U + (rounds.count - 1U) * round - back;
    frame[0] = (uint32_t)x - round - 32U;
    frame[1] = (uint32_t)x + last;
    frame[2] = (uint32_t)y;
    frame[3] = 4U * (uint32_t)p->x_advance;
    frame[6] = (uint32_t)p->y_step;
    frame[5] = (uint32_t)(p->y_advance - 4 * (ptrdiff_t)p->blocks * p->y_channel);
    frame[4] = (uint32_t)weights - round - 16U;
    frame[7] = round + 40U - back;
    frame[8] = (uint32_t)weights + ((uint32_t)p->blocks - 1U) * block + 16U + last;
    frame[9] = 256U * (uint32_t)(p->y_zero_point + bias) + 128U;
    frame[10] = frame[0] + (uint32_t)p->pairs * frame[3];
    frame[11] = TML_AB_STEP_BYTES * rounds.skipped;
    frame[12] = (uint32_t)p->y_channel;
}
#endif

#endif
