/* SPDX-License-Identifier: 0BSD */
/*
 * Windows of any size, horizontal stride 1, over a bordered plane (tml_planar_border_i8.h): a row of
 * y sums up pieces of 5 taps of the rows of its windows, one after the other, in 32 bits beside the
 * plane. Of two words of a row come the pairs (x0, x2), (x1, x3), (x4, x6) and (x5, x7); with
 * (x4, x2) and (x5, x3), which are multiplied crosswise, they are all that four outputs take: 12
 * multiplies for 20 products. Weights stay in registers for the whole row.
 */
#ifndef TML_PLANAR_PIECES_I8_H
#define TML_PLANAR_PIECES_I8_H

#include "tml_planar_border_i8.h"

/* Words of the stream: bias and multiplier of a channel; bytes w0 to w3, and w4 of a piece. */
#define TML_PLANAR_ROWS_ENDS 2
#define TML_PLANAR_ROWS_PIECE 2

/* A piece of the windows of a row of y. */
struct tml_planar_piece {
    const int8_t *x; /* where it begins in the first window */
    int32_t *sums;   /* of the row, 4 a quad: read but for the first piece, written but for the last */
    int8_t *y;       /* the row: written with the last piece */
    bool first;
    bool last;
    int32_t bias;
    int32_t multiplier;
    int32_t zero_point;
};

/* weights (rom): TML_PLANAR_ROWS_PIECE words; quads: of outputs, 1.. */
#if TML_HAVE_DSP_BLOCKS
/* Four outputs, that start at sums s0 to s3. Words 0 and 1 of x; word 1 is word 0 of the next quad. */
#    define TML_PLANAR_QUAD(e0, o0, e1, o1, at, load, s0, s1, s2, s3, store)                       \
        "ldr %[" #e1 "], [%[p], #" #at "]\n" load                                                  \
        "sxtb16 %[" #o1 "], %[" #e1 "], ror #8\n"                                                  \
        "sxtb16 %[" #e1 "], %[" #e1 "]\n"                                                          \
        "smlad %[y0], %[" #e0 "], %[wa], %[" #s0 "]\n"                                             \
        "smlad %[y0], %[" #o0 "], %[wb], %[y0]\n"                                                  \
        "smlabb %[y0], %[" #e1 "], %[wc], %[y0]\n"                                                 \
        "pkhbt %[" #e0 "], %[" #e1 "], %[" #e0 "]\n"                                               \
        "smlad %[y1], %[" #o0 "], %[wa], %[" #s1 "]\n"                                             \
        "smladx %[y1], %[" #e0 "], %[wb], %[y1]\n"                                                 \
        "smlabb %[y1], %[" #o1 "], %[wc], %[y1]\n"                                                 \
        "pkhbt %[" #o0 "], %[" #o1 "], %[" #o0 "]\n"                                               \
        "smladx %[y2], %[" #e0 "], %[wa], %[" #s2 "]\n"                                            \
        "smladx %[y2], %[" #o0 "], %[wb], %[y2]\n"                                                 \
        "smlatb %[y2], %[" #e1 "], %[wc], %[y2]\n"                                                 \
        "smladx %[y3], %[" #o0 "], %[wa], %[" #s3 "]\n"                                            \
        "smlad %[y3], %[" #e1 "], %[wb], %[y3]\n"                                                  \
        "smlatb %[y3], %[" #o1 "], %[wc], %[y3]\n" store
#    define TML_PLANAR_SUMS(op, at, sums)                                                          \
        op " %[y0], [%[" #sums "], #" #at "]\n" op " %[y1], [%[" #sums "], #" #at "+4]\n"          \
        op " %[y2], [%[" #sums "], #" #at "+8]\n" op " %[y3], [%[" #sums "], #" #at "+12]\n"
#    define TML_PLANAR_RESULT(y, m, zero, at)                                                      \
        "smmlar %[" #y "], %[" #y "], %[" #m "], %[" #zero "]\n"                                   \
        "ssat %[" #y "], #8, %[" #y "]\n"                                                          \
        "strb %[" #y "], [%[q], #" #at "]\n"
