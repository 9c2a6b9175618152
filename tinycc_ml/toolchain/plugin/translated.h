/* SPDX-License-Identifier: Apache-2.0 */
/* A translated block of the program: what it holds and costs, and how often it ran. */
#ifndef TML_TRANSLATED_H
#define TML_TRANSLATED_H

#include <stdio.h>
#include <stdlib.h>

#include "cost_models.h"
#include "decode_rv32.h"
#include "decode_thumb.h"
#include "qemu_api.h"

struct translated {
    uint64_t address;
    uint64_t end;
    unsigned length; /* instructions */
    uint8_t *classes;
    uint32_t *encodings; /* of undecoded instructions; 0 for the others */
    uint8_t branch;      /* of the last instruction */
    struct cost cost;
    uint8_t predictor; /* two bits: taken when 2 or more */
    uint64_t executed;
    uint64_t taken;
    uint64_t extra_cycles;
    struct translated *next;
};

static uint64_t translated_cycles(const struct translated *block)
{
    return block->executed * block->cost.base + block->taken * block->cost.taken +
           block->extra_cycles;
}

static unsigned encoded_size(bool riscv, const uint8_t *bytes)
{
    /* not qemu_plugin_insn_size(): near a page's end the translator peeks at the next halfword,
     * which QEMU 7.2 then counts as part of the instruction */
    if (riscv) {
        return (bytes[0] & 3U) == 3U ? 4 : 2;
    }
    return thumb_is_32_bit(bytes[0] | (unsigned)bytes[1] << 8) ? 4 : 2;
}

/* As manuals print it: Thumb's first halfword on the left. */
static uint32_t encoding(bool riscv, const uint8_t *bytes, unsigned size)
{
    uint32_t first = bytes[0] | (uint32_t)bytes[1] << 8;
    if (size == 2) {
        return first;
    }
    uint32_t second = bytes[2] | (uint32_t)bytes[3] << 8;
    return riscv ? second << 16 | first : first << 16 | second;
}

static void *allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes);
    if (memory == NULL) {
        fprintf(stderr, "tml plugin: out of memory\n");
        exit(1);
    }
    return memory;
}

static void decode_block(bool riscv, struct qemu_plugin_tb *tb, struct instruction *insns,
                         struct translated *block)
{
    unsigned it_left = 0;
    for (unsigned i = 0; i < block->length; i++) {
        struct qemu_plugin_insn *handle = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(handle);
        unsigned size = encoded_size(riscv, bytes);
        if (riscv) {
            decode_rv32(bytes, size, &insns[i]);
        } else {
            decode_thumb(bytes, size, &insns[i], &it_left);
        }
        bool unknown = insns[i].cls == C_UNK || insns[i].cls == C_RUNK;
        block->classes[i] = insns[i].cls;
        block->encodings[i] = unknown ? encoding(riscv, bytes, size) : 0U;
        block->end = qemu_plugin_insn_vaddr(handle) + size;
    }
}

static struct translated *translate(enum core core, const struct cost_params *params,
                                    struct qemu_plugin_tb *tb)
{
    unsigned length = (unsigned)qemu_plugin_tb_n_insns(tb);
    struct instruction *insns = allocate(length, sizeof *insns);
    struct translated *block = allocate(1, sizeof *block);
    block->length = length;
    block->classes = allocate(length, sizeof *block->classes);
    block->encodings = allocate(length, sizeof *block->encodings);
    block->address = qemu_plugin_tb_vaddr(tb);
    block->end = block->address;
    block->predictor = 2;
    decode_block(is_riscv(core), tb, insns, block);
    block->branch = length ? insns[length - 1].branch : BR_NONE;
    block->cost = block_cost(core, (struct block){insns, length}, params);
    free(insns);
    return block;
}

#endif
