/* SPDX-License-Identifier: 0BSD */
/*
 * A pass of radix 2 of the fast Fourier transform (docs/numerics.md, section 18):
 * y[q][g][i] = turns[i]^q * (x[g][0][i] + (-1)^q * x[g][1][i]), for q: 0..1.
 */
#ifndef TML_FFT_2_F32_H
#define TML_FFT_2_F32_H

#include "tml_complex_f32.h"

/*
 * groups, run: 1.., so that there are groups * 2 * run points
 * x: [groups][2][run], complex
 * turns (rom): [run - 1][1], complex: of i = 1..
 * y: [2][groups][run], complex
 */
TML_SHARED void tml_fft_2_f32(size_t groups, size_t run, const float *TML_RESTRICT x,
                              const float *TML_RESTRICT turns, float *TML_RESTRICT y)
{
    const size_t part = groups * run;
    for (size_t g = 0U; g < groups; g++) {
        for (size_t i = 0U; i < run; i++) {
            struct tml_complex_f32 a = tml_complex_load_f32(x, 2U * g * run + i);
            struct tml_complex_f32 b = tml_complex_load_f32(x, (2U * g + 1U) * run + i);
            struct tml_complex_f32 second = tml_complex_sub_f32(a, b);
            if (i > 0U) {
                second = tml_complex_mul_f32(second, tml_complex_rom_f32(turns, i - 1U));
            }
            tml_complex_store_f32(y, g * run + i, tml_complex_add_f32(a, b));
            tml_complex_store_f32(y, part + g * run + i, second);
        }
    }
}

#endif
