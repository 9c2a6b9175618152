/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks and output of a program that runs in an emulator. Linked for measuring and testing only. */
#ifndef TML_BENCH_H
#define TML_BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Given by the program. Everything executed inside tml_bench_run is counted; the others may be left
 * out. */
void tml_bench_setup(void);
void tml_bench_run(void);
void tml_bench_report(void);

/* Given by the harness. tml_puts adds no newline. */
void tml_write(const char *text, size_t length);
void tml_puts(const char *text);
void tml_put_i32(int32_t value);
void tml_put_hex(uint32_t value);
void tml_exit(int code) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
