/* SPDX-License-Identifier: Apache-2.0 */
/* Cortex-M3 and M4F: the tables and pairing rules of their technical reference manuals. M33, for
 * which Arm publishes none, is taken as an M4 with a load latency of one and no address stall. */
#ifndef TML_COST_M3_H
#define TML_COST_M3_H

#include "cost.h"

static bool is_single_load(const struct instruction *insn)
{
    return insn->cls == C_LDR || insn->cls == C_LDREX;
}

/* A load follows a load in one cycle if the first does not change the base or make the address. */
static bool follows_load(const struct instruction *insn, const struct instruction *previous)
{
    return previous && !previous->write_back && !(previous->writes & insn->address);
}

static uint32_t m3_load(const struct instruction *insn, const struct instruction *previous)
{
    bool pipelined = follows_load(insn, previous) && is_single_load(previous) && !insn->write_back;
    return pipelined ? 1U : 2U;
}

static uint32_t m3_store(const struct instruction *insn, const struct instruction *previous)
{
    if (!insn->reg_offset) {
        return 1;
    }
    return follows_load(insn, previous) && previous->cls == C_LDR ? 1U : 2U;
}

static uint32_t m3_memory(const struct instruction *insn, const struct instruction *previous,
                          bool m33, uint32_t refill)
{
    uint32_t words = insn->n;
    switch (insn->cls) {
    case C_LDR:
    case C_LDREX:
    case C_STREX:
        return m33 ? 1U : m3_load(insn, previous);
    case C_STR:
        return m33 ? 1U : m3_store(insn, previous);
    case C_LDRD:
    case C_STRD:
        return m33 ? 2U : 3U;
    case C_LDM:
    case C_STM:
    case C_VLDM:
    case C_VSTM:
        return at_least_1(m33 ? words : 1U + words);
    case C_VLDR:
    case C_VSTR:
        return m33 ? words : 1U + words;
    case C_POPPC:
        return (m33 ? words : 1U + words) + refill;
    default: /* LDR PC, TBB */
        return 2U + refill;
    }
}

static uint32_t m3_cycles(const struct instruction *insn, const struct instruction *previous,
                          enum core core, const struct cost_params *params)
{
    uint32_t refill = params->pipeline_refill;
    switch (insn->cls) {
    case C_LDR:
    case C_LDREX:
    case C_STREX:
    case C_STR:
    case C_LDRD:
    case C_STRD:
    case C_LDM:
    case C_STM:
    case C_VLDM:
    case C_VSTM:
    case C_VLDR:
    case C_VSTR:
    case C_POPPC:
    case C_LDRPC:
    case C_TBB:
        return m3_memory(insn, previous, core == CORE_M33, refill);
    case C_MLA:
        return core == CORE_M3 ? 2U : 1U;
    case C_MULL:
        return core == CORE_M3 ? 4U : 1U;
    case C_MLAL:
        return core == CORE_M3 ? 5U : 1U;
    case C_DIV:
        return params->divide;
    case C_B:
    case C_BL:
    case C_BX:
    case C_BLX:
    case C_ALUPC:
    case C_BARRIER:
        return 1U + refill;
    case C_IT:
        return params->it_folds && previous && previous->size == 2 ? 0U : 1U;
    case C_SYS:
    case C_VMOVG2:
        return 2;
    case C_VMLA:
        return 3;
    case C_VDIV:
    case C_VSQRT:
        return 14;
    default:
        return 1;
    }
}

static bool is_fp_arithmetic(const struct instruction *insn)
{
    return insn->cls >= C_VADD && insn->cls <= C_VSQRT && insn->reads;
}

/* The integer core; IT and NOP make no result. */
static bool is_data_processing(const struct instruction *insn)
{
    return insn->cls <= C_DIV && insn->cls != C_IT && insn->cls != C_NOP;
}

static bool m33_load_use(const struct instruction *insn, const struct instruction *previous)
{
    bool load = is_single_load(previous) || previous->cls == C_VLDR || previous->cls == C_LDRD ||
                previous->cls == C_LDM;
    uint64_t base = previous->write_back ? previous->address : 0U;
    return load && (previous->writes & ~base & insn->reads);
}

static bool m3_address_stall(const struct instruction *insn, const struct instruction *previous)
{
    bool single = is_single_load(insn) || insn->cls == C_STR || insn->cls == C_STREX;
    bool memory = single || insn->cls == C_LDRD || insn->cls == C_STRD;
    return memory && is_data_processing(previous) && (previous->writes & insn->address & 0x7fffU);
}

static uint32_t m3_stalls(const struct instruction *insn, const struct instruction *previous,
                          enum core core, const struct cost_params *params)
{
    uint64_t fp_registers = ~0x1ffffULL;
    uint32_t stalls = 0;
    if (is_fp_arithmetic(previous) && is_fp_arithmetic(insn)) {
        stalls += (previous->writes & insn->reads & fp_registers) != 0;
    }
    if (core == CORE_M33) {
        stalls += m33_load_use(insn, previous);
    } else if (params->address_stall) {
        stalls += m3_address_stall(insn, previous);
    }
    return stalls;
}

static void cost_m3(struct block block, enum core core, const struct cost_params *params,
                    struct cost *cost)
{
    uint32_t refill = params->pipeline_refill;
    for (unsigned i = 0; i < block.length; i++) {
        const struct instruction *insn = &block.insns[i];
        const struct instruction *previous = i ? insn - 1 : NULL;
        uint32_t cycles = m3_cycles(insn, previous, core, params);
        if (insn->cls == C_BCC || insn->cls == C_CBZ) {
            cost->taken = (uint8_t)refill;
        } else if (is_conditional_in_it(insn) && cycles > refill) {
            cycles -= refill;
            cost->taken = (uint8_t)refill;
        }
        cost->base += cycles + (previous ? m3_stalls(insn, previous, core, params) : 0U);
    }
}

#endif
