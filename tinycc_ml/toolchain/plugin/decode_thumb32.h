/* SPDX-License-Identifier: Apache-2.0 */
/* The 32-bit Thumb encodings but floating point and Helium, from the encoding tables of the Armv7-M
 * and Armv8.1-M manuals. h1, h2: the two halfwords. */
#ifndef TML_DECODE_THUMB32_H
#define TML_DECODE_THUMB32_H

#include "instruction.h"

#define RN(h1) BITS(h1, 3, 0)
#define RD(h2) BITS(h2, 11, 8)
#define RM(h2) BITS(h2, 3, 0)
#define RT(h2) BITS(h2, 15, 12)

/* AND, BIC ... with S and Rd = PC are TST, TEQ, CMN, CMP. */
static bool is_compare(unsigned operation, bool sets_flags, unsigned rd)
{
    bool has_compare = operation == 0 || operation == 4 || operation == 8 || operation == 13;
    return has_compare && rd == 15 && sets_flags;
}

static bool takes_carry(unsigned operation)
{
    return operation == 10 || operation == 11;
}

static void decode32_multiple(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool load = BIT(h1, 4);
    uint64_t base = r_reg(RN(h1));
    if (h1 == 0xe89fU) { /* CLRM */
        insn->cls = C_ALU;
        insn->writes = h2;
        return;
    }
    insn->cls = load ? C_LDM : C_STM;
    insn->n = count_registers(h2);
    insn->address = (uint32_t)base;
    insn->write_back = BIT(h1, 5);
    insn->reads = base | (load ? 0U : h2);
    insn->writes = (insn->write_back ? base : 0U) | (load ? h2 : 0U);
    if (load && BIT(h2, 15)) {
        insn->cls = C_POPPC;
        insn->branch = RN(h1) == 13 ? BR_RETURN : BR_INDIRECT;
    }
}

static void decode32_pair(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool load = BIT(h1, 4);
    uint64_t base = r_reg_or_none(RN(h1));
    uint64_t pair = r_reg(RT(h2)) | r_reg(RD(h2));
    if (h1 == 0xe97fU && h2 == 0xe97fU) { /* SG */
        insn->cls = C_NOP;
        return;
    }
    insn->cls = load ? C_LDRD : C_STRD;
    insn->n = 2;
    insn->address = (uint32_t)base;
    insn->write_back = BIT(h1, 5);
    insn->reads = base | (load ? 0U : pair);
    insn->writes = (insn->write_back ? r_reg(RN(h1)) : 0U) | (load ? pair : 0U);
}

/* LDREX, STREX, TT. */
static void decode32_exclusive(unsigned h1, unsigned h2, struct instruction *insn)
{
    uint64_t base = r_reg(RN(h1));
    insn->address = (uint32_t)base;
    insn->n = 1;
    insn->reads = base;
    if (BITS(h1, 5, 4) != 0) {
        insn->cls = C_LDREX;
        insn->writes = r_reg(RT(h2));
    } else if (RT(h2) == 15) { /* TT */
        insn->cls = C_ALU;
        insn->writes = r_reg(RD(h2));
    } else {
        insn->cls = C_STREX;
        insn->reads |= r_reg(RT(h2));
        insn->writes = r_reg(RD(h2));
    }
}

/* TBB, TBH, acquiring loads and releasing stores, exclusive or not. */
static void decode32_ordered(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool load = BITS(h1, 5, 4) != 0;
    bool plain = BITS(h2, 7, 6) == 2;
    uint64_t base = r_reg(RN(h1));
    insn->address = (uint32_t)base;
    insn->n = 1;
    insn->reads = base;
    if (load && BITS(h2, 7, 4) < 2) {
        insn->cls = C_TBB;
        insn->branch = BR_INDIRECT;
        insn->reads |= r_reg(RM(h2));
        insn->address |= (uint32_t)r_reg(RM(h2));
    } else if (load) {
        insn->cls = plain ? C_LDR : C_LDREX;
        insn->writes = r_reg(RT(h2));
    } else {
        insn->cls = plain ? C_STR : C_STREX;
        insn->reads |= r_reg(RT(h2));
        insn->writes = plain ? 0U : r_reg(RM(h2));
    }
}

/* 1110 100: loads and stores of several registers, exclusive ones, table branches. */
static void decode32_multi_memory(unsigned h1, unsigned h2, struct instruction *insn)
{
    if (!BIT(h1, 6)) {
        decode32_multiple(h1, h2, insn);
    } else if (BIT(h1, 8) || BIT(h1, 5)) {
        decode32_pair(h1, h2, insn);
    } else if (BIT(h1, 7)) {
        decode32_ordered(h1, h2, insn);
    } else {
        decode32_exclusive(h1, h2, insn);
    }
}

/* 1110 101: data processing with a shifted register. */
static void decode32_shifted(unsigned h1, unsigned h2, struct instruction *insn)
{
    unsigned operation = BITS(h1, 8, 5);
    bool sets_flags = BIT(h1, 4);
    unsigned amount = BITS(h2, 14, 12) << 2 | BITS(h2, 7, 6);
    unsigned shift_type = BITS(h2, 5, 4);
    bool is_move = operation == 2 && sets_flags;
    if (is_move && BIT(h2, 15)) { /* CSEL, CSINC, CSINV, CSNEG */
        insn->cls = C_ALU;
        insn->reads = r_reg_or_none(RN(h1)) | r_reg_or_none(RM(h2)) | FLAGS;
        insn->writes = r_reg(RD(h2));
        return;
    }
    if (is_move && (RM(h2) == 15 || RM(h2) == 13)) { /* long shifts: LSLL, ASRL, SQRSHR ... */
        insn->cls = C_ALUSH;
        insn->writes = r_reg(RN(h1) & 14U) | r_reg(RD(h2) | 1U);
        insn->reads = insn->writes | r_reg(RT(h2));
        return;
    }
    insn->cls = amount || shift_type ? C_ALUSH : C_ALU;
    insn->reads = r_reg(RM(h2)) | r_reg_or_none(RN(h1));
    if (is_compare(operation, sets_flags, RD(h2))) {
        insn->writes = FLAGS;
        return;
    }
    bool rrx = (operation == 2 || operation == 3) && shift_type == 3 && amount == 0;
    insn->reads |= takes_carry(operation) || rrx ? FLAGS : 0U;
    insn->cls = operation == 6 ? C_DSP : insn->cls; /* PKHBT, PKHTB */
    insn->writes = r_reg(RD(h2)) | (sets_flags ? FLAGS : 0U);
}

