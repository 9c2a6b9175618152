/* SPDX-License-Identifier: 0BSD */
/*
 * 3x3 windows of stride 1 over a block (tml_planar_blocks_i8.h) go down strips of two columns. A
 * word of a row holds all that two outputs take of it: the pairs (x0, x2) and (x1, x3); a row of
 * weights is the pair (w0, w2) and w1; four multiplies are six products. Each row is loaded once: it
 * ends one row of results, whose registers then begin another, and is the middle of the one between.
 * Two rows of code rename them. The register of the last row's w1, in its upper half, is added to
 * results as their zero point, which is its lower half. 22 cycles for 18 products with their
 * requantisation on Cortex-M4.
 */
#ifndef TML_PLANAR_3X3_I8_H
#define TML_PLANAR_3X3_I8_H

#include "tml_planar_3x3_plain_i8.h"
#include "tml_planar_blocks_i8.h"

/*
 * rows: of results: 2..
 * block: rows + 2 rows, becomes rows of results
 * columns: of results: 1..14
 * weights (rom): as in tml_planar_3x3_plain_i8.h
 */
#if TML_HAVE_DSP_BLOCKS
#    define TML_PLANAR_SPLIT(word)                                                                 \
        "sxtb16 o, " #word ", ror #8\n"                                                            \
        "sxtb16 e, " #word "\n"
/* The first, middle and last row of the windows of r##0 and r##1, then their results. */
#    define TML_PLANAR_FIRST_TWO(r)                                                                \
        "smlad " #r "1, o, w0, bias\n"                                                             \
        "smlatb " #r "1, e, wm, " #r "1\n" TML_PLANAR_FIRST_ONE(r)
#    define TML_PLANAR_MIDDLE_TWO(r)                                                               \
        "smlad " #r "1, o, w1, " #r "1\n"                                                          \
        "smlatt " #r "1, e, wm, " #r "1\n" TML_PLANAR_MIDDLE_ONE(r)
#    define TML_PLANAR_LAST_TWO(r, at)                                                             \
        "smlad " #r "1, o, w2, " #r "1\n"                                                          \
        "smlatt " #r "1, e, wn, " #r "1\n" TML_PLANAR_LAST(r)                                      \
        "smmlar " #r "1, " #r "1, m, wn\n"                                                         \
        "ssat16 " #r "0, #8, " #r "0\n"                                                            \
        "ssat16 " #r "1, #8, " #r "1\n"                                                            \
        "strb " #r "0, [p, #" #at "]\n"                                                            \
        "strb " #r "1, [p, #" #at "+1]\n"
/* Of r##0 alone. */
#    define TML_PLANAR_FIRST_ONE(r)                                                                \
        "smlad " #r "0, e, w0, bias\n"                                                             \
        "smlabb " #r "0, o, wm, " #r "0\n"
#    define TML_PLANAR_MIDDLE_ONE(r)                                                               \
        "smlad " #r "0, e, w1, " #r "0\n"                                                          \
        "smlabt " #r "0, o, wm, " #r "0\n"
#    define TML_PLANAR_LAST(r)                                                                     \
        "smlad " #r "0, e, w2, " #r "0\n"                                                          \
        "smlabt " #r "0, o, wn, " #r "0\n"                                                         \
        "smmlar " #r "0, " #r "0, m, wn\n"
#    define TML_PLANAR_LAST_ONE(r, at)                                                             \
        TML_PLANAR_LAST(r)                                                                         \
        "ssat16 " #r "0, #8, " #r "0\n"                                                            \
        "strb " #r "0, [p, #" #at "]\n"
#    define TML_PLANAR_ROW(kind, r, s, at)                                                         \
        TML_PLANAR_SPLIT(e)                                                                        \
        TML_PLANAR_LAST_##kind(r, at) TML_PLANAR_FIRST_##kind(r) TML_PLANAR_MIDDLE_##kind(s)
#    define TML_PLANAR_SWAP                                                                        \
        "mov o, u0\n"                                                                              \
        "mov u0, b0\n"                                                                             \
        "mov b0, o\n"                                                                              \
        "mov o, u1\n"                                                                              \
        "mov u1, b1\n"                                                                             \
        "mov b1, o\n"
