"""Small C programs that the tests build and run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinycc_ml.backend.target import Target
from tinycc_ml.toolchain import missing_tools

# Widened before multiplying, so that the 16-bit int of the AVR gives the same numbers.
SUM = """
#include "tml_bench.h"

static volatile int8_t values[40];
static int32_t sum;
static uint32_t hash;

static __attribute__((noinline)) int32_t dot(void)
{
    int32_t total = 0;
    for (int i = 0; i < 40; i++) {
        total += (int32_t)values[i] * values[39 - i];
    }
    return total;
}

void tml_bench_setup(void)
{
    for (int i = 0; i < 40; i++) {
        values[i] = (int8_t)(i * 37 - 90);
    }
}

void tml_bench_run(void)
{
    sum = dot();
    hash = (uint32_t)sum * 2654435761U;
}

void tml_bench_report(void)
{
    tml_puts("sum ");
    tml_put_i32(sum);
    tml_puts(" hash ");
    tml_put_hex(hash);
    tml_puts(" least ");
    tml_put_i32(INT32_MIN);
    tml_puts("\\n");
}
"""


def sum_output() -> str:
    """What SUM prints, worked out here."""
    values = [(i * 37 - 90 + 128) % 256 - 128 for i in range(40)]
    total = sum(a * b for a, b in zip(values, reversed(values), strict=True))
    return f"sum {total} hash {total * 2654435761 % 2**32:08x} least -2147483648\n"


def write(folder: Path, text: str, name: str = "program.c") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def require(target: Target, *, emulator: bool = True) -> None:
    """Skips the test, saying which tools are missing."""
    missing = missing_tools(target, emulator=emulator)
    if missing:
        pytest.skip(f"{target.name} needs {', '.join(missing)}")
