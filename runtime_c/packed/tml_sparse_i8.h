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

/* One weight, if it is there, and one pixel or two. */
#define TML_SPARSE_MAC(bit, c, x)                                                                  \
    if ((mask & (1U << (bit))) != 0U) {                                                            \
        int8_t weight = (int8_t)tml_rom_u8(w++);                                                   \
        a[c] += tml_mul_i8(weight, (x)[0]);                                                        \
        if (two) {                                                                                 \
            a[4 + (c)] += tml_mul_i8(weight, (x)[pitch]);                                          \
        }                                                                                          \
    }

TML_INLINE const uint8_t *tml_sparse_pixels_i8(const uint8_t *w, const int8_t *x, ptrdiff_t pitch,
                                               size_t k, bool two, int32_t acc[8])
{
    int32_t a[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t i = 0U; i < k; i += 2U) {
        uint_fast8_t mask = tml_rom_u8(w++);
        if ((mask & 15U) != 0U) {
            TML_SPARSE_MAC(0, 0, x)
            TML_SPARSE_MAC(1, 1, x)
            TML_SPARSE_MAC(2, 2, x)
            TML_SPARSE_MAC(3, 3, x)
        }
        if (mask >> 4 != 0U) {
            TML_SPARSE_MAC(4, 0, x + 1)
            TML_SPARSE_MAC(5, 1, x + 1)
            TML_SPARSE_MAC(6, 2, x + 1)
            TML_SPARSE_MAC(7, 3, x + 1)
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
