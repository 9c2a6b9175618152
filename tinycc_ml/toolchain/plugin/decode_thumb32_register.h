/* SPDX-License-Identifier: Apache-2.0 */
/* The 32-bit Thumb encodings 1111 1xxx: loads and stores of one register, data processing and
 * multiplication of registers. h1, h2: the two halfwords. */
#ifndef TML_DECODE_THUMB32_REGISTER_H
#define TML_DECODE_THUMB32_REGISTER_H

#include "decode_thumb32.h"

static void set_load32(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool is_word = BITS(h1, 6, 5) == 2;
    if (RT(h2) != 15) {
        insn->cls = C_LDR;
        insn->writes |= r_reg(RT(h2));
    } else if (!is_word) {
        insn->cls = C_PLD;
    } else {
        insn->cls = C_LDRPC;
        insn->branch = RN(h1) == 13 ? BR_RETURN : BR_INDIRECT;
    }
}

/* 1111 100: LDR, STR of all sizes; PLD. */
static void decode32_memory(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool load = BIT(h1, 4);
    bool literal = RN(h1) == 15 && load;
    uint64_t address = literal ? 0U : r_reg(RN(h1));
    if (BITS(h1, 6, 5) == 3) {
        return;
    }
    if (!literal && !BIT(h1, 7)) {
        insn->reg_offset = !BIT(h2, 11);
        insn->write_back = BIT(h2, 11) && BIT(h2, 8);
        address |= insn->reg_offset ? r_reg(RM(h2)) : 0U;
        insn->writes = insn->write_back ? r_reg(RN(h1)) : 0U;
    }
    insn->address = (uint32_t)address;
    insn->reads = address;
    insn->n = 1;
    if (load) {
        set_load32(h1, h2, insn);
    } else {
        insn->cls = C_STR;
        insn->reads |= r_reg(RT(h2));
    }
}

/* 1111 1010: shifts by a register, extensions, SIMD arithmetic, SEL, reversals, CLZ. */
static void decode32_register(unsigned h1, unsigned h2, struct instruction *insn)
{
    unsigned a = BITS(h1, 7, 4);
    unsigned b = BITS(h2, 7, 4);
    bool extends_only = RN(h1) == 15; /* not added to another register */
    insn->writes = r_reg(RD(h2));
    insn->reads = r_reg(RN(h1)) | r_reg(RM(h2));
    if (a < 8 && b == 0) {
        insn->cls = C_ALUSH;
        insn->writes |= BIT(a, 0) ? FLAGS : 0U;
    } else if (a < 8 && b >= 8) {
        bool halves = a == 2 || a == 3; /* SXTB16, UXTB16 */
        insn->cls = extends_only && !halves ? C_ALUSH : C_DSP;
        insn->reads = extends_only ? r_reg(RM(h2)) : insn->reads;
    } else if (a >= 8 && b < 8) {
        insn->cls = C_DSP;
    } else if (a >= 8 && a < 12 && b < 12) {
        bool select = a == 10;
        insn->cls = a == 8 || select ? C_DSP : C_ALUSH;
        insn->reads |= select ? FLAGS : 0U;
    }
}

/* 1111 1011 0: multiplications with a 32-bit result. */
static void decode32_multiply(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool accumulates = RT(h2) != 15;
    unsigned b = BITS(h2, 7, 4);
    insn->reads = r_reg(RN(h1)) | r_reg(RM(h2)) | r_reg_or_none(RT(h2));
    insn->writes = r_reg(RD(h2));
    if (BITS(h1, 6, 4) != 0) {
        insn->cls = C_DSPMUL;
    } else if (b == 0) {
        insn->cls = accumulates ? C_MLA : C_MUL;
    } else if (b == 1) { /* MLS */
        insn->cls = C_MLA;
    }
}

/* 1111 1011 1: multiplications with a 64-bit result, divisions. */
static void decode32_long_multiply(unsigned h1, unsigned h2, struct instruction *insn)
{
    unsigned a = BITS(h1, 6, 4);
    bool plain = BITS(h2, 7, 4) == 0;
    insn->reads = r_reg(RN(h1)) | r_reg(RM(h2));
    if (a == 1 || a == 3) {
        insn->cls = C_DIV;
        insn->writes = r_reg(RD(h2));
        return;
    }
    insn->writes = r_reg(RT(h2)) | r_reg(RD(h2));
    if (a == 0 || a == 2) {
        insn->cls = C_MULL;
        return;
    }
    insn->reads |= insn->writes;
    insn->cls = plain && (a == 4 || a == 6) ? C_MLAL : C_DSPMUL;
}

#endif