#    define TML_PLANAR_RESULTS(m, zero, at)                                                        \
        "ldr %[" #m "], %[multiplier]\n"                                                           \
        "ldr %[" #zero "], %[zero_point]\n"                                                        \
        TML_PLANAR_RESULT(y0, m, zero, at) TML_PLANAR_RESULT(y1, m, zero, at + 1)                  \
        TML_PLANAR_RESULT(y2, m, zero, at + 2) TML_PLANAR_RESULT(y3, m, zero, at + 3)
/* Two quads a round, an odd one first, in the second half; back and on move q and s. */
#    define TML_PLANAR_QUADS(back, even, odd, on)                                                  \
        __asm__ volatile(                                                                          \
            "lsls %[y0], %[y0], #31\n"                                                             \
            "ldr %[e1], [%[p]]\n"                                                                  \
            "sxtb16 %[o1], %[e1], ror #8\n"                                                        \
            "sxtb16 %[e1], %[e1]\n"                                                                \
            "mov %[e0], %[e1]\n"                                                                   \
            "mov %[o0], %[o1]\n"                                                                   \
            "beq 1f\n"                                                                             \
            "sub %[p], %[p], #4\n" back                                                            \
            "b 2f\n"                                                                               \
            "1:\n" even                                                                            \
            "2:\n" odd on                                                                          \
            "ldr %[y0], %[end]\n"                                                                  \
            "add %[p], %[p], #8\n"                                                                 \
            "cmp %[p], %[y0]\n"                                                                    \
            "bne 1b\n"                                                                             \
            : [p] "+r"(p), [q] "+r"(q), [s] "+r"(s), [e0] "=&r"(e0), [o0] "=&r"(o0),               \
              [e1] "=&r"(e1), [o1] "=&r"(o1), [y0] "+r"(y0), [y1] "=&r"(y1), [y2] "=&r"(y2),       \
              [y3] "=&r"(y3)                                                                       \
            : [wa] "r"(wa), [wb] "r"(wb), [wc] "r"(wc), [end] "m"(end),                            \
              [multiplier] "m"(multiplier), [zero_point] "m"(zero_point)                           \
            : "memory", "cc")
#    define TML_PLANAR_MOVE(op, q_by, s_by)                                                        \
        op " %[q], %[q], #" #q_by "\n" op " %[s], %[s], #" #s_by "\n"

#    define TML_PLANAR_PIECE(s_type, s_init, q_init)                                               \
        uint32_t wa = tml_sxtb16((uint32_t)weights[0]);                                            \
        uint32_t wb = tml_sxtb16_odd((uint32_t)weights[0]);                                        \
        int32_t wc = weights[1];                                                                   \
        int32_t multiplier = piece->multiplier;                                                    \
        int32_t zero_point = piece->zero_point;                                                    \
        const int8_t *p = piece->x;                                                                \
        const int8_t *end = p + 4 * quads;                                                         \
        void *q = q_init;                                                                          \
        s_type s = s_init;                                                                         \
        uint32_t y0 = (uint32_t)quads;                                                             \
        uint32_t e0, o0, e1, o1, y1, y2, y3

/* The only piece. s: the bias */
TML_SHARED TML_ALL_REGISTERS void tml_planar_whole_i8(const struct tml_planar_piece *piece,
                                                      const int32_t *weights, int_fast16_t quads)
{
    TML_PLANAR_PIECE(int32_t, piece->bias, piece->y);
    TML_PLANAR_QUADS(
        "sub %[q], %[q], #4\n",
        TML_PLANAR_QUAD(e0, o0, e1, o1, 4, "", s, s, s, s, TML_PLANAR_RESULTS(e0, o0, 0)),
        TML_PLANAR_QUAD(e1, o1, e0, o0, 8, "", s, s, s, s, TML_PLANAR_RESULTS(e1, o1, 4)),
        "add %[q], %[q], #8\n");
}

