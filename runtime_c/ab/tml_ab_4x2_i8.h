/* SPDX-License-Identifier: 0BSD */
/* AB words (tml_ab_block.h): 4 output channels of two pixels at a time, stored as words. */
#ifndef TML_AB_4X2_I8_H
#define TML_AB_4X2_I8_H

#include "tml_ab_4x2_portable.h"
#include "tml_ab_pieces.h"

#if TML_HAVE_DSP_BLOCKS
/* Channels 0 and 2 in b0, b1, and 1 and 3 in b2, b3; results are unsigned until they are stored. */
#    define TML_AB_STORE_WORDS                                                                     \
        "pkhbt b0, b0, t0, lsl #8\n"                                                               \
        "pkhbt b1, b1, t1, lsl #8\n"                                                               \
        "pkhbt b2, b2, t2, lsl #8\n"                                                               \
        "pkhbt b3, b3, t3, lsl #8\n"                                                               \
        "usat16 b0, #8, b0\n"                                                                      \
        "usat16 b1, #8, b1\n"                                                                      \
        "usat16 b2, #8, b2\n"                                                                      \
        "usat16 b3, #8, b3\n"                                                                      \
        "orr t0, b0, b2, lsl #8\n"                                                                 \
        "orr t1, b1, b3, lsl #8\n"                                                                 \
        "eor t0, t0, #0x80808080\n"                                                                \
        "eor t1, t1, #0x80808080\n"                                                                \
        "ldr x0, " TML_AB_Y "\n"                                                                   \
        "ldr x1, " TML_AB_Y_STEP "\n"                                                              \
        "ldr wb, " TML_AB_W_LAST "\n"                                                              \
        "str t1, [x0, x1]\n"                                                                       \
        "str t0, [x0], #4\n"
#endif

/*
 * Channels of p->pairs pairs of pixels, y_channel is 1.
 * x: [steps][2] words of a pair: two inputs of pixel 0, then of pixel 1
 * weights (rom): for each block { 256 * bias2 + bias0, 256 * bias3 + bias1, bias0, bias1,
 *     [steps][2] AB words of channels 2, 0 and 3, 1, multiplier0, 1, 2, 3 }
 * y: [4 * blocks] channels of the first pixel, at any address
 */
TML_SHARED void tml_ab_4x2_i8(const struct tml_ab_4x2 *p, const uint32_t *x, const int32_t *weights,
                              int8_t *y)
{
#if TML_HAVE_DSP_BLOCKS
    uint32_t frame[13];
    tml_ab_frame(p, x, weights, y, 128, TML_AB_STEPS_A_ROUND, frame);
    TML_AB_RUN(frame, TML_AB_BLOCKS(TML_AB_ROUND, TML_AB_ROUND_BYTES, TML_AB_STORE_WORDS));
#else
    tml_ab_4x2_portable(p, x, weights, y);
#endif
}

#endif
