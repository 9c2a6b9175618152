"""Running on each core: output, counts, stack, and faults that are told and never hang."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tinycc_ml.backend.target import Target, list_targets, load_target
from tinycc_ml.errors import ToolError
from tinycc_ml.toolchain import Image, build_image, run_image

from .programs import SUM, require, sum_output, write

pytestmark = pytest.mark.emulator

TARGETS = list_targets()
EMBEDDED = [target for target in TARGETS if target.emulator.kind != "host"]
QEMU = [target for target in TARGETS if target.emulator.kind == "qemu"]
STACK = """
#include "tml_bench.h"
static volatile uint8_t sink;
static __attribute__((noinline)) void deep(void)
{
    volatile uint8_t room[BYTES];
    for (unsigned i = 0; i < BYTES; i++) {
        room[i] = (uint8_t)i;
    }
    sink = room[BYTES / 2];
}
void tml_bench_run(void) { deep(); }
"""


def _image(target: Target, folder: Path, text: str = SUM, **options: object) -> Image:
    require(target)
    return build_image(target, [write(folder, text)], workdir=folder / "out", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sum_image(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    """SUM for a target, built once."""

    @cache
    def build(name: str) -> Image:
        return _image(load_target(name), tmp_path_factory.mktemp(name))

    return build


def _body(statements: str) -> str:
    return f'#include "tml_bench.h"\nvoid tml_bench_run(void) {{ {statements} }}\n'


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_core_gives_the_same_output(
    target: Target, sum_image: Callable[[str], Image]
) -> None:
    run = run_image(sum_image(target.name))
    assert run.output == sum_output()
    assert run.ok
    assert run.fault is None


@pytest.mark.parametrize("target", EMBEDDED, ids=lambda target: target.name)
def test_counts_are_of_the_run_function(target: Target, sum_image: Callable[[str], Image]) -> None:
    image = sum_image(target.name)
    run = run_image(image)
    assert run.entries == 1
    assert run.instructions is not None
    assert run.cycles is not None
    # 40 passes of two loads, a multiplication and the loop; AVR multiplies by a library call
    assert 40 * 4 < run.instructions < 40 * 60
    assert run.instructions * 0.4 < run.cycles < run.instructions * 4
    assert run.undecoded == ()
    assert {item.function for item in run.profile} >= {"tml_bench_run", "dot"}
    assert sum(item.instructions for item in run.profile) == run.instructions
    assert run.profile[0].function == "dot"
    only_dot = run_image(image, function="dot")
    assert only_dot.cycles is not None
    assert only_dot.cycles < run.cycles


def test_the_host_measures_nothing(sum_image: Callable[[str], Image]) -> None:
    run = run_image(sum_image("host"))
    assert (run.cycles, run.instructions, run.entries, run.stack_bytes) == (None,) * 4


@pytest.mark.parametrize("target", EMBEDDED, ids=lambda target: target.name)
def test_stack_is_what_the_frames_need(target: Target, tmp_path: Path) -> None:
    run = run_image(_image(target, tmp_path, STACK, defines=["BYTES=600"]))
    assert run.stack_bytes is not None
    assert 600 <= run.stack_bytes <= 700


@pytest.mark.parametrize("name", ["cortex-m4", "rv32imc"])
def test_stack_overflow_is_seen(name: str, tmp_path: Path) -> None:
    image = _image(load_target(name), tmp_path, STACK, defines=["BYTES=600"], stack_bytes=512)
    assert run_image(image).fault == "stack overflow: more than the 512 bytes kept for it"


def test_stack_overflow_into_data_is_seen_on_avr(tmp_path: Path) -> None:
    text = STACK.replace("sink;", "sink;\nvolatile uint8_t data[1200] = {1};", 1)
    text = text.replace("{ deep(); }", "{ deep(); data[1] = sink; }")
    image = _image(load_target("atmega328p"), tmp_path, text, defines=["BYTES=900"])
    assert "stack" in (run_image(image).fault or "")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_exit_code_is_passed_on(target: Target, tmp_path: Path) -> None:
    run = run_image(_image(target, tmp_path, _body("tml_exit(7);")))
    assert run.exit_code == 7
    assert not run.ok


def test_a_bad_access_is_a_fault(tmp_path: Path) -> None:
    text = _body("*(volatile uint32_t *)0xF0000000U = 1;")
    assert "fault" in (run_image(_image(load_target("cortex-m4"), tmp_path, text)).fault or "")
    text = _body('__asm__ volatile(".word 0");')
    run = run_image(_image(load_target("rv32imc"), tmp_path, text))
    assert "mcause=00000002" in (run.fault or "")
    assert run.output == ""


def test_an_unaligned_access_faults_on_armv6_only(tmp_path: Path) -> None:
    text = _body("static uint32_t words[2]; *(volatile uint32_t *)((uintptr_t)words + one) = 1;")
    text = "static volatile int one = 1;\n" + text
    assert run_image(_image(load_target("cortex-m0plus"), tmp_path, text)).fault
    assert run_image(_image(load_target("cortex-m3"), tmp_path, text)).fault is None


@pytest.mark.parametrize("name", ["cortex-m4", "atmega328p", "host"])
def test_an_endless_program_is_stopped(name: str, tmp_path: Path) -> None:
    image = _image(load_target(name), tmp_path, _body('tml_puts("begun\\n"); for (;;) { }'))
    with pytest.raises(ToolError, match=rf"did not end within 1 s on {name}"):
        run_image(image, timeout_s=1)


def test_a_function_that_is_not_called_is_told(sum_image: Callable[[str], Image]) -> None:
    image = sum_image("cortex-m3")
    assert run_image(image, function="tml_put_hex").fault is None
    assert run_image(image, function="tml_fault").fault == "tml_fault was never called"
    with pytest.raises(ToolError, match=r"has no function 'nothing'"):
        run_image(image, function="nothing")


def test_model_and_parameters_can_be_chosen(sum_image: Callable[[str], Image]) -> None:
    image = sum_image("rv32imc")
    ibex, slow, e31 = (
        run_image(image).cycles,
        run_image(image, model_params=("mul=3",)).cycles,
        run_image(image, model="e31").cycles,
    )
    assert ibex is not None
    assert slow is not None
    assert slow - ibex == 2 * 41  # 40 products and the hash
    assert e31 != ibex
    with pytest.raises(ToolError, match=r"unknown argument core=z80"):
        run_image(image, model="z80")
    with pytest.raises(ToolError, match=r"unknown argument speed=3"):
        run_image(image, model_params=("speed=3",))


@pytest.mark.parametrize("target", QEMU, ids=lambda target: target.name)
def test_without_counting_the_rest_is_there(
    target: Target, sum_image: Callable[[str], Image]
) -> None:
    run = run_image(sum_image(target.name), count=False)
    assert run.ok
    assert run.output == sum_output()
    assert run.stack_bytes is not None
    assert (run.cycles, run.instructions, run.profile) == (None, None, ())


def test_a_missing_emulator_is_told_with_its_package(sum_image: Callable[[str], Image]) -> None:
    image = sum_image("cortex-m3")
    emulator = replace(image.target.emulator, program="no-such-qemu")
    image = replace(image, target=replace(image.target, emulator=emulator))
    with pytest.raises(ToolError, match=r"no-such-qemu is not installed.*qemu-system-arm"):
        run_image(image)


def test_no_host_compiler_is_told_as_the_reason(
    sum_image: Callable[[str], Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = sum_image("cortex-m3")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(ToolError, match=r"counting plugin of QEMU can't be built.*no-such-cc"):
        run_image(image)


def test_a_qemu_without_plugins_is_told(sum_image: Callable[[str], Image], tmp_path: Path) -> None:
    image = sum_image("cortex-m3")
    fake = write(
        tmp_path, '#!/bin/sh\necho "qemu: -plugin: invalid option" >&2\nexit 1\n', "old-qemu"
    )
    fake.chmod(0o755)
    emulator = replace(image.target.emulator, program=str(fake))
    image = replace(image, target=replace(image.target, emulator=emulator))
    with pytest.raises(ToolError, match=r"can't load the counting plugin.*QEMU 6\.1 to 8\.2"):
        run_image(image)
