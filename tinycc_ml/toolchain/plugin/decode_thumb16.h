/* SPDX-License-Identifier: Apache-2.0 */
/* The 16-bit Thumb encodings, from the encoding tables of the Armv6-M and Armv7-M manuals. */
#ifndef TML_DECODE_THUMB16_H
#define TML_DECODE_THUMB16_H

#include "instruction.h"

/* ALU operations set the flags outside IT blocks only. */
static uint64_t flags_unless_it(bool in_it)
{
    return in_it ? 0U : FLAGS;
}

/* 000xx: shifts by an immediate, and ADD and SUB of three operands. */
static void decode16_shift_add(unsigned h, bool in_it, struct instruction *insn)
{
    bool add = h >> 11 == 3;
    bool immediate = BIT(h, 10);
    insn->cls = add || h >> 6 == 0 ? C_ALU : C_ALUSH;
    insn->reads = r_reg(BITS(h, 5, 3)) | (add && !immediate ? r_reg(BITS(h, 8, 6)) : 0U);
    insn->writes = r_reg(BITS(h, 2, 0)) | flags_unless_it(in_it);
}

/* 001xx: MOV, CMP, ADD, SUB of an 8-bit immediate. */
static void decode16_immediate(unsigned h, bool in_it, struct instruction *insn)
{
    enum { MOV, CMP };
    unsigned operation = BITS(h, 12, 11);
    uint64_t reg = r_reg(BITS(h, 10, 8));
    insn->cls = C_ALU;
    insn->reads = operation == MOV ? 0U : reg;
    insn->writes = operation == CMP ? FLAGS : reg | flags_unless_it(in_it);
}

/* 010000: two-operand data processing. */
static void decode16_data(unsigned h, bool in_it, struct instruction *insn)
{
    enum {
        LSL = 2,
        LSR = 3,
        ASR = 4,
        ADC = 5,
        SBC = 6,
        ROR = 7,
        TST = 8,
        NEG = 9,
        CMP = 10,
        CMN = 11,
        MUL = 13,
        MVN = 15
    };
    unsigned operation = BITS(h, 9, 6);
    uint64_t rm = r_reg(BITS(h, 5, 3));
    uint64_t rd = r_reg(BITS(h, 2, 0));
    bool shift = operation == LSL || operation == LSR || operation == ASR || operation == ROR;
    bool compare = operation == TST || operation == CMP || operation == CMN;
    bool one_source = operation == NEG || operation == MVN;
    bool carry_in = operation == ADC || operation == SBC;
    insn->cls = operation == MUL ? C_MUL : shift ? C_ALUSH : C_ALU;
    insn->reads = rm | (one_source ? 0U : rd) | (carry_in ? FLAGS : 0U);
    insn->writes = compare ? FLAGS : rd | flags_unless_it(in_it);
}

/* 010001: ADD, CMP, MOV of all registers, BX and BLX. */
static void decode16_high(unsigned h, struct instruction *insn)
{
    enum { CMP = 1, MOV = 2, BRANCH = 3 };
    unsigned operation = BITS(h, 9, 8);
    unsigned rd = BITS(h, 2, 0) | BIT(h, 7) << 3;
    unsigned rm = BITS(h, 6, 3);
    if (operation == BRANCH) {
        bool link = BIT(h, 7);
        insn->cls = link ? C_BLX : C_BX;
        insn->branch = link ? BR_INDIRECT_CALL : rm == 14 ? BR_RETURN : BR_INDIRECT;
        insn->reads = r_reg(rm);
        insn->writes = link ? r_reg(14) : 0U;
        return;
    }
    insn->cls = C_ALU;
    insn->reads = r_reg(rm) | (operation == MOV ? 0U : r_reg(rd));
    insn->writes = operation == CMP ? FLAGS : r_reg(rd);
    if (operation != CMP && rd == 15) {
        insn->cls = C_ALUPC;
        insn->branch = rm == 14 ? BR_RETURN : BR_INDIRECT;
    }
}

static void load_or_store16(bool load, uint64_t address, uint64_t reg, struct instruction *insn)
{
    insn->cls = load ? C_LDR : C_STR;
    insn->address = (uint32_t)address;
    insn->reads = address | (load ? 0U : reg);
    insn->writes = load ? reg : 0U;
}

/* 0101, 011x, 1000, 1001: loads and stores by register, immediate and SP. */
static void decode16_memory(unsigned h, struct instruction *insn)
{
    uint64_t base = r_reg(BITS(h, 5, 3));
    uint64_t reg = r_reg(BITS(h, 2, 0));
    if (h >> 12 == 5) {
        load_or_store16(BITS(h, 11, 9) >= 3, base | r_reg(BITS(h, 8, 6)), reg, insn);
        insn->reg_offset = true;
    } else if (h >> 12 == 9) {
        load_or_store16(BIT(h, 11), r_reg(13), r_reg(BITS(h, 10, 8)), insn);
    } else {
        load_or_store16(BIT(h, 11), base, reg, insn);
    }
}

