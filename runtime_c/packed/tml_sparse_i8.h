/* SPDX-License-Identifier: 0BSD */
/*
 * Sparse: many weights are 0, wherever they are.
 *
 * A block of 4 channels is, for each two inputs, a byte whose bits say which of the 8 weights are
 * not 0, [2 inputs][4 channels] from the lowest on, and then those weights.
 */
#ifndef TML_SPARSE_I8_H
#define TML_SPARSE_I8_H

#include "tml_packed_pixels_i8.h"

/* The 4 channels of one input: bits 0 to 3 of mask. */
TML_INLINE const uint8_t *tml_sparse_input_i8(uint8_t mask, const uint8_t *w, const int8_t *x,
                                              ptrdiff_t pitch, bool two, int32_t acc[8])
{
    for (size_t c = 0U; c < 4U; c++) {
        if ((mask >> c & 1U) != 0U) {
            int8_t weight = (int8_t)tml_rom_u8(w++);
            acc[c] += tml_mul_i8(weight, x[0]);
            if (two) {
                acc[4U + c] += tml_mul_i8(weight, x[pitch]);
            }
        }
    }
    return w;
}

TML_INLINE const uint8_t *tml_sparse_pixels_i8(const uint8_t *w, const int8_t *x, ptrdiff_t pitch,
                                               size_t k, bool two, int32_t acc[8])
{
    int32_t a[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t i = 0U; i < k; i += 2U) {
        uint8_t mask = tml_rom_u8(w++);
        w = tml_sparse_input_i8(mask, w, x, pitch, two, a);
        if (mask >> 4 != 0U) {
            w = tml_sparse_input_i8((uint8_t)(mask >> 4), w, x + 1, pitch, two, a);
        }
        x += 2;
    }
    for (size_t i = 0U; i < (two ? 8U : 4U); i++) {
        acc[i] += a[i];
    }
    return w;
}

TML_SHARED const uint8_t *tml_sparse_dot_4x1_i8(const uint8_t *w, const int8_t *x, size_t k,
                                                int32_t acc[8])
{
    return tml_sparse_pixels_i8(w, x, 0, k, false, acc);
}

TML_SHARED const uint8_t *tml_sparse_dot_4x2_i8(const uint8_t *w, const int8_t *x, ptrdiff_t pitch,
                                                size_t k, int32_t acc[8])
{
    return tml_sparse_pixels_i8(w, x, pitch, k, true, acc);
}

TML_INLINE const uint8_t *tml_sparse_dot_i8(const int8_t *table, const uint8_t *w, const int8_t *x,
                                            ptrdiff_t pitch, size_t k, bool two, int32_t acc[8])
{
    (void)table;
    return two ? tml_sparse_dot_4x2_i8(w, x, pitch, k, acc) : tml_sparse_dot_4x1_i8(w, x, k, acc);
}

#endif
