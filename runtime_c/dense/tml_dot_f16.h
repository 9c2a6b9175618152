/* SPDX-License-Identifier: 0BSD */
/* Sums of float products as in tml_dot_f32.h, with weights that are stored as float16: the same
 * results, bit for bit, as with the float32 of the same values. */
#ifndef TML_DOT_F16_H
#define TML_DOT_F16_H

#include "../common/tml_rom_half.h"

/* acc[c] += channel c of one pixel; w: [k][4]. */
TML_SHARED void tml_dot_4x1_f16(const uint16_t *w, const float *x, size_t k,
                                float acc[TML_RESTRICT 4])
{
    float a[4] = {acc[0], acc[1], acc[2], acc[3]};
    for (; k > 0U; k--) {
        float x0 = x[0];
        a[0] += tml_rom_f16(w) * x0;
        a[1] += tml_rom_f16(w + 1) * x0;
        a[2] += tml_rom_f16(w + 2) * x0;
        a[3] += tml_rom_f16(w + 3) * x0;
        w += 4;
        x++;
    }
    acc[0] = a[0];
    acc[1] = a[1];
    acc[2] = a[2];
    acc[3] = a[3];
}

/* acc[4 * i + c] += channel c of pixel i, 0 or 1, pitch elements apart; w: [k][4]. */
TML_SHARED void tml_dot_4x2_f16(const uint16_t *w, const float *x, ptrdiff_t pitch, size_t k,
                                float acc[TML_RESTRICT 8])
{
    float a[8] = {acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]};
    for (; k > 0U; k--) {
        float v[4] = {tml_rom_f16(w), tml_rom_f16(w + 1), tml_rom_f16(w + 2), tml_rom_f16(w + 3)};
        float x0 = x[0];
        float x1 = x[pitch];
        a[0] += v[0] * x0;
        a[4] += v[0] * x1;
        a[1] += v[1] * x0;
        a[5] += v[1] * x1;
        a[2] += v[2] * x0;
        a[6] += v[2] * x1;
        a[3] += v[3] * x0;
        a[7] += v[3] * x1;
        w += 4;
        x++;
    }
    tml_copy(acc, a, sizeof a);
}

/* acc plus the sum of one channel and one pixel; w: [k][w_pitch], of which this channel is column
 * 0. */
TML_SHARED float tml_dot_1x1_f16(float acc, const uint16_t *w, size_t w_pitch, const float *x,
                                 size_t k)
{
    for (; k > 0U; k--) {
        acc += tml_rom_f16(w) * *x;
        w += w_pitch;
        x++;
    }
    return acc;
}

#endif
