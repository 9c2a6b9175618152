/* SPDX-License-Identifier: 0BSD */
/*
 * The instructions of Armv7E-M and Armv8-M with DSP that kernels are written in, and the same in C
 * for everything else: one kernel source, one result. TML_PORTABLE keeps to C.
 */
#ifndef TML_DSP_H
#define TML_DSP_H

#include "tml_fixedpoint.h"

#ifndef TML_HAVE_DSP
#    if defined(__GNUC__) && defined(__arm__) && defined(__ARM_FEATURE_DSP) &&                     \
        !defined(TML_PORTABLE)
#        define TML_HAVE_DSP 1
#    else
#        define TML_HAVE_DSP 0
#    endif
#endif

/* Blocks of instructions that take every register: gcc, when it optimises. clang keeps some back.
 */
#ifndef TML_HAVE_DSP_BLOCKS
#    if TML_HAVE_DSP && defined(__OPTIMIZE__) && !defined(__clang__)
#        define TML_HAVE_DSP_BLOCKS 1
#    else
#        define TML_HAVE_DSP_BLOCKS 0
#    endif
#endif
/* For the whole file: behind a function that keeps a frame pointer, gcc 12 may hold its register back
 * from the blocks, whatever their attribute says. */
#if TML_HAVE_DSP_BLOCKS
#    pragma GCC optimize("omit-frame-pointer")
#    define TML_ALL_REGISTERS TML_GNU(__optimize__("O2", "omit-frame-pointer"), __noclone__)
#else
#    define TML_ALL_REGISTERS
#endif

/* Whether element-wise kernels and pools take four bytes at once; tests do it in plain C. */
#ifndef TML_PACKED
#    define TML_PACKED TML_HAVE_DSP
#endif

/* Two int16 in a word, as SMLAD takes them. */
TML_INLINE int32_t tml_low(uint32_t pair)
{
    return (int16_t)(uint16_t)pair;
}

TML_INLINE int32_t tml_high(uint32_t pair)
{
    return (int16_t)(uint16_t)(pair >> 16);
}

TML_INLINE uint32_t tml_pair(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFU) | ((uint32_t)high << 16);
}

/* The low, or the high halves of two words. */
TML_INLINE uint32_t tml_lows(uint32_t low, uint32_t high)
{
#if TML_HAVE_DSP
    uint32_t pair;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(low), "r"(high));
    return pair;
#else
    return (low & 0xFFFFU) | (high << 16);
#endif
}

TML_INLINE uint32_t tml_highs(uint32_t low, uint32_t high)
{
#if TML_HAVE_DSP
    uint32_t pair;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(high), "r"(low));
    return pair;
#else
    return (low >> 16) | (high & 0xFFFF0000U);
#endif
}

/* acc + low(a) * low(b) + high(a) * high(b), modulo 2^32. */
TML_INLINE uint32_t tml_smlad(uint32_t a, uint32_t b, uint32_t acc)
{
#if TML_HAVE_DSP
    uint32_t sum;
    __asm__("smlad %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(acc));
    return sum;
#else
    return acc + (uint32_t)(tml_low(a) * tml_low(b)) + (uint32_t)(tml_high(a) * tml_high(b));
#endif
}

/* Bytes 0 and 2, sign-extended, as a pair. */
TML_INLINE uint32_t tml_sxtb16(uint32_t bytes)
{
#if TML_HAVE_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return tml_pair((int8_t)(uint8_t)bytes, (int8_t)(uint8_t)(bytes >> 16));
#endif
}

/* Bytes 1 and 3, sign-extended, as a pair. */
TML_INLINE uint32_t tml_sxtb16_odd(uint32_t bytes)
{
#if TML_HAVE_DSP
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return tml_sxtb16(bytes >> 8);
#endif
}

/* Bytes 0 and 2, or 1 and 3, as a pair of numbers without sign. */
TML_INLINE uint32_t tml_uxtb16(uint32_t bytes)
{
    return bytes & 0x00FF00FFU;
}

TML_INLINE uint32_t tml_uxtb16_odd(uint32_t bytes)
{
#if TML_HAVE_DSP
    uint32_t pair;
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
#else
    return tml_uxtb16(bytes >> 8);
#endif
}

/* Bytes 0 and 2, or 1 and 3, sign-extended and added to the halves of pair, each modulo 2^16. */
TML_INLINE uint32_t tml_sxtab16(uint32_t pair, uint32_t bytes)
{
#if TML_HAVE_DSP
    uint32_t sum;
    __asm__("sxtab16 %0, %1, %2" : "=r"(sum) : "r"(pair), "r"(bytes));
    return sum;
#else
    return tml_pair(tml_low(pair) + (int8_t)(uint8_t)bytes,
                    tml_high(pair) + (int8_t)(uint8_t)(bytes >> 16));
#endif
}

TML_INLINE uint32_t tml_sxtab16_odd(uint32_t pair, uint32_t bytes)
{
#if TML_HAVE_DSP
    uint32_t sum;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sum) : "r"(pair), "r"(bytes));
    return sum;
