/* SPDX-License-Identifier: 0BSD */
/*
 * Blocks of AB words in assembly: sums and operands take every register, so what else a loop needs
 * lies in a frame of its own on the stack, copied there from an array.
 */
#ifndef TML_AB_REGISTERS_H
#define TML_AB_REGISTERS_H

#include "../common/tml_dsp.h"

#if TML_HAVE_DSP_BLOCKS
#    define TML_AB_NAMES                                                                           \
        "x0 .req r0\n"                                                                             \
        "x1 .req r1\n"                                                                             \
        "wa .req r2\n"                                                                             \
        "wb .req r3\n"                                                                             \
        "in .req r4\n"                                                                             \
        "w .req r5\n"                                                                              \
        "t0 .req r6\n"                                                                             \
        "t1 .req r7\n"                                                                             \
        "t2 .req r8\n"                                                                             \
        "t3 .req r9\n"                                                                             \
        "b0 .req r10\n"                                                                            \
        "b1 .req r11\n"                                                                            \
        "b2 .req r12\n"                                                                            \
        "b3 .req lr\n"
#    define TML_AB_NO_NAMES                                                                        \
        ".unreq x0\n"                                                                              \
        ".unreq x1\n"                                                                              \
        ".unreq wa\n"                                                                              \
        ".unreq wb\n"                                                                              \
        ".unreq in\n"                                                                              \
        ".unreq w\n"                                                                               \
        ".unreq t0\n"                                                                              \
        ".unreq t1\n"                                                                              \
        ".unreq t2\n"                                                                              \
        ".unreq t3\n"                                                                              \
        ".unreq b0\n"                                                                              \
        ".unreq b1\n"                                                                              \
        ".unreq b2\n"                                                                              \
        ".unreq b3\n"

/* Runs CODE with the address of the array in `in`. No register is left to the compiler. r7 may be
 * its frame pointer: CODE puts it back. */
#    define TML_AB_RUN(frame, CODE)                                                                \
        register const uint32_t *in __asm__("r4") = (frame);                                       \
        __asm__ volatile(TML_AB_NAMES CODE TML_AB_NO_NAMES                                         \
                         : "+r"(in)                                                                \
                         :                                                                         \
                         : "r0", "r1", "r2", "r3", "r5", "r6", "r8", "r9", "r10", "r11", "r12",    \
                           "lr", "memory", "cc")
#endif

#endif
