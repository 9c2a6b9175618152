/* SPDX-License-Identifier: 0BSD */
/*
 * Nibbles: within a group of consecutive inputs the weights of a channel are m * q, q: -8..7.
 *
 * A block of 4 channels is groups one behind the other: the number of inputs, 1..255, the m of each
 * channel, 1..127, then two bytes for each input: q of channels 0 and 1, of 2 and 3, the first of
 * the two in the low half.
 */
#ifndef TML_NIBBLES_I8_H
#define TML_NIBBLES_I8_H

#include "tml_packed_pixels_i8.h"

/* 16 * q: no shift down for each weight, but one for each sum. */
TML_INLINE int8_t tml_nibble_low(uint8_t byte)
{
    return (int8_t)(uint8_t)(byte << 4);
}

TML_INLINE int8_t tml_nibble_high(uint8_t byte)
{
    return (int8_t)(uint8_t)(byte & 0xF0U);
}

/* acc[i] += m[i] * sum[i] / 16 for 4 channels. */
TML_INLINE void tml_nibbles_add(const uint8_t *m, const int32_t sum[4], int32_t *acc)
{
    for (size_t i = 0U; i < 4U; i++) {
        acc[i] += (int32_t)tml_rom_u8(m + i) * (sum[i] >> 4);
    }
}

/* One input of 4 channels and one pixel. */
TML_INLINE void tml_nibbles_mac_4x1_i8(int32_t a[4], const uint8_t *w, int8_t x0)
{
    uint8_t w01 = tml_rom_u8(w);
    uint8_t w23 = tml_rom_u8(w + 1);
    a[0] += tml_mul_i8(tml_nibble_low(w01), x0);
    a[1] += tml_mul_i8(tml_nibble_high(w01), x0);
    a[2] += tml_mul_i8(tml_nibble_low(w23), x0);
    a[3] += tml_mul_i8(tml_nibble_high(w23), x0);
    TML_STEP_END(a[0], a[1], a[2], a[3]);
}

/* The inputs of a group and one pixel. */
TML_INLINE void tml_nibbles_group_4x1_i8(const uint8_t *w, const int8_t *x, size_t n,
                                         int32_t sum[4])
{
    int32_t a[4] = {0, 0, 0, 0};
    for (; n >= 4U; n -= 4U) {
        tml_nibbles_mac_4x1_i8(a, w, x[0]);
        tml_nibbles_mac_4x1_i8(a, w + 2, x[1]);
        tml_nibbles_mac_4x1_i8(a, w + 4, x[2]);
        tml_nibbles_mac_4x1_i8(a, w + 6, x[3]);
        w += 8;
        x += 4;
    }
    for (; n > 0U; n--) {
        tml_nibbles_mac_4x1_i8(a, w, x[0]);
        w += 2;
        x++;
    }
    sum[0] = a[0];
    sum[1] = a[1];
    sum[2] = a[2];
    sum[3] = a[3];
}

TML_SHARED const uint8_t *tml_nibbles_dot_4x1_i8(const uint8_t *w, const int8_t *x, size_t k,
                                                 int32_t acc[4])
{
    while (k > 0U) {
        int32_t sum[4];
        size_t n = tml_rom_u8(w);
        tml_nibbles_group_4x1_i8(w + 5, x, n, sum);
        tml_nibbles_add(w + 1, sum, acc);
        w += 5U + 2U * n;
        x += n;
        k -= n;
    }
    return w;
}

#if TML_HAVE_FEW_REGISTERS
TML_INLINE const uint8_t *tml_nibbles_dot_4x2_i8(const uint8_t *w, const int8_t *x, ptrdiff_t pitch,
                                                 size_t k, int32_t acc[8])
{
    tml_nibbles_dot_4x1_i8(w, x, k, acc);
    return tml_nibbles_dot_4x1_i8(w, x + pitch, k, acc + 4);
}
#else
/* One input of 4 channels and 2 pixels. */
TML_INLINE void tml_nibbles_mac_4x2_i8(int32_t a[8], const uint8_t *w, int8_t x0, int8_t x1)
{
    uint8_t w01 = tml_rom_u8(w);
    uint8_t w23 = tml_rom_u8(w + 1);
    a[0] += tml_mul_i8(tml_nibble_low(w01), x0);
    a[4] += tml_mul_i8(tml_nibble_low(w01), x1);
    a[1] += tml_mul_i8(tml_nibble_high(w01), x0);
    a[5] += tml_mul_i8(tml_nibble_high(w01), x1);
    TML_STEP_END(a[0], a[1], a[4], a[5]);
    a[2] += tml_mul_i8(tml_nibble_low(w23), x0);
    a[6] += tml_mul_i8(tml_nibble_low(w23), x1);
    a[3] += tml_mul_i8(tml_nibble_high(w23), x0);
    a[7] += tml_mul_i8(tml_nibble_high(w23), x1);
    TML_STEP_END(a[2], a[3], a[6], a[7]);
}

/* The inputs of a group and two pixels: kept apart for the registers. */
TML_SHARED void tml_nibbles_group_4x2_i8(const uint8_t *w, const int8_t *x, ptrdiff_t pitch,
                                         size_t n, int32_t sum[8])
{
    const uint8_t *end = w + 2U * n;
    int32_t a[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (; w < end; w += 2) {
        tml_nibbles_mac_4x2_i8(a, w, x[0], x[pitch]);
        x++;
    }
    sum[0] = a[0];
    sum[1] = a[1];
    sum[2] = a[2];
    sum[3] = a[3];
    sum[4] = a[4];
    sum[5] = a[5];
    sum[6] = a[6];
    sum[7] = a[7];
}

TML_SHARED const uint8_t *tml_nibbles_dot_4x2_i8(const uint8_t *w, const int8_t *x, ptrdiff_t pitch,
                                                 size_t k, int32_t acc[8])
{
    while (k > 0U) {
        int32_t sum[8];
        size_t n = tml_rom_u8(w);
        tml_nibbles_group_4x2_i8(w + 5, x, pitch, n, sum);
        tml_nibbles_add(w + 1, sum, acc);
        tml_nibbles_add(w + 1, sum + 4, acc + 4);
        w += 5U + 2U * n;
        x += n;
        k -= n;
    }
    return w;
}
#endif

TML_INLINE const uint8_t *tml_nibbles_dot_i8(const int8_t *table, const uint8_t *w, const int8_t *x,
                                             ptrdiff_t pitch, size_t k, bool two, int32_t acc[8])
{
    (void)table;
    return two ? tml_nibbles_dot_4x2_i8(w, x, pitch, k, acc) : tml_nibbles_dot_4x1_i8(w, x, k, acc);
}

#endif
