"""Every header compiles on its own, without warnings, with every compiler there is."""

import shutil
import subprocess

import pytest

from .conftest import HERE, RUNTIME

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
COMPILERS = {
    "gcc": ["gcc", "-O2"],
    "clang": ["clang", "-O2"],
    "cortex_m0plus": ["arm-none-eabi-gcc", "-O2", "-mcpu=cortex-m0plus", "-mthumb"],
    "cortex_m4": [
        "arm-none-eabi-gcc",
        "-O2",
        "-mcpu=cortex-m4",
        "-mthumb",
        "-mfloat-abi=hard",
        "-mfpu=fpv4-sp-d16",
    ],
    "rv32imc": [
        "riscv64-unknown-elf-gcc",
        "-O2",
        "-march=rv32imc",
        "-mabi=ilp32",
        "-ffreestanding",
    ],
    "atmega328p": ["avr-gcc", "-Os", "-mmcu=atmega328p"],
}
HEADERS = sorted(RUNTIME.rglob("*.h"))


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_header_compiles_on_its_own(compiler, tmp_path):
    program = COMPILERS[compiler][0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing")
    sources = []
    for header in HEADERS:
        sources.append(tmp_path / f"{header.stem}.c")
        sources[-1].write_text(f'#include "{header.relative_to(RUNTIME)}"\n')
    subprocess.run(
        [*COMPILERS[compiler], *WARNINGS, "-I", RUNTIME, "-fsyntax-only", *sources], check=True
    )


@pytest.mark.parametrize(
    ("compiler", "inline"),
    [
        *((name, "") for name in COMPILERS),
        ("cortex_m0plus", "-DTML_INLINE_KERNELS=0"),
        ("cortex_m0plus", "-DTML_INLINE_KERNELS=1"),
    ],
)
def test_all_kernels_together_need_no_libc_but_memcpy_and_memset(compiler, inline, tmp_path):
    program = COMPILERS[compiler][0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing")
    unit = tmp_path / "kernels.o"
    flags = [*COMPILERS[compiler], *WARNINGS, *([inline] if inline else []), "-I", RUNTIME]
    subprocess.run([*flags, "-c", HERE / "kernels.c", "-o", unit], check=True)
    nm = program.removesuffix("gcc") + "nm" if program.endswith("-gcc") else "nm"
    undefined = subprocess.run(
        [nm, "-u", unit], check=True, capture_output=True, text=True
    ).stdout.split()
    names = {name for name in undefined if name not in ("U", "w") and not name.startswith("__")}
    assert names <= {"memcpy", "memcpy_P", "memset", "expf", "exp", "_GLOBAL_OFFSET_TABLE_"}


def test_every_file_states_its_licence_and_guards_itself():
    for header in HEADERS:
        text = header.read_text()
        guard = header.name.upper().replace(".", "_")
        assert text.startswith("/* SPDX-License-Identifier: 0BSD */\n"), header.name
        assert f"#ifndef {guard}\n#define {guard}\n" in text, header.name
