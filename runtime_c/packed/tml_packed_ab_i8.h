/* SPDX-License-Identifier: 0BSD */
/*
 * Packed weights for kernels that read AB words (ab/tml_ab_block.h): some blocks of 4 channels are
 * unpacked into RAM, then all pixels are computed with them.
 */
#ifndef TML_PACKED_AB_I8_H
#define TML_PACKED_AB_I8_H

#include "../ab/tml_ab_block.h"

/* The AB words of one block, [steps][2] of channels 2, 0 and 3, 1, into RAM. Returns the next
 * block. head: of the form; packed: a block */
typedef const uint8_t *(*tml_packed_unpack)(const uint8_t *head, const uint8_t *packed,
                                            size_t steps, uint32_t *words);

/* Four int8 as an AB word: bytes 0 and 2 are of channel B, 1 and 3 of A. */
TML_INLINE uint32_t tml_ab_word(uint32_t bytes)
{
    return tml_sxtab16(bytes & 0xFF00FF00U, bytes);
}

/*
 * `count` blocks as tml_ab_4x2_i8 reads them.
 * quant (rom): for each block 4 biases, as they are there, and 4 multipliers
 */
TML_INLINE const uint8_t *tml_packed_ab_blocks(tml_packed_unpack unpack, const uint8_t *head,
                                               const uint8_t *packed, const int32_t *quant,
                                               size_t count, size_t steps, uint32_t *words)
{
    for (size_t block = 0U; block < count; block++) {
        for (size_t i = 0U; i < 4U; i++) {
            words[i] = (uint32_t)tml_rom_i32(quant + i);
            words[4U + 2U * steps + i] = (uint32_t)tml_rom_i32(quant + 4 + i);
        }
        packed = unpack(head, packed, steps, words + 4);
        words += 2U * steps + TML_AB_4X2_EXTRA;
        quant += 8;
    }
    return packed;
}

#endif
