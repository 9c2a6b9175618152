/* SPDX-License-Identifier: 0BSD */
/* Sums of float products in blocks of output channels x pixels, packed as in tml_dot_i8.h: acc +=
 * sum over i < k of w[i] * x[i], i rising. */
#ifndef TML_DOT_F32_H
#define TML_DOT_F32_H

#include "../common/tml_float.h"
#include "../common/tml_port.h"

/* acc[c] += channel c of one pixel; w: [k][4]. */
TML_SHARED void tml_dot_4x1_f32(const float *w, const float *x, size_t k, float acc[TML_RESTRICT 4])
{
    float a[4] = {acc[0], acc[1], acc[2], acc[3]};
    for (; k > 0U; k--) {
        float x0 = x[0];
        a[0] += tml_rom_f32(w) * x0;
        a[1] += tml_rom_f32(w + 1) * x0;
        a[2] += tml_rom_f32(w + 2) * x0;
        a[3] += tml_rom_f32(w + 3) * x0;
        w += 4;
        x++;
    }
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
}

/* acc[4 * i + c] += channel c of pixel i, 0 or 1, pitch elements apart; w: [k][4]. */
TML_SHARED void tml_dot_4x2_f32(const float *w, const float *x, ptrdiff_t pitch, size_t k,
                                float acc[TML_RESTRICT 8])
{
    float a[8] = {acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]};
    for (; k > 0U; k--) {
        float x0 = x[0];
        float x1 = x[pitch];
        a[0] += tml_rom_f32(w) * x0;
        a[4] += tml_rom_f32(w) * x1;
        a[1] += tml_rom_f32(w + 1) * x0;
        a[5] += tml_rom_f32(w + 1) * x1;
        a[2] += tml_rom_f32(w + 2) * x0;
        a[6] += tml_rom_f32(w + 2) * x1;
        a[3] += tml_rom_f32(w + 3) * x0;
        a[7] += tml_rom_f32(w + 3) * x1;
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

/* acc plus the sum of one channel and one pixel; w: [k][w_pitch], of which this channel is column
 * 0. */
TML_SHARED float tml_dot_1x1_f32(float acc, const float *w, size_t w_pitch, const float *x,
                                 size_t k)
{
    for (; k > 0U; k--) {
        acc += tml_rom_f32(w) * *x;
        w += w_pitch;
        x++;
    }
    return acc;
}

#endif
