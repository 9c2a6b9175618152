/* SPDX-License-Identifier: 0BSD */
/*
 * A pass of radix 4 of the fast Fourier transform (docs/numerics.md, section 18):
 * y[q][g][i] = turns[i]^q * (sum over p of (-j)^(p q) * x[g][p][i]), for q: 0..3.
 */
#ifndef TML_FFT_4_F32_H
#define TML_FFT_4_F32_H

#include "tml_complex_f32.h"

/*
 * groups, run: 1.., so that there are groups * 4 * run points
 * x: [groups][4][run], complex
 * turns (rom): [run - 1][3], complex: of i = 1.. the powers 1, 2 and 3
 * y: [4][groups][run], complex
 */
TML_SHARED void tml_fft_4_f32(size_t groups, size_t run, const float *TML_RESTRICT x,
                              const float *TML_RESTRICT turns, float *TML_RESTRICT y)
{
    const size_t part = groups * run;
    for (size_t g = 0U; g < groups; g++) {
        for (size_t i = 0U; i < run; i++) {
            const float *from = x + 2U * (4U * g * run + i);
            struct tml_complex_f32 a = tml_complex_load_f32(from, 0U);
            struct tml_complex_f32 b = tml_complex_load_f32(from, run);
            struct tml_complex_f32 c = tml_complex_load_f32(from, 2U * run);
            struct tml_complex_f32 d = tml_complex_load_f32(from, 3U * run);
            struct tml_complex_f32 ac = tml_complex_add_f32(a, c);
            struct tml_complex_f32 bd = tml_complex_add_f32(b, d);
            a = tml_complex_sub_f32(a, c);
            b = tml_complex_back_f32(tml_complex_sub_f32(b, d));
            struct tml_complex_f32 second = tml_complex_add_f32(a, b);
            struct tml_complex_f32 third = tml_complex_sub_f32(ac, bd);
            struct tml_complex_f32 fourth = tml_complex_sub_f32(a, b);
            if (i > 0U) {
                second = tml_complex_mul_f32(second, tml_complex_rom_f32(turns, 3U * i - 3U));
                third = tml_complex_mul_f32(third, tml_complex_rom_f32(turns, 3U * i - 2U));
                fourth = tml_complex_mul_f32(fourth, tml_complex_rom_f32(turns, 3U * i - 1U));
            }
            float *to = y + 2U * (g * run + i);
            tml_complex_store_f32(to, 0U, tml_complex_add_f32(ac, bd));
            tml_complex_store_f32(to, part, second);
            tml_complex_store_f32(to, 2U * part, third);
            tml_complex_store_f32(to, 3U * part, fourth);
        }
    }
}

#endif
