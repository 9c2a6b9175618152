/* SPDX-License-Identifier: Apache-2.0 */
/* RV32IMC, from the encoding tables of the RISC-V unprivileged manual. */
#ifndef TML_DECODE_RV32_H
#define TML_DECODE_RV32_H

#include "instruction.h"

static inline uint64_t x_reg(unsigned number)
{
    return 1ULL << (number & 31U);
}

/* Quadrant 0: loads and stores of a register, ADDI4SPN. */
static void decode_rvc0(unsigned h, struct instruction *insn)
{
    unsigned f3 = BITS(h, 15, 13);
    uint64_t rd = x_reg(8 + BITS(h, 4, 2));
    uint64_t base = x_reg(8 + BITS(h, 9, 7));
    if (f3 == 2 || f3 == 3) {
        insn->cls = C_RLD;
        insn->reads = base;
        insn->writes = rd;
    } else if (f3 == 6 || f3 == 7) {
        insn->cls = C_RST;
        insn->reads = base | rd;
    } else if (f3 == 0 && h != 0) {
        insn->cls = C_RALU;
        insn->reads = x_reg(2);
        insn->writes = rd;
    }
}

/* Quadrant 1: arithmetic with immediates, jumps and branches. */
static void decode_rvc1(unsigned h, struct instruction *insn)
{
    uint64_t rd = x_reg(BITS(h, 11, 7));
    uint64_t rs1 = x_reg(8 + BITS(h, 9, 7));
    insn->cls = C_RALU;
    switch (BITS(h, 15, 13)) {
    case 1: /* JAL */
        insn->cls = C_RJAL;
        insn->branch = BR_CALL;
        insn->writes = x_reg(1);
        break;
    case 2: /* LI */
        insn->writes = rd;
        break;
    case 3: /* LUI, ADDI16SP */
        insn->reads = rd == x_reg(2) ? rd : 0U;
        insn->writes = rd;
        break;
    case 4: /* shifts, AND, and operations of two registers */
        insn->reads = rs1 | (BITS(h, 11, 10) == 3 ? x_reg(8 + BITS(h, 4, 2)) : 0U);
        insn->writes = rs1;
        break;
    case 5: /* J */
        insn->cls = C_RJAL;
        insn->branch = BR_UNCOND;
        break;
    case 6:
    case 7: /* BEQZ, BNEZ */
        insn->cls = C_RBR;
        insn->branch = BR_COND;
        insn->reads = rs1;
        break;
    default: /* ADDI */
        insn->reads = insn->writes = rd;
        break;
    }
}

/* Quadrant 2, 100: MV, ADD, JR, JALR, EBREAK. */
static void decode_rvc2_register(unsigned h, struct instruction *insn)
{
    unsigned rd = BITS(h, 11, 7);
    unsigned rs2 = BITS(h, 6, 2);
    bool second = BIT(h, 12);
    if (rs2 != 0) {
        insn->cls = C_RALU;
        insn->reads = x_reg(rs2) | (second ? x_reg(rd) : 0U);
        insn->writes = x_reg(rd);
        return;
    }
    insn->reads = x_reg(rd);
    if (second && rd == 0) {
        insn->cls = C_RSYS;
        return;
    }
    insn->cls = C_RJALR;
    insn->branch = second ? BR_INDIRECT_CALL : rd == 1 ? BR_RETURN : BR_INDIRECT;
    insn->writes = second ? x_reg(1) : 0U;
}

/* Quadrant 2: shifts, loads and stores by the stack pointer, register moves and jumps. */
static void decode_rvc2(unsigned h, struct instruction *insn)
{
    uint64_t rd = x_reg(BITS(h, 11, 7));
    switch (BITS(h, 15, 13)) {
    case 0:
        insn->cls = C_RALU;
        insn->reads = insn->writes = rd;
        break;
    case 2:
    case 3:
        insn->cls = C_RLD;
        insn->reads = x_reg(2);
        insn->writes = rd;
        break;
    case 4:
        decode_rvc2_register(h, insn);
        break;
    case 6:
    case 7:
        insn->cls = C_RST;
        insn->reads = x_reg(2) | x_reg(BITS(h, 6, 2));
        break;
    default:
        break;
    }
}

static uint8_t rv_multiply_class(unsigned f3)
{
    if (f3 == 0) {
        return C_RMUL;
    }
    return f3 < 4 ? C_RMULH : C_RDIV;
}

static void set_rv(struct instruction *insn, uint8_t cls, uint64_t reads, uint64_t writes)
{
    insn->cls = cls;
    insn->reads = reads;
    insn->writes = writes;
}

static void decode_rv_word(uint32_t w, struct instruction *insn)
{
    unsigned rd_number = BITS(w, 11, 7);
    unsigned rs1_number = BITS(w, 19, 15);
    uint64_t rd = x_reg(rd_number);
    uint64_t rs1 = x_reg(rs1_number);
    uint64_t rs2 = x_reg(BITS(w, 24, 20));
    switch (w & 0x7fU) {
    case 0x37:
    case 0x17: /* LUI, AUIPC */
        set_rv(insn, C_RALU, 0, rd);
        break;
    case 0x13:
        set_rv(insn, C_RALU, rs1, rd);
        break;
    case 0x33:
        set_rv(insn, w >> 25 == 1 ? rv_multiply_class(BITS(w, 14, 12)) : C_RALU, rs1 | rs2, rd);
        break;
    case 0x03:
        set_rv(insn, C_RLD, rs1, rd);
        break;
    case 0x23:
        set_rv(insn, C_RST, rs1 | rs2, 0);
        break;
    case 0x63:
        set_rv(insn, C_RBR, rs1 | rs2, 0);
        insn->branch = BR_COND;
        break;
    case 0x6f:
        set_rv(insn, C_RJAL, 0, rd);
        insn->branch = rd_number ? BR_CALL : BR_UNCOND;
        break;
    case 0x67:
        set_rv(insn, C_RJALR, rs1, rd);
        insn->branch = rd_number ? BR_INDIRECT_CALL : rs1_number == 1 ? BR_RETURN : BR_INDIRECT;
        break;
    case 0x0f:
        set_rv(insn, C_RFENCE, 0, 0);
        break;
    case 0x73:
        set_rv(insn, C_RSYS, rs1, rd);
        break;
    default:
        break;
    }
}

/* bytes: the instruction as it lies in memory; size: 2 or 4. */
static void decode_rv32(const uint8_t *bytes, unsigned size, struct instruction *insn)
{
    unsigned h = bytes[0] | (unsigned)bytes[1] << 8;
    memset(insn, 0, sizeof *insn);
    insn->size = (uint8_t)size;
    insn->cls = C_RUNK;
    if (size == 4) {
        decode_rv_word(h | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24, insn);
    } else if ((h & 3U) == 0) {
        decode_rvc0(h, insn);
    } else if ((h & 3U) == 1) {
        decode_rvc1(h, insn);
    } else {
        decode_rvc2(h, insn);
    }
    /* X0 is no register: nothing waits for it */
    insn->reads &= ~1ULL;
    insn->writes &= ~1ULL;
}

#endif
