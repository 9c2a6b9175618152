"""Nodes of the op cases as C functions of their operands, compiled into one library and called by ctypes."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Node
from tinycc_ml.ir.types import dtype_of
from tinycc_ml.ops import op_of, table
from tinycc_ml.ops.base import PLAIN, PLANAR, Kernel, Loop, Nest, Site
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.reference.run import run
from tinycc_ml.resources import runtime_dir
from tinycc_ml.toolchain import build_library

from .case_models import inputs_of, model_of
from .test_integer_references import has_form, quantised

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-O1")


@dataclass(frozen=True)
class Call:
    """A node of a case and the value of every tensor of its graph."""

    site: Site
    node: Node
    values: Mapping[str, np.ndarray]

    @property
    def nest(self) -> Nest:
        made = op_of(self.node).nest
        assert made is not None
        return made(self.site)

    @property
    def operands(self) -> list[np.ndarray]:
        return [self.values[t.name] for t in self.site.inputs]

    @property
    def want(self) -> np.ndarray:
        return self.values[self.node.outputs[0]]


@cache
def calls() -> Mapping[str, Call]:
    """All nodes of the float and the integer graphs of all cases, by a name that tells them apart."""
    found: dict[str, Call] = {}
    for op in table().values():
        for case in op.cases:
            inputs = inputs_of(case, 2)
            graphs = [run_passes(load(model_of(case)), FLOAT)]
            kinds = ["f32"]
            for scheme, kind in (("int8", "i8"), ("int16x8", "i16x8"), ("int16x16", "i16x16")):
                if case.integer and has_form(case, scheme):
                    kinds.append(kind)
                    graphs.append(quantised(case, inputs, scheme)[1])
            for kind, graph in zip(kinds, graphs, strict=True):
                values = run(graph, inputs[0])
                for k, node in enumerate(graph.nodes):
                    found[f"{op.name}-{case.name}-{kind}-{k}-{node.op}"] = Call(
                        Site.of(graph, node), node, values
                    )
    return found


def nest_function(name: str, call: Call) -> str:
    """void name(inputs..., arrays..., output): the nest of a node."""
    nest = call.nest
    pointers = [(f"const {t.type.dtype.c} *", f"x{k}") for k, t in enumerate(call.site.inputs)]
    pointers += [(f"const {dtype_of(values).c} *", array) for array, values in nest.arrays]
    pointers += [(f"{t.type.dtype.c} *", f"y{k}") for k, t in enumerate(call.site.outputs)]
    unused = [f"  (void){ident};" for _, ident in pointers]
    scratch = [f"  {dtype.c} {ident}[{size}];" for ident, dtype, size in nest.scratch]
    body = [*unused, *scratch, *_lines(nest.body, "  ")]
    return _function(name, [kind + ident for kind, ident in pointers], body)


def kernel_function(name: str, call: Call, kernel: Kernel) -> str:
    """void name(inputs..., arrays..., scratch, output): calls of a kernel as generated code makes them."""
    site = call.site
    inputs = [
        (f"const {site.inputs[k].type.dtype.c} *", f"x{k}", site.inputs[k].type.size)
        for k in kernel.activations
    ]
    arrays = [(f"const {dtype_of(values).c} *", array) for array, values in kernel.arrays(site)]
    images = site.y.shape[0] if kernel.per_image and site.y.rank > 1 else 1
    fields = ", ".join(f".{k} = {_literal(v)}" for k, v in kernel.params(site).items())
    body = [f"  static const struct {_params_type(kernel)} params = {{{fields}}};"]
    for image in range(images):
        arguments = ["&params", *(f"{x} + {image * size // images}" for _, x, size in inputs)]
        arguments += [array for _, array in arrays]
        arguments += ["scratch"] if kernel.scratch_bytes(site) else []
        body.append(
            f"  {kernel.name}({', '.join(arguments)}, y0 + {image * site.y.size // images});"
        )
    pointers = [kind + x for kind, x, _ in inputs] + [kind + array for kind, array in arrays]
    pointers += [f"{site.x.dtype.c} *scratch", f"{site.y.dtype.c} *y0"]
    return _function(name, pointers, ["  (void)scratch;", *body])


def kernel_operands(call: Call, kernel: Kernel) -> list[np.ndarray]:
    arrays = [values for _, values in kernel.arrays(call.site)]
    scratch = np.zeros(max(kernel.scratch_bytes(call.site), 1), np.int8)
    stored = [_stored(call.operands[k], kernel.x_format) for k in kernel.activations]
    return [*stored, *arrays, scratch]


def _stored(array: np.ndarray, storage: str) -> np.ndarray:
    """[N, H, W, C] as [N, C, H, W] when a kernel wants planes."""
    return array.transpose(0, 3, 1, 2) if storage == PLANAR else array


def header_of(kernel: Kernel) -> str:
    return f"{kernel.folder}/{kernel.name}.h"


def _params_type(kernel: Kernel) -> str:
    text = (runtime_dir() / header_of(kernel)).read_text()
    found = re.search(rf"\b{kernel.name}\(const struct (\w+) \*", text)
    assert found, f"{header_of(kernel)} does not take a params struct"
    return found.group(1)


def _literal(value: int | float) -> str:
    return f"{value!r}F" if isinstance(value, float) else str(value)


def _function(name: str, arguments: Sequence[str], body: Sequence[str]) -> str:
    head = f"void {name}({', '.join(arguments)})"
    return "\n".join([f"{head};", head, "{", *body, "}", ""])


def _lines(body: Sequence[Loop | str], indent: str) -> list[str]:
    lines: list[str] = []
    for part in body:
        if isinstance(part, str):
            lines.append(indent + part)
        else:
            lines.append(
                f"{indent}for (size_t {part.var} = 0U; {part.var} < {part.extent}U; {part.var}++) {{"
            )
            lines += [*_lines(part.body, indent + "  "), indent + "}"]
    return lines


def build(functions: Iterable[str], headers: Iterable[str], folder: Path) -> ctypes.CDLL:
    """One library of all functions: a compiler started once is fast."""
    includes = ["<math.h>", *(f'"{header}"' for header in sorted(set(headers)))]
    source = folder / "cases.c"
    source.write_text("\n".join([*(f"#include {i}" for i in includes), *functions]))
    path = build_library([source], include_dirs=[runtime_dir()], cflags=WARNINGS, workdir=folder)
    return ctypes.CDLL(str(path))


def result_of(
    library: ctypes.CDLL,
    name: str,
    call: Call,
    operands: Sequence[np.ndarray],
    storage: str = PLAIN,
) -> np.ndarray:
    """What the function writes, its storage format undone."""
    y = np.full(call.site.y.shape, 77).astype(call.site.y.dtype.stored)
    if storage == PLANAR:
        y = np.ascontiguousarray(y.transpose(0, 3, 1, 2))
    kept = [np.ascontiguousarray(a.astype(dtype_of(a).stored, copy=False)) for a in operands]
    more = [np.empty(t.shape, t.type.dtype.numpy) for t in call.site.outputs[1:]]
    getattr(library, name)(*(ctypes.c_void_p(a.ctypes.data) for a in (*kept, y, *more)))
    y = y.astype(call.site.y.dtype.numpy, copy=False)
    return y.transpose(0, 2, 3, 1) if storage == PLANAR else y
