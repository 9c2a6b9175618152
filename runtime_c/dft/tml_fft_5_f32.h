/* SPDX-License-Identifier: 0BSD */
/*
 * A pass of radix 5 of the fast Fourier transform (docs/numerics.md, section 18):
 * y[q][g][i] = turns[i]^q * (sum over p of exp(-2 pi j p q / 5) * x[g][p][i]), for q: 0..4.
 */
#ifndef TML_FFT_5_F32_H
#define TML_FFT_5_F32_H

#include "tml_complex_f32.h"

/* a + cos_1 * v + cos_2 * w, and -j (sin_1 * v + sin_2 * w) */
TML_INLINE struct tml_complex_f32 tml_fft_5_even_f32(struct tml_complex_f32 a,
                                                     struct tml_complex_f32 v,
                                                     struct tml_complex_f32 w, float cos_1,
                                                     float cos_2)
{
    struct tml_complex_f32 sum = {a.re + cos_1 * v.re + cos_2 * w.re,
                                  a.im + cos_1 * v.im + cos_2 * w.im};
    return sum;
}

TML_INLINE struct tml_complex_f32
tml_fft_5_odd_f32(struct tml_complex_f32 v, struct tml_complex_f32 w, float sin_1, float sin_2)
{
    struct tml_complex_f32 sum = {sin_1 * v.im + sin_2 * w.im, -(sin_1 * v.re + sin_2 * w.re)};
    return sum;
}

/*
 * groups, run: 1.., so that there are groups * 5 * run points
 * x: [groups][5][run], complex
 * turns (rom): [run - 1][4], complex: of i = 1.. the powers 1 to 4
 * y: [5][groups][run], complex
 */
TML_SHARED void tml_fft_5_f32(size_t groups, size_t run, const float *TML_RESTRICT x,
                              const float *TML_RESTRICT turns, float *TML_RESTRICT y)
{
    const float cos_1 = 0.30901699F;
    const float cos_2 = -0.80901699F;
    const float sin_1 = 0.95105652F;
    const float sin_2 = 0.58778525F;
    const size_t part = groups * run;
    for (size_t g = 0U; g < groups; g++) {
        for (size_t i = 0U; i < run; i++) {
            const float *from = x + 2U * (5U * g * run + i);
            struct tml_complex_f32 a = tml_complex_load_f32(from, 0U);
            struct tml_complex_f32 b = tml_complex_load_f32(from, run);
            struct tml_complex_f32 c = tml_complex_load_f32(from, 2U * run);
            struct tml_complex_f32 d = tml_complex_load_f32(from, 3U * run);
            struct tml_complex_f32 e = tml_complex_load_f32(from, 4U * run);
            struct tml_complex_f32 v = tml_complex_add_f32(b, e);
            struct tml_complex_f32 w = tml_complex_add_f32(c, d);
            b = tml_complex_sub_f32(b, e);
            c = tml_complex_sub_f32(c, d);
            struct tml_complex_f32 sums[5];
            sums[0] = tml_complex_add_f32(tml_complex_add_f32(a, v), w);
            d = tml_fft_5_even_f32(a, v, w, cos_1, cos_2);
            e = tml_fft_5_odd_f32(b, c, sin_1, sin_2);
            sums[1] = tml_complex_add_f32(d, e);
            sums[4] = tml_complex_sub_f32(d, e);
            d = tml_fft_5_even_f32(a, v, w, cos_2, cos_1);
            e = tml_fft_5_odd_f32(b, c, sin_2, -sin_1);
            sums[2] = tml_complex_add_f32(d, e);
            sums[3] = tml_complex_sub_f32(d, e);
            for (size_t q = 0U; q < 5U; q++) {
                if (i > 0U && q > 0U) {
                    struct tml_complex_f32 turn = tml_complex_rom_f32(turns, 4U * i + q - 5U);
                    sums[q] = tml_complex_mul_f32(sums[q], turn);
                }
                tml_complex_store_f32(y, q * part + g * run + i, sums[q]);
            }
        }
    }
}

#endif
