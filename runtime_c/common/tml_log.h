/* SPDX-License-Identifier: 0BSD */
/* Logarithms in integers (docs/numerics.md, section 7). */
#ifndef TML_LOG_H
#define TML_LOG_H

#include "tml_fixedpoint.h"

/*
 * log2(v) * 2^20, a binary digit at a time: the square of a number in 1..2, here in units of 2^-31,
 * is 2 or more where the next digit of its logarithm is 1. v: 1..2^62.
 */
TML_SHARED int32_t tml_log2_u64(uint64_t v)
{
    int32_t y = 31;
    for (; v >> 32 != 0U; v >>= 1) {
        y++;
    }
    for (; v >> 31 == 0U; v <<= 1) {
        y--;
    }
    for (int_fast8_t digit = 0; digit < 20; digit++) {
        v = (v * v) >> 31;
        y *= 2;
        if (v >> 32 != 0U) {
            v >>= 1;
            y++;
        }
    }
    return y;
}

#endif
