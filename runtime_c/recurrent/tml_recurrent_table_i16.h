/* SPDX-License-Identifier: 0BSD */
/* A function of one number in Q3.12, -8 to 8, by a table of 257 places and straight lines between
 * them (docs/numerics.md, §15). */
#ifndef TML_RECURRENT_TABLE_I16_H
#define TML_RECURRENT_TABLE_I16_H

#include "../common/tml_fixedpoint.h"
#include "../common/tml_port.h"

TML_INLINE int16_t tml_saturate_i16(int32_t v)
{
    return (int16_t)tml_clamp_i32(v, -32768, 32767);
}

/*
 * table (rom): [257], the function at (i - 128) / 16
 * v: any, taken as limited to int16
 */
TML_INLINE int32_t tml_recurrent_table_i16(const int16_t *table, int32_t v)
{
    int32_t at = tml_clamp_i32(v, -32768, 32767) + 32768;
    const int16_t *low = table + (at >> 8);
    int32_t first = tml_rom_i16(low);
    int32_t step = (int32_t)tml_rom_i16(low + 1) - first;
    return first + tml_rounding_shift(step * (at & 255), 8);
}

#endif
