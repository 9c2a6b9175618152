"""Every loop nest as C against the references, node by node: integers exactly, floats to a few last places."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tinycc_ml.errors import UnsupportedError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph, Node
from tinycc_ml.ir.types import dtype_of
from tinycc_ml.ops import op_of, table
from tinycc_ml.ops.base import Loop, Site
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.reference.run import run
from tinycc_ml.resources import runtime_dir
from tinycc_ml.toolchain import build_library

from .case_models import inputs_of, model_of
from .test_integer_references import quantised

# libm's expf, tanhf, ... against NumPy's, and sums in another order
FLOAT_BOUND = 5e-6
_WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-O1")


@dataclass(frozen=True)
class Call:
    """A node that has a nest, and the value of every tensor of its graph."""

    site: Site
    node: Node
    values: Mapping[str, np.ndarray]


@cache
def calls() -> dict[str, Call]:
    """All nests of the float and the integer graphs of all cases, by a name that tells them apart."""
    found: dict[str, Call] = {}
    for op in table().values():
        for case in op.cases:
            inputs = inputs_of(case, 2)
            graphs = [run_passes(load(model_of(case)), FLOAT)]
            if case.integer:
                graphs.append(_integer_graph(case, inputs))
            for kind, graph in zip(("f32", "i8"), graphs, strict=False):
                values = run(graph, inputs[0])
                for node in _with_nests(graph):
                    name = f"{op.name}-{case.name}-{kind}-{node.op}"
                    found[f"{name}-{len(found)}"] = Call(Site.of(graph, node), node, values)
    return found


def _integer_graph(case: object, inputs: Sequence[dict[str, np.ndarray]]) -> Graph:
    try:
        return quantised(case, list(inputs))[1]  # type: ignore[arg-type]
    except UnsupportedError as error:
        raise AssertionError(f"{case}: {error}") from error


def _with_nests(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if op_of(node).nest is not None and not op_of(node).alias]


def _lines(body: Sequence[Loop | str], indent: str) -> list[str]:
    lines: list[str] = []
    for part in body:
        if isinstance(part, str):
            lines.append(indent + part)
        else:
            lines.append(f"{indent}for (size_t {part.var} = 0U; {part.var} < {part.extent}U; {part.var}++) {{")
            lines += [*_lines(part.body, indent + "  "), indent + "}"]
    return lines


def _function(name: str, call: Call) -> str:
    nest = op_of(call.node).nest
    assert nest is not None
    made = nest(call.site)
    pointers = [(f"const {t.type.dtype.c} *", f"x{k}") for k, t in enumerate(call.site.inputs)]
    pointers += [(f"const {dtype_of(values).c} *", array) for array, values in made.arrays]
    pointers += [(f"{call.site.y.dtype.c} *", "y0")]
    unused = "".join(f"  (void){ident};\n" for _, ident in pointers)
    arguments = ", ".join(kind + ident for kind, ident in pointers)
    body = "\n".join(_lines(made.body, "  "))
    return f"void {name}({arguments});\nvoid {name}({arguments})\n{{\n{unused}{body}\n}}\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("nests")
    text = '#include <math.h>\n#include "common/tml_fixedpoint.h"\n'
    source = folder / "nests.c"
    source.write_text(text + "\n".join(_function(f"nest_{k}", c) for k, c in enumerate(calls().values())))
    path = build_library([source], include_dirs=[Path(runtime_dir())], cflags=_WARNINGS, workdir=folder)
    return ctypes.CDLL(str(path))


@pytest.mark.parametrize("name", list(calls()))
def test_loop_nest_computes_what_the_reference_does(name: str, library: ctypes.CDLL) -> None:
    call = calls()[name]
    y = np.empty(call.site.y.shape, call.site.y.dtype.numpy)
    nest = op_of(call.node).nest
    assert nest is not None
    operands = [call.values[t.name] for t in call.site.inputs]
    operands += [values for _, values in nest(call.site).arrays]
    kept = [np.ascontiguousarray(a) for a in (*operands, y)]
    function = getattr(library, f"nest_{list(calls()).index(name)}")
    function(*(ctypes.c_void_p(a.ctypes.data) for a in kept))
    want = call.values[call.node.outputs[0]]
    if call.site.is_float:
        peak = max(float(np.abs(want).max(initial=0)), 1.0)
        np.testing.assert_allclose(kept[-1], want, rtol=0, atol=FLOAT_BOUND * peak)
    else:
        np.testing.assert_array_equal(kept[-1], want)
