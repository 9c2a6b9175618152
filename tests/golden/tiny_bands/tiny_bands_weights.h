/* SPDX-License-Identifier: 0BSD */
/*
 * tiny_bands: constants, private to the network.
 * Written by tinycc_ml 0.1.0 from graph 907208de4e58bda0; don't edit.
 */
#ifndef TINY_BANDS_WEIGHTS_H
#define TINY_BANDS_WEIGHTS_H

#include "runtime/common/tml_port.h"

extern const float tiny_bands_active_weights[36] TML_WEIGHTS_ATTR;
extern const float tiny_bands_active_bias[4] TML_WEIGHTS_ATTR;

#endif
