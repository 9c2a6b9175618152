/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_bands: the network in C.
 * Written by tinycc_ml 0.1.0 from graph 907208de4e58bda0; don't edit.
 */
/* 1: kernels are inlined into their calls (speed); 0: one copy of each (size) */
#ifndef TML_INLINE_KERNELS
#define TML_INLINE_KERNELS 0
#endif

#include "tiny_bands.h"

#include "tiny_bands_weights.h"

#include "runtime/common/tml_fixedpoint.h"
#include "runtime/common/tml_port.h"
#include "runtime/conv2d/tml_conv2d_f32.h"
#include "runtime/max_pool2d/tml_max_pool2d_f32.h"

#if TML_RUNTIME_VERSION != 1
#error "tiny_bands.c needs version 1 of runtime/: copy the folder that was written with it"
#endif

void tiny_bands_run(tiny_bands_arena_t *arena, const float *image, float *pool)
{
    uint8_t *const a = arena->bytes;

    /* conv2d: active [rows 0-3] f32[1,4,12,4] <- wide.nhwc [rows 0-4] f32[1,5,12,1], 1,728 MACs */
    {
        static const struct tml_conv2d_f32_params params = {
            .x_h = 5, .x_w = 12, .x_c = 1, .x_row_pitch = 12, .y_h = 4, .y_w = 12, .y_c = 4,
            .y_row_pitch = 48, .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 1, .pad_left = 1, .groups = 1,
            .y_min = 0.0F, .y_max = 3.4028235e+38F,
        };
        tml_conv2d_f32(&params, image, tiny_bands_active_weights, tiny_bands_active_bias,
                       (float *)(void *)(a + 768), (float *)(void *)(a));
        TML_PROBE(0, (float *)(void *)(a), 768U);
    }

    /* max_pool2d: pool [row 0] f32[1,1,3,4] <- active [rows 0-3] f32[1,4,12,4] */
    {
        static const struct tml_max_pool2d_f32_params params = {
            .x_h = 4, .x_w = 12, .x_c = 4, .x_row_pitch = 48, .y_h = 1, .y_w = 3,
            .y_row_pitch = 12, .kernel_h = 4, .kernel_w = 4, .stride_h = 4, .stride_w = 4,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 0, .pad_left = 0,
            .y_min = -3.4028235e+38F, .y_max = 3.4028235e+38F,
        };
        tml_max_pool2d_f32(&params, (float *)(void *)(a), (float *)(void *)(a + 768));
        TML_PROBE(1, (float *)(void *)(a + 768), 48U);
    }

    /* conv2d: active [rows 4-7] f32[1,4,12,4] <- wide.nhwc [rows 3-8] f32[1,6,12,1], 1,728 MACs */
    {
        static const struct tml_conv2d_f32_params params = {
            .x_h = 6, .x_w = 12, .x_c = 1, .x_row_pitch = 12, .y_h = 4, .y_w = 12, .y_c = 4,
            .y_row_pitch = 48, .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 0, .pad_left = 1, .groups = 1,
            .y_min = 0.0F, .y_max = 3.4028235e+38F,
        };
        tml_conv2d_f32(&params, image + 36, tiny_bands_active_weights, tiny_bands_active_bias,
                       (float *)(void *)(a + 912), (float *)(void *)(a));
        TML_PROBE(2, (float *)(void *)(a), 768U);
    }

    /* max_pool2d: pool [row 1] f32[1,1,3,4] <- active [rows 4-7] f32[1,4,12,4] */
    {
        static const struct tml_max_pool2d_f32_params params = {
            .x_h = 4, .x_w = 12, .x_c = 4, .x_row_pitch = 48, .y_h = 1, .y_w = 3,
            .y_row_pitch = 12, .kernel_h = 4, .kernel_w = 4, .stride_h = 4, .stride_w = 4,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 0, .pad_left = 0,
            .y_min = -3.4028235e+38F, .y_max = 3.4028235e+38F,
        };
        tml_max_pool2d_f32(&params, (float *)(void *)(a), (float *)(void *)(a + 816));
        TML_PROBE(3, (float *)(void *)(a + 816), 48U);
    }

    /* conv2d: active [rows 8-11] f32[1,4,12,4] <- wide.nhwc [rows 7-11] f32[1,5,12,1], 1,728
     * MACs */
    {
        static const struct tml_conv2d_f32_params params = {
            .x_h = 5, .x_w = 12, .x_c = 1, .x_row_pitch = 12, .y_h = 4, .y_w = 12, .y_c = 4,
            .y_row_pitch = 48, .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 0, .pad_left = 1, .groups = 1,
            .y_min = 0.0F, .y_max = 3.4028235e+38F,
        };
        tml_conv2d_f32(&params, image + 84, tiny_bands_active_weights, tiny_bands_active_bias,
                       (float *)(void *)(a + 912), (float *)(void *)(a));
        TML_PROBE(4, (float *)(void *)(a), 768U);
    }

    /* max_pool2d: pool [row 2] f32[1,1,3,4] <- active [rows 8-11] f32[1,4,12,4] */
    {
        static const struct tml_max_pool2d_f32_params params = {
            .x_h = 4, .x_w = 12, .x_c = 4, .x_row_pitch = 48, .y_h = 1, .y_w = 3,
            .y_row_pitch = 12, .kernel_h = 4, .kernel_w = 4, .stride_h = 4, .stride_w = 4,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 0, .pad_left = 0,
            .y_min = -3.4028235e+38F, .y_max = 3.4028235e+38F,
        };
        tml_max_pool2d_f32(&params, (float *)(void *)(a), (float *)(void *)(a + 864));
        TML_PROBE(5, (float *)(void *)(a + 864), 48U);
    }

    /* transpose: pool f32[1,4,3,3] <- pool f32[1,3,3,4] */
    {
        const float *x0 = (float *)(void *)(a + 768);
        float *y0 = pool;
        for (size_t i0 = 0U; i0 < 4U; i0++) {
            {
                const size_t i1 = 0U;
                const float v0 = x0[i0 + 32U * i1];
                const float v1 = x0[4U + i0 + 32U * i1];
                const float v2 = x0[8U + i0 + 32U * i1];
                const float v3 = x0[12U + i0 + 32U * i1];
                const float v4 = x0[16U + i0 + 32U * i1];
                const float v5 = x0[20U + i0 + 32U * i1];
                const float v6 = x0[24U + i0 + 32U * i1];
                const float v7 = x0[28U + i0 + 32U * i1];
                y0[9U * i0 + 8U * i1] = v0;
                y0[1U + 9U * i0 + 8U * i1] = v1;
                y0[2U + 9U * i0 + 8U * i1] = v2;
                y0[3U + 9U * i0 + 8U * i1] = v3;
                y0[4U + 9U * i0 + 8U * i1] = v4;
                y0[5U + 9U * i0 + 8U * i1] = v5;
                y0[6U + 9U * i0 + 8U * i1] = v6;
                y0[7U + 9U * i0 + 8U * i1] = v7;
            }
            {
                const size_t i1 = 0U;
                y0[8U + 9U * i0 + i1] = x0[32U + i0 + 4U * i1];
            }
        }
        TML_PROBE(6, pool, 144U);
    }
}
