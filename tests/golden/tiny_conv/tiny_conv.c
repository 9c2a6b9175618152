/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_conv: the network in C.
 * Written by tinycc_ml 0.1.0 from graph 7a3e776a237262ec; don't edit.
 */
#include "tiny_conv.h"

#include "tiny_conv_weights.h"

#include "runtime/add/tml_add_i8.h"
#include "runtime/common/tml_fixedpoint.h"
#include "runtime/common/tml_port.h"
#include "runtime/conv2d/tml_conv2d_i8.h"
#include "runtime/dense/tml_dense_i8.h"
#include "runtime/max_pool2d/tml_max_pool2d_i8.h"

#if TML_RUNTIME_VERSION != 1
#error "tiny_conv.c needs version 1 of runtime/: copy the folder that was written with it"
#endif

void tiny_conv_run(tiny_conv_arena_t *arena, const int8_t *image, int8_t *scores)
{
    uint8_t *const a = arena->bytes;

    /* transpose: conv.nhwc.q i8[1,4,4,2] <- image i8[1,2,4,4] */
    {
        const int8_t *x0 = image;
        int8_t *y0 = (int8_t *)(a + 36);
        for (size_t i0 = 0U; i0 < 2U; i0++) {
            const int8_t *run_x = &x0[16U * i0];
            int8_t *run_y = &y0[i0];
            for (size_t i1 = 0U; i1 < 2U; i1++) {
                const int8_t v0 = run_x[6U * i1];
                const int8_t v1 = run_x[1U + 6U * i1];
                const int8_t v2 = run_x[2U + 6U * i1];
                const int8_t v3 = run_x[3U + 6U * i1];
                const int8_t v4 = run_x[4U + 6U * i1];
                const int8_t v5 = run_x[5U + 6U * i1];
                run_y[12U * i1] = v0;
                run_y[2U + 12U * i1] = v1;
                run_y[4U + 12U * i1] = v2;
                run_y[6U + 12U * i1] = v3;
                run_y[8U + 12U * i1] = v4;
                run_y[10U + 12U * i1] = v5;
            }
            for (size_t i1 = 0U; i1 < 4U; i1++) {
                run_y[24U + 2U * i1] = run_x[12U + i1];
            }
        }
        TML_PROBE(0, (int8_t *)(a + 36), 32U);
    }

    /* conv2d: conv.dq.q i8[1,4,4,2] <- conv.nhwc.q i8[1,4,4,2], 576 MACs */
    {
        static const struct tml_conv2d_params params = {
            .x_h = 4, .x_w = 4, .x_c = 2, .x_row_pitch = 8, .y_h = 4, .y_w = 4, .y_c = 2,
            .y_row_pitch = 8, .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 1, .pad_left = 1, .groups = 1,
            .x_zero_point = -3, .y_zero_point = 5, .pre_shift = 0, .y_min = -128, .y_max = 127,
        };
        tml_conv2d_i8(&params, (int8_t *)(a + 36), tiny_conv_conv_dq_q_weights,
                      tiny_conv_conv_dq_q_bias, tiny_conv_conv_dq_q_multiplier, (int8_t *)a,
                      (int8_t *)(a + 68));
        TML_PROBE(1, (int8_t *)(a + 68), 32U);
    }

    /* add: relu.dq.q i8[1,4,4,2] <- conv.dq.q i8[1,4,4,2], conv.nhwc.q i8[1,4,4,2] */
    {
        static const struct tml_add_params params = {
            .n = 32, .multiplier0 = 4194304, .multiplier1 = 2097152, .offset = -283115520,
            .shift = 21, .y_min = -128, .y_max = 127,
        };
        tml_add_i8(&params, (int8_t *)(a + 68), (int8_t *)(a + 36), (int8_t *)a);
        TML_PROBE(2, (int8_t *)a, 32U);
    }

    /* max_pool2d: pool i8[1,2,2,2] <- relu.dq.q i8[1,4,4,2] */
    {
        static const struct tml_max_pool2d_params params = {
            .x_h = 4, .x_w = 4, .x_c = 2, .x_row_pitch = 8, .y_h = 2, .y_w = 2,
            .y_row_pitch = 4, .kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2,
            .dilation_h = 1, .dilation_w = 1, .pad_top = 0, .pad_left = 0, .y_min = -128,
            .y_max = 127,
        };
        tml_max_pool2d_i8(&params, (int8_t *)a, (int8_t *)(a + 32));
        TML_PROBE(3, (int8_t *)(a + 32), 8U);
    }

    /* dense: scores i8[1,3] <- flat i8[1,8], 24 MACs */
    {
        static const struct tml_dense_params params = {
            .x_len = 8, .y_len = 3, .y_zero_point = 0, .pre_shift = 0, .y_min = -128,
            .y_max = 127,
        };
        tml_dense_i8(&params, (int8_t *)(a + 32), tiny_conv_scores_weights, tiny_conv_scores_bias,
                     tiny_conv_scores_multiplier, scores);
        TML_PROBE(4, scores, 3U);
    }
}
