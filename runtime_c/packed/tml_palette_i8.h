/* SPDX-License-Identifier: 0BSD */
/*
 * Palette: at most 16, or 4, different weights in a tensor.
 *
 * The stream begins with the 16 or 4 values. For each input of a block of 4 channels follow the
 * numbers of its weights in the palette, channel 0 lowest: two bytes, or one.
 */
#ifndef TML_PALETTE_I8_H
#define TML_PALETTE_I8_H

#include "tml_packed_pixels_i8.h"

/* The palette in RAM. Returns what follows it. */
TML_INLINE const uint8_t *tml_palette_load(const uint8_t *weights, size_t size, int8_t *table)
{
    for (size_t i = 0U; i < size; i++) {
        table[i] = (int8_t)tml_rom_u8(weights + i);
    }
    return weights + size;
}

/* Weights 0 and 1, then 2 and 3 of an input, of `bits` bits. */
TML_INLINE void tml_palette_look_up(const int8_t *table, const uint8_t *w, int bits, int8_t four[4])
{
    uint8_t mask = (uint8_t)((1 << bits) - 1);
    uint8_t low = tml_rom_u8(w);
    uint8_t high = bits == 4 ? tml_rom_u8(w + 1) : (uint8_t)(low >> 4);
    four[0] = table[low & mask];
    four[1] = table[(low >> bits) & mask];
    four[2] = table[high & mask];
    four[3] = table[(high >> bits) & mask];
}

TML_INLINE const uint8_t *tml_palette_dot_4x1_i8(const int8_t *table, const uint8_t *w,
                                                 const int8_t *x, size_t k, int bits,
                                                 int32_t acc[4])
{
    int32_t a[4] = {0, 0, 0, 0};
    for (; k > 0U; k--) {
        int8_t four[4];
        tml_palette_look_up(table, w, bits, four);
        for (size_t i = 0U; i < 4U; i++) {
            a[i] += tml_mul_i8(four[i], x[0]);
        }
        w += bits / 2;
        x++;
    }
    for (size_t i = 0U; i < 4U; i++) {
        acc[i] += a[i];
    }
    return w;
}

TML_INLINE const uint8_t *tml_palette_dot_4x2_i8(const int8_t *table, const uint8_t *w,
                                                 const int8_t *x, ptrdiff_t pitch, size_t k,
                                                 int bits, int32_t acc[8])
{
#if TML_HAVE_FEW_REGISTERS
    tml_palette_dot_4x1_i8(table, w, x, k, bits, acc);
    return tml_palette_dot_4x1_i8(table, w, x + pitch, k, bits, acc + 4);
#else
    int32_t a[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (; k > 0U; k--) {
        int8_t four[4];
        tml_palette_look_up(table, w, bits, four);
        for (size_t i = 0U; i < 4U; i++) {
            a[i] += tml_mul_i8(four[i], x[0]);
            a[4U + i] += tml_mul_i8(four[i], x[pitch]);
        }
        w += bits / 2;
        x++;
    }
    for (size_t i = 0U; i < 8U; i++) {
        acc[i] += a[i];
    }
    return w;
#endif
}

TML_SHARED const uint8_t *tml_palette_16_dot_i8(const int8_t *table, const uint8_t *w,
                                                const int8_t *x, ptrdiff_t pitch, size_t k,
                                                bool two, int32_t acc[8])
{
    return two ? tml_palette_dot_4x2_i8(table, w, x, pitch, k, 4, acc)
               : tml_palette_dot_4x1_i8(table, w, x, k, 4, acc);
}

TML_SHARED const uint8_t *tml_palette_4_dot_i8(const int8_t *table, const uint8_t *w,
                                               const int8_t *x, ptrdiff_t pitch, size_t k, bool two,
                                               int32_t acc[8])
{
    return two ? tml_palette_dot_4x2_i8(table, w, x, pitch, k, 2, acc)
               : tml_palette_dot_4x1_i8(table, w, x, k, 2, acc);
}

#endif
