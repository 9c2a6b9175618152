/* SPDX-License-Identifier: 0BSD */
/*
 * The output transform of Winograd's algorithm (tml_winograd_input_i8.h) and requantisation: from
 * the sums s at 36 positions
 *     acc = (A^T s A + 576 * bias) / 576, y = saturate(y_zero_point + requantize(acc, m)).
 * 576 is 9 * 64: a product with the inverse of 9 modulo 2^32 gives 64 * acc, exact while |acc| <
 * 2^25, which the compiler proves. Then floor(64 * acc * m / 2^32) + 32, shifted down by 6, is
 * requantize(acc, m), and the zero point goes in before the shift, too: SMMLA and SSAT do it all.
 * 576 * bias is added once, at position 1, 1: there all coefficients of A are 1.
 */
#ifndef TML_WINOGRAD_OUTPUT_I8_H
#define TML_WINOGRAD_OUTPUT_I8_H

#include "../common/tml_dsp.h"

/* 9 * this is 1 modulo 2^32. */
#define TML_WINOGRAD_INVERSE_OF_9 0x38E38E39U

struct tml_winograd_output {
    int32_t y_zero_point; /* -128..127 */
    size_t channels;      /* 1..4 */
    ptrdiff_t pixel;      /* bytes from pixel to pixel of y */
    ptrdiff_t row;        /* bytes from row to row of y */
};

/*
 * A tile of 4 x 4 pixels of up to 4 channels.
 * sums: those of the tile in tml_winograd_gemm.h; lost
 * quant (rom): 576 * bias and m of each channel
 * y: the first pixel
 */
#if TML_HAVE_DSP_BLOCKS
/* Loads of six sums; one more load in the group costs a cycle. */
#    define TML_WINOGRAD_LOAD(at, step)                                                            \
        "ldr %[a0], [%[s], #" at "]\n"                                                             \
        "ldr %[a1], [%[s], #" at "+" step "]\n"                                                    \
        "ldr %[a2], [%[s], #" at "+2*" step "]\n"                                                  \
        "ldr %[a3], [%[s], #" at "+3*" step "]\n"                                                  \
        "ldr %[a4], [%[s], #" at "+4*" step "]\n"                                                  \
        "ldr %[a5], [%[s], #" at "+5*" step "]\n"
/* a0, a2, t0, a1 = A^T (a0 .. a5) */
#    define TML_WINOGRAD_OUTPUT_4                                                                  \
        "add %[t0], %[a1], %[a2]\n"                                                                \
        "sub %[a1], %[a1], %[a2]\n"                                                                \
        "add %[t1], %[a3], %[a4]\n"                                                                \
        "sub %[a3], %[a3], %[a4]\n"                                                                \
        "add %[a0], %[a0], %[t0]\n"                                                                \
        "add %[a2], %[a1], %[a3], lsl #1\n"                                                        \
        "add %[a0], %[a0], %[t1]\n"                                                                \
        "add %[t0], %[t0], %[t1], lsl #2\n"                                                        \
        "add %[a1], %[a1], %[a3], lsl #3\n"                                                        \
        "add %[a1], %[a1], %[a5], lsl #2\n"
