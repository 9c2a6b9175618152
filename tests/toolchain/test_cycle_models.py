"""Micro-kernels with cycle counts worked out by hand from the public timing tables.

Each is called with two pointers to memory. One program holds all that a core can run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain import Image, build_image, run_image

from .programs import require, write

pytestmark = pytest.mark.emulator

# name: (assembly, {core: cycles})
ARM: dict[str, tuple[str, dict[str, int]]] = {
    "alu100": (
        ".rept 100\n adds r0,r0,r1\n.endr\n bx lr",
        {"m0": 103, "m0plus": 102, "m3": 103, "m4": 103, "m33": 103},
    ),
    "ldr50": (
        ".rept 50\n ldr r2,[r0]\n.endr\n bx lr",
        {"m0": 103, "m0plus": 102, "m3": 54, "m4": 54, "m33": 53},
    ),
    "ldrchain": (
        ".rept 50\n ldr r0,[r0]\n.endr\n bx lr",
        {"m0": 103, "m0plus": 102, "m3": 103, "m4": 103, "m33": 102},
    ),
    "loop100": (
        "movs r0,#100\n1: subs r0,#1\n bne 1b\n bx lr",
        {"m0": 402, "m0plus": 302, "m3": 402, "m4": 402, "m33": 402},
    ),
    "pushpop": (
        "push {r4-r7,lr}\n pop {r4-r7,pc}",
        {"m0": 15, "m0plus": 14, "m3": 14, "m4": 14},
    ),
    "ldrstr": (
        ".rept 10\n ldr r2,[r0]\n str r2,[r1]\n.endr\n bx lr",
        {"m0": 43, "m0plus": 42, "m3": 33, "m4": 33},
    ),
    "mul10": (
        ".rept 10\n muls r0,r1,r0\n.endr\n bx lr",
        {"m0": 13, "m0plus": 12, "m3": 13, "m4": 13},
    ),
    "agu": (
        ".rept 10\n adds r0,#4\n ldr r2,[r0]\n.endr\n bx lr",
        {"m0": 33, "m0plus": 32, "m3": 43, "m4": 43},
    ),
    "call": (
        "push {r4,lr}\n bl 1f\n pop {r4,pc}\n1: bx lr",
        {"m0": 3 + 4 + 3 + 6, "m0plus": 3 + 3 + 2 + 5, "m3": 3 + 3 + 3 + 5, "m4": 3 + 3 + 3 + 5},
    ),
    "bcc_not_taken": (
        "cmp r0,r0\n.rept 10\n bne 1f\n.endr\n1: bx lr",
        {"m0": 14, "m0plus": 13, "m3": 14, "m4": 14},
    ),
    "ldm4": (
        ".rept 10\n mov r3,r0\n ldmia r3,{r1,r2,r3}\n.endr\n bx lr",
        {"m0": 53, "m0plus": 52, "m3": 53, "m4": 53},
    ),
    "mla10": (".rept 10\n mla r2,r1,r0,r2\n.endr\n bx lr", {"m3": 23, "m4": 13}),
    "umull10": (".rept 10\n umull r2,r3,r0,r1\n.endr\n bx lr", {"m3": 43, "m4": 13}),
    "udiv10": (".rept 10\n udiv r2,r0,r1\n.endr\n bx lr", {"m3": 73, "m4": 73}),
    "ldrd10": (".rept 10\n ldrd r2,r3,[r0]\n.endr\n bx lr", {"m3": 33, "m4": 33}),
    "smlad": (
        "mov r3,#0\n mov r2,#64\n1: ldr ip,[r0],#4\n ldr.w r1,[r0]\n smlad r3,ip,r1,r3\n"
        " subs r2,#1\n bne 1b\n bx lr",
        {"m4": 2 + 64 * (2 + 2 + 1 + 1) + 63 * 3 + 1 + 3},
    ),
    "smlad_unrolled": (
        "mov r3,#0\n mov r2,#16\n1: ldr ip,[r0]\n ldr.w r1,[r0,#4]\n smlad r3,ip,r1,r3\n"
        " ldr ip,[r0,#8]\n ldr r1,[r0,#12]\n smlad r3,ip,r1,r3\n subs r2,#1\n bne 1b\n bx lr",
        {"m4": 2 + 16 * (3 + 1 + 3 + 1 + 1) + 15 * 3 + 1 + 3},
    ),
    "vadd_dependent": (".rept 10\n vadd.f32 s0,s0,s1\n.endr\n bx lr", {"m4": 10 + 9 + 3}),
    "vadd_independent": (
        ".rept 5\n vadd.f32 s0,s4,s5\n vadd.f32 s1,s4,s5\n.endr\n bx lr",
        {"m4": 13},
    ),
    "vmla_independent": (
        ".rept 5\n vmla.f32 s0,s4,s5\n vmla.f32 s1,s4,s5\n.endr\n bx lr",
        {"m4": 33},
    ),
    "vdiv": ("vdiv.f32 s0,s1,s2\n bx lr", {"m4": 17}),
    "vldr10": (".rept 10\n vldr s0,[r0]\n.endr\n bx lr", {"m4": 23}),
}
RISCV: dict[str, tuple[str, dict[str, int]]] = {
    "alu100": (".rept 100\n add a0,a0,a1\n.endr\n ret", {"rv32imc": 102}),
    "lw50": (".rept 50\n lw t0,0(a0)\n.endr\n ret", {"rv32imc": 102}),
    "loop100": (
        "li a0,100\n1: addi a0,a0,-1\n bnez a0,1b\n ret",
        {"rv32imc": 1 + 100 + 99 * 3 + 1 + 2},
    ),
    "div10": (".rept 10\n div t0,a0,a1\n.endr\n ret", {"rv32imc": 372}),
    "mul10": (".rept 10\n mul t0,a0,a1\n mulh t1,a0,a1\n.endr\n ret", {"rv32imc": 32}),
}
AVR: dict[str, tuple[str, dict[str, int]]] = {
    "alu100": (".rept 100\n add r24,r22\n.endr\n ret", {"avr": 104}),
    "loop100": ("ldi r24,100\n1: dec r24\n brne 1b\n ret", {"avr": 1 + 100 + 99 * 2 + 1 + 4}),
    "mul10": (".rept 10\n mul r24,r22\n.endr\n clr r1\n ret", {"avr": 25}),
    "ld10": ("movw r30,r24\n.rept 10\n ld r0,Z\n.endr\n ret", {"avr": 1 + 20 + 4}),
}
# core: (target, cycle model, kernels); M0 code is the same as M0+ code
CORES = {
    "m0": ("cortex-m0plus", "cortex-m0", ARM),
    "m0plus": ("cortex-m0plus", None, ARM),
    "m3": ("cortex-m3", None, ARM),
    "m4": ("cortex-m4", None, ARM),
    "m33": ("cortex-m33", None, ARM),
    "rv32imc": ("rv32imc", None, RISCV),
    "avr": ("atmega328p", None, AVR),
}
CASES = [
    (core, name, cycles)
    for core, (_, _, kernels) in CORES.items()
    for name, (_, expected) in kernels.items()
    for of_core, cycles in expected.items()
    if of_core == core
]
HELIUM = """mov r3,lr
 mov r2,#0
 mov ip,#100
 dls lr,ip
