/* SPDX-License-Identifier: 0BSD */
/* Any function of one int8: y[i] = table[x[i] + 128]. */
#ifndef TML_LUT_I8_H
#define TML_LUT_I8_H

#include "../common/tml_port.h"

/*
 * x: [n]
 * table (rom): [256], first the value at -128
 * y: [n]; may be x itself
 * n: 0..
 */
TML_KERNEL void tml_lut_i8(const int8_t *x, const int8_t *TML_RESTRICT table, int8_t *y, size_t n)
{
    for (size_t i = 0U; i < n; i++) {
        y[i] = tml_rom_i8(table + (uint8_t)(x[i] + 128));
    }
}

#endif