/* Positions in one column, in place. */
#    define TML_WINOGRAD_DOWN(column, bias)                                                        \
        TML_WINOGRAD_LOAD("32*" #column, "192") bias TML_WINOGRAD_OUTPUT_4                         \
        "str %[a0], [%[s], #32*" #column "]\n"                                                     \
        "str %[a2], [%[s], #32*" #column "+192]\n"                                                 \
        "str %[t0], [%[s], #32*" #column "+384]\n"                                                 \
        "str %[a1], [%[s], #32*" #column "+576]\n"
#    define TML_WINOGRAD_PIXEL(a)                                                                  \
        "ssat %[" #a "], #8, %[" #a "], asr #6\n"                                                  \
        "strb %[" #a "], [%[y]]\n"
/* A row of four pixels; load, add: the step of y to it. */
#    define TML_WINOGRAD_ACROSS(row, load, add)                                                    \
        load TML_WINOGRAD_LOAD("192*" #row, "32") add TML_WINOGRAD_OUTPUT_4                        \
        "mul %[a0], %[a0], %[inverse]\n"                                                           \
        "mul %[a2], %[a2], %[inverse]\n"                                                           \
        "mul %[t0], %[t0], %[inverse]\n"                                                           \
        "mul %[a1], %[a1], %[inverse]\n"                                                           \
        "smmla %[a0], %[a0], %[m], %[zero]\n"                                                      \
        "smmla %[a2], %[a2], %[m], %[zero]\n"                                                      \
        "smmla %[t0], %[t0], %[m], %[zero]\n"                                                      \
        "smmla %[a1], %[a1], %[m], %[zero]\n"                                                      \
        TML_WINOGRAD_PIXEL(a0) "add %[y], %[y], %[pixel]\n"                                        \
        TML_WINOGRAD_PIXEL(a2) "add %[y], %[y], %[pixel]\n"                                        \
        TML_WINOGRAD_PIXEL(t0) "add %[y], %[y], %[pixel]\n"                                        \
        TML_WINOGRAD_PIXEL(a1)
#    define TML_WINOGRAD_LOAD_STEP "ldr %[t1], %[next_row]\n"
#    define TML_WINOGRAD_ADD_STEP "add %[y], %[y], %[t1]\n"

TML_SHARED TML_ALL_REGISTERS void tml_winograd_output_i8(const struct tml_winograd_output *p,
                                                         int32_t *sums, const int32_t *quant,
                                                         int8_t *y)
{
    int32_t *end = sums + p->channels;
    int32_t next_row = (int32_t)(p->row - 3 * p->pixel);
    int32_t next_channel = 1 - (int32_t)(3 * p->row + 3 * p->pixel);
    int32_t a0, a1, a2, a3, a4, a5, t0, t1, m;
    __asm__ volatile(
        "1:\n"
        "ldr %[t1], %[quant]\n"
        "ldr %[m], [%[t1], #4]\n"
        "ldr %[t0], [%[t1]], #8\n"
        "str %[t1], %[quant]\n"
        TML_WINOGRAD_DOWN(1, "add %[a1], %[a1], %[t0]\n")
        TML_WINOGRAD_DOWN(0, "") TML_WINOGRAD_DOWN(2, "") TML_WINOGRAD_DOWN(3, "")
        TML_WINOGRAD_DOWN(4, "") TML_WINOGRAD_DOWN(5, "")
        TML_WINOGRAD_ACROSS(0, "", "")
        TML_WINOGRAD_ACROSS(1, TML_WINOGRAD_LOAD_STEP, TML_WINOGRAD_ADD_STEP)
        TML_WINOGRAD_ACROSS(2, TML_WINOGRAD_LOAD_STEP, TML_WINOGRAD_ADD_STEP)
        TML_WINOGRAD_ACROSS(3, TML_WINOGRAD_LOAD_STEP, TML_WINOGRAD_ADD_STEP)
        "ldr %[t0], %[next_channel]\n"
        "ldr %[t1], %[end]\n"
        "adds %[s], #4\n"
        "add %[y], %[y], %[t0]\n"
        "cmp %[s], %[t1]\n"
        "bne 1b\n"
        : [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3), [a4] "=&r"(a4),
          [a5] "=&r"(a5), [t0] "=&r"(t0), [t1] "=&r"(t1), [m] "=&r"(m), [s] "+&r"(sums),
          [y] "+&r"(y), [quant] "+m"(quant)
        : [inverse] "r"(TML_WINOGRAD_INVERSE_OF_9), [zero] "r"(64 * p->y_zero_point + 32),
          [pixel] "r"(p->pixel), [next_row] "m"(next_row), [next_channel] "m"(next_channel),
          [end] "m"(end)
        : "memory", "cc");
}
#else
/* A^T s, six sums to four. */
TML_INLINE void tml_winograd_output_4(const uint32_t s[6], uint32_t y[4])
{
    uint32_t sum_12 = s[1] + s[2];
    uint32_t sum_34 = s[3] + s[4];
    uint32_t difference_12 = s[1] - s[2];
    uint32_t difference_34 = s[3] - s[4];
    y[0] = s[0] + sum_12 + sum_34;
    y[1] = difference_12 + 2U * difference_34;
    y[2] = sum_12 + 4U * sum_34;
    y[3] = difference_12 + 8U * difference_34 + 4U * s[5];
}

TML_SHARED void tml_winograd_output_i8(const struct tml_winograd_output *p, int32_t *sums,
                                       const int32_t *quant, int8_t *y)
{
    for (size_t c = 0U; c < p->channels; c++) {
        uint32_t bias = (uint32_t)tml_rom_i32(quant + 2U * c);
        int32_t m = tml_rom_i32(quant + 2U * c + 1U);
        uint32_t down[6][4];
        for (size_t column = 0U; column < 6U; column++) {
            uint32_t s[6];
            for (size_t row = 0U; row < 6U; row++) {
                s[row] = (uint32_t)sums[48U * row + 8U * column + c];
            }
            s[1] += column == 1U ? bias : 0U;
            tml_winograd_output_4(s, down[column]);
        }
        for (size_t row = 0U; row < 4U; row++) {
            uint32_t s[6];
            uint32_t scaled[4];
            for (size_t column = 0U; column < 6U; column++) {
                s[column] = down[column][row];
            }
            tml_winograd_output_4(s, scaled);
            for (size_t i = 0U; i < 4U; i++) {
                int32_t acc = (int32_t)(scaled[i] * TML_WINOGRAD_INVERSE_OF_9) >> 6;
                y[(ptrdiff_t)row * p->row + (ptrdiff_t)i * p->pixel + (ptrdiff_t)c] =
                    tml_saturate_i8(p->y_zero_point + tml_requantize(acc, m));
            }
        }
    }
}
#endif

#endif
