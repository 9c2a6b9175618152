/* SPDX-License-Identifier: Apache-2.0 */
/* Between the start-up file of an architecture, board.c and run_painted.c. */
#ifndef TML_BOARD_H
#define TML_BOARD_H

#include <stdint.h>

/* Asks the emulator for a service; given by the start-up file. */
long tml_semihost(long operation, const void *arguments);

/* The caller's: the function is a leaf without a frame. Given by the start-up file. */
uint32_t *tml_stack_pointer(void);

/* Sets up .data, .bss and constructors, then runs the program. */
void tml_start_c(void) __attribute__((noreturn));

/* Runs the hooks and ends the program. */
void tml_main(void) __attribute__((noreturn));

#endif
