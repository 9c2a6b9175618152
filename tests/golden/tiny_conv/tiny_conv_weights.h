/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_conv: constants, private to the network.
 * Written by tinycc_ml 0.1.0 from graph 7a3e776a237262ec; don't edit.
 */
#ifndef TINY_CONV_WEIGHTS_H
#define TINY_CONV_WEIGHTS_H

#include "runtime/common/tml_port.h"

extern const int8_t tiny_conv_conv_dq_q_weights[36] TML_WEIGHTS_ATTR;
extern const int32_t tiny_conv_conv_dq_q_bias[2] TML_WEIGHTS_ATTR;
extern const int32_t tiny_conv_conv_dq_q_multiplier[2] TML_WEIGHTS_ATTR;
extern const int8_t tiny_conv_scores_weights[24] TML_WEIGHTS_ATTR;
extern const int32_t tiny_conv_scores_bias[3] TML_WEIGHTS_ATTR;
extern const int32_t tiny_conv_scores_multiplier[3] TML_WEIGHTS_ATTR;

#endif
