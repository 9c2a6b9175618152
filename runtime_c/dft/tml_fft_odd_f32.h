/* SPDX-License-Identifier: 0BSD */
/*
 * A pass of any odd radix R of the fast Fourier transform (docs/numerics.md, section 18):
 * y[q][g][i] = turns[i]^q * (sum over p of exp(-2 pi j p q / R) * x[g][p][i]), for q: 0..R-1.
 */
#ifndef TML_FFT_ODD_F32_H
#define TML_FFT_ODD_F32_H

#include "tml_complex_f32.h"

/*
 * The terms of p and R - p, whose factors are conjugates, give the bins q and R - q together:
 * even = x[0] + sum of cos * (x[p] + x[R - p]), odd = sum of sin * -j (x[p] - x[R - p]).
 */
TML_INLINE void tml_fft_odd_pair_f32(size_t radix, size_t run, const float *TML_RESTRICT x,
                                     const float *TML_RESTRICT roots, size_t q,
                                     struct tml_complex_f32 *even, struct tml_complex_f32 *odd)
{
    size_t at = 0U;
    *even = tml_complex_load_f32(x, 0U);
    odd->re = 0.0F;
    odd->im = 0.0F;
    for (size_t p = 1U; 2U * p < radix; p++) {
        struct tml_complex_f32 a = tml_complex_load_f32(x, p * run);
        struct tml_complex_f32 b = tml_complex_load_f32(x, (radix - p) * run);
        at = at + q >= radix ? at + q - radix : at + q;
        struct tml_complex_f32 root = tml_complex_rom_f32(roots, at);
        even->re += root.re * (a.re + b.re);
        even->im += root.re * (a.im + b.im);
        odd->re -= root.im * (a.im - b.im);
        odd->im += root.im * (a.re - b.re);
    }
}

/*
 * radix: 3, 5, ..; groups, run: 1.., so that there are groups * radix * run points
 * x: [groups][radix][run], complex
 * roots (rom): [radix], complex: exp(-2 pi j k / radix)
 * turns (rom): [run - 1][radix - 1], complex: of i = 1.. the powers 1 to radix - 1
 * y: [radix][groups][run], complex
 */
TML_SHARED void tml_fft_odd_f32(size_t radix, size_t groups, size_t run,
                                const float *TML_RESTRICT x, const float *TML_RESTRICT roots,
                                const float *TML_RESTRICT turns, float *TML_RESTRICT y)
{
    const size_t part = groups * run;
    for (size_t g = 0U; g < groups; g++) {
        for (size_t i = 0U; i < run; i++) {
            const float *from = x + 2U * (radix * g * run + i);
            float *to = y + 2U * (g * run + i);
            struct tml_complex_f32 sum = tml_complex_load_f32(from, 0U);
            for (size_t p = 1U; p < radix; p++) {
                sum = tml_complex_add_f32(sum, tml_complex_load_f32(from, p * run));
            }
            tml_complex_store_f32(to, 0U, sum);
            for (size_t q = 1U; 2U * q < radix; q++) {
                struct tml_complex_f32 even;
                struct tml_complex_f32 odd;
                tml_fft_odd_pair_f32(radix, run, from, roots, q, &even, &odd);
                struct tml_complex_f32 low = tml_complex_add_f32(even, odd);
                struct tml_complex_f32 high = tml_complex_sub_f32(even, odd);
                if (i > 0U) {
                    const float *turn = turns + 2U * (radix - 1U) * (i - 1U);
                    low = tml_complex_mul_f32(low, tml_complex_rom_f32(turn, q - 1U));
                    high = tml_complex_mul_f32(high, tml_complex_rom_f32(turn, radix - q - 1U));
                }
                tml_complex_store_f32(to, q * part, low);
                tml_complex_store_f32(to, (radix - q) * part, high);
            }
        }
    }
}

#endif