1: vldrb.8 q0,[r0],#16
 vmladava.s8 r2,q0,q1
 le lr,1b
 bx r3"""


def _assembly(target: str, kernels: dict[str, str]) -> str:
    arm = target.startswith("cortex")
    head = ".syntax unified\n.thumb\n" if arm else ""
    kind = ".thumb_func\n.type {0},%function\n" if arm else ".type {0},@function\n"
    bodies = (
        f".balign 16\n.globl {name}\n{kind.format(name)}{name}:\n {body}\n"
        for name, body in kernels.items()
    )
    return f"{head}.text\n{''.join(bodies)}"


def _caller(names: list[str]) -> str:
    declarations = "".join(f"void {name}(void *, void *);\n" for name in names)
    calls = "".join(f"    {name}(first, second);\n" for name in names)
    return f"""
#include "tml_bench.h"
{declarations}
static intptr_t first[300];
static int second[16];
void tml_bench_setup(void)
{{
    for (int i = 0; i < 8; i++) {{
        first[i] = (intptr_t)first;
    }}
}}
void tml_bench_run(void)
{{
{calls}    __asm__ volatile(""); /* the last call is no jump: it returns here */
}}
"""


def _build(target: str, kernels: dict[str, str], folder: Path) -> Image:
    require(load_target(target))
    sources = [
        write(folder, _assembly(target, kernels), "kernels.S"),
        write(folder, _caller(list(kernels)), "caller.c"),
    ]
    return build_image(load_target(target), sources, workdir=folder)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    return {}


def _image_of(core: str, images: dict[str, Image], factory: pytest.TempPathFactory) -> Image:
    target, _, kernels = CORES[core]
    if core not in images:
        own = {name: body for name, (body, expected) in kernels.items() if core in expected}
        images[core] = _build(target, own, factory.mktemp(core))
    return images[core]


@pytest.mark.parametrize(("core", "name", "cycles"), CASES)
def test_cycles_are_those_of_the_timing_table(
    core: str,
    name: str,
    cycles: int,
    images: dict[str, Image],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    image = _image_of(core, images, tmp_path_factory)
    run = run_image(image, function=name, model=CORES[core][1], timeout_s=30)
    assert run.fault is None
    assert run.undecoded == ()
    assert run.cycles == cycles


def test_a_helium_loop_is_decoded_and_overlaps(tmp_path: Path) -> None:
    image = _build("cortex-m55", {"mac": HELIUM}, tmp_path)
    run = run_image(image, function="mac", timeout_s=30)
    mix = dict(run.mix)
    assert run.undecoded == ()
    assert (mix["MVELD"], mix["MVEMUL"], mix["LE"]) == (100, 100, 100)
    assert run.cycles is not None
    # two beats a pass in each of two pipes, and the entry
    assert 200 <= run.cycles <= 230
