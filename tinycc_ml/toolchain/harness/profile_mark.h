/* SPDX-License-Identifier: Apache-2.0 */
/* Marks between the nodes of a net that is built for its profile; included before all its sources. */
#ifndef TML_PROFILE_MARK_H
#define TML_PROFILE_MARK_H

#include "tml_bench.h"

/* The end of a node. The empty statement behind a call keeps it from being a jump: it must return here. */
#define TML_PROBE(id, data, bytes)  \
    do {                            \
        (void)(data);               \
        tml_profile_mark();         \
        __asm__ volatile("");       \
    } while (0)

void tml_profile_mark(void);

/* Prints "stacks" and the bytes at each mark, where the emulator does not tell them. */
void tml_profile_report(void);

#endif
