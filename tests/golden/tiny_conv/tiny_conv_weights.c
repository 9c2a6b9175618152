/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_conv: constants, 100 bytes.
 * Written by tinycc_ml 0.1.0 from graph 7a3e776a237262ec; don't edit.
 */
#include "tiny_conv_weights.h"

/* weights of conv.dq.q */
const int8_t tiny_conv_conv_dq_q_weights[36] TML_WEIGHTS_ATTR = {
    -7, -106, -48, 74, 3, -120, 94, -96, 65, 93, -20, -50, 115, 65, -58, -96,
    -119, 86, 84, -12, -91, 10, -62, 122, 82, 81, -23, -93, 114, -43, 37, -30,
    -64, -12, 13, -25
};

/* bias of conv.dq.q */
const int32_t tiny_conv_conv_dq_q_bias[2] TML_WEIGHTS_ATTR = {
    12633, -4552
};

/* multiplier of conv.dq.q */
const int32_t tiny_conv_conv_dq_q_multiplier[2] TML_WEIGHTS_ATTR = {
    4194304, 8388608
};

/* weights of scores */
const int8_t tiny_conv_scores_weights[24] TML_WEIGHTS_ATTR = {
    79, -117, 49, -81, 31, -12, -106, -103, 60, 77, -5, -28, -82, -43, -119, 94,
    -60, 99, -67, -17, -99, 21, -87, 4
};

/* bias of scores */
const int32_t tiny_conv_scores_bias[3] TML_WEIGHTS_ATTR = {
    -128, -43136, -2816
};

/* multiplier of scores */
const int32_t tiny_conv_scores_multiplier[3] TML_WEIGHTS_ATTR = {
    2097152, 4194304, 8388608
};
