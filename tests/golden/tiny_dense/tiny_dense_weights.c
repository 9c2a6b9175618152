/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_dense: constants, 204 bytes.
 * Written by tinycc_ml 0.1.0 from graph d31a58b2b6f16456; don't edit.
 */
#include "tiny_dense_weights.h"

/* weights of active */
const float tiny_dense_active_weights[24] TML_WEIGHTS_ATTR = {
    0.0F, -1.0F, -0.5F, -0.5F, 0.0F, -0.75F, -0.375F, 0.75F, 0.5F, 0.625F,
    0.75F, -0.5F, 1.0F, 1.0F, -0.125F, -0.25F, 0.25F, 0.75F, 0.125F, 0.5F,
    -0.875F, 0.75F, -1.0F, 0.125F
};

/* bias of active */
const float tiny_dense_active_bias[6] TML_WEIGHTS_ATTR = {
    0.75F, -0.5F, -0.875F, -0.375F, -0.125F, 0.625F
};

/* weights of logits */
const float tiny_dense_logits_weights[18] TML_WEIGHTS_ATTR = {
    0.625F, 0.75F, 0.25F, -0.875F, 0.125F, 0.0F, -0.625F, -1.0F, -0.5F, -0.5F,
    -0.875F, -0.75F, -0.625F, -0.375F, 0.375F, 0.625F, -0.125F, 0.5F
};

/* bias of logits */
const float tiny_dense_logits_bias[3] TML_WEIGHTS_ATTR = {
    0.5F, 1.0F, 0.75F
};
