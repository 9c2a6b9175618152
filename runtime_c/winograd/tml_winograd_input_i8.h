/* SPDX-License-Identifier: 0BSD */
/*
 * Winograd F(4x4, 3x3): a tile of 4x4 outputs of a 3x3 convolution from 36 products a channel
 * instead of 144. With d the 6x6 inputs of a tile and g the 3x3 weights,
 *     576 * y = A^T (U * V) A, U = G g G^T, V = B^T d B,
 * U * V element by element, summed over the input channels. G and A are scaled so that all of it is
 * integer, and sums are taken modulo 2^32. The compiler computes U; this file computes V.
 *
 *          4  0 -5  0  1  0                1  1  1  1  1  0              6  0  0
 *          0 -4 -4  1  1  0                0  1 -1  2 -2  0             -4 -4 -4
 *   B^T =  0  4 -4 -1  1  0         A^T =  0  1  1  4  4  0         G = -4  4 -4
 *          0 -2 -1  2  1  0                0  1 -1  8 -8  4              1  2  4
 *          0  2 -1 -2  1  0                                              1 -2  4
 *          0  4  0 -5  0  1                                              0  0  6
 *
 * Two channels in a word, high * 2^16 + low, go through plain 32-bit additions. Inputs are taken as
 * x + 128, 0..255, so that no input is negative; V then lies in -12750..17340 and fits int16. The
 * bias takes care of the 128.
 */
#ifndef TML_WINOGRAD_INPUT_I8_H
#define TML_WINOGRAD_INPUT_I8_H

#include "../common/tml_dsp.h"

/* Words of a column of 6 inputs of 4 channels, transformed along the column. */
#define TML_WINOGRAD_COLUMN 12

/* Six inputs, or results, of the transform. */
struct tml_winograd_6 {
    uint32_t at0;
    uint32_t at1;
    uint32_t at2;
    uint32_t at3;
    uint32_t at4;
    uint32_t at5;
};

/* B^T d: 12 additions, shifts within. */
TML_INLINE struct tml_winograd_6 tml_winograd_input_6(struct tml_winograd_6 d)
{
    uint32_t even = d.at4 - 4U * d.at2;
    uint32_t odd = d.at3 - 4U * d.at1;
    uint32_t half_even = d.at4 - d.at2;
    uint32_t half_odd = d.at3 - d.at1;
    struct tml_winograd_6 r;
    r.at0 = even - d.at2 + 4U * d.at0;
    r.at1 = even + odd;
    r.at2 = even - odd;
    r.at3 = half_even + 2U * half_odd;
    r.at4 = half_even - 2U * half_odd;
    r.at5 = d.at5 - d.at3 - 4U * half_odd;
    return r;
}

TML_INLINE void tml_winograd_store_6(struct tml_winograd_6 r, uint32_t *to)
{
    to[0] = r.at0;
    to[1] = r.at1;
    to[2] = r.at2;
    to[3] = r.at3;
    to[4] = r.at4;
    to[5] = r.at5;
}

/*
 * Columns of 6 inputs, transformed along the column; n: 1..
 * rows: 4 channels of the first column in each of the 6 rows, at any address
 * pitch: bytes from column to column
 * columns: [n][12], first channels 0 and 2 of the 4, then 1 and 3
 */
#if TML_HAVE_DSP_BLOCKS
/* Two channels of a column, with the additions of tml_winograd_input_6; odd: "" or ", ror #8". */
#    define TML_WINOGRAD_TAKE(to, i, odd) "sxtab16 %[" #to "], %[offset], %[in" #i "]" odd "\n"
#    define TML_WINOGRAD_COLUMN_6(at, odd)                                                         \
        TML_WINOGRAD_TAKE(a, 4, odd) TML_WINOGRAD_TAKE(b, 2, odd) TML_WINOGRAD_TAKE(c, 0, odd)     \
        "sub %[d], %[a], %[b], lsl #2\n" /* even */                                                \
        "sub %[a], %[a], %[b]\n"         /* half even */                                           \
        "sub %[b], %[d], %[b]\n"                                                                   \
        "add %[b], %[b], %[c], lsl #2\n"                                                           \
        "str %[b], [%[to], #" at "]\n"                                                             \
        TML_WINOGRAD_TAKE(b, 3, odd) TML_WINOGRAD_TAKE(c, 1, odd)                                  \
        "sub %[e], %[b], %[c], lsl #2\n" /* odd */                                                 \
        "sub %[c], %[b], %[c]\n"         /* half odd */                                            \
        "add %[d], %[d], %[e]\n"                                                                   \
        "str %[d], [%[to], #" at "+4]\n"                                                           \
        "sub %[d], %[d], %[e], lsl #1\n"                                                           \
        "str %[d], [%[to], #" at "+8]\n"                                                           \
        "add %[d], %[a], %[c], lsl #1\n"                                                           \
        "str %[d], [%[to], #" at "+12]\n"                                                          \
        "sub %[a], %[a], %[c], lsl #1\n"                                                           \
        "str %[a], [%[to], #" at "+16]\n"                                                          \
        TML_WINOGRAD_TAKE(d, 5, odd)                                                               \
        "sub %[d], %[d], %[b]\n"                                                                   \
        "sub %[d], %[d], %[c], lsl #2\n"                                                           \
        "str %[d], [%[to], #" at "+20]\n"

