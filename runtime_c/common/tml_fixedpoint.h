/* SPDX-License-Identifier: 0BSD */
/*
 * All rounding, shifting and saturating of the integer kernels (docs/numerics.md). One rounding
 * rule: to nearest, halves up, floor(v + 1/2); only means, which are often exactly halfway, go to
 * the even neighbour.
 */
#ifndef TML_FIXEDPOINT_H
#define TML_FIXEDPOINT_H

#include "tml_port.h"

/* Armv6-M, Armv8-M Baseline and AVR multiply 16 or 32 bits to 32 bits only. */
#ifndef TML_HAVE_LONG_MULTIPLY
#    if defined(__AVR__) || defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#        define TML_HAVE_LONG_MULTIPLY 0
#    else
#        define TML_HAVE_LONG_MULTIPLY 1
#    endif
#endif

/* 1: all multipliers of the model's kernels are powers of two, and what stands for them is the
 * number of bits of a rounding shift, 0..31. Generated code says so for parts without a long
 * multiply. */
#ifndef TML_MULTIPLIERS_ARE_SHIFTS
#    define TML_MULTIPLIERS_ARE_SHIFTS 0
#endif

/* C99 leaves >> of a negative value to the compiler; these kernels need the arithmetic one. */
typedef char tml_check_shift_is_arithmetic[(-3 >> 1) == -2 ? 1 : -1];

/* a * b, which fits an int of 16 bits: not widening lets AVR take one 8-bit multiply. */
TML_INLINE int32_t tml_mul_i8(int8_t a, int8_t b)
{
    return a * b;
}

/* v limited to lo..hi; lo <= hi. */
TML_INLINE int32_t tml_clamp_i32(int32_t v, int32_t lo, int32_t hi)
{
    int32_t at_least_lo = v < lo ? lo : v;
    return at_least_lo > hi ? hi : at_least_lo;
}

TML_INLINE int8_t tml_saturate_i8(int32_t v)
{
    return (int8_t)tml_clamp_i32(v, -128, 127);
}

/* v * 2^s; s: 0..31, the result fits an int32. */
TML_INLINE int32_t tml_shift_left(int32_t v, int_fast16_t s)
{
    return (int32_t)((uint32_t)v << s);
}

/* floor(v / 2^s + 1/2); s: 0..31. */
TML_INLINE int32_t tml_rounding_shift(int32_t v, int_fast16_t s)
{
    return s == 0 ? v : ((v >> (s - 1)) + 1) >> 1;
}

/* floor(acc * m / 2^32 + 1/2); m: 0..2^31 - 1. */
#if TML_HAVE_LONG_MULTIPLY
TML_INLINE int32_t tml_requantize(int32_t acc, int32_t m)
{
    int64_t product = (int64_t)acc * m;
    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
}
#else
/*
 * With acc = ah * 2^16 + al and m = mh * 2^16 + ml (ah signed, the others not) the sum is ah*mh in
 * units of 2^32, ah*ml + al*mh in units of 2^16, and al*ml. The middle sum is taken as (ah*ml >>
 * 16) and a rest below 2^32.
 */
TML_SHARED int32_t tml_requantize(int32_t acc, int32_t m)
{
    int16_t ah = (int16_t)(acc >> 16);
    uint16_t al = (uint16_t)acc;
    uint16_t mh = (uint16_t)(m >> 16);
    uint16_t ml = (uint16_t)m;
    int32_t cross = (int32_t)ah * (int32_t)ml;
    uint32_t rest = (((uint32_t)al * ml) >> 16) + (uint32_t)al * mh + 0x8000U + (uint16_t)cross;
    return (int32_t)ah * (int32_t)mh + (cross >> 16) + (int32_t)(rest >> 16);
}
#endif

/* As tml_requantize, but a result exactly between two integers goes to the even one. */
TML_INLINE int32_t tml_requantize_even(int32_t acc, int32_t m)
{
    int32_t y = tml_requantize(acc, m);
    bool halfway = (uint32_t)acc * (uint32_t)m == 0x80000000U;
    return halfway && y % 2 != 0 ? y - 1 : y;
}

/* tml_output_wide for n: 33..62. Rounded down to 33 bits first, the rest is an int32. */
TML_INLINE int32_t tml_output_wide_33(int64_t product, int_fast16_t n, int32_t y_zero_point,
                                      int32_t y_min, int32_t y_max)
{
    int32_t y = (((int32_t)(product >> 32) >> (n - 33)) + 1) >> 1;
    return tml_clamp_i32(y_zero_point + y, y_min, y_max);
}

/*
 * The end of every kernel with int16 activations: y_zero_point + floor(acc * m / 2^n + 1/2),
 * limited to y_min..y_max. n: 17..62; |acc| * m: up to 2^62.
 */
TML_INLINE int32_t tml_output_wide(int64_t acc, int32_t m, int_fast16_t n, int32_t y_zero_point,
                                   int32_t y_min, int32_t y_max)
{
    int64_t product = acc * m;
    if (n >= 33) {
        return tml_output_wide_33(product, n, y_zero_point, y_min, y_max);
    }
    int64_t y = y_zero_point + ((product + ((int64_t)1 << (n - 1))) >> n);
    if (y < y_min) {
        return y_min;
    }
    return y > y_max ? y_max : (int32_t)y;
}

/* The end of add and sub with int16 activations: floor(acc / 2^s + 1/2), limited to y_min..y_max.
 * s: 0..31; |acc|: up to 2^62. */
TML_INLINE int32_t tml_wide_sum(int64_t acc, int_fast16_t s, int32_t y_min, int32_t y_max)
{
    int64_t y = s == 0 ? acc : ((acc >> (s - 1)) + 1) >> 1;
    if (y < y_min) {
        return y_min;
    }
    return y > y_max ? y_max : (int32_t)y;
}

/* As tml_output_wide, but a result exactly between two integers goes to the even one. */
TML_INLINE int32_t tml_output_wide_even(int64_t acc, int32_t m, int_fast16_t n,
                                        int32_t y_zero_point, int32_t y_min, int32_t y_max)
{
    int64_t half = (int64_t)1 << (n - 1);
    int64_t product = acc * m;
    int64_t y = (product + half) >> n;
    if ((product & (2 * half - 1)) == half && (y & 1) != 0) {
        y--;
    }
    y += y_zero_point;
    if (y < y_min) {
        return y_min;
    }
    return y > y_max ? y_max : (int32_t)y;
}

/* The end of every int8 kernel: y_zero_point + requantize(acc * 2^pre_shift, m), limited to
 * y_min..y_max (within int8). */
TML_INLINE int8_t tml_output_i8(int32_t acc, int32_t m, int_fast16_t pre_shift,
                                int32_t y_zero_point, int32_t y_min, int32_t y_max)
{
#if TML_MULTIPLIERS_ARE_SHIFTS
    (void)pre_shift;
    int32_t y = y_zero_point + tml_rounding_shift(acc, (int_fast16_t)m);
#else
    int32_t y = y_zero_point + tml_requantize(tml_shift_left(acc, pre_shift), m);
#endif
    return (int8_t)tml_clamp_i32(y, y_min, y_max);
}

#endif
