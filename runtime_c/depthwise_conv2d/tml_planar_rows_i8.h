/* SPDX-License-Identifier: 0BSD */
/* Rows of y, piece by piece (tml_planar_pieces_i8.h). */
#ifndef TML_PLANAR_ROWS_I8_H
#define TML_PLANAR_ROWS_I8_H

#include "tml_planar_pieces_i8.h"

/* The last four outputs, some of them for a second time. */
TML_INLINE void tml_planar_rest_i8(const struct tml_planar_piece *piece, const int32_t *weights,
                                   int_fast16_t column)
{
    struct tml_planar_piece rest = *piece;
    rest.x += column;
    rest.sums += column;
    rest.y += column;
    tml_planar_piece_i8(&rest, weights, 1);
}

/* One row of y. x: the first row of its windows; weights: the pieces */
TML_INLINE void tml_planar_row_i8(const struct tml_depthwise_planar_params *p,
                                  struct tml_planar_piece *piece, const int8_t *x,
                                  const int32_t *weights)
{
    int_fast16_t left = p->kernel_h * p->pieces;
    int_fast16_t begun = (p->y_w + 3) / 4;
    piece->first = true;
    for (int_fast16_t k = 0; k < p->kernel_h; k++) {
        for (int_fast16_t i = 0; i < p->pieces; i++) {
            left--;
            piece->last = left == 0;
            piece->x = x + 5 * i;
            tml_planar_piece_i8(piece, weights, left == 0 ? p->y_w / 4 : begun);
            if (left == 0 && p->y_w % 4 != 0) {
                tml_planar_rest_i8(piece, weights, p->y_w - 4);
            }
            piece->first = false;
            weights += TML_PLANAR_ROWS_PIECE;
        }
        x += p->pitch;
    }
}

/* One plane. weights: of its channel; sums of a row lie behind the bordered plane */
TML_SHARED void tml_planar_rows_i8(const struct tml_depthwise_planar_params *p, int8_t *bordered,
                                   const int32_t *weights, int8_t *y)
{
    struct tml_planar_piece piece = {0};
    piece.bias = tml_rom_i32(weights);
    piece.multiplier = tml_rom_i32(weights + 1);
    piece.zero_point = p->y_zero_point;
    piece.sums = (int32_t *)(void *)(bordered + p->rows * p->pitch);
    for (int_fast16_t row = 0; row < p->y_h; row++) {
        piece.y = y;
        tml_planar_row_i8(p, &piece, bordered, weights + TML_PLANAR_ROWS_ENDS);
        bordered += p->stride_h * p->pitch;
        y += p->y_w;
    }
}

#endif
