/* SPDX-License-Identifier: Apache-2.0 */
/* Cortex-M0 and M0+: the tables of their technical reference manuals. */
#ifndef TML_COST_M0_H
#define TML_COST_M0_H

#include "cost.h"

static uint32_t m0_cycles(const struct instruction *insn, bool plus,
                          const struct cost_params *params)
{
    uint32_t branch = plus ? 2 : 3;
    switch (insn->cls) {
    case C_LDR:
    case C_STR:
        return 2;
    case C_LDM:
    case C_STM:
        return 1U + insn->n;
    case C_POPPC: /* n counts the PC */
        return branch + 1U + insn->n;
    case C_MUL:
        return params->multiply;
    case C_B:
    case C_BX:
    case C_BLX:
    case C_ALUPC:
        return branch;
    case C_BL:
    case C_BARRIER:
        return branch + 1U;
    case C_SYS:
        return insn->size == 2 ? 1U : branch + 1U;
    default:
        return 1;
    }
}

static void cost_m0(struct block block, bool plus, const struct cost_params *params,
                    struct cost *cost)
{
    for (unsigned i = 0; i < block.length; i++) {
        const struct instruction *insn = &block.insns[i];
        cost->base += m0_cycles(insn, plus, params);
        if (insn->cls == C_BCC) {
            cost->taken = plus ? 1 : 2;
        }
    }
}

#endif
