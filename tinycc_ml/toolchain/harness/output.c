/* SPDX-License-Identifier: Apache-2.0 */
/* Common to all targets: the optional hooks, and printing without printf. */
#include "tml_bench.h"

__attribute__((weak)) void tml_bench_setup(void)
{
}

__attribute__((weak)) void tml_bench_report(void)
{
}

void tml_puts(const char *text)
{
    /* volatile: not turned into strlen, which would then lie in every program's start-up part */
    const volatile char *characters = text;
    size_t length = 0;
    while (characters[length] != '\0') {
        length++;
    }
    tml_write(text, length);
}

void tml_put_hex(uint32_t value)
{
    char text[8];
    for (int i = 7; i >= 0; i--) {
        unsigned digit = value & 15U;
        text[i] = (char)(digit < 10U ? '0' + digit : 'a' + digit - 10U);
        value >>= 4;
    }
    tml_write(text, sizeof text);
}

/* Without division, whose library routine would lie in every program's start-up part. */
void tml_put_i32(int32_t value)
{
    static const uint32_t powers[] = {1000000000U, 100000000U, 10000000U, 1000000U, 100000U,
                                      10000U,      1000U,      100U,      10U,      1U};
    uint32_t rest = value < 0 ? 0U - (uint32_t)value : (uint32_t)value;
    char text[11];
    size_t length = 0;
    if (value < 0) {
        text[length++] = '-';
    }
    size_t digits = length;
    for (size_t i = 0; i < 10; i++) {
        char digit = '0';
        for (; rest >= powers[i]; digit++) {
            rest -= powers[i];
        }
        if (digit != '0' || length > digits || i == 9) {
            text[length++] = digit;
        }
    }
    tml_write(text, length);
}
