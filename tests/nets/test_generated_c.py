"""The generated C of whole nets: no warnings, no undefined behaviour, no symbols it must not need."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tinycc_ml.backend.emit import write_files
from tinycc_ml.compiler import Options, compile

from .nets import compiled, own, shared

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"]
# What is written for a core with its own kernels must build and run anywhere
TARGETS = ("host", "cortex-m4")
ALLOWED = re.compile(
    r"^(memcpy|memset|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail"
    r"|(abs|sqrt|exp|log|tanh|sin|cos|floor|ceil|fabs|fmax|fmin|erf|pow|expm1|log1p|nearbyint|rint)f)$"
)


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done


def written(path: Path, folder: Path, target: str = "host", **options: object) -> tuple[str, Path]:
    made = (
        compile(path, target, options=Options(**options))  # type: ignore[arg-type]
        if options
        else compiled(path, target)
    )
    write_files(made.files, folder)
    return made.program.name, folder


def sources(folder: Path) -> list[str]:
    return [str(p) for p in sorted(folder.glob("*.c"))]


def need(tool: str) -> str:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    return tool


@pytest.mark.parametrize("path", [*own(), *shared()])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("target", TARGETS)
def test_c_compiles_without_a_warning(
    path: Path, compiler: str, target: str, tmp_path: Path
) -> None:
    need(compiler)
    _, folder = written(path, tmp_path / "out", target)
    for source in sources(folder):
        run(
            [
                compiler,
                *WARNINGS,
                "-O2",
                "-ffp-contract=off",
                f"-I{folder}",
                "-c",
                source,
                "-o",
                f"{source}.o",
            ]
        )
        run([compiler, *WARNINGS, "-DTML_TRACE", f"-I{folder}", "-fsyntax-only", source])


@pytest.mark.parametrize("path", [*own(), *shared()])
def test_the_header_compiles_as_cpp(path: Path, tmp_path: Path) -> None:
    need("g++")
    name, folder = written(path, tmp_path / "out")
    unit = tmp_path / "unit.cpp"
    unit.write_text(f'#include "{name}.h"\nvoid use(void) {{ (void)&{name}_run; }}\n')
    run(
        [
            "g++",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            f"-I{folder}",
            "-fsyntax-only",
            str(unit),
        ]
    )


@pytest.mark.parametrize("path", [*own(), *shared()])
@pytest.mark.parametrize("target", TARGETS)
def test_the_self_test_runs_clean_under_sanitizers(path: Path, target: str, tmp_path: Path) -> None:
    need("gcc")
    _, folder = written(path, tmp_path / "out", target)
    program = tmp_path / "selftest"
    flags = [*SANITIZERS, "-ffp-contract=off", "-DTML_SELFTEST_MAIN", f"-I{folder}"]
    run(["gcc", *flags, *sources(folder), "-o", str(program), "-lm"])
    assert "0 wrong values" in run([str(program)]).stdout


@pytest.mark.parametrize("path", [*own(), *shared()])
def test_only_allowed_symbols_are_undefined_and_only_own_names_are_defined(
    path: Path, tmp_path: Path
) -> None:
    need("gcc")
    name, folder = written(path, tmp_path / "out")
    units = [s for s in sources(folder) if not s.endswith("_selftest.c")]
    for unit in units:
        run(["gcc", "-O2", "-fno-stack-protector", f"-I{folder}", "-c", unit, "-o", f"{unit}.o"])
    listed = run(["nm", *(f"{u}.o" for u in units)]).stdout.split("\n")
    symbols = [line.split() for line in listed if line and not line.endswith(":")]
    undefined = {s[-1] for s in symbols if s[-2] == "U"}
    defined = {s[-1] for s in symbols if s[-2] in "TDRB"}
    assert all(s.startswith(f"{name}_") for s in defined)
    assert not {s for s in undefined - defined if not ALLOWED.match(s)}


@pytest.mark.parametrize(
    "path", [*own(), *shared(("kws_int8qdq", "resnet8_int8qdq", "strww_float"))]
)
@pytest.mark.parametrize("optimize", ["speed", "size"])
def test_speed_and_size_give_the_same_numbers(path: Path, optimize: str, tmp_path: Path) -> None:
    _, folder = written(path, tmp_path / "out", optimize=optimize)
    program = tmp_path / "selftest"
    run(
        [
            "gcc",
            "-O2",
            "-ffp-contract=off",
            "-DTML_SELFTEST_MAIN",
            f"-I{folder}",
            *sources(folder),
            "-o",
            str(program),
            "-lm",
        ]
    )
    assert "0 wrong values" in run([str(program)]).stdout


@pytest.mark.parametrize("path", own())
def test_a_single_file_needs_nothing_else(path: Path, tmp_path: Path) -> None:
    name, folder = written(path, tmp_path / "out", single_file=True)
    alone = tmp_path / "alone"
    alone.mkdir()
    for suffix in ("c", "h"):
        shutil.copy(folder / f"{name}.{suffix}", alone)
    run(["gcc", *WARNINGS, "-O2", "-c", str(alone / f"{name}.c"), "-o", str(alone / "unit.o")])


@pytest.mark.parametrize("path", own())
def test_io_in_the_arena_gives_the_same_numbers(path: Path, tmp_path: Path) -> None:
    _, folder = written(path, tmp_path / "out", io="arena")
    program = tmp_path / "selftest"
    run(
        [
            "gcc",
            *WARNINGS,
            "-O2",
            "-DTML_SELFTEST_MAIN",
            f"-I{folder}",
            *sources(folder),
            "-o",
            str(program),
            "-lm",
        ]
    )
    assert "0 wrong values" in run([str(program)]).stdout


def test_two_models_of_two_versions_link_and_run_together(tmp_path: Path) -> None:
    """The second model's runtime says another version and has a kernel that counts differently."""
    paths = [p.values[0] for p in own()][:2]
    if len(paths) < 2:
        pytest.skip("needs two nets in examples/digits")
    objects, names = [], []
    for k, path in enumerate(paths):
        name, folder = written(path, tmp_path / f"out{k}", name=f"model_{k}")
        if k == 1:
            _pretend_another_version(folder)
        names.append(name)
        for source in sources(folder):
            objects.append(f"{source}.o")
            run(["gcc", "-O2", f"-I{folder}", "-c", source, "-o", objects[-1]])
    main = tmp_path / "main.c"
    calls = " + ".join(f"{name}_selftest()" for name in names)
    declared = "".join(f"int32_t {name}_selftest(void);\n" for name in names)
    main.write_text(f"#include <stdint.h>\n{declared}int main(void) {{ return ({calls}) != 0; }}\n")
    run(["gcc", "-O2", str(main), *objects, "-o", str(tmp_path / "both"), "-lm"])
    run([str(tmp_path / "both")])


