/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_dense: interface and manual.
 * Written by tinycc_ml 0.1.0 from graph d31a58b2b6f16456; don't edit.
 */
/*
 * How to use it
 *     static tiny_dense_arena_t arena;
 *         working memory, 36 bytes, content undefined between runs
 *     static float features[TINY_DENSE_FEATURES_LEN];
 *     static float probabilities[TINY_DENSE_PROBABILITIES_LEN];
 *     tiny_dense_run(&arena, features, probabilities);
 *
 * One run takes 42 multiply-accumulates; constants take 204 bytes of flash.
 * Nothing is allocated, nothing can fail.
 * There is no state: with an arena each, runs may interleave.
 * Build tiny_dense.c and tiny_dense_weights.c with this folder on the include path.
 * Defines that change the build:
 *     TML_WEIGHTS_ATTR   attribute of the constants, e.g. a section
 *     TML_FAST_CODE      attribute of the kernels, e.g. a section in RAM
 *     TML_INLINE_KERNELS 1: kernels are inlined into their calls; 0: one copy of each
 *     TML_TRACE          each node calls tml_trace(id, data, bytes)
 */
#ifndef TINY_DENSE_H
#define TINY_DENSE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Input features: f32[1,4], row-major
 */
#define TINY_DENSE_FEATURES_LEN 4
#define TINY_DENSE_FEATURES_BYTES 16

/*
 * Output probabilities: f32[1,3], row-major
 */
#define TINY_DENSE_PROBABILITIES_LEN 3
#define TINY_DENSE_PROBABILITIES_BYTES 12

#define TINY_DENSE_ARENA_BYTES 36

typedef union {
    int32_t align_i32;
    float align_f32;
    uint8_t bytes[36];
} tiny_dense_arena_t;

void tiny_dense_run(tiny_dense_arena_t *arena, const float *features, float *probabilities);

#ifdef __cplusplus
}
#endif

#endif
