/* SPDX-License-Identifier: 0BSD */
/*
 * AB words: two output channels in one multiply. A word of weights holds, for two inputs k0 and k1,
 * the halfwords 256 * a[k] + b[k] of channels A and B, so that T += SMLAD(word, x) sums 256 * A + B
 * while flash stays at a byte a weight. SXTB16 turns the word into the b alone, B += SMLAD(b, x),
 * and at the end 256 * A = T - B: exact modulo 2^32 while |A| < 2^23. One unpacking serves two
 * channels and two pixels, which leaves 15 cycles for 16 products on Cortex-M4.
 *
 * The compiler proves: 256 * a + b fits int16, |A| < 2^23, and |requantised result| < 2^15.
 */
#ifndef TML_AB_BLOCK_H
#define TML_AB_BLOCK_H

#include "../common/tml_dsp.h"

/* Words of a block of 4 channels beside its weights: 4 biases before them, 4 multipliers behind. */
#define TML_AB_4X2_EXTRA 8U

struct tml_ab_4x2 {
    size_t steps;         /* pairs of inputs: 1.. */
    size_t blocks;        /* blocks of 4 output channels: 1.. */
    int32_t y_zero_point; /* -128..127 */
    size_t pairs;         /* pairs of pixels: 1.. */
    size_t x_advance;     /* words from the inputs of a pair to those of the next: 1.. */
    ptrdiff_t y_step;     /* from the first pixel of a pair to the second; 0: the first counts */
    ptrdiff_t y_advance;  /* from pair to pair */
    ptrdiff_t y_channel;  /* from channel to channel */
};

/* How the steps but the first of a block fall into rounds of an unrolled loop: the first round is
 * entered behind the steps that it skips, so that the last one is whole. */
struct tml_ab_rounds {
    uint32_t count;   /* 1.. */
    uint32_t skipped; /* steps */
};

TML_INLINE struct tml_ab_rounds tml_ab_rounds_of(size_t steps, uint32_t round)
{
    uint32_t looped = (uint32_t)steps - 1U;
    struct tml_ab_rounds rounds = {looped == 0U ? 1U : (looped + round - 1U) / round, 0U};
    rounds.skipped = rounds.count * round - looped;
    return rounds;
}

/* Loops in C that take nearly all registers. Such a function that spills must not come before a
 * block of instructions in a build that keeps frame pointers: gcc 12 then refuses the block. */
#define TML_AB_LOOPS TML_SHARED TML_ALL_REGISTERS

#endif
