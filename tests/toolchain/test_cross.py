"""Cross compilation: sizes that make sense, and errors that name what is exceeded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from tinycc_ml.backend.target import Target, list_targets, load_target
from tinycc_ml.errors import TargetError, ToolError
from tinycc_ml.toolchain import Image, Sizes, build_image

from .programs import SUM, require, write

pytestmark = pytest.mark.cross

EMBEDDED = [target for target in list_targets() if target.emulator.kind != "host"]
EMPTY = '#include "tml_bench.h"\nvoid tml_bench_run(void) {}\n'


def _build(target: Target, folder: Path, text: str, **options: object) -> Image:
    require(target, emulator=False)
    return build_image(target, [write(folder, text)], workdir=folder / "out", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", EMBEDDED, ids=lambda target: target.name)
def test_an_empty_program_adds_nothing(target: Target, tmp_path: Path) -> None:
    assert _build(target, tmp_path, EMPTY).sizes == Sizes()


@pytest.mark.parametrize("target", EMBEDDED, ids=lambda target: target.name)
def test_sizes_are_those_of_the_program(target: Target, tmp_path: Path) -> None:
    image = _build(target, tmp_path, SUM)
    assert image.sizes is not None
    # the array, the sum and the hash; strings and the decimal table lie in .data on AVR
    assert 48 <= image.sizes.bss <= 64
    assert 100 < image.sizes.text < 2000
    assert image.sizes.flash == image.sizes.text + image.sizes.rodata + image.sizes.data
    assert image.sizes.ram_static == image.sizes.data + image.sizes.bss
    assert image.warnings == ""


def test_symbols_tell_the_static_functions(tmp_path: Path) -> None:
    image = _build(load_target("cortex-m4"), tmp_path, SUM)
    dot = image.symbol("dot")
    assert dot is not None
    assert dot.is_code
    assert dot.size > 0
    assert dot.address % 2 == 0
    assert image.symbol("nothing") is None


def test_constants_count_as_rodata(tmp_path: Path) -> None:
    text = EMPTY.replace("{}", "{ tml_write(table, 1000); }")
    text = text.replace("void", "static const char table[1000] = {1};\nvoid", 1)
    sizes = _build(load_target("cortex-m4"), tmp_path, text).sizes
    assert sizes is not None
    assert 1000 <= sizes.rodata <= 1008


def test_defines_and_include_dirs_reach_the_compiler(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    write(tmp_path / "include", "#define ONE 1\n", "one.h")
    text = EMPTY + '#include "one.h"\n#if ONE + TWO != 3\n#error\n#endif\n'
    image = _build(
        load_target("cortex-m3"),
        tmp_path,
        text,
        include_dirs=[tmp_path / "include"],
        defines=["TWO=2"],
    )
    assert image.elf.is_file()


def test_warnings_are_kept(tmp_path: Path) -> None:
    image = _build(load_target("cortex-m3"), tmp_path, EMPTY + "static int unused;\n")
    assert "unused" in image.warnings


def test_a_compile_error_shows_the_compilers_words(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"program\.c for cortex-m3:(.|\n)*undeclared"):
        _build(load_target("cortex-m3"), tmp_path, EMPTY.replace("{}", "{ undeclared = 1; }"))


def test_a_missing_run_function_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"could not link for rv32imc(.|\n)*tml_bench_run"):
        _build(load_target("rv32imc"), tmp_path, "int other;\n")


def _big(flash: int, ram: int) -> str:
    return f"""
#include "tml_bench.h"
#ifdef __AVR__
#include <avr/pgmspace.h>
#else
#define PROGMEM
#define pgm_read_byte(address) (*(address))
#endif
static const volatile uint8_t table[{flash}] PROGMEM = {{1}};
static volatile uint8_t work[{ram}];
void tml_bench_run(void) {{ work[{ram} - 1] = pgm_read_byte(&table[work[0]]); }}
"""


def test_flash_overflow_names_the_bytes(tmp_path: Path) -> None:
    with pytest.raises(
        TargetError, match=r"does not fit atmega328p: flash is exceeded by [\d,]+ b"
    ):
        _build(load_target("atmega328p"), tmp_path, _big(32700, 100))


def test_ram_overflow_names_the_bytes(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"atmega328p: ram is exceeded by 52 bytes"):
        _build(load_target("atmega328p"), tmp_path, _big(100, 2100))


def test_a_part_with_real_limits_names_the_bytes(tmp_path: Path) -> None:
    memories = MappingProxyType({"flash": 65536, "ram": 8192})
    part = replace(load_target("cortex-m4"), name="our-part", memories=memories)
    # 900 bytes of the program, and the start-up's own
    message = r"ram is exceeded by (9\d\d|1,0\d\d) bytes, 2,048 bytes are kept for the stack"
    with pytest.raises(TargetError, match=message):
        _build(part, tmp_path, _big(100, 8192 - 2048 + 900))
    with pytest.raises(TargetError, match=r"our-part: flash is exceeded by [12],\d{3} bytes"):
        _build(part, tmp_path, _big(65536, 100))
    assert _build(part, tmp_path, _big(1000, 1000)).stack_bytes == 2048


def test_an_own_start_up_file_lies_beside_the_target(tmp_path: Path) -> None:
    target = load_target("cortex-m4")
    text = target.path.read_text(encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text(text.replace("start_arm.c", "own_start.c"), encoding="utf-8")
    with pytest.raises(TargetError, match=r"cortex-m4: no start-up file 'own_start\.c'"):
        _build(load_target(path), tmp_path, EMPTY)
    write(tmp_path, '#include "start_arm.c"\n', "own_start.c")
    assert _build(load_target(path), tmp_path, EMPTY).elf.is_file()
