/* SPDX-License-Identifier: 0BSD */
/*
 * 3x3 windows of stride 2 over a bordered plane (tml_planar_border_i8.h) go down strips of two
 * columns. A word of a row and the byte behind it hold all that two outputs take of it: the pairs
 * (x0, x2) and (x1, x3), and x4. Each row is loaded once: every other one ends two results, whose
 * registers then begin the two below with the same row. Registers are kept free by halves: wn is
 * the zero point, which is added to results in their lower half, and the last row's w1; pitches is
 * that of the plane and that of y. 37 cycles for 18 products with their requantisation on
 * Cortex-M4.
 */
#ifndef TML_PLANAR_3X3_S2_I8_H
#define TML_PLANAR_3X3_S2_I8_H

#include "tml_planar_3x3_plain_i8.h"

/*
 * bordered: rows 2 * y_h + 1 of 2 * y_w + 1 columns, the pitch a multiple of 4
 * weights (rom): as in tml_planar_3x3_plain_i8.h
 * y: [y_h][y_w], both 2.., y_w: ..32767; an odd last column is done with the one before, a
 *     second time
 */
#if TML_HAVE_DSP_BLOCKS
/* A row, then down to the next one. */
#    define TML_PLANAR_S2_LOAD                                                                     \
        "ldr e, [p]\n"                                                                             \
        "ldrsb z, [p, #4]\n"                                                                       \
        "uxtah p, p, pitches\n"                                                                    \
        "sxtb16 o, e, ror #8\n"                                                                    \
        "sxtb16 e, e\n"
/* A row of the windows of both outputs; b, v##half: where their sums start, w1. */
#    define TML_PLANAR_S2_ROW(w, v, half, b0, b1)                                                  \
        "smlatb u1, e, " #w ", " #b1 "\n"                                                          \
        "smlad u0, e, " #w ", " #b0 "\n"                                                           \
        "smlab" #half " u0, o, " #v ", u0\n"                                                       \
        "smlat" #half " u1, o, " #v ", u1\n"                                                       \
        "smlabt u1, z, " #w ", u1\n"
/* A row of results, whose windows' first row is done; afterwards the bias is in b. */
#    define TML_PLANAR_S2_RESULTS(more)                                                            \
        TML_PLANAR_S2_LOAD TML_PLANAR_S2_ROW(w1, wm, t, u0, u1)                                    \
        TML_PLANAR_S2_LOAD TML_PLANAR_S2_ROW(w2, wn, t, u0, u1) "smmlar u0, u0, m, wn\n"           \
                                                                "smmlar u1, u1, m, wn\n"           \
                                                                "ssat16 u0, #8, u0\n"              \
                                                                "ssat16 u1, #8, u1\n"              \
                                                                "strb u0, [q]\n"                   \
                                                                "strb u1, [q, #1]\n"               \
                                                                "uxtah q, q, pitches, ror #16\n"   \
                                                                "ldr u0, [sp, #16]\n" more
/* Every register has its place, so that a frame pointer may be in use: r7 is put back. The array in
 * r4 holds p to pitches, then what goes to the stack: the end of a strip, p_back and q_back to the
 * next one, past the last one, bias, whether rows are odd. */
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
        "q .req r10\n"                                                                             \
        "m .req r11\n"                                                                             \
        "pitches .req r12\n"                                                                       \
        "u1 .req lr\n"                                                                             \
        "push {r7}\n"                                                                              \
        "add r0, r4, #36\n"                                                                        \
        "ldm r0, {r0-r3, r5, r6}\n"                                                                \
        "push {r0-r3, r5, r6}\n"                                                                   \
        "ldm r4, {r4-r12}\n"
#    define TML_PLANAR_S2_LEAVE                                                                    \
        "add sp, #24\n"                                                                            \
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
        ".unreq q\n"                                                                               \
        ".unreq m\n"                                                                               \
        ".unreq pitches\n"                                                                         \
        ".unreq u1\n"
