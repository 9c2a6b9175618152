/* SPDX-License-Identifier: 0BSD */
/* Any function of one int8 value: y = table[x + 128]. */
#ifndef TML_LUT_I8_H
#define TML_LUT_I8_H

#include "../common/tml_dsp.h"

struct tml_lut_params {
    uint32_t n; /* elements: 1.. */
};

#if TML_PACKED
/* Four values; loads behind each other are fast. */
TML_INLINE uint32_t tml_lut_4_i8(const int8_t *x, const uint8_t *zero)
{
    int_fast16_t v0 = x[0];
    int_fast16_t v1 = x[1];
    int_fast16_t v2 = x[2];
    int_fast16_t v3 = x[3];
    uint32_t y0 = tml_rom_u8(zero + v0);
    uint32_t y1 = tml_rom_u8(zero + v1);
    uint32_t y2 = tml_rom_u8(zero + v2);
    uint32_t y3 = tml_rom_u8(zero + v3);
    TML_STEP_END(y0, y1, y2, y3);
    return y0 | y1 << 8 | y2 << 16 | y3 << 24;
}
#endif

/*
 * x: [n]
 * table (rom): [256], the results' bits
 * y: [n]; may be x, or begin before it
 */
TML_KERNEL void tml_lut_i8(const struct tml_lut_params *TML_RESTRICT p, const int8_t *x,
                           const uint8_t *TML_RESTRICT table, int8_t *y)
{
    const uint8_t *zero = table + 128;
    uint32_t rest = p->n;
#if TML_PACKED
    for (uint32_t i = p->n / 8U; i > 0U; i--) {
        tml_store_bytes(y, tml_lut_4_i8(x, zero));
        tml_store_bytes(y + 4, tml_lut_4_i8(x + 4, zero));
        x += 8;
        y += 8;
    }
    rest = p->n % 8U;
#endif
    for (; rest > 0U; rest--) {
        *y++ = (int8_t)tml_rom_u8(zero + *x++);
    }
}

#endif
