/* SPDX-License-Identifier: Apache-2.0 */
/* What a net built for its profile calls after each node. The counters note their state at the call
 * and leave out what happens here, so there is time to read the stack: the lowest word of its paint
 * (run_painted.c) that is gone since the mark before. On AVR the runner itself sees the stack. */
#include "profile_mark.h"

#ifdef __AVR__

void tml_profile_mark(void)
{
    __asm__ volatile("");
}

void tml_profile_report(void)
{
}

#else

#define PAINT 0xC5A55A3CU

register uint32_t *stack_pointer __asm__("sp");
extern uint32_t __stack_limit[];

static int32_t stack_bytes[TML_PROFILE_MARKS];
static int32_t marks;
static const char *top; /* the stack pointer of tml_bench_run, which calls the first mark */

void tml_profile_mark(void)
{
    if (marks >= TML_PROFILE_MARKS) {
        return;
    }
    const uint32_t *here = stack_pointer;
    volatile uint32_t *word = __stack_limit;
    while (word < here && *word == PAINT) {
        word++;
    }
    if (marks == 0) {
        top = __builtin_dwarf_cfa();
    }
    stack_bytes[marks] = (int32_t)(top - (const char *)word);
    marks++;
    for (; word < here; word++) {
        *word = PAINT;
    }
}

void tml_profile_report(void)
{
    tml_puts("stacks");
    for (int32_t i = 0; i < marks; i++) {
        tml_puts(" ");
        tml_put_i32(stack_bytes[i]);
    }
    tml_puts("\n");
}

#endif