/* Strips up to past, each of rows up to end: two of them a round, the first one by itself if their
 * number is odd. */
#    define TML_PLANAR_S2_STRIPS                                                                           \
        __asm__ volatile(                                                                                  \
            TML_PLANAR_S2_ENTER                                                                            \
            "1:\n"                                                                                         \
            "ldr u0, [sp, #16]\n" TML_PLANAR_S2_LOAD TML_PLANAR_S2_ROW(                                    \
                w0, wm, b, u0,                                                                             \
                u0) "ldr e, [sp, #20]\n"                                                                   \
                    "cmp e, #0\n"                                                                          \
                    "bne 3f\n"                                                                             \
                    "2:\n" TML_PLANAR_S2_RESULTS("")                                                       \
                        TML_PLANAR_S2_ROW(w0, wm, b, u0, u0) "3:\n" TML_PLANAR_S2_RESULTS(                 \
                            "ldr u1, [sp]\n") "cmp q, u1\n" TML_PLANAR_S2_ROW(w0, wm, b, u0,               \
                                                                              u0) "bne 2b\n"               \
                                                                                  "ldr o, [sp, "           \
                                                                                  "#4]\n"                  \
                                                                                  "ldr u0, [sp, "          \
                                                                                  "#8]\n"                  \
                                                                                  "ldr e, [sp]\n"          \
                                                                                  "ldr u1, [sp, "          \
                                                                                  "#12]\n"                 \
                                                                                  "sub p, p, o\n"          \
                                                                                  "sub q, q, u0\n"         \
                                                                                  "add e, e, #2\n"         \
                                                                                  "str e, [sp]\n"          \
                                                                                  "cmp q, u1\n"            \
                                                                                  "bne "                   \
                                                                                  "1b"                     \
                                                                                  "\n" TML_PLANAR_S2_LEAVE \
            : "+r"(in)                                                                                     \
            :                                                                                              \
            : "r0", "r1", "r2", "r3", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "memory",         \
              "cc")

TML_SHARED TML_ALL_REGISTERS void
tml_planar_3x3_s2_i8(const struct tml_depthwise_planar_params *plane, int8_t *bordered,
                     const int32_t *weights, int8_t *y)
{
    int_fast16_t size = plane->y_h * plane->y_w;
    int_fast16_t odd = plane->y_w % 2;
    uint32_t last = tml_sxtb16_odd((uint32_t)weights[2]);
    uint32_t frame[15] = {
        (uint32_t)bordered,
        tml_sxtb16((uint32_t)weights[0]),
        tml_sxtb16((uint32_t)weights[1]),
        tml_sxtb16((uint32_t)weights[2]),
        tml_pair((int32_t)tml_sxtb16_odd((uint32_t)weights[0]),
                 (int32_t)tml_sxtb16_odd((uint32_t)weights[1])),
        tml_pair(plane->y_zero_point, (int32_t)last),
        (uint32_t)y,
        (uint32_t)weights[4],
        tml_pair((int32_t)plane->pitch, (int32_t)plane->y_w),
        (uint32_t)(y + size),
        (uint32_t)((2 * plane->y_h + 1) * plane->pitch - 4),
        (uint32_t)(size - 2),
        (uint32_t)(y + plane->y_w - odd),
        (uint32_t)weights[3],
        (uint32_t)(plane->y_h % 2),
    };
    for (int_fast16_t part = 0; part <= odd; part++) {
        register uint32_t *in __asm__("r4") = frame;
        TML_PLANAR_S2_STRIPS;
        /* the last two columns, one of them for a second time */
        int_fast16_t right = plane->y_w - 2;
        frame[0] = (uint32_t)(bordered + 2 * right);
        frame[6] = (uint32_t)(y + right);
        frame[9] = (uint32_t)(y + right + size);
        frame[12] = (uint32_t)(y + plane->y_w);
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
