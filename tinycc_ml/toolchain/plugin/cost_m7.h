/* SPDX-License-Identifier: Apache-2.0 */
/* Cortex-M7, for which Arm publishes no table: taken as in-order, two instructions a cycle, priced
 * by a scoreboard for each block. No state goes from block to block; caches always hit. */
#ifndef TML_COST_M7_H
#define TML_COST_M7_H

#include "cost.h"

/* What was issued in the current cycle. */
struct m7_cycle {
    unsigned slots;
    unsigned loads;
    unsigned stores;
    unsigned shifts;
    unsigned fps;
    unsigned branches;
    uint64_t written;
};

struct m7_state {
    struct scoreboard board;
    struct m7_cycle issued;
    uint32_t now;
    uint32_t divider_free;
};

static bool m7_is_shift(const struct instruction *insn)
{
    return insn->cls == C_ALUSH || insn->cls == C_DSP;
}

static bool m7_is_mac(const struct instruction *insn)
{
    return insn->cls >= C_MUL && insn->cls <= C_DSP;
}

static bool m7_is_fp(const struct instruction *insn)
{
    return insn->cls >= C_VADD && insn->cls <= C_VMOVG2;
}

static bool m7_is_load(const struct instruction *insn)
{
    return insn->cls == C_LDR || insn->cls == C_VLDR;
}

static bool m7_is_store(const struct instruction *insn)
{
    return insn->cls == C_STR || insn->cls == C_VSTR;
}

/* Moves several words, so nothing issues with it. */
static bool m7_is_multiple(const struct instruction *insn)
{
    switch (insn->cls) {
    case C_LDM:
    case C_STM:
    case C_POPPC:
    case C_VLDM:
    case C_VSTM:
    case C_LDRD:
    case C_STRD:
        return true;
    default:
        return false;
    }
}

static bool m7_issues_alone(const struct instruction *insn)
{
    switch (insn->cls) {
    case C_DIV:
    case C_BARRIER:
    case C_SYS:
    case C_TBB:
    case C_LDRPC:
        return true;
    default:
        return m7_is_multiple(insn);
    }
}

/* Whether an instruction can be the second of this cycle. */
static bool m7_pairs(const struct m7_cycle *issued, const struct instruction *insn,
                     unsigned max_loads)
{
    bool depends = (issued->written & (insn->reads | (insn->writes & ~FLAGS))) != 0;
    if (depends || issued->branches || m7_issues_alone(insn)) {
        return false;
    }
    if (m7_is_mac(insn)) { /* in the older slot only */
        return false;
    }
    if ((m7_is_shift(insn) && issued->shifts) || (m7_is_fp(insn) && issued->fps)) {
        return false;
    }
    if (m7_is_load(insn)) {
        return issued->loads < max_loads && !issued->stores;
    }
    return !m7_is_store(insn) || !(issued->stores || issued->loads);
}

static void m7_advance(struct m7_state *state, uint32_t to)
{
    state->now = to;
    memset(&state->issued, 0, sizeof state->issued);
}

/* Moves on to the cycle in which the instruction issues. */
static void m7_wait(struct m7_state *state, const struct instruction *insn, unsigned max_loads)
{
    bool divides = insn->cls == C_VDIV || insn->cls == C_VSQRT;
    uint32_t earliest = all_ready(&state->board, insn->reads, state->now);
    if (divides && state->divider_free > earliest) {
        earliest = state->divider_free;
    }
    if (earliest > state->now) {
        m7_advance(state, earliest);
    }
    unsigned slots = state->issued.slots;
    if (slots >= 2 || (slots == 1 && !m7_pairs(&state->issued, insn, max_loads))) {
        m7_advance(state, all_ready(&state->board, insn->reads, state->now + 1U));
    }
}

static uint32_t m7_latency(const struct instruction *insn, const struct cost_params *params)
{
    switch (insn->cls) {
    case C_LDR:
    case C_VLDR:
    case C_LDREX:
    case C_MUL:
    case C_MLA:
    case C_MULL:
    case C_MLAL:
    case C_DSPMUL:
        return 2;
    case C_LDM:
    case C_VLDM:
    case C_LDRD:
        return 2U + (insn->n ? (insn->n + 1U) / 2U - 1U : 0U);
    case C_DIV:
        return params->divide;
    case C_VADD:
    case C_VMUL:
        return insn->reads ? 3U : 1U;
    case C_VMLA:
        return 6;
    case C_VDIV:
    case C_VSQRT:
        return insn->is_double ? 28U : 14U;
    default:
        return 1;
    }
}

/* Cycles in which nothing else issues. */
static uint32_t m7_blocks(const struct instruction *insn, const struct cost_params *params)
{
    uint32_t pairs = (insn->n + 1U) / 2U;
    switch (insn->cls) {
    case C_DIV:
        return params->divide - 1U;
    case C_LDM:
    case C_VLDM:
    case C_LDRD:
    case C_STM:
        return pairs ? pairs - 1U : 0U;
    case C_VSTM:
        return insn->n ? insn->n - 1U : 0U;
    case C_POPPC:
        return pairs + 1U;
    case C_LDRPC:
    case C_TBB:
        return 4;
    case C_BX:
    case C_ALUPC:
    case C_BLX:
        return insn->branch == BR_RETURN ? 0U : 2U;
    case C_BARRIER:
        return 5;
    case C_SYS:
        return 2;
    default:
        return 0;
    }
}

static void m7_issue(struct m7_state *state, const struct instruction *insn,
                     const struct cost_params *params)
{
    struct m7_cycle *issued = &state->issued;
    uint32_t latency = m7_latency(insn, params);
    uint32_t blocked = m7_blocks(insn, params);
    if (insn->cls == C_VDIV || insn->cls == C_VSQRT) {
        state->divider_free = state->now + latency - 2U;
    }
    set_ready(&state->board, insn, state->now, latency);
    issued->slots++;
    issued->loads += m7_is_load(insn);
    issued->stores += m7_is_store(insn);
    issued->shifts += m7_is_shift(insn);
    issued->fps += m7_is_fp(insn);
    issued->branches += insn->branch != BR_NONE;
    issued->written |= insn->writes;
    if (m7_is_multiple(insn) || blocked) {
        issued->slots = 2;
    }
    state->now += blocked;
}

static void cost_m7(struct block block, const struct cost_params *params, struct cost *cost)
{
    struct m7_state state;
    memset(&state, 0, sizeof state);
    for (unsigned i = 0; i < block.length; i++) {
        const struct instruction *insn = &block.insns[i];
        m7_wait(&state, insn, params->m7_loads);
        m7_issue(&state, insn, params);
        cost->predicted |= insn->branch == BR_COND;
    }
    cost->base = state.now + 1U;
}

#endif
