/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle model of each core. */
#ifndef TML_COST_MODELS_H
#define TML_COST_MODELS_H

#include "cost_m0.h"
#include "cost_m3.h"
#include "cost_m55.h"
#include "cost_m7.h"
#include "cost_rv32.h"

static const struct {
    const char *name;
    enum core core;
} core_names[] = {
    {"cortex-m0", CORE_M0},   {"cortex-m0plus", CORE_M0PLUS},
    {"cortex-m3", CORE_M3},   {"cortex-m4", CORE_M4},
    {"cortex-m7", CORE_M7},   {"cortex-m33", CORE_M33},
    {"cortex-m55", CORE_M55}, {"ibex", CORE_IBEX},
    {"e31", CORE_E31},
};

static bool is_riscv(enum core core)
{
    return core == CORE_IBEX || core == CORE_E31;
}

static struct cost block_cost(enum core core, struct block block, const struct cost_params *params)
{
    struct cost cost = {0, 0, false};
    switch (core) {
    case CORE_M0:
    case CORE_M0PLUS:
        cost_m0(block, core == CORE_M0PLUS, params, &cost);
        break;
    case CORE_M3:
    case CORE_M4:
    case CORE_M33:
        cost_m3(block, core, params, &cost);
        break;
    case CORE_M7:
        cost_m7(block, params, &cost);
        break;
    case CORE_M55:
        cost_m55(block, params, &cost);
        break;
    case CORE_IBEX:
        cost_ibex(block, params, &cost);
        break;
    case CORE_E31:
        cost_e31(block, &cost);
        break;
    }
    return cost;
}

#endif
