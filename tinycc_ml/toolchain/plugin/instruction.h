/* SPDX-License-Identifier: Apache-2.0 */
/* What the cycle models know of an instruction: its class, the registers it reads and writes. */
#ifndef TML_INSTRUCTION_H
#define TML_INSTRUCTION_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The integer core (up to DIV: data processing); memory; branches; system; floating point; Helium;
 * low-overhead loops; RISC-V. */
/* clang-format off */
#define CLASSES(X) \
    X(ALU) X(ALUSH) X(IT) X(NOP) X(MUL) X(MLA) X(MULL) X(MLAL) X(DSPMUL) X(DSP) X(DIV) \
    X(LDR) X(STR) X(LDRD) X(STRD) X(LDM) X(STM) X(LDREX) X(STREX) X(PLD) \
    X(B) X(BCC) X(CBZ) X(BL) X(BX) X(BLX) X(TBB) X(LDRPC) X(POPPC) X(ALUPC) \
    X(BARRIER) X(SYS) X(SVC) X(BKPT) \
    X(VADD) X(VMUL) X(VMLA) X(VDIV) X(VSQRT) X(VMOVG) X(VMOVG2) \
    X(VLDR) X(VSTR) X(VLDM) X(VSTM) X(VMRS) \
    X(MVELD) X(MVEST) X(MVEGLD) X(MVEGST) X(MVEILD) X(MVEIST) X(MVEALU) X(MVEMUL) X(MVEMOV) \
    X(MVEPRED) \
    X(DLS) X(WLS) X(LE) X(LCTP) X(UNK) \
    X(RALU) X(RLD) X(RST) X(RMUL) X(RMULH) X(RDIV) X(RBR) X(RJAL) X(RJALR) X(RSYS) X(RFENCE) \
    X(RUNK)
#define AS_ENUM(name) C_##name,
#define AS_TEXT(name) #name,
enum instruction_class { CLASSES(AS_ENUM) CLASS_COUNT };
static const char *const class_name[] = { CLASSES(AS_TEXT) };
/* clang-format on */

enum branch {
    BR_NONE,
    BR_UNCOND,
    BR_COND,
    BR_INDIRECT,
    BR_CALL,
    BR_INDIRECT_CALL,
    BR_RETURN,
    BR_LOOP_END,
    BR_LOOP_START,
};

/* Register sets are masks: bits 0-15 R0-R15, bit 16 flags, bits 32-63 S0-S31; X0-X31 on RISC-V. */
struct instruction {
    uint8_t cls;
    uint8_t size; /* bytes */
    uint8_t n;    /* registers of a load or store */
    uint8_t branch;
    bool write_back; /* the base register is changed */
    bool reg_offset;
    bool is_double;
    uint64_t reads;
    uint64_t writes;
    uint32_t address; /* the registers that form the address */
};

#define BITS(value, high, low) (((value) >> (low)) & ((1U << ((high) - (low) + 1)) - 1))
#define BIT(value, at) (((value) >> (at)) & 1U)

#define FLAGS (1ULL << 16)

static inline uint64_t r_reg(unsigned number)
{
    return 1ULL << (number & 15U);
}

static inline uint64_t s_reg(unsigned number)
{
    return 1ULL << (32U + (number & 31U));
}

static inline uint64_t d_reg(unsigned number)
{
    return 3ULL << (32U + 2U * (number & 15U));
}

static inline uint64_t q_reg(unsigned number)
{
    return 15ULL << (32U + 4U * (number & 7U));
}

/* Some encodings take 15 for "no register". */
static inline uint64_t r_reg_or_none(unsigned number)
{
    return number == 15U ? 0U : r_reg(number);
}

static inline uint8_t count_registers(unsigned list)
{
    return (uint8_t)__builtin_popcount(list & 0xffffU);
}

#endif
