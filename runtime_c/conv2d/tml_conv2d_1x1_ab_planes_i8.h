/* SPDX-License-Identifier: 0BSD */
/*
 * Pointwise convolution of planes with AB words (ab/tml_ab_block.h): a plane is the dense image of
 * a channel. Pixels are expanded in tiles: a word of two planes each gives four pixels' pairs of
 * neighbouring channels.
 */
#ifndef TML_CONV2D_1X1_AB_PLANES_I8_H
#define TML_CONV2D_1X1_AB_PLANES_I8_H

#include "../ab/tml_ab_outputs_i8.h"

struct tml_conv2d_1x1_ab_params {
    int_fast16_t pixels;          /* of an image: 1.. */
    int_fast16_t x_c;             /* input channels: 1.. */
    int_fast16_t y_c;             /* output channels: 1.. */
    int_fast16_t y_pixel_pitch;   /* elements from pixel to pixel of y */
    int_fast16_t y_channel_pitch; /* and from channel to channel */
    int_fast16_t tile;            /* pixels at a time, a multiple of 4 */
    int32_t y_zero_point;         /* -128..127 */
    int32_t y_min;                /* -128..y_max */
    int32_t y_max;                /* y_min..127 */
};

/* Two channels of 4 pixels from a word of each. pairs: of pixels 0, 1; next: of 2, 3 */
TML_INLINE void tml_ab_expand_planes_i8(uint32_t bytes0, uint32_t bytes1, uint32_t *pairs,
                                        uint32_t *next)
{
    uint32_t low = tml_lows(bytes0, bytes1);
    uint32_t high = tml_highs(bytes0, bytes1);
    pairs[0] = tml_sxtb16(low);
    pairs[1] = tml_sxtb16_odd(low);
    next[0] = tml_sxtb16(high);
    next[1] = tml_sxtb16_odd(high);
}

/* 4 * fours pixels of 4 * quads channels, 1.. of each. words: of a pair of pixels */
TML_INLINE void tml_ab_expand_quads_i8(const int8_t *x, ptrdiff_t pitch, size_t fours, size_t quads,
                                       size_t words, uint32_t *pairs)
{
    uint32_t *next = pairs + words;
#if TML_HAVE_DSP_BLOCKS
    ptrdiff_t back = 4 - 4 * (ptrdiff_t)quads * pitch;
    size_t row = 4U * words;
    size_t gap = row - 16U * quads;
    uint32_t a, b, c, d, left;
    __asm__ volatile("1:\n"
                     "ldr %[left], %[quads]\n"
                     "2:\n"
                     "ldr %[a], [%[x]]\n"
                     "ldr %[b], [%[x], %[one]]\n"
                     "ldr %[c], [%[x], %[two]]\n"
                     "ldr %[d], [%[x], %[three]]\n"
                     "add %[x], %[x], %[one], lsl #2\n"
                     "subs %[left], %[left], #1\n"
                     "pkhbt r12, %[a], %[b], lsl #16\n"
                     "pkhtb %[b], %[b], %[a], asr #16\n"
                     "sxtb16 %[a], r12\n"
                     "sxtb16 r12, r12, ror #8\n"
                     "str %[a], [%[pairs]], #16\n"
                     "str r12, [%[pairs], #-12]\n"
                     "sxtb16 %[a], %[b]\n"
                     "sxtb16 %[b], %[b], ror #8\n"
                     "str %[a], [%[next]], #16\n"
                     "str %[b], [%[next], #-12]\n"
                     "pkhbt r12, %[c], %[d], lsl #16\n"
                     "pkhtb %[d], %[d], %[c], asr #16\n"
                     "sxtb16 %[c], r12\n"
                     "sxtb16 r12, r12, ror #8\n"
                     "str %[c], [%[pairs], #-8]\n"
                     "str r12, [%[pairs], #-4]\n"
                     "sxtb16 %[c], %[d]\n"
                     "sxtb16 %[d], %[d], ror #8\n"
                     "str %[c], [%[next], #-8]\n"
                     "str %[d], [%[next], #-4]\n"
                     "bne 2b\n"
                     "ldr %[a], %[back]\n"
                     "ldr %[b], %[gap]\n"
                     "ldr %[c], %[row]\n"
                     "subs %[fours], %[fours], #1\n"
                     "add %[x], %[x], %[a]\n"
                     "add %[pairs], %[next], %[b]\n"
                     "add %[next], %[pairs], %[c]\n"
                     "bne 1b\n"
                     : [x] "+r"(x), [pairs] "+r"(pairs), [next] "+r"(next), [fours] "+r"(fours),
                       [left] "=&r"(left), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)
                     : [one] "r"(pitch), [two] "r"(2 * pitch), [three] "r"(3 * pitch),
                       [quads] "m"(quads), [back] "m"(back), [gap] "m"(gap), [row] "m"(row)
                     : "r12", "memory", "cc");
