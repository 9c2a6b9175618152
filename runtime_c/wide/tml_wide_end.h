/* SPDX-License-Identifier: 0BSD */
/* Results of sums, for kernels with int16 activations: 4 at a time, as the sums are made. */
#ifndef TML_WIDE_END_H
#define TML_WIDE_END_H

#include "tml_wide_window.h"

/* 4 results. */
struct tml_wide_four {
    int32_t of[4];
};

/* Of products of sums and multipliers. Shifts below 33 are rare: those come one by one. */
TML_SHARED int32_t tml_wide_low_shift(const struct tml_wide_params *p, int64_t product)
{
    return tml_output_wide(product, 1, p->shift, p->y_zero_point, p->y_min, p->y_max);
}

TML_INLINE struct tml_wide_four tml_wide_results(const struct tml_wide_params *p, int64_t a,
                                                 int64_t b, int64_t c, int64_t d)
{
    int_fast16_t n = p->shift;
    int32_t zero = p->y_zero_point;
    int32_t low = p->y_min;
    int32_t high = p->y_max;
    if (n < 33) {
        return (struct tml_wide_four){{tml_wide_low_shift(p, a), tml_wide_low_shift(p, b),
                                       tml_wide_low_shift(p, c), tml_wide_low_shift(p, d)}};
    }
    return (struct tml_wide_four){
        {tml_output_wide_33(a, n, zero, low, high), tml_output_wide_33(b, n, zero, low, high),
         tml_output_wide_33(c, n, zero, low, high), tml_output_wide_33(d, n, zero, low, high)}};
}

#endif
