/* SPDX-License-Identifier: 0BSD */
/*
 * Integer arithmetic with a result for every operand: division by 0 gives 0, the lowest value divided
 * by -1 wraps, floats that no integer stands for become the nearest one that does (NaN: 0).
 */
#ifndef TML_INTEGER_H
#define TML_INTEGER_H

#include "tml_port.h"

/* a / b towards zero. */
TML_INLINE int64_t tml_div_i64(int64_t a, int64_t b)
{
    if (b == 0) {
        return 0;
    }
    return b == -1 ? (int64_t)(0U - (uint64_t)a) : a / b;
}

TML_INLINE uint64_t tml_div_u64(uint64_t a, uint64_t b)
{
    return b == 0U ? 0U : a / b;
}

/* What is left of a / b, with the sign of a. */
TML_INLINE int64_t tml_rem_i64(int64_t a, int64_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

TML_INLINE uint64_t tml_rem_u64(uint64_t a, uint64_t b)
{
    return b == 0U ? 0U : a % b;
}

/* The same with the sign of b. */
TML_INLINE int64_t tml_mod_i64(int64_t a, int64_t b)
{
    int64_t rest = tml_rem_i64(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

TML_INLINE uint64_t tml_mod_u64(uint64_t a, uint64_t b)
{
    return tml_rem_u64(a, b);
}

/* a to the power of b, modulo 2^64; 1 / a^-b towards zero where b is negative. */
TML_INLINE uint64_t tml_pow_u64(uint64_t a, uint64_t b)
{
    uint64_t power = 1U;
    for (; b != 0U; b >>= 1) {
        power *= (b & 1U) != 0U ? a : 1U;
        a *= a;
    }
    return power;
}

TML_INLINE int64_t tml_pow_i64(int64_t a, int64_t b)
{
    if (b >= 0) {
        return (int64_t)tml_pow_u64((uint64_t)a, (uint64_t)b);
    }
    if (a == 1 || a == -1) {
        return a == 1 || b % 2 == 0 ? 1 : -1;
    }
    return 0;
}

/* Towards zero, limited to lo..hi. */
TML_INLINE int64_t tml_i64_of_f64(double v, int64_t lo, int64_t hi)
{
    if (!(v > (double)lo)) {
        return v <= (double)lo ? lo : 0;
    }
    return v >= (double)hi ? hi : (int64_t)v;
}

TML_INLINE uint64_t tml_u64_of_f64(double v, uint64_t hi)
{
    if (!(v > 0.0)) {
        return 0U;
    }
    return v >= (double)hi ? hi : (uint64_t)v;
}

/* An index counted from the front, whatever it is: negative ones count from the end, others stop there. */
TML_INLINE size_t tml_index(int64_t at, size_t size)
{
    int64_t n = (int64_t)size;
    at = at < 0 ? at + n : at;
    at = at < 0 ? 0 : at;
    return (size_t)(at < n ? at : n - 1);
}

#endif