#else
    for (; fours > 0U; fours--) {
        const int8_t *from = x;
        for (size_t c = 0U; c < 4U * quads; c += 2U) {
            tml_ab_expand_planes_i8(tml_load_bytes(from), tml_load_bytes(from + pitch), pairs + c,
                                    next + c);
            from += 2 * pitch;
        }
        x += 4;
        pairs += 2U * words;
        next += 2U * words;
    }
#endif
}

/* n: 1..4 */
TML_INLINE uint32_t tml_ab_load_some(const int8_t *x, size_t n)
{
    if (n == 4U) {
        return tml_load_bytes(x);
    }
    uint32_t bytes = 0U;
    for (size_t i = n; i > 0U; i--) {
        bytes = (bytes << 8) | (uint8_t)x[i - 1U];
    }
    return bytes;
}

/* n pixels of two channels. words: of a pair of pixels; pairs: room for n rounded up to a multiple
 * of 4 */
TML_INLINE void tml_ab_expand_two_planes_i8(const int8_t *x0, const int8_t *x1, size_t n,
                                            size_t words, uint32_t *pairs)
{
    while (n > 0U) {
        size_t some = n < 4U ? n : 4U;
        uint32_t bytes0 = tml_ab_load_some(x0, some);
        uint32_t bytes1 = tml_ab_load_some(x1, some);
        tml_ab_expand_planes_i8(bytes0, bytes1, pairs, pairs + words);
        x0 += 4;
        x1 += 4;
        pairs += 2U * words;
        n -= some;
    }
}

/* n pixels of all channels, from x on: whole words, then what is left of either. The last of an odd
 * number of channels is paired with itself: there the weights are 0. */
TML_AB_LOOPS void tml_ab_expand_tile_i8(const struct tml_conv2d_1x1_ab_params *p, const int8_t *x,
                                        size_t n, uint32_t *pairs)
{
    ptrdiff_t pitch = (ptrdiff_t)p->pixels;
    size_t channels = (size_t)p->x_c;
    size_t words = (channels + 1U) / 2U * 2U;
    size_t whole = n >= 4U ? channels / 4U * 4U : 0U;
    size_t done = n / 4U * 4U;
    if (whole > 0U) {
        tml_ab_expand_quads_i8(x, pitch, done / 4U, whole / 4U, words, pairs);
    }
    for (size_t c = done == n ? whole : 0U; c < channels; c += 2U) {
        size_t from = c < whole ? done : 0U;
        const int8_t *x0 = x + (ptrdiff_t)c * pitch + from;
        const int8_t *x1 = c + 1U < channels ? x0 + pitch : x0;
        tml_ab_expand_two_planes_i8(x0, x1, n - from, words, pairs + from / 2U * words + c);
    }
}

/*
 * x: [x_c][pixels]
 * weights (rom): see tml_ab_outputs_i8; the inputs of a pair are neighbouring channels
 * scratch: 4 * tile bytes for each two input channels, then 4 * tile if y_c < 4; aligned to 4
 */
TML_INLINE void tml_conv2d_1x1_ab_tiles_i8(const struct tml_conv2d_1x1_ab_params *p,
                                           const int8_t *x, const int32_t *weights, int8_t *scratch,
                                           int8_t *y, bool planar)
{
    uint32_t *pairs = (uint32_t *)(void *)scratch;
    size_t steps = ((size_t)p->x_c + 1U) / 2U;
    int8_t *four = scratch + 4U * steps * (size_t)p->tile;
    struct tml_ab_outputs out = {{steps, (size_t)p->y_c / 4U, p->y_zero_point, 0U, 2U * steps, 0,
                                  2 * p->y_pixel_pitch, p->y_channel_pitch},
                                 (size_t)p->y_c,
                                 p->y_min,
                                 p->y_max};
    for (int_fast16_t at = 0; at < p->pixels; at += p->tile) {
        size_t n = (size_t)(p->pixels - at < p->tile ? p->pixels - at : p->tile);
        tml_ab_expand_tile_i8(p, x + at, n, pairs);
        /* All pairs, then a pixel that is left over. */
        for (size_t done = 0U; done < n; done += 2U * out.pairs.pairs) {
            bool single = n - done == 1U;
            out.pairs.pairs = single ? 1U : (n - done) / 2U;
            out.pairs.y_step = single ? 0 : p->y_pixel_pitch;
            tml_ab_outputs_i8(&out, pairs + done * steps, weights, four,
                              y + (at + (ptrdiff_t)done) * p->y_pixel_pitch, planar);
        }
    }
}

#endif
