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
/* Every register has its place, so that a frame pointer may be in use: r7 is put back. What comes
 * in r1 to r3, r5 and r8 goes to the stack: the end of a strip, p_back and q_back to the next one,
 * past the last one, whether rows are odd; between them are the bias and r7. The weights are
 * unpacked as they lie in flash. */
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
        "ldr r6, [r0, #12]\n"                                                                      \
        "ldr m, [r0, #16]\n"                                                                       \
        "push {r1-r3, r5-r8}\n"                                                                    \
        "ldm r0, {r5-r7}\n"                                                                        \
        "sxtb16 e, w0, ror #8\n"                                                                   \
        "sxtb16 o, w1, ror #8\n"                                                                   \
        "sxtb16 z, w2, ror #8\n"                                                                   \
        "pkhbt wm, e, o, lsl #16\n"                                                                \
        "pkhbt wn, wn, z, lsl #16\n"                                                               \
        "sxtb16 w0, w0\n"                                                                          \
        "sxtb16 w1, w1\n"                                                                          \
        "sxtb16 w2, w2\n"
#    define TML_PLANAR_S2_LEAVE                                                                    \
        "ldr r7, [sp, #20]\n"                                                                      \
        "add sp, #28\n"                                                                            \
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
#    define TML_PLANAR_S2_STRIPS                                                                   \
        __asm__ volatile(                                                                          \
            TML_PLANAR_S2_ENTER                                                                    \
            "1:\n"                                                                                 \
            "ldr u0, [sp, #16]\n"                                                                  \
            TML_PLANAR_S2_LOAD TML_PLANAR_S2_ROW(w0, wm, b, u0, u0)                                \
            "ldr e, [sp, #24]\n"                                                                   \
            "cmp e, #0\n"                                                                          \
            "bne 3f\n"                                                                             \
            "2:\n"                                                                                 \
            TML_PLANAR_S2_RESULTS("") TML_PLANAR_S2_ROW(w0, wm, b, u0, u0)                         \
            "3:\n"                                                                                 \
            TML_PLANAR_S2_RESULTS("ldr u1, [sp]\n")                                                \
            "cmp q, u1\n"                                                                          \
            TML_PLANAR_S2_ROW(w0, wm, b, u0, u0)                                                   \
            "bne 2b\n"                                                                             \
            "ldr o, [sp, #4]\n"                                                                    \
            "ldr u0, [sp, #8]\n"                                                                   \
            "ldr e, [sp]\n"                                                                        \
            "ldr u1, [sp, #12]\n"                                                                  \
            "sub p, p, o\n"                                                                        \
            "sub q, q, u0\n"                                                                       \
            "add e, e, #2\n"                                                                       \
            "str e, [sp]\n"                                                                        \
            "cmp q, u1\n"                                                                          \
            "bne 1b\n"                                                                             \
            TML_PLANAR_S2_LEAVE                                                                    \
            : "+r"(w), "+r"(end), "+r"(p_back), "+r"(q_back), "+r"(p), "+r"(past), "+r"(odd),      \
              "+r"(zero), "+r"(q), "+r"(pitches)                                                   \
            :                                                                                      \
            : "r6", "r11", "lr", "memory", "cc")

TML_INLINE void tml_planar_3x3_s2_i8(const struct tml_depthwise_planar_params *plane,
                                     int8_t *bordered, const int32_t *weights, int8_t *y)
{
    int_fast16_t size = plane->y_h * plane->y_w;
    int_fast16_t columns = plane->y_w / 2 * 2;
    for (int_fast16_t part = 0; part <= plane->y_w % 2; part++) {
        register const int32_t *w __asm__("r0") = weights;
        register int8_t *end __asm__("r1") = y + size;
        register int_fast16_t p_back __asm__("r2") = (2 * plane->y_h + 1) * plane->pitch - 4;
        register int_fast16_t q_back __asm__("r3") = size - 2;
        register int8_t *p __asm__("r4") = bordered;
        register int8_t *past __asm__("r5") = y + columns;
        register int_fast16_t odd __asm__("r8") = plane->y_h % 2;
        register int32_t zero __asm__("r9") = plane->y_zero_point;
        register int8_t *q __asm__("r10") = y;
        register uint32_t pitches __asm__("r12") =
            tml_pair((int32_t)plane->pitch, (int32_t)plane->y_w);
        TML_PLANAR_S2_STRIPS;
        /* the last two columns, one of them for a second time */
        bordered += 2 * (columns - 1);
        y += columns - 1;
        columns = 2;
    }
}
#else
TML_INLINE void tml_planar_3x3_s2_i8(const struct tml_depthwise_planar_params *plane,
                                     int8_t *bordered, const int32_t *weights, int8_t *y)
{
    tml_planar_3x3_plain_i8(plane, bordered, weights, 2, y);
}
#endif

#endif
