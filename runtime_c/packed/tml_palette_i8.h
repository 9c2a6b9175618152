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

/* Weights 0 and 1, then 2 and 3 of an input, by their numbers of `bits` bits. */
struct tml_palette_numbers {
    uint8_t low;
    uint8_t high;
};

TML_INLINE struct tml_palette_numbers tml_palette_numbers_of(const uint8_t *w, int bits)
{
    struct tml_palette_numbers numbers = {tml_rom_u8(w), 0U};
    numbers.high = bits == 4 ? tml_rom_u8(w + 1) : (uint8_t)(numbers.low >> 4);
    return numbers;
}

TML_INLINE int8_t tml_palette_first(const int8_t *table, uint8_t pair, int bits)
{
    return table[(size_t)pair & (((size_t)1 << bits) - 1U)];
}

TML_INLINE int8_t tml_palette_second(const int8_t *table, uint8_t pair, int bits)
{
    return table[(size_t)pair >> bits & (((size_t)1 << bits) - 1U)];
}

TML_INLINE const uint8_t *tml_palette_dot_4x1_i8(const int8_t *table, const uint8_t *w,
                                                 const int8_t *x, size_t k, int bits,
                                                 int32_t acc[4])
{
    int32_t a[4] = {acc[0], acc[1], acc[2], acc[3]};
    for (; k > 0U; k--) {
        const struct tml_palette_numbers numbers = tml_palette_numbers_of(w, bits);
        int8_t x0 = x[0];
        a[0] += tml_mul_i8(tml_palette_first(table, numbers.low, bits), x0);
        a[1] += tml_mul_i8(tml_palette_second(table, numbers.low, bits), x0);
        a[2] += tml_mul_i8(tml_palette_first(table, numbers.high, bits), x0);
        a[3] += tml_mul_i8(tml_palette_second(table, numbers.high, bits), x0);
        w += bits / 2;
        x++;
    }
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
    return w;
}

#if TML_HAVE_FEW_REGISTERS
TML_INLINE const uint8_t *tml_palette_dot_4x2_i8(const int8_t *table, const uint8_t *w,
                                                 const int8_t *x, ptrdiff_t pitch, size_t k,
                                                 int bits, int32_t acc[8])
{
    tml_palette_dot_4x1_i8(table, w, x, k, bits, acc);
    return tml_palette_dot_4x1_i8(table, w, x + pitch, k, bits, acc + 4);
}
#else
/* Two channels of one input and 2 pixels. */
TML_INLINE void tml_palette_mac_2x2_i8(int32_t *a, int8_t w0, int8_t w1, int8_t x0, int8_t x1)
{
    a[0] += tml_mul_i8(w0, x0);
    a[4] += tml_mul_i8(w0, x1);
    a[1] += tml_mul_i8(w1, x0);
    a[5] += tml_mul_i8(w1, x1);
    TML_STEP_END(a[0], a[1], a[4], a[5]);
}

TML_INLINE const uint8_t *tml_palette_dot_4x2_i8(const int8_t *table, const uint8_t *w,
                                                 const int8_t *x, ptrdiff_t pitch, size_t k,
                                                 int bits, int32_t acc[8])
{
    int32_t a[8] = {acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]};
    for (; k > 0U; k--) {
        const struct tml_palette_numbers numbers = tml_palette_numbers_of(w, bits);
        tml_palette_mac_2x2_i8(a, tml_palette_first(table, numbers.low, bits),
                               tml_palette_second(table, numbers.low, bits), x[0], x[pitch]);
        tml_palette_mac_2x2_i8(a + 2, tml_palette_first(table, numbers.high, bits),
                               tml_palette_second(table, numbers.high, bits), x[0], x[pitch]);
        w += bits / 2;
        x++;
    }
    for (size_t i = 0U; i < 8U; i++) {
        acc[i] = a[i];
    }
    return w;
}
#endif

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