/* 1111 0x0: data processing with a modified immediate. */
static void decode32_immediate(unsigned h1, unsigned h2, struct instruction *insn)
{
    unsigned operation = BITS(h1, 8, 5);
    bool sets_flags = BIT(h1, 4);
    insn->cls = C_ALU;
    insn->reads = r_reg_or_none(RN(h1));
    if (is_compare(operation, sets_flags, RD(h2))) {
        insn->writes = FLAGS;
        return;
    }
    insn->reads |= takes_carry(operation) ? FLAGS : 0U;
    insn->writes = r_reg(RD(h2)) | (sets_flags ? FLAGS : 0U);
}

/* 1111 0x1: ADDW, SUBW, MOVW, MOVT, saturation, bit fields. */
static void decode32_plain_immediate(unsigned h1, unsigned h2, struct instruction *insn)
{
    enum {
        MOVW = 4,
        MOVT = 12,
        SSAT = 16,
        SSAT16 = 18,
        SBFX = 20,
        BFI = 22,
        USAT = 24,
        USAT16 = 26,
        UBFX = 28
    };
    bool shifts = (h2 & 0x70c0U) != 0;
    insn->cls = C_ALU;
    insn->reads = r_reg_or_none(RN(h1));
    insn->writes = r_reg(RD(h2));
    switch (BITS(h1, 8, 4)) {
    case MOVW:
        insn->reads = 0;
        break;
    case MOVT:
        insn->reads = r_reg(RD(h2));
        break;
    case SSAT16:
    case USAT16: /* with a shift: SSAT, USAT of an ASR */
        insn->cls = shifts ? C_ALUSH : C_DSP;
        break;
    case SSAT:
    case USAT:
    case SBFX:
    case UBFX:
        insn->cls = C_ALUSH;
        break;
    case BFI:
        insn->cls = C_ALUSH;
        insn->reads |= r_reg(RD(h2));
        break;
    default:
        break;
    }
}

/* Conditional branches, and the system instructions in their place. */
static void decode32_branch_or_system(unsigned h1, unsigned h2, struct instruction *insn)
{
    if (BITS(h1, 9, 7) != 7) {
        insn->cls = C_BCC;
        insn->branch = BR_COND;
        insn->reads = FLAGS;
    } else if ((h1 & 0xffe0U) == 0xf380U) { /* MSR */
        insn->cls = C_SYS;
        insn->reads = r_reg(RN(h1));
        insn->writes = FLAGS;
    } else if (h1 == 0xf3afU) { /* hints */
        insn->cls = (h2 & 0x700U) ? C_SYS : C_NOP;
    } else if (h1 == 0xf3bfU) {
        insn->cls = C_BARRIER;
    } else if ((h1 & 0xffe0U) == 0xf3e0U) { /* MRS */
        insn->cls = C_SYS;
        insn->reads = FLAGS;
        insn->writes = r_reg(RD(h2));
    }
}

/* Low-overhead loops; VCTP and the branch-future hints share their encodings. */
static void decode32_loop(unsigned h1, unsigned h2, struct instruction *insn)
{
    uint64_t link = r_reg(14);
    if ((h1 & 0xff80U) != 0xf000U || !BIT(h2, 0)) {
        insn->cls = C_NOP;
    } else if (h1 == 0xf00fU && h2 == 0xe001U) {
        insn->cls = C_LCTP;
    } else if ((h2 & 0xf001U) == 0xe001U && (h2 & 0x0fffU) == 0x801U) { /* VCTP */
        insn->cls = C_MVEPRED;
        insn->reads = r_reg(RN(h1));
    } else if ((h2 & 0xf001U) == 0xe001U) {
        insn->cls = C_DLS;
        insn->reads = r_reg(RN(h1));
        insn->writes = link;
    } else if ((h1 & 0xffcfU) == 0xf00fU && !BIT(h1, 6)) {
        insn->cls = C_LE;
        insn->branch = BR_LOOP_END;
        insn->reads = insn->writes = link;
    } else {
        insn->cls = C_WLS;
        insn->branch = BR_LOOP_START;
        insn->reads = r_reg(RN(h1));
        insn->writes = link;
    }
}

/* 1111 0, second halfword 1: branches and system instructions. */
static void decode32_control(unsigned h1, unsigned h2, struct instruction *insn)
{
    switch (h2 & 0xd000U) {
    case 0x8000U:
        decode32_branch_or_system(h1, h2, insn);
        break;
    case 0x9000U:
        insn->cls = C_B;
        insn->branch = BR_UNCOND;
        break;
    case 0xd000U:
        insn->cls = C_BL;
        insn->branch = BR_CALL;
        insn->writes = r_reg(14);
        break;
    default:
        decode32_loop(h1, h2, insn);
        break;
    }
}

#endif
