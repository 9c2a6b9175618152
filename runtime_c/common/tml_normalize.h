/* SPDX-License-Identifier: 0BSD */
/*
 * d / sqrt(v) in integers, for normalisations (docs/numerics.md, section 15): d * inverse / 2^shift is
 * 2^24 times as much.
 */
#ifndef TML_NORMALIZE_H
#define TML_NORMALIZE_H

#include "tml_fixedpoint.h"

/* floor(sqrt(v)), a binary digit at a time. */
TML_SHARED uint32_t tml_root_u64(uint64_t v)
{
    uint64_t root = 0;
    for (uint64_t digit = (uint64_t)1 << 62; digit != 0U; digit >>= 2) {
        if (v >= root + digit) {
            v -= root + digit;
            root = (root >> 1) + digit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

/*
 * inverse = floor(2^61 / floor(sqrt(v * 4^k))) with the largest k for which v * 4^k is below 2^62, and
 * shift = 37 - k. v: 0..2^62 - 1; of 0 the inverse is 0.
 */
TML_SHARED int64_t tml_inverse_root(uint64_t v, int_fast16_t *shift)
{
    *shift = 37;
    if (v == 0U) {
        return 0;
    }
    while (v >> 60 == 0U) {
        v <<= 2;
        (*shift)--;
    }
    return (int64_t)(((uint64_t)1 << 61) / tml_root_u64(v));
}

/* floor(v / 2^s + 1/2); s: 1..62. */
TML_INLINE int64_t tml_rounding_shift_i64(int64_t v, int_fast16_t s)
{
    return ((v >> (s - 1)) + 1) >> 1;
}

#endif
