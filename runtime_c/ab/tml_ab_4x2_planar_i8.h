/* SPDX-License-Identifier: 0BSD */
/* AB words (tml_ab_block.h): 4 output channels of two pixels at a time, stored to their planes. */
#ifndef TML_AB_4X2_PLANAR_I8_H
#define TML_AB_4X2_PLANAR_I8_H

#include "tml_ab_4x2_portable.h"
#include "tml_ab_pieces.h"

#if TML_HAVE_DSP_BLOCKS
#    define TML_AB_SATURATE                                                                        \
        "ssat b0, #8, b0\n"                                                                        \
        "ssat b1, #8, b1\n"                                                                        \
        "ssat b2, #8, b2\n"                                                                        \
        "ssat b3, #8, b3\n"                                                                        \
        "ssat t0, #8, t0, asr #8\n"                                                                \
        "ssat t1, #8, t1, asr #8\n"                                                                \
        "ssat t2, #8, t2, asr #8\n"                                                                \
        "ssat t3, #8, t3, asr #8\n"

#    define TML_AB_STORE_NEIGHBOURS                                                                \
        "ldr x0, " TML_AB_Y "\n"                                                                   \
        "ldr wa, " TML_AB_Y_CHANNEL "\n"                                                           \
        "ldr wb, " TML_AB_W_LAST "\n"                                                              \
        "add x1, x0, wa\n" TML_AB_SATURATE "strb b0, [x0]\n"                                       \
        "strb b1, [x0, #1]\n"                                                                      \
        "add x0, x1, wa\n"                                                                         \
        "strb b2, [x1]\n"                                                                          \
        "strb b3, [x1, #1]\n"                                                                      \
        "add x1, x0, wa\n"                                                                         \
        "strb t0, [x0]\n"                                                                          \
        "strb t1, [x0, #1]\n"                                                                      \
        "add x0, x1, wa\n"                                                                         \
        "strb t2, [x1]\n"                                                                          \
        "strb t3, [x1, #1]\n"

/* The second pixel first: it may be the same. */
#    define TML_AB_STORE_APART                                                                     \
        "ldr x0, " TML_AB_Y "\n"                                                                   \
        "ldr x1, " TML_AB_Y_STEP "\n"                                                              \
        "ldr wa, " TML_AB_Y_CHANNEL "\n"                                                           \
        "ldr wb, " TML_AB_W_LAST "\n"                                                              \
        "add in, x0, wa\n" TML_AB_SATURATE "strb b1, [x0, x1]\n"                                   \
        "strb b0, [x0]\n"                                                                          \
        "add x0, in, wa\n"                                                                         \
        "strb b3, [in, x1]\n"                                                                      \
        "strb b2, [in]\n"                                                                          \
        "add in, x0, wa\n"                                                                         \
        "strb t1, [x0, x1]\n"                                                                      \
        "strb t0, [x0]\n"                                                                          \
        "add x0, in, wa\n"                                                                         \
        "strb t3, [in, x1]\n"                                                                      \
        "strb t2, [in]\n"
#endif

/* As tml_ab_4x2_i8 with any y_channel, of neighbours: y_step is 1. */
TML_SHARED void tml_ab_4x2_planar_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                     const int32_t *weights, int8_t *y)
{
#if TML_HAVE_DSP_BLOCKS
    uint32_t frame[13];
    tml_ab_frame(p, x, weights, y, 0, TML_AB_STEPS_A_ROUND, frame);
    TML_AB_RUN(frame, TML_AB_BLOCKS(TML_AB_ROUND, TML_AB_ROUND_BYTES, TML_AB_STORE_NEIGHBOURS));
#else
    tml_ab_4x2_portable(p, x, weights, y);
#endif
}

/* The same with any y_step. Where code counts it is the only loop of those that store by bytes; for
 * speed few pixels come here, those without a neighbour, so it may be short. */
TML_SHARED void tml_ab_4x2_apart_i8(const struct tml_ab_4x2 *p, const uint32_t *x,
                                    const int32_t *weights, int8_t *y)
{
#if TML_HAVE_DSP_BLOCKS
    uint32_t frame[13];
    tml_ab_frame(p, x, weights, y, 0, 12U, frame);
    TML_AB_RUN(frame, TML_AB_BLOCKS(TML_AB_12_STEPS, "96", TML_AB_STORE_APART));
#else
    tml_ab_4x2_portable(p, x, weights, y);
#endif
}

#endif