TML_SHARED TML_ALL_REGISTERS void tml_winograd_columns_i8(const int8_t *const rows[6],
                                                          ptrdiff_t pitch, size_t n,
                                                          uint32_t *columns)
{
    const int8_t *row0 = rows[0];
    const int8_t *row1 = rows[1];
    const int8_t *row2 = rows[2];
    const int8_t *row3 = rows[3];
    const int8_t *row4 = rows[4];
    const int8_t *row5 = rows[5];
    const uint32_t *end = columns + TML_WINOGRAD_COLUMN * n;
    ptrdiff_t at = 0;
    uint32_t in0, in1, in2, in3, in4, in5, a, b, c, d, e;
    __asm__ volatile(
        "1:\n"
        "ldr %[in0], %[row0]\n"
        "ldr %[in1], %[row1]\n"
        "ldr %[in2], %[row2]\n"
        "ldr %[in3], %[row3]\n"
        "ldr %[in4], %[row4]\n"
        "ldr %[in5], %[row5]\n"
        "ldr %[in0], [%[in0], %[at]]\n"
        "ldr %[in1], [%[in1], %[at]]\n"
        "ldr %[in2], [%[in2], %[at]]\n"
        "ldr %[in3], [%[in3], %[at]]\n"
        "ldr %[in4], [%[in4], %[at]]\n"
        "ldr %[in5], [%[in5], %[at]]\n"
        TML_WINOGRAD_COLUMN_6("0", "")
        TML_WINOGRAD_COLUMN_6("24", ", ror #8")
        "ldr %[a], %[pitch]\n"
        "ldr %[b], %[end]\n"
        "add %[to], %[to], #48\n"
        "add %[at], %[at], %[a]\n"
        "cmp %[to], %[b]\n"
        "bne 1b\n"
        : [in0] "=&r"(in0), [in1] "=&r"(in1), [in2] "=&r"(in2), [in3] "=&r"(in3),
          [in4] "=&r"(in4), [in5] "=&r"(in5), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
          [d] "=&r"(d), [e] "=&r"(e), [at] "+&r"(at), [to] "+&r"(columns)
        : [row0] "m"(row0), [row1] "m"(row1), [row2] "m"(row2), [row3] "m"(row3),
          [row4] "m"(row4), [row5] "m"(row5), [pitch] "m"(pitch), [end] "m"(end),
          [offset] "r"(0x00800080U)
        : "memory", "cc");
}
#else
TML_SHARED void tml_winograd_columns_i8(const int8_t *const rows[6], ptrdiff_t pitch, size_t n,
                                        uint32_t *columns)
{
    const uint32_t *end = columns + TML_WINOGRAD_COLUMN * n;
    for (ptrdiff_t at = 0; columns != end; at += pitch) {
        uint32_t in0 = tml_load_bytes(rows[0] + at);
        uint32_t in1 = tml_load_bytes(rows[1] + at);
        uint32_t in2 = tml_load_bytes(rows[2] + at);
        uint32_t in3 = tml_load_bytes(rows[3] + at);
        uint32_t in4 = tml_load_bytes(rows[4] + at);
        uint32_t in5 = tml_load_bytes(rows[5] + at);
        const uint32_t offset = 0x00800080U;
        const struct tml_winograd_6 first = {
            tml_sxtab16(offset, in0), tml_sxtab16(offset, in1), tml_sxtab16(offset, in2),
            tml_sxtab16(offset, in3), tml_sxtab16(offset, in4), tml_sxtab16(offset, in5)};
        tml_winograd_store_6(tml_winograd_input_6(first), columns);
        const struct tml_winograd_6 second = {
            tml_sxtab16_odd(offset, in0), tml_sxtab16_odd(offset, in1),
            tml_sxtab16_odd(offset, in2), tml_sxtab16_odd(offset, in3),
            tml_sxtab16_odd(offset, in4), tml_sxtab16_odd(offset, in5)};
        tml_winograd_store_6(tml_winograd_input_6(second), columns + 6);
        columns += TML_WINOGRAD_COLUMN;
    }
}
#endif

/* The same for n columns that lie beside the image: all inputs are x_zero_point. */
TML_INLINE void tml_winograd_padding_i8(int32_t x_zero_point, size_t n, uint32_t *columns)
{
    uint32_t input = (uint32_t)(x_zero_point + 128) * 0x00010001U;
    for (size_t i = 0U; i < n * TML_WINOGRAD_COLUMN; i++) {
        columns[i] = i % 6U == 1U ? 0U - 6U * input : 0U;
    }
}

/* A row of 6 positions of V, from the same row of 6 columns. */
TML_INLINE void tml_winograd_row_i8(const uint32_t *columns, uint32_t *v)
{
    /* 2^15 in the low half keeps it from borrowing of the high one: every result has one of d.at4
     * and d.at5 just once. */
    const struct tml_winograd_6 d = {columns[0],  columns[12],           columns[24],
                                     columns[36], columns[48] + 0x8000U, columns[60] + 0x8000U};
    struct tml_winograd_6 r = tml_winograd_input_6(d);
    v[0] = r.at0 ^ 0x8000U;
    v[2] = r.at1 ^ 0x8000U;
    v[4] = r.at2 ^ 0x8000U;
    v[6] = r.at3 ^ 0x8000U;
    v[8] = r.at4 ^ 0x8000U;
    v[10] = r.at5 ^ 0x8000U;
}

/*
 * V of 4 channels of one tile from its 6 columns: two steps of the products to come.
 * v: word of this tile at the first of the two steps, see tml_winograd_gemm.h; half: words from the
 *     first 18 positions of a step to the other 18
 */
TML_SHARED void tml_winograd_tile_i8(const uint32_t *columns, size_t half, uint32_t *v)
{
    uint32_t *step = v;
    for (int lane = 0; lane < 2; lane++) {
        uint32_t *to = step;
        for (int i = 0; i < 2; i++) {
            tml_winograd_row_i8(columns, to);
            tml_winograd_row_i8(columns + 1, to + 12);
            tml_winograd_row_i8(columns + 2, to + 24);
            columns += 3;
            to += half;
        }
        step += 36;
    }
}

#endif
