/* SPDX-License-Identifier: Apache-2.0 */
/* What the emulated boards share: memory set-up, output and exit by semihosting. */
#include "board.h"

#include "tml_bench.h"

extern uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[];
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_EXIT_EXTENDED = 0x20 };
enum { OPEN_FOR_WRITING = 4, APPLICATION_EXIT = 0x20026 };

void tml_write(const char *text, size_t length)
{
    static long console = -1;
    if (console < 0) {
        const long open[3] = {(long)":tt", OPEN_FOR_WRITING, 3};
        console = tml_semihost(SYS_OPEN, open);
    }
    const long write[3] = {console, (long)text, (long)length};
    (void)tml_semihost(SYS_WRITE, write);
}

void tml_exit(int code)
{
    const long reason[2] = {APPLICATION_EXIT, code};
    (void)tml_semihost(SYS_EXIT_EXTENDED, reason);
    for (;;) {
    }
}

void tml_start_c(void)
{
    /* volatile: a loop that is turned into memcpy or memset may not be ready to run yet */
    const uint32_t *from = __data_load;
    for (volatile uint32_t *to = __data_start; to < __data_end; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = __bss_start; to < __bss_end; to++) {
        *to = 0;
    }
    for (void (**call)(void) = __init_array_start; call < __init_array_end; call++) {
        (*call)();
    }
    tml_main();
}
