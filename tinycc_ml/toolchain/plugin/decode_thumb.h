/* SPDX-License-Identifier: Apache-2.0 */
/* Thumb instructions of all kinds, and IT blocks. */
#ifndef TML_DECODE_THUMB_H
#define TML_DECODE_THUMB_H

#include "decode_fp.h"
#include "decode_mve.h"
#include "decode_thumb16.h"
#include "decode_thumb32.h"
#include "decode_thumb32_register.h"

static bool thumb_is_32_bit(unsigned first_halfword)
{
    return first_halfword >> 11 >= 0x1dU;
}

/* 111x 11xx: floating point and Helium. */
static void decode_coprocessor(unsigned h1, unsigned h2, struct instruction *insn)
{
    unsigned coprocessor = BITS(h2, 11, 8);
    bool memory = (h1 & 0xee00U) == 0xec00U;
    insn->is_double = coprocessor == 11;
    if (memory && is_fp_coprocessor(coprocessor) && !BIT(h1, 12)) {
        decode_fp_memory(h1, h2, insn);
    } else if (memory && is_mve_coprocessor(coprocessor)) {
        decode_mve_memory(h1, h2, insn);
    } else if (memory) {
        insn->cls = C_UNK;
    } else if (BIT(h1, 8)) {
        decode_mve_vector(h1, h2, insn);
    } else if (is_fp_coprocessor(coprocessor)) {
        decode_fp_data(h1, h2, insn);
    } else if (is_mve_coprocessor(coprocessor)) {
        decode_mve_scalar(coprocessor, h1, h2, insn);
    }
}

static void decode_thumb32(unsigned h1, unsigned h2, struct instruction *insn)
{
    unsigned group = BITS(h1, 12, 11);
    insn->size = 4;
    insn->cls = C_UNK;
    if ((h1 & 0xec00U) == 0xec00U) {
        decode_coprocessor(h1, h2, insn);
    } else if (group == 1 && BIT(h1, 9)) {
        decode32_shifted(h1, h2, insn);
    } else if (group == 1) {
        decode32_multi_memory(h1, h2, insn);
    } else if (group == 2 && BIT(h2, 15)) {
        decode32_control(h1, h2, insn);
    } else if (group == 2 && BIT(h1, 9)) {
        decode32_plain_immediate(h1, h2, insn);
    } else if (group == 2) {
        decode32_immediate(h1, h2, insn);
    } else if ((h1 & 0xfe00U) == 0xf800U) {
        decode32_memory(h1, h2, insn);
    } else if ((h1 & 0xff00U) == 0xfa00U) {
        decode32_register(h1, h2, insn);
    } else if ((h1 & 0xff80U) == 0xfb00U) {
        decode32_multiply(h1, h2, insn);
    } else if ((h1 & 0xff80U) == 0xfb80U) {
        decode32_long_multiply(h1, h2, insn);
    }
}

/* bytes: the instruction as it lies in memory; it_left: what is left of the IT block, updated. */
static void decode_thumb(const uint8_t *bytes, unsigned size, struct instruction *insn,
                         unsigned *it_left)
{
    unsigned h1 = bytes[0] | (unsigned)bytes[1] << 8;
    bool in_it = *it_left > 0;
    memset(insn, 0, sizeof *insn);
    if (size == 2) {
        decode_thumb16(h1, in_it, insn);
    } else {
        decode_thumb32(h1, bytes[2] | (unsigned)bytes[3] << 8, insn);
    }
    if (in_it) {
        --*it_left;
        insn->reads |= FLAGS;
        insn->branch = insn->branch == BR_UNCOND ? BR_COND : insn->branch;
    }
    if (insn->cls == C_IT) {
        *it_left = 4U - (unsigned)__builtin_ctz(h1 & 15U);
    }
    if ((insn->writes & r_reg(15)) && insn->branch == BR_NONE) {
        insn->branch = BR_INDIRECT;
    }
}

#endif