#else
    return tml_sxtab16(pair, bytes >> 8);
#endif
}

/* Sums and differences of the halves, each modulo 2^16. */
TML_INLINE uint32_t tml_add_2_i16(uint32_t a, uint32_t b)
{
#if TML_HAVE_DSP
    uint32_t sum;
    __asm__("sadd16 %0, %1, %2" : "=r"(sum) : "r"(a), "r"(b));
    return sum;
#else
    return tml_pair(tml_low(a) + tml_low(b), tml_high(a) + tml_high(b));
#endif
}

TML_INLINE uint32_t tml_sub_2_i16(uint32_t a, uint32_t b)
{
#if TML_HAVE_DSP
    uint32_t difference;
    __asm__("ssub16 %0, %1, %2" : "=r"(difference) : "r"(a), "r"(b));
    return difference;
#else
    return tml_pair(tml_low(a) - tml_low(b), tml_high(a) - tml_high(b));
#endif
}

/* acc + floor(a * low(b) / 2^16), or of high(b), modulo 2^32. */
TML_INLINE int32_t tml_smlawb(int32_t a, uint32_t b, int32_t acc)
{
#if TML_HAVE_DSP
    int32_t sum;
    __asm__("smlawb %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(acc));
    return sum;
#else
    return acc + (int32_t)(((int64_t)a * tml_low(b)) >> 16);
#endif
}

TML_INLINE int32_t tml_smlawt(int32_t a, uint32_t b, int32_t acc)
{
#if TML_HAVE_DSP
    int32_t sum;
    __asm__("smlawt %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(acc));
    return sum;
#else
    return acc + (int32_t)(((int64_t)a * tml_high(b)) >> 16);
#endif
}

/* For each of four int8 in a word the larger one. */
TML_INLINE uint32_t tml_max_4_i8(uint32_t a, uint32_t b)
{
#if TML_HAVE_DSP
    uint32_t max;
    __asm__("ssub8 %0, %1, %2\n sel %0, %1, %2" : "=&r"(max) : "r"(a), "r"(b) : "cc");
    return max;
#else
    uint32_t max = 0U;
    for (int i = 0; i < 32; i += 8) {
        int8_t a_i = (int8_t)(uint8_t)(a >> i);
        int8_t b_i = (int8_t)(uint8_t)(b >> i);
        max |= (uint32_t)(uint8_t)(a_i > b_i ? a_i : b_i) << i;
    }
    return max;
#endif
}

/* The smaller one: -1 - v turns the order of int8 round. */
TML_INLINE uint32_t tml_min_4_i8(uint32_t a, uint32_t b)
{
    return ~tml_max_4_i8(~a, ~b);
}

/* An int8, -128..127, in each byte. */
TML_INLINE uint32_t tml_4_i8(int32_t value)
{
    return ((uint32_t)value & 0xFFU) * 0x01010101U;
}

/* Four int8 limited to y_min..y_max; nothing to do where those are the limits of int8. */
TML_INLINE uint32_t tml_clamp_4_i8(uint32_t y, int32_t y_min, int32_t y_max)
{
    uint32_t at_least = y_min > -128 ? tml_max_4_i8(y, tml_4_i8(y_min)) : y;
    return y_max < 127 ? tml_min_4_i8(at_least, tml_4_i8(y_max)) : at_least;
}

/* acc + the sum of four uint8. */
TML_INLINE uint32_t tml_sum_4_u8(uint32_t acc, uint32_t bytes)
{
#if TML_HAVE_DSP
    uint32_t sum;
    __asm__("usada8 %0, %1, %2, %3" : "=r"(sum) : "r"(bytes), "r"(0), "r"(acc));
    return sum;
#else
    return acc + (bytes & 0xFFU) + (bytes >> 8 & 0xFFU) + (bytes >> 16 & 0xFFU) + (bytes >> 24);
#endif
}

/* Four bytes from memory at any address, the first one lowest. */
TML_INLINE uint32_t tml_load_bytes(const int8_t *p)
{
#if TML_HAVE_DSP
    return tml_load_u32(p);
#else
    return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8 | (uint32_t)(uint8_t)p[2] << 16 |
           (uint32_t)(uint8_t)p[3] << 24;
#endif
}

/* The same to memory. */
TML_INLINE void tml_store_bytes(int8_t *p, uint32_t bytes)
{
#if TML_HAVE_DSP
    tml_store_u32(p, bytes);
#else
    for (int i = 0; i < 4; i++) {
        p[i] = (int8_t)(uint8_t)(bytes >> 8 * i);
    }
#endif
}

#endif
