/* SPDX-License-Identifier: 0BSD */
/*
 * Real numbers of 8 bits or less as the code in the low bits of a uint8_t: arithmetic is float32's. Rounding goes
 * to the nearest value, halves to the even one; NaN stays NaN, or becomes 0 in a format that has none.
 */
#ifndef TML_MINI_H
#define TML_MINI_H

#include "tml_half.h"

/*
 * The formats: bits of the mantissa, bias of the exponent, code of the largest value, of what is beyond it
 * where that is not saturated, of NaN, and the bit of the sign. Formats whose NaN is that bit have no -0.
 */
#define TML_E4M3FN 3U, 7U, 0x7EU, 0x7FU, 0x7FU, 0x80U
#define TML_E4M3FNUZ 3U, 8U, 0x7FU, 0x80U, 0x80U, 0x80U
#define TML_E5M2 2U, 15U, 0x7BU, 0x7CU, 0x7EU, 0x80U
#define TML_E5M2FNUZ 2U, 16U, 0x7FU, 0x80U, 0x80U, 0x80U
#define TML_E3M2 2U, 3U, 0x1FU, 0x1FU, 0x00U, 0x20U
#define TML_E2M3 3U, 1U, 0x1FU, 0x1FU, 0x00U, 0x20U
#define TML_E2M1 1U, 1U, 0x07U, 0x07U, 0x00U, 0x08U

TML_INLINE float tml_mini_to_f32(uint8_t code, uint32_t mantissa, uint32_t bias, uint32_t largest,
                                 uint32_t beyond, uint32_t nan, uint32_t sign)
{
    uint32_t minus = (code & sign) != 0U ? 0x80000000U : 0U;
    uint32_t size = code & (sign - 1U);
    if (code == nan && nan == sign) {
        return tml_f32_of_bits(0xFFC00000U);
    }
    if (size > largest) {
        return tml_f32_of_bits(minus | (size == beyond && beyond != nan ? 0x7F800000U : 0x7FC00000U));
    }
    if (size >> mantissa != 0U) {
        return tml_f32_of_bits(minus | ((size << (23U - mantissa)) + ((127U - bias) << 23)));
    }
    float small = (float)size * tml_f32_of_bits((128U - bias - mantissa) << 23); /* the least value */
    return minus != 0U ? -small : small;
}

TML_INLINE uint8_t tml_f32_to_mini(float v, bool saturate, uint32_t mantissa, uint32_t bias, uint32_t largest,
                                   uint32_t beyond, uint32_t nan, uint32_t sign)
{
    uint32_t bits = tml_bits_of_f32(v);
    uint32_t minus = bits >> 31 != 0U ? sign : 0U;
    uint32_t size = bits & 0x7FFFFFFFU;
    uint32_t shift = 23U - mantissa;
    uint32_t low = 128U - bias; /* float32's exponent of the least value with a full mantissa */
    uint32_t code;
    if (size > 0x7F800000U) {
        return (uint8_t)(minus | nan);
    }
    if (size >> 23 >= low) {
        code = tml_shift_to_even(size - ((low - 1U) << 23), shift);
    } else {
        shift += low - (size >> 23);
        code = shift > 25U ? 0U : tml_shift_to_even((size & 0x007FFFFFU) | 0x00800000U, shift);
    }
    if (code > largest) {
        code = saturate ? largest : beyond;
    }
    return (uint8_t)(code == 0U && nan == sign ? 0U : minus | code);
}

/* e8m0 is the exponent of float32: 2^-127 to 2^127, and NaN. */
TML_INLINE float tml_e8m0_to_f32(uint8_t code)
{
    if (code == 255U) {
        return tml_f32_of_bits(0x7FC00000U);
    }
    return tml_f32_of_bits(code == 0U ? 0x00400000U : (uint32_t)code << 23);
}

/* What lies between powers of two goes (u)p, (d)own, or to the (n)earest, in the middle up; a sign is lost. */
TML_INLINE uint8_t tml_f32_to_e8m0(float v, char round, bool saturate)
{
    uint32_t size = tml_bits_of_f32(v) & 0x7FFFFFFFU;
    uint32_t exponent = size >> 23;
    uint32_t fraction = size & 0x007FFFFFU;
    uint32_t normal = exponent != 0U ? 1U : 0U;
    bool up = round == 'u' ? fraction != 0U : round == 'n' && fraction + normal > 0x00400000U;
    if (up && exponent < (saturate ? 254U : 255U)) {
        exponent++;
    }
    return (uint8_t)exponent;
}

#endif
