/* SPDX-License-Identifier: Apache-2.0 */
/* RV32: Ibex without write-back stage and branch-target ALU, and SiFive's E31. */
#ifndef TML_COST_RV32_H
#define TML_COST_RV32_H

#include "cost.h"

static uint32_t ibex_cycles(const struct instruction *insn, const struct cost_params *params)
{
    switch (insn->cls) {
    case C_RLD:
    case C_RST:
    case C_RJAL:
    case C_RJALR:
    case C_RFENCE:
        return 2;
    case C_RMUL: /* 1: single-cycle multiplier, 3: the "fast" one */
        return params->multiply;
    case C_RMULH:
        return params->multiply + 1U;
    case C_RDIV:
        return 37;
    default:
        return 1;
    }
}

static void cost_ibex(struct block block, const struct cost_params *params, struct cost *cost)
{
    for (unsigned i = 0; i < block.length; i++) {
        cost->base += ibex_cycles(&block.insns[i], params);
        if (block.insns[i].cls == C_RBR) {
            cost->taken = 2;
        }
    }
}

static uint32_t e31_cycles(const struct instruction *insn)
{
    switch (insn->cls) {
    case C_RDIV:
        return 33;
    case C_RJALR:
        return insn->branch == BR_RETURN ? 1U : 3U;
    default:
        return 1;
    }
}

/* The result of a load or multiplication comes a cycle late. */
static bool e31_waits(const struct instruction *insn, const struct instruction *previous)
{
    bool late = previous->cls == C_RLD || previous->cls == C_RMUL || previous->cls == C_RMULH;
    return late && (previous->writes & insn->reads);
}

static void cost_e31(struct block block, struct cost *cost)
{
    for (unsigned i = 0; i < block.length; i++) {
        const struct instruction *insn = &block.insns[i];
        cost->base += e31_cycles(insn) + (i && e31_waits(insn, insn - 1) ? 1U : 0U);
        cost->predicted |= insn->cls == C_RBR;
    }
}

#endif
