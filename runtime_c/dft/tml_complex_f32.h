/* SPDX-License-Identifier: 0BSD */
/*
 * Complex numbers as pairs of floats, real part first: what the passes of the fast Fourier
 * transform share.
 */
#ifndef TML_COMPLEX_F32_H
#define TML_COMPLEX_F32_H

#include "../common/tml_port.h"

struct tml_complex_f32 {
    float re;
    float im;
};

/* Number k of an array of pairs. */
TML_INLINE struct tml_complex_f32 tml_complex_load_f32(const float *x, size_t k)
{
    struct tml_complex_f32 v = {x[2U * k], x[2U * k + 1U]};
    return v;
}

TML_INLINE struct tml_complex_f32 tml_complex_rom_f32(const float *x, size_t k)
{
    struct tml_complex_f32 v = {tml_rom_f32(x + 2U * k), tml_rom_f32(x + 2U * k + 1U)};
    return v;
}

TML_INLINE void tml_complex_store_f32(float *y, size_t k, struct tml_complex_f32 v)
{
    y[2U * k] = v.re;
    y[2U * k + 1U] = v.im;
}

TML_INLINE struct tml_complex_f32 tml_complex_add_f32(struct tml_complex_f32 a,
                                                      struct tml_complex_f32 b)
{
    struct tml_complex_f32 v = {a.re + b.re, a.im + b.im};
    return v;
}

TML_INLINE struct tml_complex_f32 tml_complex_sub_f32(struct tml_complex_f32 a,
                                                      struct tml_complex_f32 b)
{
    struct tml_complex_f32 v = {a.re - b.re, a.im - b.im};
    return v;
}

TML_INLINE struct tml_complex_f32 tml_complex_mul_f32(struct tml_complex_f32 a,
                                                      struct tml_complex_f32 b)
{
    struct tml_complex_f32 v = {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    return v;
}

/* -j v */
TML_INLINE struct tml_complex_f32 tml_complex_back_f32(struct tml_complex_f32 v)
{
    struct tml_complex_f32 turned = {v.im, -v.re};
    return turned;
}

#endif
