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

#endif