/* Every register has its place, so that a frame pointer may be in use: r7 is put back. What comes
 * in r1, r2, r3 and r5 goes to the stack: the end of a strip's rounds, rows skipped in the first,
 * back to the next strip, past the last one. The weights are unpacked as they lie in flash. */
#    define TML_PLANAR_ENTER                                                                       \
        "e .req r0\n"                                                                              \
        "o .req r1\n"                                                                              \
        "u0 .req r2\n"                                                                             \
        "u1 .req r3\n"                                                                             \
        "p .req r4\n"                                                                              \
        "w0 .req r5\n"                                                                             \
        "w1 .req r6\n"                                                                             \
        "w2 .req r7\n"                                                                             \
        "wm .req r8\n"                                                                             \
        "wn .req r9\n"                                                                             \
        "bias .req r10\n"                                                                          \
        "m .req r11\n"                                                                             \
        "b0 .req r12\n"                                                                            \
        "b1 .req lr\n"                                                                             \
        "push {r1-r3, r5, r7}\n"                                                                   \
        "ldm r0, {r5-r7, r10, r11}\n"                                                              \
        "sxtb16 e, w0, ror #8\n"                                                                   \
        "sxtb16 o, w1, ror #8\n"                                                                   \
        "sxtb16 u0, w2, ror #8\n"                                                                  \
        "pkhbt wm, e, o, lsl #16\n"                                                                \
        "pkhbt wn, wn, u0, lsl #16\n"                                                              \
        "sxtb16 w0, w0\n"                                                                          \
        "sxtb16 w1, w1\n"                                                                          \
        "sxtb16 w2, w2\n"
#    define TML_PLANAR_LEAVE                                                                       \
        "add sp, #16\n"                                                                            \
        "pop {r7}\n"                                                                               \
        ".unreq e\n"                                                                               \
        ".unreq o\n"                                                                               \
        ".unreq u0\n"                                                                              \
        ".unreq u1\n"                                                                              \
        ".unreq p\n"                                                                               \
        ".unreq w0\n"                                                                              \
        ".unreq w1\n"                                                                              \
        ".unreq w2\n"                                                                              \
        ".unreq wm\n"                                                                              \
        ".unreq wn\n"                                                                              \
        ".unreq bias\n"                                                                            \
        ".unreq m\n"                                                                               \
        ".unreq b0\n"                                                                              \
        ".unreq b1\n"
/* Strips up to past. All rows but the first two and the last two go round, eight at a time; the first
 * round begins in its middle, and in its end if there are none. */
