/* SPDX-License-Identifier: 0BSD */
/*
 * What the float32 kernels share. Sums run in the order written and products are rounded before
 * they are added: compile with -ffp-contract=off to get the same bits everywhere.
 */
#ifndef TML_FLOAT_H
#define TML_FLOAT_H

#include "tml_port.h"

/* v limited to lo..hi; NaN stays NaN. */
TML_INLINE float tml_clamp_f32(float v, float lo, float hi)
{
    float at_least_lo = v < lo ? lo : v;
    return at_least_lo > hi ? hi : at_least_lo;
}

/* v to the nearest integer, halves to the even one, plus zero_point, limited to lo..hi; NaN gives lo.
 * lo - zero_point and hi - zero_point are below 2^23 in size. */
TML_INLINE int32_t tml_quantize_f32(float v, int32_t zero_point, int32_t lo, int32_t hi)
{
    if (!(v > (float)(lo - zero_point))) {
        return lo;
    }
    if (v >= (float)(hi - zero_point)) {
        return hi;
    }
    int32_t q = (int32_t)v;
    float rest = v - (float)q;
    bool odd = q % 2 != 0;
    if (rest > 0.5F || (rest >= 0.5F && odd)) {
        q++;
    } else if (rest < -0.5F || (rest <= -0.5F && odd)) {
        q--;
    }
    return q + zero_point;
}

#endif
