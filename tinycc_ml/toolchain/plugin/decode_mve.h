/* SPDX-License-Identifier: Apache-2.0 */
/* Helium (MVE), from the encoding tables of the Armv8.1-M manual: told apart as far as the pipes of
 * the cycle model need it. h1, h2: the two halfwords. */
#ifndef TML_DECODE_MVE_H
#define TML_DECODE_MVE_H

#include "instruction.h"

static bool is_mve_coprocessor(unsigned coprocessor)
{
    return coprocessor == 14 || coprocessor == 15;
}

/* VMOV between two lanes and two core registers; the other lanes stay. */
static void decode_mve_move2(unsigned h1, unsigned h2, struct instruction *insn)
{
    uint64_t core = r_reg(h1) | r_reg(h2);
    uint64_t lanes = q_reg(BITS(h2, 15, 13));
    bool to_lanes = BIT(h1, 4);
    insn->cls = C_MVEMOV;
    insn->reads = to_lanes ? core | lanes : lanes;
    insn->writes = to_lanes ? lanes : core;
}

/* Addresses taken from a vector: gathers and scatters with a vector of bases. */
static void address_by_vector(unsigned h1, struct instruction *insn)
{
    uint64_t base = q_reg(BITS(h1, 3, 1));
    insn->cls = BIT(h1, 4) ? C_MVEGLD : C_MVEGST;
    insn->reads = base;
    insn->writes = BIT(h1, 5) ? base : 0U;
}

/* VLD2, VLD4, VST2, VST4. */
static void address_interleaved(unsigned h1, struct instruction *insn)
{
    insn->cls = BIT(h1, 4) ? C_MVEILD : C_MVEIST;
    insn->address = (uint32_t)r_reg(h1);
    insn->reads = r_reg(h1);
    insn->writes = BIT(h1, 5) ? r_reg(h1) : 0U;
}

/* A base register and a vector of offsets. */
static void address_by_offsets(unsigned h1, unsigned h2, struct instruction *insn)
{
    insn->cls = BIT(h1, 4) ? C_MVEGLD : C_MVEGST;
    insn->address = (uint32_t)r_reg(h1);
    insn->reads = r_reg(h1) | q_reg(BITS(h2, 3, 1));
}

/* Consecutive elements; the widening and narrowing forms have three bits for the base. */
static void address_contiguous(unsigned h1, unsigned h2, struct instruction *insn)
{
    uint64_t base = r_reg(BIT(h2, 12) ? h1 : h1 & 7U);
    insn->cls = BIT(h1, 4) ? C_MVELD : C_MVEST;
    insn->address = (uint32_t)base;
    insn->reads = base;
    insn->write_back = BIT(h1, 5);
    insn->writes = insn->write_back ? r_reg(h1) : 0U;
}

/* 1110 110, 1111 110: loads, stores and moves of two lanes. */
static void decode_mve_memory(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool before = BIT(h1, 8);
    bool up = BIT(h1, 7);
    bool write_back = BIT(h1, 5);
    bool load = BIT(h1, 4);
    bool second_half = BIT(h1, 12);
    bool bit12 = BIT(h2, 12);
    uint64_t data = q_reg(BITS(h2, 15, 13));
    if (!second_half && !bit12 && !before && !up && !write_back) {
        decode_mve_move2(h1, h2, insn);
        return;
    }
    if (!second_half && !bit12 && BITS(h2, 11, 7) == 0x1f) { /* VLDR, VSTR of a system register */
        insn->cls = load ? C_VLDR : C_VSTR;
        insn->n = 1;
        insn->address = (uint32_t)r_reg(h1);
        insn->reads = r_reg(h1);
        return;
    }
    if (bit12 && second_half && before) {
        address_by_vector(h1, insn);
    } else if (bit12 && second_half) {
        address_interleaved(h1, insn);
    } else if (!bit12 && !before && !write_back) {
        address_by_offsets(h1, h2, insn);
    } else {
        address_contiguous(h1, h2, insn);
    }
    insn->reads |= load ? 0U : data;
    insn->writes |= load ? data : 0U;
}

/* 1110 1111, 1111 1111: operations of two vectors. */
static void decode_mve_vector(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool u = BIT(h1, 12);
    bool bit4 = BIT(h2, 4);
    unsigned operation = BITS(h2, 11, 8);
    bool multiply = (operation == 9 && bit4)              /* VMUL of integers */
                    || (operation == 11 && !bit4)         /* VQDMULH, VQRDMULH */
                    || (operation == 12 && bit4)          /* VFMA, VFMS */
                    || (operation == 13 && (!bit4 || u)); /* VADD, VSUB, VABD, VMUL of floats */
    insn->cls = multiply && !BIT(h1, 7) ? C_MVEMUL : C_MVEALU;
    insn->writes = q_reg(BITS(h2, 15, 13));
    insn->reads = q_reg(BITS(h1, 3, 1)) | q_reg(BITS(h2, 3, 1)) | insn->writes;
}

