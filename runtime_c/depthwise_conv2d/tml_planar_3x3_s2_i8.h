/* SPDX-License-Identifier: 0BSD */
/*
 * 3x3 windows of stride 2 over a bordered plane (tml_planar_border_i8.h): blocks of two rows of two
 * outputs go down strips. A word of a row and the byte behind it hold all that two outputs take of
 * it: the pairs (x0, x2) and (x1, x3), and x4. 86 cycles for 36 products with their requantisation
 * on Cortex-M4.
 */
#ifndef TML_PLANAR_3X3_S2_I8_H
#define TML_PLANAR_3X3_S2_I8_H

#include "tml_planar_3x3_plain_i8.h"

/*
 * bordered: rows 2 * y_h + 1 of 2 * y_w + 1 columns, the pitch a multiple of 4
 * weights (rom): as in tml_planar_3x3_plain_i8.h
 * y: [y_h][y_w], both 2.., y_w: ..32767; an odd last row or column is done with the one before, a
 *     second time
 */
#if TML_HAVE_DSP_BLOCKS
/* The words of a row, and of those behind it one more; then down to the next. */
#    define TML_PLANAR_S2_LOAD(more)                                                               \
        "ldr e, [p]\n"                                                                             \
        "ldrsb z, [p, #4]\n" more                                                                  \
        "sxtb16 o, e, ror #8\n"                                                                    \
        "sxtb16 e, e\n"
#    define TML_PLANAR_S2_DOWN "add p, p, pitch\n"
/* A row of a window of y##0 and y##1, whose sums start at s0 and s1. */
#    define TML_PLANAR_S2_ROW(y, w, v, half, s0, s1)                                               \
        "smlatb " #y "1, e, " #w ", " #s1 "\n"                                                     \
        "smlad " #y "0, e, " #w ", " #s0 "\n"                                                      \
        "smlab" #half " " #y "0, o, " #v ", " #y "0\n"                                             \
        "smlat" #half " " #y "1, o, " #v ", " #y "1\n"                                             \
        "smlabt " #y "1, z, " #w ", " #y "1\n"
#    define TML_PLANAR_S2_FINISH(y)                                                                \
        "smmlar " #y ", " #y ", e, o\n"                                                            \
        "ssat " #y ", #8, " #y "\n"
/* Every register has its place, so that a frame pointer may be in use: r7 is put back. The array in
 * r4 holds p to pitch, then what goes to the stack: q, the end of a strip, p_back and q_back to the
 * next one, past the last one, bias, multiplier, zero point. */
#    define TML_PLANAR_S2_ENTER                                                                    \
        "e .req r0\n"                                                                              \
        "o .req r1\n"                                                                              \
        "z .req r2\n"                                                                              \
        "u0 .req r3\n"                                                                             \
        "p .req r4\n"                                                                              \
        "w0 .req r5\n"                                                                             \
        "w1 .req r6\n"                                                                             \
        "w2 .req r7\n"                                                                             \
        "wm .req r8\n"                                                                             \
        "wn .req r9\n"                                                                             \
        "pitch .req r10\n"                                                                         \
        "u1 .req r11\n"                                                                            \
        "b0 .req r12\n"                                                                            \
        "b1 .req lr\n"                                                                             \
        "push {r7}\n"                                                                              \
        "add r0, r4, #28\n"                                                                        \
        "ldm r0, {r0-r3, r5, r6, r8, r9}\n"                                                        \
        "push {r0-r3, r5, r6, r8, r9}\n"                                                           \
        "ldm r4, {r4-r10}\n"
#    define TML_PLANAR_S2_LEAVE                                                                    \
        "add sp, #32\n"                                                                            \
        "pop {r7}\n"                                                                               \
        ".unreq e\n"                                                                               \
        ".unreq o\n"                                                                               \
        ".unreq z\n"                                                                               \
        ".unreq u0\n"                                                                              \
        ".unreq p\n"                                                                               \
        ".unreq w0\n"                                                                              \
        ".unreq w1\n"                                                                              \
        ".unreq w2\n"                                                                              \
        ".unreq wm\n"                                                                              \
        ".unreq wn\n"                                                                              \
        ".unreq pitch\n"                                                                           \
        ".unreq u1\n"                                                                              \
        ".unreq b0\n"                                                                              \
        ".unreq b1\n"
