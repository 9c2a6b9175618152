"""The bytes of the kernels' C: each compiled by itself for a target, function by function, and how well they add up
to linked nets. Part of cost_model.py, which writes them to tinycc_ml/backend/costs.toml.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from measure import flag_of, linked

from tinycc_ml.backend.candidates import Candidate, code_bytes
from tinycc_ml.backend.costs import Code
from tinycc_ml.backend.emit import write_files
from tinycc_ml.backend.target import Target, load_target
from tinycc_ml.compiler import Compiled
from tinycc_ml.ops import table as all_ops
from tinycc_ml.ops.base import Kernel
from tinycc_ml.resources import runtime_dir
from tinycc_ml.toolchain.cross import object_symbols

Pieces = Mapping[str, int]
_INLINE = {"speed": "#define TML_INLINE_KERNELS 1\n", "balanced": "", "size": "#define TML_INLINE_KERNELS 0\n"}  # fmt: skip
# where the compiler inlines a kernel or, for size, makes a copy for the one call
_WHERE = {"speed": "every", "balanced": "small", "size": "single"}
_USE = "tml_use"


def kernels_of(target: Target, optimize: str) -> list[Kernel]:
    """All that can serve a goal on a target, by name."""
    every = {k.name: k for op in all_ops().values() for k in op.kernels}
    fits = (k for k in every.values() if k.features <= target.abilities and optimize in k.goals)
    return sorted(fits, key=lambda k: k.name)


def pieces_of(kernel: Kernel, target: Target, optimize: str, folder: Path) -> Pieces:
    """The functions and tables that a kernel needs, with their bytes; what is inlined counts with its caller."""
    source = folder / "kernel.c"
    header = f'#include "{kernel.folder}/{kernel.name}.h"'
    source.write_text(
        f"{_INLINE[optimize]}{header}\nvoid *const {_USE} = (void *){kernel.name};\n", "utf-8"
    )
    symbols = object_symbols(
        target, source, include_dirs=(runtime_dir(),), opt=flag_of(optimize), workdir=folder
    )
    sizes: dict[str, int] = {}
    for symbol in symbols:
        if symbol.name != _USE:
            name = symbol.name.split(".")[0]
            sizes[name] = sizes.get(name, 0) + symbol.size
    return sizes


def measured_pieces(target_name: str, optimize: str) -> dict[str, Pieces]:
    """By kernel."""
    target = load_target(target_name)
    with tempfile.TemporaryDirectory() as folder:
        return {
            k.name: pieces_of(k, target, optimize, Path(folder))
            for k in kernels_of(target, optimize)
        }


@dataclass(frozen=True)
class Linked:
    """The code of a linked net, and what it is made of."""

    net: str
    chosen: tuple[Candidate, ...]
    bytes: int

    def expected(self, code: Code) -> int:
        return code_bytes([code.of(c) for c in self.chosen])


def linked_net(net: str, compiled: Compiled, core: str, optimize: str) -> Linked:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        write_files(compiled.files, folder)
        image = linked(compiled, core, flag_of(optimize), folder)
    assert image.sizes is not None
    chosen = tuple(compiled.plan.chosen.values())
    return Linked(net, chosen, image.sizes.flash - compiled.program.weights_bytes)


def fitted_code(core: str, optimize: str, nets: Sequence[Linked]) -> Code:
    """`factor`, `each` and `nest` such that relative errors are small; none below zero."""
    plain = Code(measured_pieces(core, optimize), _WHERE[optimize], 0.0)
    # what a net's code would be more if one of the numbers were 1
    ones = [replace(plain, factor=1.0), replace(plain, each=1.0), replace(plain, nest=1.0)]
    given = np.array([net.expected(plain) for net in nets], float)
    columns = np.array([[net.expected(one) for one in ones] for net in nets]) - given[:, None]
    counted = np.array([net.bytes for net in nets], float)
    found = _not_negative(columns / counted[:, None], 1.0 - given / counted)
    factor, each, nest = (round(float(v), 3) for v in found)
    return replace(plain, factor=factor, each=each, nest=nest)


def _not_negative(columns: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Least squares; what would be below zero, or makes no difference, is left out."""
    found, used = np.zeros(columns.shape[1]), np.flatnonzero(columns.any(axis=0))
    while used.size:
        found[used] = np.linalg.lstsq(columns[:, used], wanted, rcond=None)[0]
        good = found[used] >= 0.0
        found[used[~good]] = 0.0
        if good.all():
            break
        used = used[good]
    return found


def code_lines(core: str, optimize: str, code: Code) -> Iterable[str]:
    """As tables of costs.toml."""
    yield from ("", f'[code."{core}".{optimize}]', f'inlined = "{code.inlined}"')
    yield from (f"factor = {code.factor}", f"each = {code.each}", f"nest = {code.nest}")
    yield f'[code."{core}".{optimize}.kernels]'
    for name, pieces in sorted(code.kernels.items()):
        sizes = ", ".join(f"{piece} = {size}" for piece, size in sorted(pieces.items()))
        yield f"{name} = {{ {sizes} }}"
