/* SPDX-License-Identifier: 0BSD */
/* Sum of two tensors, element by element: y = clamp(floor((x0 * multiplier0 + x1 * multiplier1 +
 * offset) / 2^shift + 1/2)). */
#ifndef TML_ADD_I8_H
#define TML_ADD_I8_H

#include "../common/tml_dsp.h"

struct tml_add_params {
    uint32_t n;          /* elements: 1.. */
    int32_t multiplier0; /* 1 - 2^23..2^23 - 1 */
    int32_t multiplier1; /* 1 - 2^23..2^23 - 1 */
    int32_t offset;      /* so that every sum, and half of 2^shift added, is an int32 */
    int_fast16_t shift;  /* 1..31 */
    int32_t y_min;       /* -128..y_max */
    int32_t y_max;       /* y_min..127 */
};

#if TML_HAVE_DSP_BLOCKS
/*
 * Sums of the four values of a word of each. A byte in the upper half of an int16 times multiplier
 * * 2^8, without the lower 16 bits of the product, is byte * multiplier to the last bit. SHIFT: the
 * instructions that make an int8 of a sum in a register.
 */
#    define TML_ADD_4(SHIFT)                                                                       \
        __asm__("and %[t], %[mask], %[a], lsl #8\n"                                                \
                "and %[u], %[mask], %[b], lsl #8\n"                                                \
                "and %[a], %[mask], %[a]\n"                                                        \
                "and %[b], %[mask], %[b]\n"                                                        \
                "smlawb %[y], %[m0], %[t], %[offset]\n"                                            \
                "smlawt %[t], %[m0], %[t], %[offset]\n"                                            \
                "smlawb %[y], %[m1], %[u], %[y]\n"                                                 \
                "smlawt %[t], %[m1], %[u], %[t]\n"                                                 \
                "smlawb %[u], %[m0], %[a], %[offset]\n"                                            \
                "smlawt %[a], %[m0], %[a], %[offset]\n"                                            \
                "smlawb %[u], %[m1], %[b], %[u]\n"                                                 \
                "smlawt %[a], %[m1], %[b], %[a]\n" SHIFT("y") SHIFT("u") SHIFT("t")                \
                    SHIFT("a") "bfi %[y], %[u], #8, #8\n"                                          \
                               "bfi %[y], %[t], #16, #8\n"                                         \
                               "bfi %[y], %[a], #24, #8\n"                                         \
                : [y] "=&r"(y), [t] "=&r"(t), [u] "=&r"(u), [a] "+r"(a), [b] "+r"(b)               \
                : [mask] "r"(0xFF00FF00U), [m0] "r"(p->multiplier0 * 256),                         \
                  [m1] "r"(p->multiplier1 * 256), [offset] "r"(offset), [shift] "ri"(p->shift))
#    define TML_ADD_SHIFT_LITERAL(r) "ssat %[" r "], #8, %[" r "], asr %[shift]\n"
#    define TML_ADD_SHIFT(r) "asr %[" r "], %[" r "], %[shift]\n ssat %[" r "], #8, %[" r "]\n"

TML_INLINE uint32_t tml_add_4_i8(const struct tml_add_params *p, uint32_t a, uint32_t b)
{
    uint32_t y;
    uint32_t t;
    uint32_t u;
    int32_t offset = p->offset + tml_shift_left(1, p->shift - 1);
    if (__builtin_constant_p(p->shift)) {
        TML_ADD_4(TML_ADD_SHIFT_LITERAL);
    } else {
        TML_ADD_4(TML_ADD_SHIFT);
    }
    return tml_clamp_4_i8(y, p->y_min, p->y_max);
}
#endif

TML_INLINE int8_t tml_add_1_i8(const struct tml_add_params *p, int8_t a, int8_t b)
{
    int32_t sum = (int32_t)a * p->multiplier0 + (int32_t)b * p->multiplier1 + p->offset;
    return (int8_t)tml_clamp_i32(tml_rounding_shift(sum, p->shift), p->y_min, p->y_max);
}

/*
 * x0, x1: [n]
 * y: [n]; may be x0 or x1, or begin before them
 */
TML_KERNEL void tml_add_i8(const struct tml_add_params *TML_RESTRICT p, const int8_t *x0,
                           const int8_t *x1, int8_t *y)
{
    uint32_t rest = p->n;
#if TML_HAVE_DSP_BLOCKS
    struct tml_add_params q = *p; /* y might be the params, for all a compiler knows */
    for (uint32_t i = p->n / 16U; i > 0U; i--) {
        tml_store_u32(y, tml_add_4_i8(&q, tml_load_u32(x0), tml_load_u32(x1)));
        tml_store_u32(y + 4, tml_add_4_i8(&q, tml_load_u32(x0 + 4), tml_load_u32(x1 + 4)));
        tml_store_u32(y + 8, tml_add_4_i8(&q, tml_load_u32(x0 + 8), tml_load_u32(x1 + 8)));
        tml_store_u32(y + 12, tml_add_4_i8(&q, tml_load_u32(x0 + 12), tml_load_u32(x1 + 12)));
        x0 += 16;
        x1 += 16;
        y += 16;
    }
    rest = p->n % 16U;
#endif
    for (; rest > 0U; rest--) {
        *y++ = tml_add_1_i8(p, *x0++, *x1++);
    }
}

#endif
