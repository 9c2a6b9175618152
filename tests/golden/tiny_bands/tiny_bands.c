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
            const float *run_x = &x0[i0];
            float *run_y = &y0[9U * i0];
            {
                const size_t i1 = 0U;
                const float v0 = run_x[24U * i1];
                const float v1 = run_x[4U + 24U * i1];
                const float v2 = run_x[8U + 24U * i1];
                const float v3 = run_x[12U + 24U * i1];
                const float v4 = run_x[16U + 24U * i1];
                const float v5 = run_x[20U + 24U * i1];
                run_y[6U * i1] = v0;
                run_y[1U + 6U * i1] = v1;
                run_y[2U + 6U * i1] = v2;
                run_y[3U + 6U * i1] = v3;
                run_y[4U + 6U * i1] = v4;
                run_y[5U + 6U * i1] = v5;
            }
            for (size_t i1 = 0U; i1 < 3U; i1++) {
                run_y[6U + i1] = run_x[24U + 4U * i1];
            }
        }
        TML_PROBE(6, pool, 144U);
    }
}