/* Strips up to past, each of blocks up to end. */
#    define TML_PLANAR_S2_STRIPS                                                                   \
        __asm__ volatile(                                                                          \
            TML_PLANAR_S2_ENTER                                                                    \
            "1:\n"                                                                                 \
            TML_PLANAR_S2_LOAD("ldr u0, [sp, #20]\n" TML_PLANAR_S2_DOWN)                           \
            TML_PLANAR_S2_ROW(u, w0, wm, b, u0, u0)                                                \
            TML_PLANAR_S2_LOAD(TML_PLANAR_S2_DOWN)                                                 \
            TML_PLANAR_S2_ROW(u, w1, wm, t, u0, u1)                                                \
            TML_PLANAR_S2_LOAD("ldr b0, [sp, #20]\n" TML_PLANAR_S2_DOWN)                           \
            TML_PLANAR_S2_ROW(u, w2, wn, b, u0, u1)                                                \
            TML_PLANAR_S2_ROW(b, w0, wm, b, b0, b0)                                                \
            TML_PLANAR_S2_LOAD(TML_PLANAR_S2_DOWN)                                                 \
            TML_PLANAR_S2_ROW(b, w1, wm, t, b0, b1)                                                \
            TML_PLANAR_S2_LOAD("")                                                                 \
            TML_PLANAR_S2_ROW(b, w2, wn, b, b0, b1)                                                \
            "ldr e, [sp, #24]\n"                                                                   \
            "ldr o, [sp, #28]\n"                                                                   \
            "ldr z, [sp]\n"                                                                        \
            TML_PLANAR_S2_FINISH(u0) TML_PLANAR_S2_FINISH(u1)                                      \
            "strb u0, [z]\n"                                                                       \
            "strb u1, [z, #1]\n"                                                                   \
            "add z, z, wn, asr #16\n" /* the pitch of y */                                         \
            TML_PLANAR_S2_FINISH(b0) TML_PLANAR_S2_FINISH(b1)                                      \
            "ldr e, [sp, #4]\n"                                                                    \
            "strb b0, [z]\n"                                                                       \
            "strb b1, [z, #1]\n"                                                                   \
            "add z, z, wn, asr #16\n"                                                              \
            "str z, [sp]\n"                                                                        \
            "cmp z, e\n"                                                                           \
            "bne 1b\n"                                                                             \
            "ldr o, [sp, #8]\n"                                                                    \
            "ldr u0, [sp, #12]\n"                                                                  \
            "ldr u1, [sp, #16]\n"                                                                  \
            "adds e, #2\n"                                                                         \
            "str e, [sp, #4]\n"                                                                    \
            "sub p, p, o\n"                                                                        \
            "sub z, z, u0\n"                                                                       \
            "str z, [sp]\n"                                                                        \
            "cmp z, u1\n"                                                                          \
            "bne 1b\n"                                                                             \
            TML_PLANAR_S2_LEAVE                                                                    \
            : "+r"(in)                                                                             \
            :                                                                                      \
            : "r0", "r1", "r2", "r3", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "memory", \
              "cc")

TML_SHARED TML_ALL_REGISTERS void
tml_planar_3x3_s2_i8(const struct tml_depthwise_planar_params *plane, int8_t *bordered,
                     const int32_t *weights, int8_t *y)
{
    uint32_t frame[15];
    frame[1] = tml_sxtb16((uint32_t)weights[0]);
    frame[2] = tml_sxtb16((uint32_t)weights[1]);
    frame[3] = tml_sxtb16((uint32_t)weights[2]);
    frame[4] = tml_pair((int32_t)tml_sxtb16_odd((uint32_t)weights[0]),
                        (int32_t)tml_sxtb16_odd((uint32_t)weights[1]));
    frame[5] = tml_pair((int32_t)tml_sxtb16_odd((uint32_t)weights[2]), (int32_t)plane->y_w);
    frame[6] = (uint32_t)plane->pitch;
    frame[12] = (uint32_t)weights[3];
    frame[13] = (uint32_t)weights[4];
    frame[14] = (uint32_t)plane->y_zero_point;
    int_fast16_t odd_row = plane->y_h % 2;
    int_fast16_t odd_column = plane->y_w % 2;
    /* bit 0: the last two columns, bit 1: the last two rows */
    for (int_fast16_t part = 0; part < 4; part++) {
        bool right = part % 2 != 0;
        bool bottom = part / 2 != 0;
        if ((right && odd_column == 0) || (bottom && odd_row == 0)) {
            continue;
        }
        int_fast16_t row = bottom ? plane->y_h - 2 : 0;
        int_fast16_t column = right ? plane->y_w - 2 : 0;
        int_fast16_t rows = bottom ? 2 : plane->y_h - odd_row;
        const int8_t *q = y + row * plane->y_w + column;
        frame[0] = (uint32_t)(bordered + 2 * (row * plane->pitch + column));
        frame[7] = (uint32_t)q;
        frame[8] = (uint32_t)(q + rows * plane->y_w);
        frame[9] = (uint32_t)(2 * rows * plane->pitch - 4);
        frame[10] = (uint32_t)(rows * plane->y_w - 2);
        frame[11] = (uint32_t)(q + (right ? 2 : plane->y_w - odd_column));
        register uint32_t *in __asm__("r4") = frame;
        TML_PLANAR_S2_STRIPS;
    }
}
#else
TML_SHARED void tml_planar_3x3_s2_i8(const struct tml_depthwise_planar_params *plane,
                                     int8_t *bordered, const int32_t *weights, int8_t *y)
{
    tml_planar_3x3_plain_i8(plane, bordered, weights, 2, y);
}
#endif

#endif
