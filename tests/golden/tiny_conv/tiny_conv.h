/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_conv: interface and manual.
 * Written by tinycc_ml 0.1.0 from graph 7a3e776a237262ec; don't edit.
 */
/*
 * How to use it
 *     static tiny_conv_arena_t arena;
 *         working memory, 100 bytes, content undefined between runs
 *     static int8_t image[TINY_CONV_IMAGE_LEN];
 *     static int8_t scores[TINY_CONV_SCORES_LEN];
 *     tiny_conv_run(&arena, image, scores);
 *
 * One run takes 600 multiply-accumulates; constants take 100 bytes of flash.
 * Nothing is allocated, nothing can fail.
 * There is no state: with an arena each, runs may interleave.
 * Build tiny_conv.c and tiny_conv_weights.c with this folder on the include path.
 * Defines that change the build:
 *     TML_WEIGHTS_ATTR   attribute of the constants, e.g. a section
 *     TML_FAST_CODE      attribute of the kernels, e.g. a section in RAM
 *     TML_INLINE_KERNELS 1: kernels are inlined into their calls; 0: one copy of each
 *     TML_TRACE          each node calls tml_trace(id, data, bytes)
 */
#ifndef TINY_CONV_H
#define TINY_CONV_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Input image: i8[1,2,4,4], row-major
 *     real = 0.03125F * (q - (-3))
 */
#define TINY_CONV_IMAGE_LEN 32
#define TINY_CONV_IMAGE_BYTES 32
#define TINY_CONV_IMAGE_SCALE 0.03125F
#define TINY_CONV_IMAGE_ZERO_POINT (-3)

/*
 * Output scores: i8[1,3], row-major
 *     real = 0.125F * (q - 0)
 */
#define TINY_CONV_SCORES_LEN 3
#define TINY_CONV_SCORES_BYTES 3
#define TINY_CONV_SCORES_SCALE 0.125F
#define TINY_CONV_SCORES_ZERO_POINT 0

#define TINY_CONV_ARENA_BYTES 100

typedef union {
    int32_t align_i32;
    float align_f32;
    uint8_t bytes[100];
} tiny_conv_arena_t;

void tiny_conv_run(tiny_conv_arena_t *arena, const int8_t *image, int8_t *scores);

/* round(real / scale) + zero_point, half to even, saturated. */
static inline int8_t tiny_conv_quantize_image(float real)
{
    float v = real / TINY_CONV_IMAGE_SCALE;
    if (!(v > -125.0F)) {
        return -128;
    }
    if (v >= 130.0F) {
        return 127;
    }
    int32_t q = (int32_t)v;
    float rest = v - (float)q;
    if (rest > 0.5F || (rest >= 0.5F && q % 2 != 0)) {
        q++;
    } else if (rest < -0.5F || (rest <= -0.5F && q % 2 != 0)) {
        q--;
    }
    return (int8_t)(q + TINY_CONV_IMAGE_ZERO_POINT);
}

static inline float tiny_conv_dequantize_image(int8_t q)
{
    return TINY_CONV_IMAGE_SCALE * (float)((int32_t)q - TINY_CONV_IMAGE_ZERO_POINT);
}

/* round(real / scale) + zero_point, half to even, saturated. */
static inline int8_t tiny_conv_quantize_scores(float real)
{
    float v = real / TINY_CONV_SCORES_SCALE;
    if (!(v > -128.0F)) {
        return -128;
    }
    if (v >= 127.0F) {
        return 127;
    }
    int32_t q = (int32_t)v;
    float rest = v - (float)q;
    if (rest > 0.5F || (rest >= 0.5F && q % 2 != 0)) {
        q++;
    } else if (rest < -0.5F || (rest <= -0.5F && q % 2 != 0)) {
        q--;
    }
    return (int8_t)(q + TINY_CONV_SCORES_ZERO_POINT);
}

static inline float tiny_conv_dequantize_scores(int8_t q)
{
    return TINY_CONV_SCORES_SCALE * (float)((int32_t)q - TINY_CONV_SCORES_ZERO_POINT);
}

#ifdef __cplusplus
}
#endif

#endif
