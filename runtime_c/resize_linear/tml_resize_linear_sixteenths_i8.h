/* SPDX-License-Identifier: 0BSD */
/*
 * An image of another size, blended from four pixels with weights in 1/16 along each axis:
 * y = floor(sum of weight * x / 256 + 1/2), the four weights of a pixel adding up to 256.
 */
#ifndef TML_RESIZE_LINEAR_SIXTEENTHS_I8_H
#define TML_RESIZE_LINEAR_SIXTEENTHS_I8_H

#include "../common/tml_dsp.h"

struct tml_resize_linear_params {
    int_fast16_t y_h;      /* 1.. */
    int_fast16_t y_w;      /* 1.. */
    int_fast16_t x_c;      /* channels: 1.. */
    ptrdiff_t x_row_pitch; /* elements from row to row of x */
    ptrdiff_t next_row;    /* elements to the row that is blended with: x_row_pitch, or 0 */
    ptrdiff_t next_col;    /* elements to the pixel that is blended with: x_c, or 0 */
};

/* Of the pixel itself, the next one, and the same of the next row. */
struct tml_resize_linear_weights {
    uint32_t of[4];
};

/*
 * Four channels. Values without sign, two to a word: their sums stay below 2^16. x: the first of
 * them in the upper left pixel
 */
TML_INLINE uint32_t tml_resize_linear_4_i8(const struct tml_resize_linear_params *p,
                                           struct tml_resize_linear_weights w, const int8_t *x)
{
    uint32_t a = tml_load_bytes(x) ^ 0x80808080U;
    uint32_t b = tml_load_bytes(x + p->next_col) ^ 0x80808080U;
    uint32_t c = tml_load_bytes(x + p->next_row) ^ 0x80808080U;
    uint32_t d = tml_load_bytes(x + p->next_row + p->next_col) ^ 0x80808080U;
    uint32_t even = 0x00800080U + tml_uxtb16(a) * w.of[0] + tml_uxtb16(b) * w.of[1] +
                    tml_uxtb16(c) * w.of[2] + tml_uxtb16(d) * w.of[3];
    uint32_t odd = 0x00800080U + tml_uxtb16_odd(a) * w.of[0] + tml_uxtb16_odd(b) * w.of[1] +
                   tml_uxtb16_odd(c) * w.of[2] + tml_uxtb16_odd(d) * w.of[3];
    return (tml_uxtb16_odd(even) | (odd & 0xFF00FF00U)) ^ 0x80808080U;
}

TML_INLINE int8_t tml_resize_linear_1_i8(const struct tml_resize_linear_params *p,
                                         struct tml_resize_linear_weights w, const int8_t *x)
{
    const int8_t *below = x + p->next_row;
    int32_t sum = x[0] * (int32_t)w.of[0] + x[p->next_col] * (int32_t)w.of[1] +
                  below[0] * (int32_t)w.of[2] + below[p->next_col] * (int32_t)w.of[3];
    return (int8_t)tml_rounding_shift(sum, 8);
}

/* The channels of a pixel. */
TML_LEAF void tml_resize_linear_pixel_i8(const struct tml_resize_linear_params *TML_RESTRICT p,
                                         struct tml_resize_linear_weights w,
                                         const int8_t *TML_RESTRICT x, int8_t *TML_RESTRICT y)
{
    for (int_fast16_t i = p->x_c / 4; i > 0; i--) {
        tml_store_bytes(y, tml_resize_linear_4_i8(p, w, x));
        x += 4;
        y += 4;
    }
    for (int_fast16_t rest = p->x_c % 4; rest > 0; rest--) {
        *y++ = tml_resize_linear_1_i8(p, w, x++);
    }
}

/*
 * x: [x_h][x_w][x_c]
 * row, col (rom): [y_h], [y_w], the first of the two that are blended
 * row_weight, col_weight (rom): [y_h], [y_w], of the second one: 0..16
 * y: [y_h][y_w][x_c]
 */
TML_KERNEL void
tml_resize_linear_sixteenths_i8(const struct tml_resize_linear_params *TML_RESTRICT p,
                                const int8_t *TML_RESTRICT x, const uint16_t *TML_RESTRICT row,
                                const uint8_t *TML_RESTRICT row_weight,
                                const uint16_t *TML_RESTRICT col,
                                const uint8_t *TML_RESTRICT col_weight, int8_t *TML_RESTRICT y)
{
    for (int_fast16_t oy = 0; oy < p->y_h; oy++) {
        const int8_t *x_row = x + (ptrdiff_t)tml_rom_u16(row + oy) * p->x_row_pitch;
        uint32_t below = tml_rom_u8(row_weight + oy);
        for (int_fast16_t ox = 0; ox < p->y_w; ox++) {
            uint32_t right = tml_rom_u8(col_weight + ox);
            struct tml_resize_linear_weights w = {{(16U - below) * (16U - right),
                                                   (16U - below) * right, below * (16U - right),
                                                   below * right}};
            tml_resize_linear_pixel_i8(p, w, x_row + (ptrdiff_t)tml_rom_u16(col + ox) * p->x_c, y);
            y += p->x_c;
        }
    }
}

#endif
