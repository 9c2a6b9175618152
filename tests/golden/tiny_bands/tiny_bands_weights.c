/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_bands: constants, 160 bytes.
 * Written by tinycc_ml 0.1.0 from graph 907208de4e58bda0; don't edit.
 */
#include "tiny_bands_weights.h"

/* weights of active */
const float tiny_bands_active_weights[36] TML_WEIGHTS_ATTR = {
    0.0F, -0.375F, -0.875F, 0.625F, 0.0F, 0.75F, -1.0F, -0.75F, 0.5F, -0.125F,
    0.75F, -0.375F, 1.0F, -0.5F, 0.5F, -0.75F, -1.0F, 0.75F, 0.75F, -0.125F,
    -0.75F, -0.5F, 0.125F, 1.0F, 0.625F, -0.25F, 0.625F, -0.75F, 1.0F, 0.25F,
    -0.375F, -0.25F, -0.5F, 0.125F, -0.125F, -0.25F
};

/* bias of active */
const float tiny_bands_active_bias[4] TML_WEIGHTS_ATTR = {
    0.75F, -0.5F, -0.875F, -0.375F
};
