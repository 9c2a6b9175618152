/* SPDX-License-Identifier: Apache-2.0 */
/* The same program run natively. */
#include <stdio.h>
#include <stdlib.h>

#include "tml_bench.h"

void tml_write(const char *text, size_t length)
{
    (void)fwrite(text, 1, length, stdout);
}

void tml_exit(int code)
{
    exit(code);
}
