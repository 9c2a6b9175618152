/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the hooks over a painted stack: the lowest word that lost its paint is the high-water mark.
 * Space that is reserved and never written is not seen. */
#include <stdbool.h>

#include "board.h"
#include "tml_bench.h"

#define PAINT 0xC5A55A3CU

extern uint32_t __stack_limit[];

static inline __attribute__((always_inline)) void paint(uint32_t *from, const uint32_t *to)
{
    for (volatile uint32_t *word = from; word < to; word++) {
        *word = PAINT;
    }
}

static inline __attribute__((always_inline)) uint32_t *lowest_used(const uint32_t *top)
{
    volatile uint32_t *word = __stack_limit;
    while (word < top && *word == PAINT) {
        word++;
    }
    return (uint32_t *)word;
}

static void report_stack(int32_t run_bytes, int32_t setup_bytes, bool overflow)
{
    tml_puts("\n@TML stack run=");
    tml_put_i32(run_bytes);
    tml_puts(" setup=");
    tml_put_i32(setup_bytes);
    tml_puts(overflow ? " overflow=1\n" : " overflow=0\n");
}

__attribute__((noinline, used)) void tml_main(void)
{
    uint32_t *sp = tml_stack_pointer();
    /* These helpers are inlined: the frame of a call would lie in the painted region. */
    paint(__stack_limit, sp);
    tml_bench_setup();
    uint32_t *setup_low = lowest_used(sp);
    paint(setup_low, sp);
    tml_bench_run();
    uint32_t *run_low = lowest_used(sp);
    bool overflow = setup_low == __stack_limit || run_low == __stack_limit;
    int32_t setup_bytes = (int32_t)((char *)sp - (char *)setup_low);
    int32_t run_bytes = (int32_t)((char *)sp - (char *)run_low);

    tml_bench_report();
    report_stack(run_bytes, setup_bytes, overflow);
    tml_exit(0);
}
