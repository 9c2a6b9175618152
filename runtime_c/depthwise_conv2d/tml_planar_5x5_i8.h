/* SPDX-License-Identifier: 0BSD */
/*
 * 5x5 windows over a bordered plane (tml_planar_border_i8.h) go down strips of four columns. Words
 * of a row come as the pairs (x0, x2), (x1, x3), (x4, x6), (x5, x7); (x4, x2) and (x5, x3) are
 * multiplied crosswise. A row of weights is the pairs (w0, w2) and (w1, w3), which are loaded, and
 * w4, which has a register: 12 multiplies for 20 products.
 */
#ifndef TML_PLANAR_5X5_I8_H
#define TML_PLANAR_5X5_I8_H

#include "tml_planar_border_i8.h"

/* Of a channel bias, multiplier, for each row w0 to w3, w4 of rows 0 to 3, w4 of row 4. */
#define TML_PLANAR_5X5_WORDS 9

#if TML_HAVE_DSP_BLOCKS
/* First words of a row, and its weights. */
#    define TML_PLANAR_5X5_LOAD(row, more)                                                         \
        "ldr e0, [p]\n"                                                                            \
        "ldr e1, [p, #4]\n"                                                                        \
        "ldr wa, [sp, #36+8*" #row "]\n"                                                           \
        "ldr wb, [sp, #40+8*" #row "]\n" more "sxtb16 o0, e0, ror #8\n"                            \
        "sxtb16 e0, e0\n"                                                                          \
        "sxtb16 o1, e1, ror #8\n"                                                                  \
        "sxtb16 e1, e1\n"
#    define TML_PLANAR_5X5_BIAS "ldr y3, [sp, #20]\n"
#    define TML_PLANAR_5X5_DOWN "add p, p, pitch, asr #16\n"
#    define TML_PLANAR_5X5_UP "sub p, p, pitch, asr #16\n"
#    define TML_PLANAR_5X5_RESULT(i)                                                               \
        "smmlar y" #i ", y" #i ", e0, o0\n"                                                        \
        "ssat y" #i ", #8, y" #i "\n"                                                              \
        "strb y" #i ", [e1, #" #i "]\n"
/* Every register has its place, so that a frame pointer may be in use: r7 is put back. The array in
 * r4 holds what goes to the stack: q, the end of a strip, p_back and q_back to the next one, past
 * the last one, bias, multiplier, zero point, columns of y, 5 pairs of wa and wb; then p to pitch.
 * w4 of row 4 is the lower half of pitch. */
#    define TML_PLANAR_5X5_ENTER                                                                   \
        "e0 .req r0\n"                                                                             \
        "o0 .req r1\n"                                                                             \
        "e1 .req r2\n"                                                                             \
        "o1 .req r3\n"                                                                             \
        "p .req r4\n"                                                                              \
        "va .req r5\n"                                                                             \
        "vb .req r6\n"                                                                             \
        "pitch .req r7\n"                                                                          \
        "wa .req r8\n"                                                                             \
        "wb .req r9\n"                                                                             \
        "y0 .req r10\n"                                                                            \
        "y1 .req r11\n"                                                                            \
        "y2 .req r12\n"                                                                            \
        "y3 .req lr\n"                                                                             \
        "push {r7}\n"                                                                              \
        "add r0, r4, #36\n"                                                                        \
        "ldm r0, {r0-r3, r5-r10}\n"                                                                \
        "push {r0-r3, r5-r10}\n"                                                                   \
        "ldm r4, {r0-r3, r5-r9}\n"                                                                 \
        "push {r0-r3, r5-r9}\n"                                                                    \
        "add r4, r4, #76\n"                                                                        \
        "ldm r4, {r4-r7}\n"
#    define TML_PLANAR_5X5_LEAVE                                                                   \
        "add sp, #76\n"                                                                            \
        "pop {r7}\n"                                                                               \
        ".unreq e0\n"                                                                              \
        ".unreq o0\n"                                                                              \
        ".unreq e1\n"                                                                              \
        ".unreq o1\n"                                                                              \
        ".unreq p\n"                                                                               \
        ".unreq va\n"                                                                              \
        ".unreq vb\n"                                                                              \
        ".unreq pitch\n"                                                                           \
        ".unreq wa\n"                                                                              \
        ".unreq wb\n"                                                                              \
        ".unreq y0\n"                                                                              \
        ".unreq y1\n"                                                                              \
        ".unreq y2\n"                                                                              \
        ".unreq y3\n"
/* Strips up to past, each of quads up to end. up: from the last row of a window to the next one's
 * first */
