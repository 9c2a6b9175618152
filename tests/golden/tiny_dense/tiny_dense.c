/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_dense: the network in C.
 * Written by tinycc_ml 0.1.0 from graph d31a58b2b6f16456; don't edit.
 */
#include "tiny_dense.h"

#include "tiny_dense_weights.h"

#include <math.h>

#include "runtime/common/tml_fixedpoint.h"
#include "runtime/common/tml_port.h"
#include "runtime/dense/tml_dense_f32.h"
#include "runtime/softmax/tml_softmax_f32.h"

#if TML_RUNTIME_VERSION != 1
#error "tiny_dense.c needs version 1 of runtime/: copy the folder that was written with it"
#endif

void tiny_dense_run(tiny_dense_arena_t *arena, const float *features, float *probabilities)
{
    uint8_t *const a = arena->bytes;

    /* dense: active f32[1,6] <- features f32[1,4], 24 MACs */
    {
        static const struct tml_dense_f32_params params = {
            .x_len = 4, .y_len = 6, .y_min = 0.0F, .y_max = 3.4028235e+38F,
        };
        tml_dense_f32(&params, features, tiny_dense_active_weights, tiny_dense_active_bias,
                      (float *)(void *)(a));
        TML_PROBE(0, (float *)(void *)(a), 24U);
    }

    /* sigmoid, mul: gated f32[1,6] <- active f32[1,6] */
    {
        const float *x0 = (float *)(void *)(a);
        float *y0 = (float *)(void *)(a);
        for (size_t i = 0U; i < 6U; i++) {
            const float v0 = x0[i];
            const float t0 = 1.0F / (1.0F + expf(-v0));
            y0[i] = v0 * t0;
        }
        TML_PROBE(1, (float *)(void *)(a), 24U);
    }

    /* dense: logits f32[1,3] <- gated f32[1,6], 18 MACs */
    {
        static const struct tml_dense_f32_params params = {
            .x_len = 6, .y_len = 3, .y_min = -3.4028235e+38F, .y_max = 3.4028235e+38F,
        };
        tml_dense_f32(&params, (float *)(void *)(a), tiny_dense_logits_weights,
                      tiny_dense_logits_bias, (float *)(void *)(a + 24));
        TML_PROBE(2, (float *)(void *)(a + 24), 12U);
    }

    /* softmax: probabilities f32[1,3] <- logits f32[1,3] */
    {
        static const struct tml_softmax_f32_params params = {
            .rows = 1, .n = 3,
        };
        tml_softmax_f32(&params, (float *)(void *)(a + 24), probabilities);
        TML_PROBE(3, probabilities, 12U);
    }
}
