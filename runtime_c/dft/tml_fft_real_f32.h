/* SPDX-License-Identifier: 0BSD */
/*
 * Transforms of real sequences of even length n by complex ones of n / 2 points (docs/numerics.md,
 * section 18). A sequence's even and odd values are the real and imaginary parts of the points.
 */
#ifndef TML_FFT_REAL_F32_H
#define TML_FFT_REAL_F32_H

#include "tml_complex_f32.h"

/*
 * The bins 0..half of a real sequence, of the transform x of its points: for a = x[k], b = x[half -
 * k]*, y[k] = ((a + b) - j turns[k] (a - b)) / 2, and bin half - k is ((a + b) + j turns[k] (a -
 * b))* / 2.
 *
 * half: 1..
 * x: [half], complex
 * turns (rom): [half / 2 + 1], complex: exp(-pi j k / half)
 * y: [half + 1], complex
 */
TML_SHARED void tml_fft_split_f32(size_t half, const float *TML_RESTRICT x,
                                  const float *TML_RESTRICT turns, float *TML_RESTRICT y)
{
    for (size_t k = 0U; 2U * k <= half; k++) {
        struct tml_complex_f32 a = tml_complex_load_f32(x, k);
        struct tml_complex_f32 b = tml_complex_load_f32(x, k == 0U ? 0U : half - k);
        struct tml_complex_f32 even = {0.5F * (a.re + b.re), 0.5F * (a.im - b.im)};
        struct tml_complex_f32 apart = {0.5F * (a.re - b.re), 0.5F * (a.im + b.im)};
        struct tml_complex_f32 odd =
            tml_complex_back_f32(tml_complex_mul_f32(apart, tml_complex_rom_f32(turns, k)));
        struct tml_complex_f32 high = {even.re - odd.re, odd.im - even.im};
        tml_complex_store_f32(y, k, tml_complex_add_f32(even, odd));
        tml_complex_store_f32(y, half - k, high);
    }
}

/*
 * The way back: points whose inverse transform, not divided, is n times the real sequence with the
 * bins x. Real and imaginary parts are exchanged, as the inverse is made of the transform. For a =
 * x[k], b = x[half - k]*, y[k] = (a + b) + j turns[k]* (a - b), and y[half - k] = ((a + b) - j
 * turns[k]* (a - b))*. The imaginary parts of bins 0 and half count as 0.
 *
 * half: 1..
 * x: [half + 1], complex
 * turns (rom): [half / 2 + 1], complex: exp(-pi j k / half)
 * y: [half], complex, imaginary part first
 */
TML_SHARED void tml_fft_join_f32(size_t half, const float *TML_RESTRICT x,
                                 const float *TML_RESTRICT turns, float *TML_RESTRICT y)
{
    y[0] = x[0] - x[2U * half];
    y[1] = x[0] + x[2U * half];
    for (size_t k = 1U; 2U * k <= half; k++) {
        struct tml_complex_f32 a = tml_complex_load_f32(x, k);
        struct tml_complex_f32 b = tml_complex_load_f32(x, half - k);
        struct tml_complex_f32 turn = tml_complex_rom_f32(turns, k);
        struct tml_complex_f32 apart = {a.im + b.im, a.re - b.re};
        struct tml_complex_f32 odd = tml_complex_mul_f32(apart, turn);
        float re = a.re + b.re;
        float im = a.im - b.im;
        struct tml_complex_f32 low = {im + odd.im, re - odd.re};
        struct tml_complex_f32 high = {odd.im - im, re + odd.re};
        tml_complex_store_f32(y, k, low);
        tml_complex_store_f32(y, half - k, high);
    }
}

#endif
