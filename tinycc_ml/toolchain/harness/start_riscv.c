/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up, trap handler and semihosting for RV32 on QEMU's "virt" machine. */
#include "board.h"
#include "tml_bench.h"

void tml_trap(uint32_t cause, uint32_t address, uint32_t value);
void tml_reset_c(void);

/* The three instructions mark a semihosting call; they may not straddle a page. */
__attribute__((noinline)) long tml_semihost(long operation, const void *arguments)
{
    register long a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = arguments;
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     ".balign 16\n"
                     "slli x0, x0, 0x1f\n"
                     "ebreak\n"
                     "srai x0, x0, 7\n"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}

__attribute__((noinline)) uint32_t *tml_stack_pointer(void)
{
    uint32_t *sp;
    __asm__ volatile("mv %0, sp" : "=r"(sp));
    return sp;
}

__attribute__((used)) void tml_trap(uint32_t cause, uint32_t address, uint32_t value)
{
    tml_puts("\n@TML fault mcause=");
    tml_put_hex(cause);
    tml_puts(" mepc=");
    tml_put_hex(address);
    tml_puts(" mtval=");
    tml_put_hex(value);
    tml_puts("\n");
    tml_exit(99);
}

__attribute__((used, noreturn)) void tml_reset_c(void)
{
    tml_start_c();
}

__asm__(".section .text.start, \"ax\", @progbits\n"
        ".globl tml_reset\n"
        ".option push\n"
        ".option arch, +zicsr\n"
        "tml_reset:\n"
        ".option push\n"
        ".option norelax\n"
        "    la gp, __global_pointer$\n"
        ".option pop\n"
        "    la sp, __stack_top\n"
        "    la t0, trap_entry\n"
        "    csrw mtvec, t0\n"
        "    j tml_reset_c\n"
        ".balign 4\n"
        "trap_entry:\n"
        "    csrr a0, mcause\n"
        "    csrr a1, mepc\n"
        "    csrr a2, mtval\n"
        "    j tml_trap\n"
        ".option pop\n"
        ".text\n");
