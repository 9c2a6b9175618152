/* SPDX-License-Identifier: 0BSD */
/*
 * The first layer on colours: 3x3 windows of 3 channels, stride 2, with AB words
 * (ab/tml_ab_block.h) into planes. A row of a window is 9 inputs, an odd number, so that row by row
 * it takes 5 pairs. Here the rows of a strip of two columns are expanded by twos: 4 pairs of the
 * even row, the ninth inputs of both rows as a pair, 4 pairs of the odd row. A window is such a
 * unit and the first 5 pairs of the next one, where the odd row's ninth input meets a weight of 0:
 * 14 pairs instead of 15, one behind the other, and the windows below begin with the next unit.
 */
#ifndef TML_CONV2D_AB_RGB_S2_TO_PLANAR_I8_H
#define TML_CONV2D_AB_RGB_S2_TO_PLANAR_I8_H

#include "../ab/tml_ab_outputs_i8.h"
#include "../ab/tml_ab_steady_i8.h"

#define TML_RGB_STEPS 14U
#define TML_RGB_UNIT 18U    /* words of a unit: pairs of two pixels */
#define TML_RGB_INPUTS 15   /* of a row under two windows */
#define TML_RGB_GATHERED 16 /* bytes of such a row in scratch */

struct tml_conv2d_rgb_params {
    int_fast16_t x_h;      /* rows of x: 1.. */
    int_fast16_t x_w;      /* columns of x: 1.. */
    int_fast16_t y_h;      /* rows of y: 1.. */
    int_fast16_t y_w;      /* columns of y: 2, 4.. */
    int_fast16_t y_c;      /* output channels: 4, 8.. */
    int_fast16_t pad_top;  /* rows of padding above x: 0.. */
    int_fast16_t pad_left; /* columns of padding to the left: 0.. */
    int_fast16_t band;     /* rows of y that are computed at a time: 1.. */
    int32_t x_zero_point;  /* -128..127, the value of padding */
    int32_t y_zero_point;  /* -128..127 */
    int32_t y_min;         /* -128..y_max */
    int32_t y_max;         /* y_min..127 */
};

/* count units, 1.., of rows `pitch` apart, from x on: the pixels' windows are 6 inputs apart. */
TML_INLINE uint32_t *tml_rgb_expand_i8(const int8_t *x, ptrdiff_t pitch, size_t count,
                                       uint32_t *pairs)
{
#if TML_HAVE_DSP_BLOCKS
    uint32_t a, b, c, d, e, f;
#    define TML_RGB_ROW(at)                                                                        \
        "sxtb16 r12, %[a]\n"                                                                       \
        "sxtb16 %[a], %[a], ror #8\n"                                                              \
        "str r12, [%[pairs], #" at "]\n"                                                           \
        "str %[a], [%[pairs], #" at "+8]\n"                                                        \
        "sxtb16 r12, %[b]\n"                                                                       \
        "sxtb16 %[b], %[b], ror #8\n"                                                              \
        "str r12, [%[pairs], #" at "+4]\n"                                                         \
        "str %[b], [%[pairs], #" at "+12]\n"                                                       \
        "sxtb16 r12, %[c]\n"                                                                       \
        "sxtb16 %[c], %[c], ror #8\n"                                                              \
        "str r12, [%[pairs], #" at "+16]\n"                                                        \
        "str %[c], [%[pairs], #" at "+24]\n"                                                       \
        "sxtb16 r12, %[d]\n"                                                                       \
        "sxtb16 %[d], %[d], ror #8\n"                                                              \
        "str r12, [%[pairs], #" at "+20]\n"                                                        \
        "str %[d], [%[pairs], #" at "+28]\n"
#    define TML_RGB_LOAD                                                                           \
        "ldr %[a], [%[x]]\n"                                                                       \
        "ldr %[b], [%[x], #6]\n"                                                                   \
        "ldr %[c], [%[x], #4]\n"                                                                   \
        "ldr %[d], [%[x], #10]\n"
    __asm__ volatile("1:\n" TML_RGB_LOAD "ldrsb %[e], [%[x], #8]\n"
                     "ldrsb %[f], [%[x], #14]\n"
                     "add %[x], %[x], %[pitch]\n"
                     "subs %[count], %[count], #1\n" TML_RGB_ROW("0") TML_RGB_LOAD
                     "ldrsb r12, [%[x], #8]\n"
                     "pkhbt %[e], %[e], r12, lsl #16\n"
                     "ldrsb r12, [%[x], #14]\n"
                     "pkhbt %[f], %[f], r12, lsl #16\n"
                     "str %[e], [%[pairs], #32]\n"
                     "str %[f], [%[pairs], #36]\n"
                     "add %[x], %[x], %[pitch]\n" TML_RGB_ROW("40") "add %[pairs], %[pairs], #72\n"
                                                                    "bne 1b\n"
                     : [x] "+r"(x), [pairs] "+r"(pairs), [count] "+r"(count), [a] "=&r"(a),
                       [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f)
                     : [pitch] "r"(pitch)
                     : "r12", "memory", "cc");
#else
    for (; count > 0U; count--) {
        for (ptrdiff_t i = 0; i < 2; i++) {
            const int8_t *row = x + i * pitch;
            for (ptrdiff_t k = 0; k < 8; k++) {
                const int8_t *at = row + k / 4 * 4 + k / 2 % 2 + k % 2 * 6;
                pairs[10 * i + k] = tml_pair(at[0], at[2]);
            }
        }
        pairs[8] = tml_pair(x[8], x[pitch + 8]);
        pairs[9] = tml_pair(x[14], x[pitch + 14]);
        pairs += TML_RGB_UNIT;
        x += 2 * pitch;
    }
#endif
    return pairs;
}

