/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_dense: constants, private to the network.
 * Written by tinycc_ml 0.1.0 from graph d31a58b2b6f16456; don't edit.
 */
#ifndef TINY_DENSE_WEIGHTS_H
#define TINY_DENSE_WEIGHTS_H

#include "runtime/common/tml_port.h"

extern const float tiny_dense_active_weights[24] TML_WEIGHTS_ATTR;
extern const float tiny_dense_active_bias[6] TML_WEIGHTS_ATTR;
extern const float tiny_dense_logits_weights[18] TML_WEIGHTS_ATTR;
extern const float tiny_dense_logits_bias[3] TML_WEIGHTS_ATTR;

#endif
