/* SPDX-License-Identifier: 0BSD */
/*
 * Sums of int8 products in blocks of output channels x pixels: acc += sum over i < k of w[i] *
 * x[i].
 *
 * Weights of a full block of 4 channels are interleaved, [k][4], channel fastest; those of a last
 * block of r < 4 channels are [k][r]. They lie in rom.
 */
#ifndef TML_DOT_I8_H
#define TML_DOT_I8_H

#include "../common/tml_fixedpoint.h"
#include "../common/tml_port.h"

/* One step of 4 channels x 1 pixel. */
TML_INLINE void tml_mac_4x1_i8(int32_t acc[4], const int8_t *w, const int8_t *x)
{
    int8_t x0 = x[0];
    acc[0] += tml_mul_i8(tml_rom_i8(w), x0);
    acc[1] += tml_mul_i8(tml_rom_i8(w + 1), x0);
    acc[2] += tml_mul_i8(tml_rom_i8(w + 2), x0);
    acc[3] += tml_mul_i8(tml_rom_i8(w + 3), x0);
    TML_STEP_END(acc[0], acc[1], acc[2], acc[3]);
}

/* One step of 4 channels x 2 pixels, pitch elements apart. */
TML_INLINE void tml_mac_4x2_i8(int32_t acc[8], const int8_t *w, const int8_t *x, ptrdiff_t pitch)
{
    int8_t x0 = x[0];
    int8_t x1 = x[pitch];
    int8_t w0 = tml_rom_i8(w);
    int8_t w1 = tml_rom_i8(w + 1);
    acc[0] += tml_mul_i8(w0, x0);
    acc[4] += tml_mul_i8(w0, x1);
    acc[1] += tml_mul_i8(w1, x0);
    acc[5] += tml_mul_i8(w1, x1);
    TML_STEP_END(acc[0], acc[1], acc[4], acc[5]);
    int8_t w2 = tml_rom_i8(w + 2);
    int8_t w3 = tml_rom_i8(w + 3);
    acc[2] += tml_mul_i8(w2, x0);
    acc[6] += tml_mul_i8(w2, x1);
    acc[3] += tml_mul_i8(w3, x0);
    acc[7] += tml_mul_i8(w3, x1);
    TML_STEP_END(acc[2], acc[3], acc[6], acc[7]);
}

/* acc[c] += channel c of one pixel; w: [k][4]. */
TML_SHARED void tml_dot_4x1_i8(const int8_t *w, const int8_t *x, size_t k,
                               int32_t acc[TML_RESTRICT 4])
{
    int32_t a[4] = {acc[0], acc[1], acc[2], acc[3]};
    for (; k >= 4U; k -= 4U) {
        tml_mac_4x1_i8(a, w, x);
        tml_mac_4x1_i8(a, w + 4, x + 1);
        tml_mac_4x1_i8(a, w + 8, x + 2);
        tml_mac_4x1_i8(a, w + 12, x + 3);
        w += 16;
        x += 4;
    }
    for (; k > 0U; k--) {
        tml_mac_4x1_i8(a, w, x);
        w += 4;
        x++;
    }
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
}

/* acc[4 * i + c] += channel c of pixel i, 0 or 1, pitch elements apart; w: [k][4]. */
#if TML_HAVE_FEW_REGISTERS
TML_INLINE void tml_dot_4x2_i8(const int8_t *w, const int8_t *x, ptrdiff_t pitch, size_t k,
                               int32_t acc[8])
{
    tml_dot_4x1_i8(w, x, k, acc);
    tml_dot_4x1_i8(w, x + pitch, k, acc + 4);
}
#else
TML_SHARED void tml_dot_4x2_i8(const int8_t *w, const int8_t *x, ptrdiff_t pitch, size_t k,
                               int32_t acc[TML_RESTRICT 8])
{
    int32_t a[8] = {acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]};
    for (; k >= 4U; k -= 4U) {
        tml_mac_4x2_i8(a, w, x, pitch);
        tml_mac_4x2_i8(a, w + 4, x + 1, pitch);
        tml_mac_4x2_i8(a, w + 8, x + 2, pitch);
        tml_mac_4x2_i8(a, w + 12, x + 3, pitch);
        w += 16;
        x += 4;
    }
    for (; k > 0U; k--) {
        tml_mac_4x2_i8(a, w, x, pitch);
        w += 4;
        x++;
    }
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
    acc[4] = a[4];
    acc[5] = a[5];
    acc[6] = a[6];
    acc[7] = a[7];
}
#endif

/* The sum of one channel and one pixel; w: [k][pitch], of which this channel is column 0. */
TML_SHARED int32_t tml_dot_1x1_i8(const int8_t *w, size_t w_pitch, const int8_t *x, size_t k)
{
    int32_t sum = 0;
    for (; k >= 2U; k -= 2U) {
        sum += tml_mul_i8(tml_rom_i8(w), x[0]);
        sum += tml_mul_i8(tml_rom_i8(w + w_pitch), x[1]);
        w += 2U * w_pitch;
        x += 2;
    }
    return k == 0U ? sum : sum + tml_mul_i8(tml_rom_i8(w), x[0]);
}

#endif
