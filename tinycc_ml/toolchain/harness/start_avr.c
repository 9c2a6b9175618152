/* SPDX-License-Identifier: Apache-2.0 */
/* AVR: output through GPIOR0 and exit through GPIOR1, both watched by avr/runner.c. */
#include <avr/io.h>

#include "tml_bench.h"

void tml_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        GPIOR0 = (uint8_t)text[i];
    }
}

void tml_exit(int code)
{
    GPIOR1 = (uint8_t)code;
    for (;;) {
    }
}
