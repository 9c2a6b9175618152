/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_bands: interface and manual.
 * Written by tinycc_ml 0.1.0 from graph 907208de4e58bda0; don't edit.
 */
/*
 * How to use it
 *     static tiny_bands_arena_t arena;
 *         working memory, 984 bytes, content undefined between runs
 *     static float image[TINY_BANDS_IMAGE_LEN];
 *     static float pool[TINY_BANDS_POOL_LEN];
 *     tiny_bands_run(&arena, image, pool);
 *
 * One run takes 5,184 multiply-accumulates; constants take 160 bytes of flash.
 * Nothing is allocated, nothing can fail.
 * There is no state: with an arena each, runs may interleave.
 * Build tiny_bands.c and tiny_bands_weights.c with this folder on the include path.
 * Defines that change the build:
 *     TML_WEIGHTS_ATTR   attribute of the constants, e.g. a section
 *     TML_FAST_CODE      attribute of the kernels, e.g. a section in RAM
 *     TML_INLINE_KERNELS 1: kernels are inlined into their calls; 0: one copy of each
 *     TML_TRACE          each node calls tml_trace(id, data, bytes)
 */
#ifndef TINY_BANDS_H
#define TINY_BANDS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Input image: f32[1,1,12,12], row-major
 */
#define TINY_BANDS_IMAGE_LEN 144
#define TINY_BANDS_IMAGE_BYTES 576

/*
 * Output pool: f32[1,4,3,3], row-major
 */
#define TINY_BANDS_POOL_LEN 36
#define TINY_BANDS_POOL_BYTES 144

#define TINY_BANDS_ARENA_BYTES 984

typedef union {
    int32_t align_i32;
    float align_f32;
    uint8_t bytes[984];
} tiny_bands_arena_t;

void tiny_bands_run(tiny_bands_arena_t *arena, const float *image, float *pool);

#ifdef __cplusplus
}
#endif

#endif
