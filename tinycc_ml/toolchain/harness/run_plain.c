/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the hooks where the stack is measured from outside, or not at all. */
#include "tml_bench.h"

int main(void)
{
    tml_bench_setup();
    tml_bench_run();
    tml_bench_report();
    tml_exit(0);
}