#    define TML_PLANAR_5X5_STRIPS(row, up)                                                         \
        __asm__ volatile(                                                                          \
            TML_PLANAR_5X5_ENTER                                                                   \
            "1:\n" row(0, TML_PLANAR_5X5_BIAS, va, b, y3, y3, y3, TML_PLANAR_5X5_DOWN)             \
                row(1, "", vb, b, y0, y1, y2, TML_PLANAR_5X5_DOWN) row(2, "", va, t, y0, y1, y2,   \
                                                                       TML_PLANAR_5X5_DOWN)        \
                    row(3, "", vb, t, y0, y1, y2, TML_PLANAR_5X5_DOWN)                             \
                        row(4, "", pitch, b, y0, y1, y2,                                           \
                            "") "ldr e0, [sp, #24]\n"                                              \
                                "ldr o0, [sp, #28]\n"                                              \
                                "ldr e1, [sp]\n"                                                   \
                                "ldr o1, [sp, #32]\n"                                              \
                                "ldr wa, [sp, #4]\n" TML_PLANAR_5X5_RESULT(0)                      \
                                    TML_PLANAR_5X5_RESULT(1) TML_PLANAR_5X5_RESULT(2)              \
                                        TML_PLANAR_5X5_RESULT(3) "add e1, e1, o1\n" up             \
                                                                 "str e1, [sp]\n"                  \
                                                                 "cmp e1, wa\n"                    \
                                                                 "bne 1b\n"                        \
                                                                 "ldr e0, [sp, #8]\n"              \
                                                                 "ldr o0, [sp, #12]\n"             \
                                                                 "ldr o1, [sp, #16]\n"             \
                                                                 "add wa, wa, #4\n"                \
                                                                 "str wa, [sp, #4]\n"              \
                                                                 "sub p, p, e0\n"                  \
                                                                 "sub e1, e1, o0\n"                \
                                                                 "str e1, [sp]\n"                  \
                                                                 "cmp e1, o1\n"                    \
                                                                 "bne 1b\n" TML_PLANAR_5X5_LEAVE   \
            : "+r"(in)                                                                             \
            :                                                                                      \
            : "r0", "r1", "r2", "r3", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "memory", \
              "cc")

#    define TML_PLANAR_5X5_FRAME 23

/* The frame but for where its strips are. */
TML_INLINE void tml_planar_5x5_frame_i8(const struct tml_depthwise_planar_params *plane,
                                        const int32_t *weights, uint32_t *frame)
{
    uint32_t fifths = (uint32_t)weights[7];
    frame[2] = (uint32_t)(plane->stride_h * (plane->y_h * plane->pitch - 4));
    frame[3] = (uint32_t)(plane->y_h * plane->y_w - 4);
    frame[5] = (uint32_t)weights[0];
    frame[6] = (uint32_t)weights[1];
    frame[7] = (uint32_t)plane->y_zero_point;
    frame[8] = (uint32_t)plane->y_w;
    for (int_fast16_t k = 0; k < 5; k++) {
        frame[9 + 2 * k] = tml_sxtb16((uint32_t)weights[2 + k]);
        frame[10 + 2 * k] = tml_sxtb16_odd((uint32_t)weights[2 + k]);
    }
    frame[20] = tml_sxtb16(fifths);
    frame[21] = tml_sxtb16_odd(fifths);
    frame[22] = tml_pair(weights[8], (int32_t)plane->pitch);
}

/* Strips that begin at a column of y: quads of columns. */
TML_INLINE void tml_planar_5x5_strips_i8(const struct tml_depthwise_planar_params *plane,
                                         const int8_t *bordered, const int8_t *y,
                                         int_fast16_t column, int_fast16_t columns, uint32_t *frame)
{
    frame[0] = (uint32_t)(y + column);
    frame[1] = (uint32_t)(y + column + plane->y_h * plane->y_w);
    frame[4] = (uint32_t)(y + column + columns);
    frame[19] = (uint32_t)(bordered + plane->stride_h * column);
}
#else
/* One output without zero point. x: where its window begins */
TML_INLINE int32_t tml_planar_5x5_at_i8(const int8_t *x, ptrdiff_t pitch, const int32_t *weights)
{
    uint32_t sum = (uint32_t)tml_rom_i32(weights);
    uint32_t fifths = (uint32_t)tml_rom_i32(weights + 7);
    for (int_fast16_t k = 0; k < 5; k++) {
        uint32_t row = (uint32_t)tml_rom_i32(weights + 2 + k);
        for (int_fast16_t i = 0; i < 4; i++) {
            sum += (uint32_t)(int32_t)tml_mul_i8(x[i], (int8_t)(uint8_t)(row >> (8 * i)));
        }
        uint32_t fifth = k < 4 ? fifths >> (8 * k) : (uint32_t)tml_rom_i32(weights + 8);
        sum += (uint32_t)(int32_t)tml_mul_i8(x[4], (int8_t)(uint8_t)fifth);
        x += pitch;
    }
    return tml_requantize((int32_t)sum, tml_rom_i32(weights + 1));
}

TML_SHARED void tml_planar_5x5_plain_i8(const struct tml_depthwise_planar_params *plane,
                                        int8_t *bordered, const int32_t *weights, int8_t *y)
{
    for (int_fast16_t row = 0; row < plane->y_h; row++) {
        for (int_fast16_t i = 0; i < plane->y_w; i++) {
            int32_t v = tml_planar_5x5_at_i8(bordered + plane->stride_h * i, plane->pitch, weights);
            y[i] = tml_saturate_i8(plane->y_zero_point + v);
        }
        bordered += plane->stride_h * plane->pitch;
        y += plane->y_w;
    }
}
#endif

#endif
