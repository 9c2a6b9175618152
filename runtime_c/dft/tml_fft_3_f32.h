/* SPDX-License-Identifier: 0BSD */
/*
 * A pass of radix 3 of the fast Fourier transform (docs/numerics.md, section 18):
 * y[q][g][i] = turns[i]^q * (sum over p of exp(-2 pi j p q / 3) * x[g][p][i]), for q: 0..2.
 */
#ifndef TML_FFT_3_F32_H
#define TML_FFT_3_F32_H

#include "tml_complex_f32.h"

/*
 * groups, run: 1.., so that there are groups * 3 * run points
 * x: [groups][3][run], complex
 * turns (rom): [run - 1][2], complex: of i = 1.. the powers 1 and 2
 * y: [3][groups][run], complex
 */
TML_SHARED void tml_fft_3_f32(size_t groups, size_t run, const float *TML_RESTRICT x,
                              const float *TML_RESTRICT turns, float *TML_RESTRICT y)
{
    const size_t part = groups * run;
    for (size_t g = 0U; g < groups; g++) {
        for (size_t i = 0U; i < run; i++) {
            const float *from = x + 2U * (3U * g * run + i);
            struct tml_complex_f32 a = tml_complex_load_f32(from, 0U);
            struct tml_complex_f32 b = tml_complex_load_f32(from, run);
            struct tml_complex_f32 c = tml_complex_load_f32(from, 2U * run);
            struct tml_complex_f32 sum = tml_complex_add_f32(b, c);
            struct tml_complex_f32 apart = tml_complex_sub_f32(b, c);
            struct tml_complex_f32 even = {a.re - 0.5F * sum.re, a.im - 0.5F * sum.im};
            struct tml_complex_f32 odd = {0.8660254F * apart.im, -0.8660254F * apart.re};
            struct tml_complex_f32 second = tml_complex_add_f32(even, odd);
            struct tml_complex_f32 third = tml_complex_sub_f32(even, odd);
            if (i > 0U) {
                second = tml_complex_mul_f32(second, tml_complex_rom_f32(turns, 2U * i - 2U));
                third = tml_complex_mul_f32(third, tml_complex_rom_f32(turns, 2U * i - 1U));
            }
            float *to = y + 2U * (g * run + i);
            tml_complex_store_f32(to, 0U, tml_complex_add_f32(a, sum));
            tml_complex_store_f32(to, part, second);
            tml_complex_store_f32(to, 2U * part, third);
        }
    }
}

#endif