/* The first of several. q: the sums */
TML_SHARED TML_ALL_REGISTERS void tml_planar_first_i8(const struct tml_planar_piece *piece,
                                                      const int32_t *weights, int_fast16_t quads)
{
    TML_PLANAR_PIECE(int32_t, piece->bias, piece->sums);
    TML_PLANAR_QUADS(
        "sub %[q], %[q], #16\n",
        TML_PLANAR_QUAD(e0, o0, e1, o1, 4, "", s, s, s, s, TML_PLANAR_SUMS("str", 0, q)),
        TML_PLANAR_QUAD(e1, o1, e0, o0, 8, "", s, s, s, s, TML_PLANAR_SUMS("str", 16, q)),
        "add %[q], %[q], #32\n");
}

/* One between. s: the sums */
TML_SHARED TML_ALL_REGISTERS void tml_planar_middle_i8(const struct tml_planar_piece *piece,
                                                       const int32_t *weights, int_fast16_t quads)
{
    TML_PLANAR_PIECE(int32_t *, piece->sums, piece->y);
    TML_PLANAR_QUADS("sub %[s], %[s], #16\n",
                     TML_PLANAR_QUAD(e0, o0, e1, o1, 4, TML_PLANAR_SUMS("ldr", 0, s), y0, y1, y2,
                                     y3, TML_PLANAR_SUMS("str", 0, s)),
                     TML_PLANAR_QUAD(e1, o1, e0, o0, 8, TML_PLANAR_SUMS("ldr", 16, s), y0, y1, y2,
                                     y3, TML_PLANAR_SUMS("str", 16, s)),
                     "add %[s], %[s], #32\n");
}

/* The last of several. s: the sums */
TML_SHARED TML_ALL_REGISTERS void tml_planar_last_i8(const struct tml_planar_piece *piece,
                                                     const int32_t *weights, int_fast16_t quads)
{
    TML_PLANAR_PIECE(int32_t *, piece->sums, piece->y);
    TML_PLANAR_QUADS(TML_PLANAR_MOVE("sub", 4, 16),
                     TML_PLANAR_QUAD(e0, o0, e1, o1, 4, TML_PLANAR_SUMS("ldr", 0, s), y0, y1, y2,
                                     y3, TML_PLANAR_RESULTS(e0, o0, 0)),
                     TML_PLANAR_QUAD(e1, o1, e0, o0, 8, TML_PLANAR_SUMS("ldr", 16, s), y0, y1, y2,
                                     y3, TML_PLANAR_RESULTS(e1, o1, 4)),
                     TML_PLANAR_MOVE("add", 8, 32));
}

TML_INLINE void tml_planar_piece_i8(const struct tml_planar_piece *piece, const int32_t *weights,
                                    int_fast16_t quads)
{
    if (piece->last) {
        if (piece->first) {
            tml_planar_whole_i8(piece, weights, quads);
        } else {
            tml_planar_last_i8(piece, weights, quads);
        }
    } else if (piece->first) {
        tml_planar_first_i8(piece, weights, quads);
    } else {
        tml_planar_middle_i8(piece, weights, quads);
    }
}
#else
/* Five taps from x on. */
TML_INLINE uint32_t tml_planar_taps_i8(const int8_t *x, const int32_t *weights)
{
    uint32_t taps = (uint32_t)tml_rom_i32(weights);
    uint32_t sum = (uint32_t)(int32_t)tml_mul_i8(x[4], (int8_t)tml_rom_i32(weights + 1));
    for (int_fast16_t i = 0; i < 4; i++) {
        sum += (uint32_t)(int32_t)tml_mul_i8(x[i], (int8_t)(uint8_t)(taps >> (8 * i)));
    }
    return sum;
}

TML_INLINE void tml_planar_piece_i8(const struct tml_planar_piece *piece, const int32_t *weights,
                                    int_fast16_t quads)
{
    for (int_fast16_t i = 0; i < 4 * quads; i++) {
        uint32_t sum = (uint32_t)(piece->first ? piece->bias : piece->sums[i]);
        sum += tml_planar_taps_i8(piece->x + i, weights);
        if (piece->last) {
            int32_t v = tml_requantize((int32_t)sum, piece->multiplier);
            piece->y[i] = tml_saturate_i8(piece->zero_point + v);
        } else {
            piece->sums[i] = (int32_t)sum;
        }
    }
}
#endif

#endif
