/* SPDX-License-Identifier: Apache-2.0 */
/* Scalar floating point (FPv4, FPv5), from the encoding tables of the Armv7-M and Armv8-M manuals.
 * h1, h2: the two halfwords. Coprocessor 9 is half, 10 single, 11 double precision. */
#ifndef TML_DECODE_FP_H
#define TML_DECODE_FP_H

#include "instruction.h"

static bool is_fp_coprocessor(unsigned coprocessor)
{
    return coprocessor == 9 || coprocessor == 10 || coprocessor == 11;
}

/* A register operand: four bits and one more, which is the low one of S registers. */
static uint64_t fp_reg(bool is_double, unsigned number, unsigned low_bit)
{
    return is_double ? d_reg(number) : s_reg(number * 2U + low_bit);
}

/* VMOV between two core registers and one D or two S registers. */
static void decode_fp_move2(unsigned h1, unsigned h2, struct instruction *insn)
{
    uint64_t core = r_reg(BITS(h2, 15, 12)) | r_reg(h1);
    unsigned single = BITS(h2, 3, 0) * 2U + BIT(h2, 5);
    uint64_t fp = insn->is_double ? d_reg(h2) : s_reg(single) | s_reg(single + 1U);
    bool to_core = BIT(h1, 4);
    insn->cls = C_VMOVG2;
    insn->n = 2;
    insn->reads = to_core ? fp : core;
    insn->writes = to_core ? core : fp;
}

/* VLDR, VSTR. */
static void decode_fp_load_store(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool load = BIT(h1, 4);
    uint64_t base = r_reg_or_none(h1 & 15U);
    uint64_t reg = fp_reg(insn->is_double, BITS(h2, 15, 12), BIT(h1, 6));
    insn->cls = load ? C_VLDR : C_VSTR;
    insn->n = insn->is_double ? 2 : 1;
    insn->address = (uint32_t)base;
    insn->reads = base | (load ? 0U : reg);
    insn->writes = load ? reg : 0U;
}

/* VLDM, VSTM, VPUSH, VPOP; n counts words. */
static void decode_fp_multiple(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool load = BIT(h1, 4);
    uint64_t base = r_reg_or_none(h1 & 15U);
    unsigned first = BITS(h2, 15, 12) * 2U + (insn->is_double ? 0U : BIT(h1, 6));
    unsigned words = h2 & (insn->is_double ? 0xfeU : 0xffU);
    uint64_t list = 0;
    for (unsigned i = 0; i < words && first + i < 32U; i++) {
        list |= s_reg(first + i);
    }
    insn->cls = load ? C_VLDM : C_VSTM;
    insn->n = (uint8_t)words;
    insn->write_back = BIT(h1, 5);
    insn->address = (uint32_t)base;
    insn->reads = base | (load ? 0U : list);
    insn->writes = (insn->write_back ? r_reg(h1) : 0U) | (load ? list : 0U);
}

/* 1110 110: loads, stores and moves of 64 bits. */
static void decode_fp_memory(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool before = BIT(h1, 8);
    bool up = BIT(h1, 7);
    bool write_back = BIT(h1, 5);
    if (!before && !up && !write_back && BIT(h1, 6)) {
        decode_fp_move2(h1, h2, insn);
    } else if (before && !write_back) {
        decode_fp_load_store(h1, h2, insn);
    } else {
        decode_fp_multiple(h1, h2, insn);
    }
}

/* VMRS, VMSR, VMOV of one S register, and (coprocessor 11) of a vector's lane or VDUP. */
static void decode_fp_transfer(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool to_core = BIT(h1, 4);
    unsigned rt = BITS(h2, 15, 12);
    uint64_t core = r_reg(rt);
    if (insn->is_double) {
        uint64_t lanes = q_reg(BITS(h1, 3, 1));
        insn->is_double = false;
        insn->cls = C_MVEMOV;
        insn->reads = to_core ? lanes : core | lanes;
        insn->writes = to_core ? core : lanes;
    } else if (BITS(h1, 7, 5) == 7) {
        insn->cls = C_VMRS;
        insn->reads = to_core ? 0U : core;
        insn->writes = !to_core ? 0U : rt == 15 ? FLAGS : core;
    } else {
        uint64_t single = s_reg((h1 & 15U) * 2U + BIT(h2, 7));
        insn->cls = C_VMOVG;
        insn->reads = to_core ? single : core;
        insn->writes = to_core ? core : single;
    }
}

/* The operations of one source: VMOV, VABS, VNEG, VSQRT, VCMP, conversions. */
static void decode_fp_unary(unsigned h1, unsigned h2, uint64_t vd, uint64_t vm,
                            struct instruction *insn)
{
    unsigned operation = h1 & 15U;
    insn->cls = C_VADD;
    insn->reads = vm;
    insn->writes = vd;
    if (!BIT(h2, 6)) { /* VMOV of an immediate */
        insn->reads = 0;
    } else if (operation == 1 && BIT(h2, 7)) {
        insn->cls = C_VSQRT;
    } else if (operation == 4 || operation == 5) { /* VCMP with a register, with zero */
        insn->reads = vd | (operation == 4 ? vm : 0U);
        insn->writes = 0;
    }
}

/* 1110 1110, 1111 1110: data processing. */
static void decode_fp_data(unsigned h1, unsigned h2, struct instruction *insn)
{
    uint64_t vd = fp_reg(insn->is_double, BITS(h2, 15, 12), BIT(h1, 6));
    uint64_t vn = fp_reg(insn->is_double, h1 & 15U, BIT(h2, 7));
    uint64_t vm = fp_reg(insn->is_double, h2 & 15U, BIT(h2, 5));
    unsigned operation = BIT(h1, 7) << 2 | BITS(h1, 5, 4);
    if (BIT(h1, 12)) { /* VSEL, VMAXNM, VMINNM, VRINT, VCVT */
        insn->cls = C_VADD;
        insn->reads = vn | vm | (BIT(h1, 7) ? 0U : FLAGS);
        insn->writes = vd;
        return;
    }
    if (BIT(h2, 4)) {
        decode_fp_transfer(h1, h2, insn);
        return;
    }
    if (operation == 7) {
        decode_fp_unary(h1, h2, vd, vm, insn);
        return;
    }
    bool accumulates = operation != 2 && operation != 3 && operation != 4;
    insn->cls = operation == 2   ? C_VMUL
                : operation == 3 ? C_VADD
                : operation == 4 ? C_VDIV
                                 : C_VMLA;
    insn->reads = vn | vm | (accumulates ? vd : 0U);
    insn->writes = vd;
}

#endif
