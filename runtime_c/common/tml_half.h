/* SPDX-License-Identifier: 0BSD */
/*
 * float16 (IEEE 754 binary16) and bfloat16 as the bits of a uint16_t: arithmetic is float32's. Rounding goes
 * to the nearest value, halves to the even one; what is too large becomes infinity, NaN stays NaN.
 */
#ifndef TML_HALF_H
#define TML_HALF_H

#include "tml_port.h"

TML_INLINE uint32_t tml_bits_of_f32(float v)
{
    uint32_t bits;
    tml_copy(&bits, &v, sizeof bits);
    return bits;
}

TML_INLINE float tml_f32_of_bits(uint32_t bits)
{
    float v;
    tml_copy(&v, &bits, sizeof v);
    return v;
}

/* v / 2^shift to the nearest integer; shift is 1 to 31. */
TML_INLINE uint32_t tml_shift_to_even(uint32_t v, uint32_t shift)
{
    uint32_t odd = (v >> shift) & 1U;
    return (v + ((uint32_t)1 << (shift - 1U)) - 1U + odd) >> shift;
}

TML_INLINE float tml_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000U) << 16;
    uint32_t exponent = (h >> 10) & 31U;
    uint32_t mantissa = h & 1023U;
    if (exponent == 31U) {
        return tml_f32_of_bits(sign | 0x7F800000U | (mantissa << 13));
    }
    if (exponent != 0U) {
        return tml_f32_of_bits(sign | ((exponent + 112U) << 23) | (mantissa << 13));
    }
    float small = (float)mantissa * 5.9604644775390625e-8F; /* 2^-24 */
    return sign != 0U ? -small : small;
}

TML_INLINE uint16_t tml_f32_to_f16(float v)
{
    uint32_t bits = tml_bits_of_f32(v);
    uint32_t sign = (bits >> 16) & 0x8000U;
    uint32_t size = bits & 0x7FFFFFFFU;
    uint32_t half;
    if (size > 0x7F800000U) {
        half = 0x7E00U | ((size >> 13) & 1023U);
    } else if (size >= 0x477FF000U) { /* 65520 and more */
        half = 0x7C00U;
    } else if (size >= 0x38800000U) { /* 2^-14 and more */
        half = tml_shift_to_even(size - 0x38000000U, 13U);
    } else if (size > 0x33000000U) { /* more than half of the least subnormal */
        half = tml_shift_to_even((size & 0x007FFFFFU) | 0x00800000U, 126U - (size >> 23));
    } else {
        half = 0U;
    }
    return (uint16_t)(sign | half);
}

/* Rounded once: on the way, float32 keeps in its last bit that something was lost. */
TML_INLINE uint16_t tml_f64_to_f16(double v)
{
    float near = (float)v;
    uint32_t bits = tml_bits_of_f32(near);
    double size = v < 0.0 ? -v : v;
    double near_size = near < 0.0F ? -(double)near : (double)near;
    if (size < near_size) {
        bits = (bits - 1U) | 1U;
    } else if (size > near_size) {
        bits |= 1U;
    }
    return tml_f32_to_f16(tml_f32_of_bits(bits));
}

TML_INLINE float tml_bf16_to_f32(uint16_t h)
{
    return tml_f32_of_bits((uint32_t)h << 16);
}

TML_INLINE uint16_t tml_f32_to_bf16(float v)
{
    uint32_t bits = tml_bits_of_f32(v);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
        return (uint16_t)((bits >> 16) | 0x40U);
    }
    return (uint16_t)tml_shift_to_even(bits, 16U);
}

TML_INLINE uint16_t tml_f64_to_bf16(double v)
{
    return tml_f32_to_bf16((float)v);
}

#endif
