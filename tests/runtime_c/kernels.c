/* SPDX-License-Identifier: 0BSD */
/* The static kernels as external functions, for the tests: test_<kernel> is tml_<kernel>. */
#include "add/tml_add_i8.h"
#include "average_pool2d/tml_average_pool2d_f32.h"
#include "average_pool2d/tml_average_pool2d_i8.h"
#include "average_pool2d/tml_average_pool2d_planes_i8.h"
#include "common/tml_log.h"
#include "common/tml_normalize.h"
#include "conv2d/tml_conv2d_1x1_ab_from_planar_i8.h"
#include "conv2d/tml_conv2d_1x1_ab_planar_i8.h"
#include "conv2d/tml_conv2d_1x1_ab_planar_k16_i8.h"
#include "conv2d/tml_conv2d_1x1_ab_planar_k32_i8.h"
#include "conv2d/tml_conv2d_1x1_ab_planar_k8_i8.h"
#include "conv2d/tml_conv2d_1x1_i8.h"
#include "conv2d/tml_conv2d_ab_i8.h"
#include "conv2d/tml_conv2d_ab_rgb_s2_to_planar_i8.h"
#include "conv2d/tml_conv2d_ab_nibbles_to_planar_i8.h"
#include "conv2d/tml_conv2d_ab_nibbles_i8.h"
#include "conv2d/tml_conv2d_ab_to_planar_i8.h"
#include "conv2d/tml_conv2d_palette_16_i8.h"
#include "conv2d/tml_conv2d_ab_palette_16_i8.h"
#include "conv2d/tml_conv2d_ab_palette_16_to_planar_i8.h"
#include "dense/tml_dense_palette_16_i8.h"
#include "conv2d/tml_conv2d_palette_4_i8.h"
#include "conv2d/tml_conv2d_ab_palette_4_i8.h"
#include "conv2d/tml_conv2d_ab_palette_4_to_planar_i8.h"
#include "dense/tml_dense_palette_4_i8.h"
#include "conv2d/tml_conv2d_sparse_i8.h"
#include "conv2d/tml_conv2d_ab_sparse_i8.h"
#include "conv2d/tml_conv2d_ab_sparse_to_planar_i8.h"
#include "dense/tml_dense_sparse_i8.h"
#include "conv2d/tml_conv2d_f16.h"
#include "conv2d/tml_conv2d_f32.h"
#include "conv2d/tml_conv2d_i16x16.h"
#include "conv2d/tml_conv2d_i16x8.h"
#include "conv2d/tml_conv2d_i8.h"
#include "conv2d/tml_conv2d_nibbles_i8.h"
#include "conv2d/tml_conv2d_winograd_i8.h"
#include "conv_transpose2d/tml_conv_transpose2d_f32.h"
#include "conv_transpose2d/tml_conv_transpose2d_i8.h"
#include "dense/tml_dense_ab_i8.h"
#include "dense/tml_dense_f16.h"
#include "dense/tml_dense_f32.h"
#include "dense/tml_dense_i8.h"
#include "dense/tml_dense_nibbles_dsp_i8.h"
#include "dense/tml_dense_nibbles_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_f32.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_i16x16.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_i16x8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_line_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_planar_5x5_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_planar_5x5_s2_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_planar_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_planar_line_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_planar_rows_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_planar_s2_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_strip_i8.h"
#include "depthwise_conv2d/tml_depthwise_conv2d_strip_s2_i8.h"
#include "lut/tml_lut_i8.h"
#include "matmul/tml_matmul_f32.h"
#include "matmul/tml_matmul_i8.h"
#include "max_pool2d/tml_max_pool2d_f32.h"
#include "max_pool2d/tml_max_pool2d_i8.h"
#include "resize_linear/tml_resize_linear_sixteenths_i8.h"
#include "softmax/tml_softmax_f32.h"
#include "softmax/tml_softmax_i8.h"

/* PARAMS, ARGS: a parenthesised parameter list and the same names as arguments. */
#define EXPOSE(name, PARAMS, ARGS)                                                                 \
    void test_##name PARAMS;                                                                       \
    void test_##name PARAMS                                                                        \
    {                                                                                              \
        tml_##name ARGS;                                                                           \
    }

