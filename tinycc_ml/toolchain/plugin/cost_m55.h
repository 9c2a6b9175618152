/* SPDX-License-Identifier: Apache-2.0 */
/* Cortex-M55, for which Arm publishes no table: taken as single-issue with Helium in two beats. A
 * vector instruction holds its pipe for two cycles; one for another may start a cycle later. */
#ifndef TML_COST_M55_H
#define TML_COST_M55_H

#include "cost.h"

enum vector_pipe { NO_PIPE, PIPE_MEMORY, PIPE_MULTIPLY, PIPE_ALU, PIPE_MOVE, PIPES };

struct m55_state {
    struct scoreboard board;
    uint32_t next; /* issue cycle */
    uint32_t vectors_end;
    uint32_t pipe_free[PIPES];
};

static enum vector_pipe m55_pipe(const struct instruction *insn)
{
    switch (insn->cls) {
    case C_MVELD:
    case C_MVEST:
    case C_MVEGLD:
    case C_MVEGST:
    case C_MVEILD:
    case C_MVEIST:
        return PIPE_MEMORY;
    case C_MVEMUL:
        return PIPE_MULTIPLY;
    case C_MVEALU:
    case C_MVEPRED:
        return PIPE_ALU;
    case C_MVEMOV:
        return PIPE_MOVE;
    default:
        return NO_PIPE;
    }
}

static uint32_t m55_beats(const struct instruction *insn)
{
    switch (insn->cls) {
    case C_MVEGLD:
    case C_MVEGST:
        return 4;
    case C_MVEMOV:
    case C_MVEPRED:
        return 1;
    default:
        return 2;
    }
}

/* Vectors are passed on beat by beat; core registers get their result after the last one. */
static void m55_vector_results(struct m55_state *state, const struct instruction *insn,
                               uint32_t now)
{
    for (uint64_t left = insn->writes; left; left &= left - 1) {
        unsigned reg = (unsigned)__builtin_ctzll(left);
        bool accumulates = insn->cls == C_MVEMUL && (insn->reads >> reg & 1U);
        uint32_t latency = m55_beats(insn) + (accumulates ? 0U : 1U);
        if (reg >= 32) {
            latency = insn->cls == C_MVEGLD ? 4 : 1;
        } else if (insn->address >> reg & 1U) {
            latency = 1;
        }
        state->board.ready[reg] = now + latency;
    }
}

static void m55_vector(struct m55_state *state, const struct instruction *insn)
{
    enum vector_pipe pipe = m55_pipe(insn);
    uint32_t beats = m55_beats(insn);
    uint32_t now = all_ready(&state->board, insn->reads, state->next);
    now = state->pipe_free[pipe] > now ? state->pipe_free[pipe] : now;
    state->pipe_free[pipe] = now + beats;
    state->vectors_end = now + beats > state->vectors_end ? now + beats : state->vectors_end;
    m55_vector_results(state, insn, now);
    state->next = now + (beats > 2 ? beats - 1U : 1U);
}

static uint32_t m55_latency(const struct instruction *insn, const struct cost_params *params)
{
    switch (insn->cls) {
    case C_LDR:
    case C_LDREX:
    case C_VLDR:
    case C_LDRD:
    case C_MUL:
    case C_MLA:
    case C_MULL:
    case C_MLAL:
    case C_DSPMUL:
        return 2;
    case C_LDM:
    case C_VLDM:
        return at_least_1((insn->n + 1U) / 2U) + 1U;
    case C_DIV:
        return params->divide;
    case C_VADD:
    case C_VMUL:
        return insn->reads ? 2U : 1U;
    case C_VMLA:
        return 3;
    case C_VDIV:
    case C_VSQRT:
        return insn->is_double ? 28U : 14U;
    default:
        return 1;
    }
}

/* Cycles until the next instruction may issue. LE costs only what count.c adds when the loop is
 * entered. */
static uint32_t m55_occupies(const struct instruction *insn, const struct instruction *previous,
                             const struct cost_params *params)
{
    uint32_t refill = params->pipeline_refill;
    uint32_t pairs = (insn->n + 1U) / 2U;
    switch (insn->cls) {
    case C_LDM:
    case C_VLDM:
    case C_STM:
    case C_VSTM:
        return at_least_1(pairs);
    case C_POPPC:
        return pairs + refill + 1U;
    case C_DIV:
        return params->divide;
    case C_B:
    case C_BL:
    case C_BX:
    case C_BLX:
    case C_ALUPC:
        return 1U + refill;
    case C_LDRPC:
    case C_TBB:
        return 2U + refill;
    case C_LE:
        return 0;
    case C_IT:
        return params->it_folds && previous && previous->size == 2 ? 0U : 1U;
    case C_BARRIER:
        return 3;
    case C_SYS:
        return 2;
    default:
        return 1;
    }
}

static void m55_scalar(struct m55_state *state, const struct instruction *insn,
                       const struct instruction *previous, const struct cost_params *params,
                       struct cost *cost)
{
    uint32_t refill = params->pipeline_refill;
    uint32_t occupies = m55_occupies(insn, previous, params);
    uint32_t now = all_ready(&state->board, insn->reads, state->next);
    if (insn->cls != C_LE && !params->m55_scalar_overlap && state->vectors_end > now) {
        now = state->vectors_end;
    }
    if (insn->cls == C_BCC || insn->cls == C_CBZ || insn->cls == C_WLS) {
        cost->taken = (uint8_t)refill;
    } else if (is_conditional_in_it(insn) && occupies > refill) {
        occupies -= refill;
        cost->taken = (uint8_t)refill;
    }
    set_ready(&state->board, insn, now, m55_latency(insn, params));
    state->next = now + occupies;
}

/* A loop closed by LE overlaps with its own next pass: it costs the larger of the issue time and of
 * what the busiest pipe has to do. The wrap counts when the last and the first instruction share a
 * pipe. */
static uint32_t m55_loop_body(const struct m55_state *state, struct block block)
{
    uint32_t busy[PIPES] = {0};
    uint32_t cycles = state->next;
    for (unsigned i = 0; i < block.length; i++) {
        busy[m55_pipe(&block.insns[i])] += m55_beats(&block.insns[i]);
    }
    for (unsigned pipe = PIPE_MEMORY; pipe < PIPES; pipe++) {
        cycles = busy[pipe] > cycles ? busy[pipe] : cycles;
    }
    if (block.length >= 2) {
        enum vector_pipe last = m55_pipe(&block.insns[block.length - 2]);
        bool wraps = last != NO_PIPE && last == m55_pipe(&block.insns[0]);
        cycles = wraps && state->pipe_free[last] > cycles ? state->pipe_free[last] : cycles;
    }
    return cycles;
}

static void cost_m55(struct block block, const struct cost_params *params, struct cost *cost)
{
    struct m55_state state;
    memset(&state, 0, sizeof state);
    for (unsigned i = 0; i < block.length; i++) {
        const struct instruction *insn = &block.insns[i];
        if (m55_pipe(insn) != NO_PIPE) {
            m55_vector(&state, insn);
        } else {
            m55_scalar(&state, insn, i ? insn - 1 : NULL, params, cost);
        }
    }
    if (block.length && block.insns[block.length - 1].cls == C_LE) {
        cost->base = m55_loop_body(&state, block);
    } else {
        cost->base = state.vectors_end > state.next ? state.vectors_end : state.next;
    }
}

#endif