/* The inputs of a row from column col on, wherever they lie. */
TML_SHARED void tml_rgb_gather_i8(const struct tml_conv2d_rgb_params *p, const int8_t *x,
                                  int_fast16_t row, int_fast16_t col, int8_t *to)
{
    int_fast16_t first = col < 0 ? -3 * col : 0;
    int_fast16_t end = 3 * (p->x_w - col) < TML_RGB_INPUTS ? 3 * (p->x_w - col) : TML_RGB_INPUTS;
    uint32_t padding = tml_4_i8(p->x_zero_point);
    for (int_fast16_t i = 0; i < TML_RGB_GATHERED; i += 4) {
        tml_store_bytes(to + i, padding);
    }
    if (row >= 0 && row < p->x_h && first < end) {
        tml_copy(to + first, x + (row * p->x_w + col) * 3 + first, (size_t)(end - first));
    }
}

/* The units of a strip of `rows` windows, the first at row, col of x. Of the last unit only the
 * even row is needed. scratch: the units, then two rows */
TML_SHARED void tml_rgb_units_i8(const struct tml_conv2d_rgb_params *p, const int8_t *x,
                                 int_fast16_t row, int_fast16_t col, int_fast16_t rows,
                                 uint32_t *pairs)
{
    int8_t *gathered = (int8_t *)(pairs + TML_RGB_UNIT * (size_t)(p->band + 1));
    bool beside = col < 0 || col + TML_RGB_INPUTS / 3 > p->x_w;
    while (rows >= 0) {
        int_fast16_t whole = (p->x_h - row) / 2;
        int_fast16_t inside = beside || row < 0 ? 0 : whole < rows ? whole : rows;
        if (inside > 0) {
            pairs =
                tml_rgb_expand_i8(x + (row * p->x_w + col) * 3, 3 * p->x_w, (size_t)inside, pairs);
            row += 2 * inside;
            rows -= inside;
        } else {
            tml_rgb_gather_i8(p, x, row, col, gathered);
            tml_rgb_gather_i8(p, x, row + 1, col, gathered + TML_RGB_GATHERED);
            pairs = tml_rgb_expand_i8(gathered, TML_RGB_GATHERED, 1U, pairs);
            row += 2;
            rows--;
        }
    }
}

/*
 * x: [x_h][x_w][3]
 * weights (rom): see tml_ab_outputs_i8; pairs in the order of a unit and the beginning of the next
 * scratch: 72 * (band + 1) + 32 bytes, aligned to 4
 * y: [y_c][y_h][y_w]; may overlap x where no strip writes over what a later one reads, strips in
 * the order of tml_conv2d_ab_i8
 */
TML_KERNEL void tml_conv2d_ab_rgb_s2_to_planar_i8(const struct tml_conv2d_rgb_params *p,
                                                  const int8_t *x, const int32_t *weights,
                                                  int8_t *scratch, int8_t *y)
{
    uint32_t *pairs = (uint32_t *)(void *)scratch;
    struct tml_ab_outputs out = {{TML_RGB_STEPS, (size_t)p->y_c / 4U, p->y_zero_point, 0U,
                                  TML_RGB_UNIT, 1, p->y_w, p->y_h * p->y_w},
                                 (size_t)p->y_c,
                                 p->y_min,
                                 p->y_max};
    for (int_fast16_t oy = 0; oy < p->y_h; oy += p->band) {
        int_fast16_t rows = p->y_h - oy < p->band ? p->y_h - oy : p->band;
        out.pairs.pairs = (size_t)rows;
        for (int_fast16_t ox = 0; ox < p->y_w; ox += 2) {
            int8_t *to = y + oy * p->y_w + ox;
            tml_rgb_units_i8(p, x, 2 * oy - p->pad_top, 2 * ox - p->pad_left, rows, pairs);
#if defined(TML_INLINE_KERNELS) && TML_INLINE_KERNELS
            tml_ab_14_steps_i8(&out.pairs, pairs, weights, to);
#else /* the loop that is there for others */
            tml_ab_4x2_apart_i8(&out.pairs, pairs, weights, to);
#endif
            if (p->y_min > -128 || p->y_max < 127) {
                tml_ab_limit_i8(&out, to);
            }
        }
    }
}

#endif
