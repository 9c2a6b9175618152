/* SPDX-License-Identifier: 0BSD */
/*
 * Depthwise convolution with 5x5 windows, stride 2, on planar storage (tml_planar_5x5_i8.h).
 * pre_shift is 0, dilation 1. A third word of a row is (x8, x10) and (x9, x11): 182 cycles
 * for 100 products with their requantisation on Cortex-M4.
 *
 * The compiler proves: results are below 2^15 before they are clamped.
 */
#ifndef TML_DEPTHWISE_CONV2D_PLANAR_5X5_S2_I8_H
#define TML_DEPTHWISE_CONV2D_PLANAR_5X5_S2_I8_H

#include "tml_planar_5x5_i8.h"

#if TML_HAVE_DSP_BLOCKS
/* A row of the windows of four outputs, whose sums start at s0 to s2 and y3; v##half: w4. */
#    define TML_PLANAR_5X5_S2_ROW(row, more, v, half, s0, s1, s2, down)                            \
        TML_PLANAR_5X5_LOAD(row, more)                                                             \
        "smlad y0, e0, wa, " #s0 "\n"                                                              \
        "smlad y0, o0, wb, y0\n"                                                                   \
        "smlab" #half " y0, e1, " #v ", y0\n"                                                      \
        "pkhbt e0, e1, e0\n"                                                                       \
        "pkhbt o0, o1, o0\n"                                                                       \
        "smladx y1, e0, wa, " #s1 "\n"                                                             \
        "smladx y1, o0, wb, y1\n"                                                                  \
        "smlat" #half " y1, e1, " #v ", y1\n"                                                      \
        "ldr e0, [p, #8]\n" down "sxtb16 o0, e0, ror #8\n"                                         \
        "sxtb16 e0, e0\n"                                                                          \
        "smlad y2, e1, wa, " #s2 "\n"                                                              \
        "smlad y2, o1, wb, y2\n"                                                                   \
        "smlab" #half " y2, e0, " #v ", y2\n"                                                      \
        "pkhbt e1, e0, e1\n"                                                                       \
        "pkhbt o1, o0, o1\n"                                                                       \
        "smladx y3, e1, wa, y3\n"                                                                  \
        "smladx y3, o1, wb, y3\n"                                                                  \
        "smlat" #half " y3, e0, " #v ", y3\n"

/* A slide of tml_planar_border_i8.h; columns beside whole quads are done with those before, a
 * second time */
TML_SHARED TML_ALL_REGISTERS void
tml_planar_5x5_s2_slide_i8(const struct tml_depthwise_planar_params *plane, int8_t *bordered,
                           const int32_t *weights, int8_t *y)
{
    uint32_t frame[TML_PLANAR_5X5_FRAME];
    int_fast16_t whole = plane->y_w / 4 * 4;
    tml_planar_5x5_frame_i8(plane, weights, frame);
    tml_planar_5x5_strips_i8(plane, bordered, y, 0, whole, frame);
    for (int_fast16_t part = 0; part < 2; part++) {
        register uint32_t *in __asm__("r4") = frame;
        TML_PLANAR_5X5_STRIPS(TML_PLANAR_5X5_S2_ROW, TML_PLANAR_5X5_UP TML_PLANAR_5X5_UP);
        if (whole == plane->y_w) {
            break;
        }
        tml_planar_5x5_strips_i8(plane, bordered, y, plane->y_w - 4, 4, frame);
    }
}
#else
#    define tml_planar_5x5_s2_slide_i8 tml_planar_5x5_plain_i8
#endif

/*
 * x: [x_c][x_h][x_w]
 * weights (rom): for each channel TML_PLANAR_5X5_WORDS words as in tml_planar_5x5_i8.h
 * scratch: rows * pitch bytes, aligned to 4; rows: 2 * y_h + 3, pitch: 2 * y_w + 3..,
 *     a multiple of 4, ..32767
 * y: [x_c][y_h][y_w], y_w: 4..; may begin at x or before it if its planes are no larger
 */
TML_KERNEL void tml_depthwise_conv2d_planar_5x5_s2_i8(const struct tml_depthwise_planar_params *p,
                                                      const int8_t *x, const int32_t *weights,
                                                      int8_t *scratch, int8_t *y)
{
    tml_planar_planes_i8(p, tml_planar_5x5_s2_slide_i8, TML_PLANAR_5X5_WORDS, x, weights, scratch,
                         y);
}

#endif