def _pretend_another_version(folder: Path) -> None:
    for path in [*folder.rglob("*.h"), *folder.rglob("*.c")]:
        text = path.read_text()
        text = re.sub(r"(#define TML_RUNTIME_VERSION) \d+", r"\1 99", text)
        text = re.sub(r"(TML_RUNTIME_VERSION !=) \d+", r"\1 99", text)
        path.write_text(text)


def test_a_runtime_of_another_version_is_an_error(tmp_path: Path) -> None:
    path = own()[0].values[0]
    name, folder = written(path, tmp_path / "out")
    port = folder / "runtime/common/tml_port.h"
    port.write_text(re.sub(r"(#define TML_RUNTIME_VERSION) \d+", r"\1 99", port.read_text()))
    done = subprocess.run(
        ["gcc", f"-I{folder}", "-fsyntax-only", str(folder / f"{name}.c")],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and "runtime" in done.stderr


@pytest.mark.cross
@pytest.mark.parametrize("path", [*own(), *shared(("resnet8_int8qdq", "vww_int8qdq"))])
@pytest.mark.parametrize(
    "flags", ["-O0", "-Os", "-O3", "-O2 -fno-omit-frame-pointer", "-O2 -DTML_PORTABLE"]
)
def test_blocks_of_instructions_build_with_any_flags(
    path: Path, flags: str, tmp_path: Path
) -> None:
    compiler = need("arm-none-eabi-gcc")
    _, folder = written(path, tmp_path / "out", "cortex-m4")
    core = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
    for source in sources(folder):
        run(
            [
                compiler,
                *core,
                *WARNINGS,
                *flags.split(),
                f"-I{folder}",
                "-c",
                source,
                "-o",
                f"{source}.o",
            ]
        )


@pytest.mark.cross
@pytest.mark.parametrize("path", shared(("kws_int8qdq", "resnet8_int8qdq")))
def test_clang_for_arm_takes_what_was_written_for_the_core(path: Path, tmp_path: Path) -> None:
    compiler = need("clang")
    _, folder = written(path, tmp_path / "out", "cortex-m4")
    core = ["--target=arm-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=soft", "-ffreestanding"]
    units = [s for s in sources(folder) if not s.endswith("_selftest.c")]
    for unit in units:
        run([compiler, *core, *WARNINGS, "-O2", f"-I{folder}", "-c", unit, "-o", f"{unit}.o"])