static void decode16_push(unsigned h, struct instruction *insn)
{
    insn->cls = C_STM;
    insn->n = count_registers(h & 0x1ffU);
    insn->address = (uint32_t)r_reg(13);
    insn->reads = r_reg(13) | (h & 0xffU) | (BIT(h, 8) ? r_reg(14) : 0U);
    insn->writes = r_reg(13);
    insn->write_back = true;
}

static void decode16_pop(unsigned h, struct instruction *insn)
{
    bool with_pc = BIT(h, 8);
    insn->cls = with_pc ? C_POPPC : C_LDM;
    insn->branch = with_pc ? BR_RETURN : BR_NONE;
    insn->n = count_registers(h & 0x1ffU);
    insn->address = (uint32_t)r_reg(13);
    insn->reads = r_reg(13);
    insn->writes = r_reg(13) | (h & 0xffU);
    insn->write_back = true;
}

/* Extensions (B2xx) and byte reversals (BAxx). */
static void decode16_extend(unsigned h, struct instruction *insn)
{
    insn->cls = C_ALUSH;
    insn->reads = r_reg(BITS(h, 5, 3));
    insn->writes = r_reg(BITS(h, 2, 0));
}

/* 1011: the miscellaneous instructions. */
static void decode16_misc(unsigned h, struct instruction *insn)
{
    if ((h & 0xff00U) == 0xb000U) { /* ADD, SUB SP */
        insn->cls = C_ALU;
        insn->reads = insn->writes = r_reg(13);
    } else if ((h & 0xf500U) == 0xb100U) {
        insn->cls = C_CBZ;
        insn->branch = BR_COND;
        insn->reads = r_reg(BITS(h, 2, 0));
    } else if ((h & 0xff00U) == 0xb200U) {
        decode16_extend(h, insn);
    } else if ((h & 0xfe00U) == 0xb400U) {
        decode16_push(h, insn);
    } else if ((h & 0xffe0U) == 0xb660U) { /* CPS */
        insn->cls = C_SYS;
    } else if ((h & 0xffc0U) == 0xba80U || (h & 0xff00U) == 0xbe00U) { /* HLT, BKPT */
        insn->cls = C_BKPT;
    } else if ((h & 0xff00U) == 0xba00U) {
        decode16_extend(h, insn);
    } else if ((h & 0xfe00U) == 0xbc00U) {
        decode16_pop(h, insn);
    } else if ((h & 0xff00U) == 0xbf00U) {
        bool hint = BITS(h, 3, 0) == 0;
        insn->cls = hint ? C_NOP : C_IT;
        insn->reads = hint ? 0U : FLAGS;
    }
}

/* 1100: LDM and STM with write-back. */
static void decode16_multiple(unsigned h, struct instruction *insn)
{
    bool load = BIT(h, 11);
    uint64_t base = r_reg(BITS(h, 10, 8));
    insn->cls = load ? C_LDM : C_STM;
    insn->n = count_registers(h & 0xffU);
    insn->address = (uint32_t)base;
    insn->reads = base | (load ? 0U : h & 0xffU);
    insn->writes = base | (load ? h & 0xffU : 0U);
    insn->write_back = true;
}

/* 1101: conditional branches, SVC. */
static void decode16_conditional(unsigned h, struct instruction *insn)
{
    unsigned condition = BITS(h, 11, 8);
    if (condition == 15) {
        insn->cls = C_SVC;
    } else if (condition < 14) {
        insn->cls = C_BCC;
        insn->branch = BR_COND;
        insn->reads = FLAGS;
    }
}

/* insn: zeroed. */
static void decode_thumb16(unsigned h, bool in_it, struct instruction *insn)
{
    insn->size = 2;
    insn->cls = C_UNK;
    switch (h >> 11) {
    case 0:
    case 1:
    case 2:
    case 3:
        decode16_shift_add(h, in_it, insn);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        decode16_immediate(h, in_it, insn);
        break;
    case 8:
        if (BIT(h, 10)) {
            decode16_high(h, insn);
        } else {
            decode16_data(h, in_it, insn);
        }
        break;
    case 9: /* literal */
        insn->cls = C_LDR;
        insn->writes = r_reg(BITS(h, 10, 8));
        break;
    case 20:
    case 21: /* ADR, ADD from SP */
        insn->cls = C_ALU;
        insn->reads = BIT(h, 11) ? r_reg(13) : 0U;
        insn->writes = r_reg(BITS(h, 10, 8));
        break;
    case 22:
    case 23:
        decode16_misc(h, insn);
        break;
    case 24:
    case 25:
        decode16_multiple(h, insn);
        break;
    case 26:
    case 27:
        decode16_conditional(h, insn);
        break;
    case 28:
        insn->cls = C_B;
        insn->branch = BR_UNCOND;
        break;
    default: /* 10 to 19; 29 and up begin 32-bit encodings */
        if (h >> 11 < 20) {
            decode16_memory(h, insn);
        }
        break;
    }
}

#endif
