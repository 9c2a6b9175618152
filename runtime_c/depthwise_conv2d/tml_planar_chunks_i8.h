/* SPDX-License-Identifier: 0BSD */
/*
 * Windows of 6 to 16 taps over a row: four outputs take four taps at a time, a chunk, with the pairs
 * of tml_planar_pieces_i8.h: 8 multiplies for 16 products. The code is four chunks, entered where as
 * many are left as a window has. 17 cycles a chunk on Cortex-M4.
 */
#ifndef TML_PLANAR_CHUNKS_I8_H
#define TML_PLANAR_CHUNKS_I8_H

#include "tml_planar_pieces_i8.h"

#if TML_HAVE_DSP_BLOCKS
/* Words 0 and 1 of x; word 1 is word 0 of the next chunk. */
#    define TML_PLANAR_CHUNK(e0, o0, e1, o1, x_at, w_at)                                           \
        "ldr %[" #e1 "], [%[p], #" #x_at "]\n"                                                     \
        "ldr %[wa], [%[w], #" #w_at "]\n"                                                          \
        "sxtb16 %[" #o1 "], %[" #e1 "], ror #8\n"                                                  \
        "sxtb16 %[" #e1 "], %[" #e1 "]\n"                                                          \
        "sxtb16 %[wb], %[wa], ror #8\n"                                                            \
        "sxtb16 %[wa], %[wa]\n"                                                                    \
        "smlad %[y0], %[" #e0 "], %[wa], %[y0]\n"                                                  \
        "smlad %[y0], %[" #o0 "], %[wb], %[y0]\n"                                                  \
        "pkhbt %[" #e0 "], %[" #e1 "], %[" #e0 "]\n"                                               \
        "smlad %[y1], %[" #o0 "], %[wa], %[y1]\n"                                                  \
        "smladx %[y1], %[" #e0 "], %[wb], %[y1]\n"                                                 \
        "pkhbt %[" #o0 "], %[" #o1 "], %[" #o0 "]\n"                                               \
        "smladx %[y2], %[" #e0 "], %[wa], %[y2]\n"                                                 \
        "smladx %[y2], %[" #o0 "], %[wb], %[y2]\n"                                                 \
        "smladx %[y3], %[" #o0 "], %[wa], %[y3]\n"                                                 \
        "smlad %[y3], %[" #e1 "], %[wb], %[y3]\n"

/* As tml_planar_whole_i8; weights: chunks words, chunks: 2..4 */
TML_SHARED TML_ALL_REGISTERS void tml_planar_chunks_i8(const struct tml_planar_piece *piece,
                                                       const int32_t *weights,
                                                       int_fast16_t chunks, int_fast16_t quads)
{
    int32_t bias = piece->bias;
    int32_t multiplier = piece->multiplier;
    int32_t zero_point = piece->zero_point;
    uint32_t skipped = 4U - (uint32_t)chunks;
    uint32_t on = 4U + 4U * skipped;
    const int8_t *p = piece->x;
    const int32_t *w = weights - skipped;
    int8_t *q = piece->y;
    const int8_t *end = q + 4 * quads;
    uint32_t e0, o0, e1, o1, wa, wb, y0, y1, y2, y3;
    __asm__ volatile(
        "1:\n"
        "ldr %[wb], %[skipped]\n"
        "ldr %[e1], [%[p]]\n"
        "ldr %[y0], %[bias]\n"
        "sub %[p], %[p], %[wb], lsl #2\n"
        "sxtb16 %[o1], %[e1], ror #8\n"
        "sxtb16 %[e1], %[e1]\n"
        "mov %[y1], %[y0]\n"
        "mov %[y2], %[y0]\n"
        "mov %[y3], %[y0]\n"
        "mov %[e0], %[e1]\n"
        "mov %[o0], %[o1]\n"
        "tbb [pc, %[wb]]\n"
        "2:\n"
        ".byte (3f-2b)/2, (4f-2b)/2, (5f-2b)/2, 0\n"
        "3:\n" TML_PLANAR_CHUNK(e0, o0, e1, o1, 4, 0)
        "4:\n" TML_PLANAR_CHUNK(e1, o1, e0, o0, 8, 4)
        "5:\n" TML_PLANAR_CHUNK(e0, o0, e1, o1, 12, 8)
        TML_PLANAR_CHUNK(e1, o1, e0, o0, 16, 12)
        "ldr %[e0], %[multiplier]\n"
        "ldr %[o0], %[zero_point]\n"
        "ldr %[wa], %[on]\n"
        "ldr %[wb], %[end]\n"
        TML_PLANAR_RESULT(y0, e0, o0, 0) TML_PLANAR_RESULT(y1, e0, o0, 1)
        TML_PLANAR_RESULT(y2, e0, o0, 2) TML_PLANAR_RESULT(y3, e0, o0, 3)
        "add %[q], %[q], #4\n"
        "add %[p], %[p], %[wa]\n"
        "cmp %[q], %[wb]\n"
        "bne 1b\n"
        : [p] "+&r"(p), [q] "+&r"(q), [e0] "=&r"(e0), [o0] "=&r"(o0), [e1] "=&r"(e1),
          [o1] "=&r"(o1), [wa] "=&r"(wa), [wb] "=&r"(wb), [y0] "=&r"(y0), [y1] "=&r"(y1),
          [y2] "=&r"(y2), [y3] "=&r"(y3)
        : [w] "r"(w), [skipped] "m"(skipped), [bias] "m"(bias), [multiplier] "m"(multiplier),
          [zero_point] "m"(zero_point), [on] "m"(on), [end] "m"(end)
        : "memory", "cc");
}
#endif

#endif