EXPOSE(conv2d_i8,
       (const struct tml_conv2d_params *p, const int8_t *x, const int8_t *w, const int32_t *b,
        const int32_t *m, int8_t *scratch, int8_t *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(conv2d_i16x8,
       (const struct tml_wide_params *p, const void *x, const int8_t *w, const int32_t *b,
        const int32_t *m, void *scratch, void *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(conv2d_i16x16,
       (const struct tml_wide_params *p, const void *x, const int16_t *w, const int64_t *b,
        const int32_t *m, void *scratch, void *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(depthwise_conv2d_i16x8,
       (const struct tml_wide_params *p, const void *x, const int8_t *w, const int32_t *b,
        const int32_t *m, void *scratch, void *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(depthwise_conv2d_i16x16,
       (const struct tml_wide_params *p, const void *x, const int16_t *w, const int64_t *b,
        const int32_t *m, void *scratch, void *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(conv2d_ab_nibbles_to_planar_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_ab_nibbles_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_ab_palette_16_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_ab_palette_16_to_planar_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_palette_16_i8,
       (const struct tml_conv2d_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *scratch, int8_t *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(conv2d_ab_palette_4_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_ab_palette_4_to_planar_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_palette_4_i8,
       (const struct tml_conv2d_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *scratch, int8_t *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(conv2d_ab_sparse_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_ab_sparse_to_planar_i8,
       (const struct tml_conv2d_ab_packed_params *p, const int8_t *x, const uint8_t *w,
        const int32_t *quant, int8_t *scratch, int8_t *y),
       (p, x, w, quant, scratch, y))
EXPOSE(conv2d_sparse_i8,
       (const struct tml_conv2d_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *scratch, int8_t *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(conv2d_nibbles_i8,
       (const struct tml_conv2d_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *scratch, int8_t *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(conv2d_1x1_i8,
       (const struct tml_conv2d_1x1_params *p, const int8_t *x, const int8_t *w, const int32_t *b,
        const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(conv2d_ab_to_planar_i8,
       (const struct tml_conv2d_ab_params *p, const int8_t *x, const int32_t *w, int8_t *scratch,
        int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_ab_rgb_s2_to_planar_i8,
       (const struct tml_conv2d_rgb_params *p, const int8_t *x, const int32_t *w, int8_t *scratch,
        int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_1x1_ab_planar_i8,
       (const struct tml_conv2d_1x1_ab_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_1x1_ab_planar_k8_i8,
       (const struct tml_conv2d_1x1_ab_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_1x1_ab_planar_k16_i8,
       (const struct tml_conv2d_1x1_ab_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_1x1_ab_planar_k32_i8,
       (const struct tml_conv2d_1x1_ab_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_1x1_ab_from_planar_i8,
       (const struct tml_conv2d_1x1_ab_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_ab_i8,
       (const struct tml_conv2d_ab_params *p, const int8_t *x, const int32_t *w, int8_t *scratch,
        int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(conv2d_winograd_i8,
       (const struct tml_conv2d_winograd_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(depthwise_conv2d_i8,
       (const struct tml_depthwise_conv2d_params *p, const int8_t *x, const int8_t *w,
        const int32_t *b, const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(depthwise_conv2d_line_i8,
       (const struct tml_depthwise_line_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(depthwise_conv2d_planar_i8,
       (const struct tml_depthwise_blocks_params *p, const int8_t *x, const int32_t *weights,
        int8_t *scratch, int8_t *y),
       (p, x, weights, scratch, y))
EXPOSE(depthwise_conv2d_planar_s2_i8,
       (const struct tml_depthwise_planar_params *p, const int8_t *x, const int32_t *weights,
        int8_t *scratch, int8_t *y),
       (p, x, weights, scratch, y))
EXPOSE(depthwise_conv2d_planar_5x5_i8,
       (const struct tml_depthwise_planar_params *p, const int8_t *x, const int32_t *weights,
        int8_t *scratch, int8_t *y),
       (p, x, weights, scratch, y))
EXPOSE(depthwise_conv2d_planar_5x5_s2_i8,
       (const struct tml_depthwise_planar_params *p, const int8_t *x, const int32_t *weights,
        int8_t *scratch, int8_t *y),
       (p, x, weights, scratch, y))
EXPOSE(depthwise_conv2d_planar_rows_i8,
       (const struct tml_depthwise_planar_params *p, const int8_t *x, const int32_t *weights,
        int8_t *scratch, int8_t *y),
       (p, x, weights, scratch, y))
EXPOSE(depthwise_conv2d_planar_line_i8,
       (const struct tml_planar_line_params *p, const int8_t *x, const int32_t *weights,
        int8_t *scratch, int8_t *y),
       (p, x, weights, scratch, y))
EXPOSE(depthwise_conv2d_strip_i8,
       (const struct tml_depthwise_strip_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(depthwise_conv2d_strip_s2_i8,
       (const struct tml_depthwise_strip_params *p, const int8_t *x, const int32_t *w,
        int8_t *scratch, int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(dense_i8,
       (const struct tml_dense_params *p, const int8_t *x, const int8_t *w, const int32_t *b,
        const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(dense_palette_16_i8,
       (const struct tml_dense_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(dense_palette_4_i8,
       (const struct tml_dense_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(dense_sparse_i8,
       (const struct tml_dense_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(dense_nibbles_dsp_i8,
       (const struct tml_dense_params *p, const int8_t *x, const uint32_t *w, const int32_t *b,
        const int32_t *m, int8_t *scratch, int8_t *y),
       (p, x, w, b, m, scratch, y))
EXPOSE(dense_nibbles_i8,
       (const struct tml_dense_params *p, const int8_t *x, const uint8_t *w, const int32_t *b,
        const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(dense_ab_i8,
       (const struct tml_dense_params *p, const int8_t *x, const int32_t *w, int8_t *scratch,
        int8_t *y),
       (p, x, w, scratch, y))
EXPOSE(matmul_i8, (const struct tml_matmul_params *p, const int8_t *a, const int8_t *b, int8_t *y),
       (p, a, b, y))
EXPOSE(conv_transpose2d_i8,
       (const struct tml_conv_transpose2d_params *p, const int8_t *x, const int8_t *w,
        const int32_t *b, const int32_t *m, int8_t *y),
       (p, x, w, b, m, y))
EXPOSE(max_pool2d_i8, (const struct tml_max_pool2d_params *p, const int8_t *x, int8_t *y),
       (p, x, y))
EXPOSE(add_i8, (const struct tml_add_params *p, const int8_t *x0, const int8_t *x1, int8_t *y),
       (p, x0, x1, y))
EXPOSE(lut_i8, (const struct tml_lut_params *p, const int8_t *x, const uint8_t *table, int8_t *y),
       (p, x, table, y))
EXPOSE(average_pool2d_planes_i8,
       (const struct tml_average_pool2d_params *p, const int8_t *x, const int32_t *m, int8_t *y),
       (p, x, m, y))
EXPOSE(resize_linear_sixteenths_i8,
       (const struct tml_resize_linear_params *p, const int8_t *x, const uint16_t *row,
        const uint8_t *row_weight, const uint16_t *col, const uint8_t *col_weight, int8_t *y),
       (p, x, row, row_weight, col, col_weight, y))
EXPOSE(average_pool2d_i8,
       (const struct tml_average_pool2d_params *p, const int8_t *x, const int32_t *m, int8_t *y),
       (p, x, m, y))
EXPOSE(softmax_i8,
       (const struct tml_softmax_params *p, const int8_t *x, const uint16_t *table, int8_t *y),
       (p, x, table, y))
EXPOSE(conv2d_f32,
       (const struct tml_conv2d_f32_params *p, const float *x, const float *w, const float *b,
        float *scratch, float *y),
       (p, x, w, b, scratch, y))
EXPOSE(conv2d_f16,
       (const struct tml_conv2d_f32_params *p, const float *x, const uint16_t *w, const float *b,
        float *scratch, float *y),
       (p, x, w, b, scratch, y))
EXPOSE(dense_f16,
       (const struct tml_dense_f32_params *p, const float *x, const uint16_t *w, const float *b,
        float *y),
       (p, x, w, b, y))
EXPOSE(depthwise_conv2d_f32,
       (const struct tml_depthwise_conv2d_f32_params *p, const float *x, const float *w,
        const float *b, float *y),
       (p, x, w, b, y))
EXPOSE(dense_f32,
       (const struct tml_dense_f32_params *p, const float *x, const float *w, const float *b,
        float *y),
       (p, x, w, b, y))
EXPOSE(matmul_f32,
       (const struct tml_matmul_f32_params *p, const float *a, const float *b, float *y),
       (p, a, b, y))
EXPOSE(conv_transpose2d_f32,
       (const struct tml_conv_transpose2d_f32_params *p, const float *x, const float *w,
        const float *b, float *y),
       (p, x, w, b, y))
EXPOSE(max_pool2d_f32, (const struct tml_max_pool2d_f32_params *p, const float *x, float *y),
       (p, x, y))
EXPOSE(average_pool2d_f32,
       (const struct tml_average_pool2d_f32_params *p, const float *x, float *y), (p, x, y))
EXPOSE(softmax_f32, (const struct tml_softmax_f32_params *p, const float *x, float *y), (p, x, y))

void test_requantize(const int32_t *acc, const int32_t *m, int32_t *y, size_t n);
void test_requantize(const int32_t *acc, const int32_t *m, int32_t *y, size_t n)
{
    for (size_t i = 0U; i < n; i++) {
        y[i] = tml_requantize(acc[i], m[i]);
    }
}

void test_rounding_shift(const int32_t *v, const int32_t *s, int32_t *y, size_t n);
void test_rounding_shift(const int32_t *v, const int32_t *s, int32_t *y, size_t n)
{
    for (size_t i = 0U; i < n; i++) {
        y[i] = tml_rounding_shift(v[i], (int_fast16_t)s[i]);
    }
}

void test_log2_u64(const int64_t *v, int32_t *y, size_t n);
void test_log2_u64(const int64_t *v, int32_t *y, size_t n)
{
    for (size_t i = 0U; i < n; i++) {
        y[i] = tml_log2_u64((uint64_t)v[i]);
    }
}

void test_root_u64(const int64_t *v, uint32_t *y, size_t n);
void test_root_u64(const int64_t *v, uint32_t *y, size_t n)
{
    for (size_t i = 0U; i < n; i++) {
        y[i] = tml_root_u64((uint64_t)v[i]);
    }
}

void test_saturate_i8(const int32_t *v, int8_t *y, size_t n);
void test_saturate_i8(const int32_t *v, int8_t *y, size_t n)
{
    for (size_t i = 0U; i < n; i++) {
        y[i] = tml_saturate_i8(v[i]);
    }
}