#    define TML_PLANAR_STRIPS(kind)                                                                \
        __asm__ volatile(                                                                          \
            TML_PLANAR_ENTER                                                                       \
            "0:\n"                                                                                 \
            "ldr e, [p]\n"                                                                         \
            "ldr b0, [p, #16]\n"                                                                   \
            TML_PLANAR_SPLIT(e) TML_PLANAR_FIRST_##kind(u)                                         \
            TML_PLANAR_SPLIT(b0) TML_PLANAR_FIRST_##kind(b) TML_PLANAR_MIDDLE_##kind(u)            \
            "ldr o, [sp, #4]\n"                                                                    \
            "ldr e, [p, #32]\n"                                                                    \
            "sub p, p, o, lsl #4\n"                                                                \
            "tbh [pc, o, lsl #1]\n"                                                                \
            "1:\n"                                                                                 \
            ".hword (20f-1b)/2, (11f-1b)/2, (22f-1b)/2, (13f-1b)/2, (24f-1b)/2, (15f-1b)/2\n"      \
            ".hword (26f-1b)/2, (17f-1b)/2, (28f-1b)/2\n"                                          \
            "11:\n" TML_PLANAR_SWAP "b 21f\n"                                                      \
            "13:\n" TML_PLANAR_SWAP "b 23f\n"                                                      \
            "15:\n" TML_PLANAR_SWAP "b 25f\n"                                                      \
            "17:\n" TML_PLANAR_SWAP "b 27f\n"                                                      \
            "20:\n" TML_PLANAR_ROW(kind, u, b, 0)                                                  \
            "ldr e, [p, #48]\n"                                                                    \
            "21:\n" TML_PLANAR_ROW(kind, b, u, 16)                                                 \
            "ldr e, [p, #64]\n"                                                                    \
            "22:\n" TML_PLANAR_ROW(kind, u, b, 32)                                                 \
            "ldr e, [p, #80]\n"                                                                    \
            "23:\n" TML_PLANAR_ROW(kind, b, u, 48)                                                 \
            "ldr e, [p, #96]\n"                                                                    \
            "24:\n" TML_PLANAR_ROW(kind, u, b, 64)                                                 \
            "ldr e, [p, #112]\n"                                                                   \
            "25:\n" TML_PLANAR_ROW(kind, b, u, 80)                                                 \
            "ldr e, [p, #128]\n"                                                                   \
            "26:\n" TML_PLANAR_ROW(kind, u, b, 96)                                                 \
            "ldr e, [p, #144]\n"                                                                   \
            "27:\n" TML_PLANAR_ROW(kind, b, u, 112)                                                \
            "28:\n"                                                                                \
            "add p, p, #128\n"                                                                     \
            "ldr o, [sp]\n"                                                                        \
            "ldr e, [p, #32]\n"                                                                    \
            "cmp p, o\n"                                                                           \
            "bne 20b\n"                                                                            \
            TML_PLANAR_SPLIT(e) TML_PLANAR_LAST_##kind(u, 0) TML_PLANAR_MIDDLE_##kind(b)           \
            "ldr e, [p, #48]\n"                                                                    \
            TML_PLANAR_SPLIT(e) TML_PLANAR_LAST_##kind(b, 16)                                      \
            "ldr e, [sp]\n"                                                                        \
            "ldr o, [sp, #8]\n"                                                                    \
            "ldr u0, [sp, #12]\n"                                                                  \
            "add e, e, #2\n"                                                                       \
            "str e, [sp]\n"                                                                        \
            "sub p, p, o\n"                                                                        \
            "cmp p, u0\n"                                                                          \
            "bne 0b\n"                                                                             \
            TML_PLANAR_LEAVE                                                                       \
            : "+r"(w), "+r"(end), "+r"(skipped), "+r"(back), "+r"(p), "+r"(past), "+r"(zero)       \
            :                                                                                      \
            : "r6", "r8", "r10", "r11", "r12", "lr", "memory", "cc")
#    define TML_PLANAR_SLIDE(kind, at, behind)                                                     \
        register const int32_t *w __asm__("r0") = weights;                                         \
        register int8_t *end __asm__("r1") = (at) + TML_PLANAR_PITCH * round;                      \
        register int_fast16_t skipped __asm__("r2") = round == 0 ? 8 : -round & 7;                 \
        register int_fast16_t back __asm__("r3") = TML_PLANAR_PITCH * round - 2;                   \
        register int8_t *p __asm__("r4") = at;                                                     \
        register int8_t *past __asm__("r5") = behind;                                              \
        register int32_t zero __asm__("r9") = zero_point;                                          \
        TML_PLANAR_STRIPS(kind)

TML_INLINE void tml_planar_3x3_i8(int_fast16_t rows, int32_t zero_point, int8_t *block,
                                  int_fast16_t columns, const int32_t *weights)
{
    int_fast16_t round = rows - 2;
    int8_t *even = block + columns / 2 * 2;
    if (columns > 1) {
        TML_PLANAR_SLIDE(TWO, block, even);
    }
    if (columns % 2 != 0) { /* the last column alone */
        TML_PLANAR_SLIDE(ONE, even, even + 2);
    }
}
#else
TML_INLINE void tml_planar_3x3_i8(int_fast16_t rows, int32_t zero_point, int8_t *block,
                                  int_fast16_t columns, const int32_t *weights)
{
    for (int_fast16_t i = 0; i < columns; i++) {
        int8_t *at = block + i;
        for (int_fast16_t row = 0; row < rows; row++) {
            int32_t v = tml_planar_3x3_at_i8(at, TML_PLANAR_PITCH, weights);
            *at = tml_saturate_i8(zero_point + v);
            at += TML_PLANAR_PITCH;
        }
    }
}
#endif

#endif
