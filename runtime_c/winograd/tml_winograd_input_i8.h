/* SPDX-License-Identifier: 0BSD */
/*
 * Winograd F(4x4, 3x3): a tile of 4x4 outputs of a 3x3 convolution from 36 products a channel instead
 * of 144. With d the 6x6 inputs of a tile and g the 3x3 weights,
 *     576 * y = A^T ((24 G) g (24 G)^T * (B^T d B)) A,
 * the middle product element by element, summed over the input channels. All of it is integer: 24 G
 * and A are scaled so, and sums are taken modulo 2^32. This file computes V = B^T d B.
 *
 *          4  0 -5  0  1  0                1  1  1  1  1  0              6  0  0
 *          0 -4 -4  1  1  0                0  1 -1  2 -2  0             -4 -4 -4
 *   B^T =  0  4 -4 -1  1  0         A^T =  0  1  1  4  4  0      24 G = -4  4 -4
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

/* r = B^T d: 12 additions, shifts within. */
TML_INLINE void tml_winograd_input_6(const uint32_t d[6], uint32_t r[6])
{
    uint32_t even = d[4] - 4U * d[2];
    uint32_t odd = d[3] - 4U * d[1];
    uint32_t half_even = d[4] - d[2];
    uint32_t half_odd = d[3] - d[1];
    r[0] = even - d[2] + 4U * d[0];
    r[1] = even + odd;
    r[2] = even - odd;
    r[3] = half_even + 2U * half_odd;
    r[4] = half_even - 2U * half_odd;
    r[5] = d[5] - d[3] - 4U * half_odd;
}

/*
 * Columns of 6 inputs, transformed along the column; n: 0..
 * rows: 4 channels of the first column in each of the 6 rows, at any address; pitch: bytes from column
 *     to column
 * columns: [n][12], first channels 0 and 2 of the 4, then 1 and 3
 */
TML_SHARED void tml_winograd_columns_i8(const int8_t *const rows[6], ptrdiff_t pitch, size_t n,
                                        uint32_t *columns)
{
    ptrdiff_t end = pitch * (ptrdiff_t)n;
    for (ptrdiff_t at = 0; at < end; at += pitch) {
        uint32_t bytes[6];
        uint32_t d[6];
        for (int i = 0; i < 6; i++) {
            bytes[i] = tml_load_bytes(rows[i] + at);
        }
        for (int i = 0; i < 6; i++) {
            d[i] = tml_sxtab16(0x00800080U, bytes[i]);
        }
        tml_winograd_input_6(d, columns);
        for (int i = 0; i < 6; i++) {
            d[i] = tml_sxtab16_odd(0x00800080U, bytes[i]);
        }
        tml_winograd_input_6(d, columns + 6);
        columns += TML_WINOGRAD_COLUMN;
    }
}

/* The same for n columns that lie beside the image: all inputs are x_zero_point. */
TML_INLINE void tml_winograd_padding_i8(int32_t x_zero_point, size_t n, uint32_t *columns)
{
    uint32_t input = (uint32_t)(x_zero_point + 128) * 0x00010001U;
    for (size_t i = 0U; i < n * TML_WINOGRAD_COLUMN; i++) {
        columns[i] = i % 6U == 1U ? 0U - 6U * input : 0U;
    }
}

/*
 * V of 4 channels of one tile from its 6 columns: two steps of the products to come.
 * v: word of this tile at the first of the two steps, see tml_winograd_gemm.h; half: words from the
 *     first 18 positions of a step to the other 18
 */
TML_SHARED void tml_winograd_tile_i8(const uint32_t *columns, size_t half, uint32_t *v)
{
    for (size_t lane = 0U; lane < 2U; lane++) {
        uint32_t *row = v + 36U * lane;
        for (size_t i = 0U; i < 6U; i++) {
            /* 2^15 in the low half keeps it from borrowing of the high one: every result has one
             * of d[4] and d[5] just once. */
            uint32_t d[6] = {columns[0],  columns[12],           columns[24],
                             columns[36], columns[48] + 0x8000U, columns[60] + 0x8000U};
            uint32_t r[6];
            tml_winograd_input_6(d, r);
            for (size_t k = 0U; k < 6U; k++) {
                row[2U * k] = r[k] ^ 0x8000U;
            }
            columns++;
            row = i == 2U ? v + 36U * lane + half : row + 12;
        }
    }
}

#endif
