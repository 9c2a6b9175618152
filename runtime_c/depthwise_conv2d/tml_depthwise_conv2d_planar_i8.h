/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution with 3x3 windows, stride 1, on planar storage (tml_planar_3x3_i8.h).
 * pre_shift is 0.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_PLANAR_I8_H
#define TML_DEPTHWISE_CONV2D_PLANAR_I8_H

#include "tml_planar_3x3_i8.h"

/* A plane into its blocks. */
TML_INLINE void tml_planar_plane_in_i8(const struct tml_depthwise_blocks_params *p, const int8_t *x,
                                       int8_t *block)
{
    const int_fast16_t within = p->y_h + 2 - p->pad_top;
    const uint32_t border = tml_4_i8(p->x_zero_point);
    struct tml_planar_rows rows = {p->x_h < within ? p->x_h : within, 0, p->x_w};
    int_fast16_t pad = p->pad_left;
    int_fast16_t left = p->x_w + pad;
    int_fast16_t beyond = left - p->y_w;
    do {
        int8_t *first = block;
        if (p->pad_top > 0) {
            tml_store_bytes(first, border);
            tml_store_bytes(first + 4, border);
            tml_store_bytes(first + 8, border);
            tml_store_bytes(first + 12, border);
            first += TML_PLANAR_PITCH;
        }
        rows.columns = (left < p->block_w + 2 ? left : p->block_w + 2) - pad;
        tml_planar_in_i8(rows, border, x, first, first + pad);
        x += p->block_w - pad;
        block += TML_PLANAR_PITCH * (p->y_h + 2);
        left -= p->block_w;
        pad = 0;
    } while (left > beyond);
}

/* The results of a plane's blocks. */
TML_INLINE void tml_planar_plane_out_i8(const struct tml_depthwise_blocks_params *p,
                                        const int32_t *weights, int8_t *block, int8_t *y)
{
    struct tml_planar_rows rows = {p->y_h, 0, p->y_w};
    int_fast16_t left = p->y_w;
    do {
        rows.columns = left < p->block_w ? left : p->block_w;
        tml_planar_3x3_i8(p->y_h, p->y_zero_point, block, rows.columns, weights);
        tml_planar_out_i8(rows, block, y);
        y += p->block_w;
        block += TML_PLANAR_PITCH * (p->y_h + 2);
        left -= p->block_w;
    } while (left > 0);
}

/* y without limits; one copy for all nodes of a model. What the loops take of the parameters they
 * take of a copy, which no store reaches. */
TML_SHARED TML_ALL_REGISTERS void
tml_planar_planes_3x3_i8(const struct tml_depthwise_blocks_params *params, const int8_t *x,
                         const int32_t *weights, int8_t *scratch, int8_t *y)
{
    const struct tml_depthwise_blocks_params p = *params;
    const int_fast16_t x_size = p.x_h * p.x_w;
    const int_fast16_t y_size = p.y_h * p.y_w;
    for (int_fast16_t c = p.x_c; c > 0; c--) {
        tml_planar_plane_in_i8(&p, x, scratch);
        tml_planar_plane_out_i8(&p, weights, scratch, y);
        x += x_size;
        y += y_size;
        weights += TML_PLANAR_3X3_WORDS;
    }
}

/*
 * x: [x_c][x_h][x_w]
 * weights (rom): for each channel TML_PLANAR_3X3_WORDS words as in
 *     tml_planar_3x3_plain_i8.h
 * scratch: TML_PLANAR_PITCH bytes for each of y_h + 2 rows of each of ceil(y_w / block_w) blocks,
 *     aligned to 4
 * y: [x_c][y_h][y_w]; may begin at x or before it if its planes are no larger
 */
TML_KERNEL void tml_depthwise_conv2d_planar_i8(const struct tml_depthwise_blocks_params *p,
                                               const int8_t *x, const int32_t *weights,
                                               int8_t *scratch, int8_t *y)
{
    int_fast16_t blocks = (p->y_w + p->block_w - 1) / p->block_w;
    tml_fill_i8(scratch, (int8_t)p->x_zero_point,
                (size_t)(blocks * TML_PLANAR_PITCH * (p->y_h + 2)));
    tml_planar_planes_3x3_i8(p, x, weights, scratch, y);
    if (p->y_min > -128 || p->y_max < 127) {
        for (int_fast16_t c = 0; c < p->x_c; c++) {
            for (int_fast16_t i = 0; i < p->y_h * p->y_w; i++) {
                y[i] = (int8_t)tml_clamp_i32(y[i], p->y_min, p->y_max);
            }
            y += p->y_h * p->y_w;
        }
    }
}

#endif
