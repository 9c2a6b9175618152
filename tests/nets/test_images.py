"""Integer images for cores without floating point: no soft-float code comes along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinycc_ml.backend.emit import write_files
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain import build_image, missing_tools

from .nets import INTEGER_NAMES, compiled, shared

SOFT_FLOAT = re.compile(
    r"^__aeabi_(f|d|cf|cd|i2f|i2d|ui2f|ui2d|l2f|l2d|ul2f|ul2d)"
    r"|^__(add|sub|mul|div|neg|eq|ne|lt|le|gt|ge|cmp|unord|fix|fixuns|float|floatun|floatuns|extend|trunc)\w*[sd]f"
)


@pytest.mark.cross
@pytest.mark.parametrize("path", shared(INTEGER_NAMES))
@pytest.mark.parametrize("core", ["cortex-m0plus", "rv32imc"])
def test_integer_images_have_no_soft_float(path: Path, core: str, tmp_path: Path) -> None:
    target = load_target(core)
    missing = missing_tools(target, emulator=False)
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    made = compiled(path, core)
    folder = tmp_path / "out"
    write_files(made.files, folder)
    main = tmp_path / "main.c"
    name = made.program.name
    main.write_text(
        f'#include "{name}.h"\nstatic {name}_arena_t arena;\n'
        + "".join(
            f"static {p.c_type} {p.ident}[{p.size}];\n"
            for p in (*made.program.inputs, *made.program.outputs)
        )
        + f"void tml_bench_run(void);\nvoid tml_bench_run(void) {{ {name}_run(&arena, "
        + ", ".join(p.ident for p in (*made.program.inputs, *made.program.outputs))
        + "); }\n"
    )
    sources = [main, *(p for p in folder.glob("*.c") if not p.name.endswith("_selftest.c"))]
    image = build_image(target, sources, include_dirs=(folder,), workdir=tmp_path)
    assert not sorted({s for s in map(str, _names(image.symbols)) if SOFT_FLOAT.match(s)})


def _names(symbols: object) -> list[str]:
    return [getattr(symbol, "name", symbol) for symbol in symbols]  # type: ignore[attr-defined]