/* Coprocessor 14 multiplies (VMLA, VMULL, VQDMLA, VMULH, VCMUL, VMLADAV ...) but for a few. */
static uint8_t mve_scalar_class(unsigned coprocessor, unsigned h1, unsigned h2)
{
    unsigned size = BITS(h1, 5, 4);
    bool shift_or_reverse = (h2 & 0x1070U) == 0x1060U;
    bool narrow = size == 3 && BIT(h2, 0);                    /* VMOVN, VQMOVN */
    bool shift = size == 3 && BIT(h1, 0) && shift_or_reverse; /* VSHL by a register */
    bool reverse = size != 3 && BIT(h1, 0) && BIT(h1, 12) && shift_or_reverse; /* VBRSR */
    if (coprocessor != 14) {
        return C_MVEALU;
    }
    return !BIT(h1, 7) && (narrow || shift || reverse) ? C_MVEALU : C_MVEMUL;
}

/* VCMP, VPT, VPST, VPNOT, and VPSEL, which is an ordinary operation. */
static void decode_mve_predicate(unsigned h1, unsigned h2, struct instruction *insn)
{
    bool select = BITS(h1, 5, 4) == 3 && BIT(h2, 0) && !BIT(h2, 12) && (h2 & 0x0fffU) != 0x0f4dU;
    if (!select) {
        insn->cls = C_MVEPRED;
        insn->writes = 0;
    }
}

/* A reduction adds to one core register, or to an even and an odd one. */
static void reduce_into(unsigned low, bool is_long, unsigned high, struct instruction *insn)
{
    insn->writes = r_reg(low) | (is_long ? r_reg(high) : 0U);
    insn->reads |= insn->writes;
}

/* Reductions into core registers, and what shares their encodings. */
static void decode_mve_reduction(unsigned coprocessor, unsigned h1, unsigned h2,
                                 struct instruction *insn)
{
    unsigned selector = BITS(h1, 6, 4);
    unsigned even = BITS(h2, 15, 13) << 1;
    unsigned any = BITS(h2, 15, 12);
    unsigned odd = selector << 1 | 1U;
    bool odd_n = BIT(h1, 0);
    bool odd_m = BIT(h2, 0);
    if (coprocessor == 14) { /* VMLADAV, VMLALDAV and their kin */
        if (!odd_n || selector == 7) {
            reduce_into(even, selector != 7, odd, insn);
        }
    } else if (selector == 7 && !odd_n && !odd_m) { /* VMLADAV of bytes */
        insn->cls = C_MVEMUL;
        reduce_into(even, false, odd, insn);
    } else if (selector == 7 && BITS(h1, 1, 0) == 1) { /* VADDV */
        reduce_into(even, false, odd, insn);
    } else if (BITS(h1, 3, 0) == 9 && !BIT(h2, 12)) { /* VADDLV */
        reduce_into(even, true, odd, insn);
    } else if (selector == 6 && BITS(h1, 1, 0) == 2) { /* VMINV, VMAXV */
        reduce_into(any, false, odd, insn);
    } else if (!odd_n && !odd_m && selector < 6) { /* VRMLALDAVH */
        insn->cls = C_MVEMUL;
        reduce_into(even, true, odd, insn);
    } else if (!odd_n && odd_m && selector < 4) { /* VABAV */
        reduce_into(any, false, odd, insn);
    }
}

/* 1110 1110, 1111 1110 with coprocessor 14 or 15: vector by scalar, predicates, reductions. */
static void decode_mve_scalar(unsigned coprocessor, unsigned h1, unsigned h2,
                              struct instruction *insn)
{
    insn->cls = mve_scalar_class(coprocessor, h1, h2);
    insn->writes = q_reg(BITS(h2, 15, 13));
    insn->reads = q_reg(BITS(h1, 3, 1)) | q_reg(BITS(h2, 3, 1));
    if (BIT(h1, 7)) {
        if (BIT(h2, 6)) { /* VSHLL, VMOVL, VSHLC, narrowing shifts */
            insn->cls = C_MVEALU;
        } else {
            decode_mve_reduction(coprocessor, h1, h2, insn);
        }
        return;
    }
    if (!BIT(h1, 0)) {
        return;
    }
    if (coprocessor == 15 && BIT(h1, 12)) {
        decode_mve_predicate(h1, h2, insn);
    } else {
        insn->reads |= (coprocessor == 14 ? insn->writes : 0U) | r_reg(h2);
    }
}

#endif
