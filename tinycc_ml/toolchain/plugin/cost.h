/* SPDX-License-Identifier: Apache-2.0 */
/* What the cycle models share. A model prices a straight-line block when it is translated; what
 * depends on a branch being taken is returned apart and added when the block runs. All models
 * assume memory without wait states, aligned accesses and no interrupts. */
#ifndef TML_COST_H
#define TML_COST_H

#include "instruction.h"

enum core {
    CORE_M0,
    CORE_M0PLUS,
    CORE_M3,
    CORE_M4,
    CORE_M7,
    CORE_M33,
    CORE_M55,
    CORE_IBEX,
    CORE_E31
};

/* Each can be set from outside: the names are those of count.c. */
struct cost_params {
    unsigned pipeline_refill; /* cycles that a taken branch adds */
    unsigned divide;
    unsigned multiply; /* M0, Ibex */
    unsigned mispredicted;
    unsigned m7_loads;       /* a cycle */
    unsigned loop_end_first; /* LE that is not in the loop cache */
    bool m55_scalar_overlap; /* scalar instructions run beside vector ones */
    bool address_stall;      /* an address made by the instruction before costs a cycle */
    bool it_folds;           /* IT after a 16-bit instruction is free */
};

struct cost {
    uint32_t base;
    uint8_t taken;  /* more when the closing branch is taken */
    bool predicted; /* the closing branch is predicted: count mispredictions instead */
};

struct block {
    const struct instruction *insns;
    unsigned length;
};

/* For scoreboards: the cycle in which each register of an instruction's masks can be read. */
struct scoreboard {
    uint32_t ready[64];
};

static uint32_t all_ready(const struct scoreboard *board, uint64_t registers, uint32_t earliest)
{
    for (; registers; registers &= registers - 1) {
        uint32_t ready = board->ready[__builtin_ctzll(registers)];
        earliest = ready > earliest ? ready : earliest;
    }
    return earliest;
}

/* The updated base and the flags come after one cycle, everything else after `latency`. */
static void set_ready(struct scoreboard *board, const struct instruction *insn, uint32_t now,
                      uint32_t latency)
{
    for (uint64_t left = insn->writes; left; left &= left - 1) {
        unsigned reg = (unsigned)__builtin_ctzll(left);
        bool base = insn->write_back && reg < 16 && BIT(insn->address, reg);
        board->ready[reg] = now + (base || reg == 16 ? 1U : latency);
    }
}

static bool is_conditional_in_it(const struct instruction *insn)
{
    return insn->branch == BR_COND && insn->cls != C_BCC && insn->cls != C_CBZ;
}

static uint32_t at_least_1(uint32_t cycles)
{
    return cycles ? cycles : 1U;
}

#endif
