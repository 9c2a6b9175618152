/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up, vector table and semihosting for Cortex-M.
 * TML_TRAP_UNALIGNED: fault on unaligned accesses, as Armv6-M does. TML_ENABLE_FPU: switch on FPU
 * and MVE. */
#include "board.h"
#include "tml_bench.h"

#define REG32(address) (*(volatile uint32_t *)(address))
#define SCB_CCR 0xE000ED14U
#define SCB_CFSR 0xE000ED28U
#define SCB_CPACR 0xE000ED88U

extern uint32_t __stack_top[];
void tml_reset(void);
void tml_fault(void);

long tml_semihost(long operation, const void *arguments)
{
    register long r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

__attribute__((noinline)) uint32_t *tml_stack_pointer(void)
{
    uint32_t *sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    return sp;
}

__attribute__((used)) void tml_fault(void)
{
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    tml_puts("\n@TML fault ipsr=");
    tml_put_hex(exception);
    tml_puts(" cfsr=");
    tml_put_hex(REG32(SCB_CFSR));
    tml_puts("\n");
    tml_exit(99);
}

__attribute__((noreturn, used)) void tml_reset(void)
{
#ifdef TML_TRAP_UNALIGNED
    REG32(SCB_CCR) |= 1U << 3;
#endif
#ifdef TML_ENABLE_FPU
    REG32(SCB_CPACR) |= 0xFU << 20;
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    tml_start_c();
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector reset;
    vector others[14];
} vectors = {
    __stack_top,
    tml_reset,
    {tml_fault, tml_fault, tml_fault, tml_fault, tml_fault, tml_fault, 0, 0, 0, tml_fault,
     tml_fault, 0, tml_fault, tml_fault},
};
