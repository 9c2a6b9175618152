"""The ops of any plain type, as C against NumPy, on every element type and at its ends: integers exactly."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from tinycc_ml.errors import ModelError
from tinycc_ml.ir.graph import Node, Tensor
from tinycc_ml.ir.types import DTYPES, DType, TensorType, plain_values
from tinycc_ml.ops import op_of, table
from tinycc_ml.ops.base import Site
from tinycc_ml.ops.fold import FOLDS
from tinycc_ml.ops.formulas import FUNCTIONS
from tinycc_ml.ops.indexed import REDUCTIONS

from .c_functions import Call, build, nest_function, result_of

_ATTRS = {"is_inf": {"detect_positive": 1, "detect_negative": 0}}
_BOUNDS = {"f32": 2e-6, "f64": 1e-7}  # of the largest result; f64: some constants are float32's


def _values(name: str, dtype: DType, count: int, small: bool) -> np.ndarray:
    rng = np.random.default_rng(crc32(f"{name} {dtype}".encode()))
    if dtype.is_real:
        return rng.uniform(-0.9, 0.9, count).astype(dtype.numpy)
    if dtype.kind == "bool":
        return rng.integers(0, 2, count).astype(bool)
    low, high = dtype.range
    low, high = (max(low, -6), 6) if small else (low, high)
    values = rng.integers(low, high, count, dtype.stored, endpoint=True)
    values[:4] = low, high, max(low, -1), 0
    return values.astype(dtype.numpy, copy=False)


def _call(op: str, attrs: Mapping[str, Any], operands: list[np.ndarray]) -> Call:
    types = [TensorType(a.shape, _dtype(a)) for a in operands]
    made = table()[op].infer(types, attrs)
    inputs = tuple(Tensor(f"x{k}", t) for k, t in enumerate(types))
    outputs = tuple(Tensor(f"y{k}", t) for k, t in enumerate(made))
    node = Node("node", op, tuple(t.name for t in inputs), tuple(t.name for t in outputs), attrs)
    values = {t.name: a for t, a in zip(inputs, operands, strict=True)}
    reference = table()[op].reference
    assert reference is not None
    wanted = reference(operands, node.attrs)
    values |= {
        t.name: np.asarray(a, t.type.dtype.numpy) for t, a in zip(outputs, wanted, strict=True)
    }
    return Call(Site(node, inputs, outputs), node, values)


def _dtype(array: np.ndarray) -> DType:
    return next(d for d in DTYPES.values() if d.numpy == array.dtype)


def _elementwise(dtype: DType) -> Iterator[tuple[str, Callable[[], Call]]]:
    for name, f in FUNCTIONS.items():
        small = name in ("pow", "shift_left", "shift_right")
        arity = max(k for k in range(3) if f"v{k}" in f.floats + f.integers + f.bools) + 1
        operands = [_values(f"{name}{k}", dtype, 24, small) for k in range(arity)]
        if name == "where":
            operands[0] = _values("where", DTYPES["bool"], 24, False)
        if name in ("pow", "log", "sqrt", "acosh") and dtype.is_float:
            operands[0] = np.abs(operands[0]) + dtype.numpy.type(1)
        defaults = dict(getattr(_unary(name), "attrs", {}))
        yield (
            name,
            partial(
                _call,
                "elementwise",
                {"function": name, **defaults, **_ATTRS.get(name, {})},
                operands,
            ),
        )


def _unary(name: str) -> Any:
    from tinycc_ml.ops.unary import FUNCTIONS as unary

    return unary.get(name)


def _casts(dtype: DType) -> Iterator[tuple[str, Callable[[], Call]]]:
    x = _values("x", dtype, 24, False).reshape(2, 4, 3)
    x = x * dtype.numpy.type(100) if dtype.is_real else x
    for to in DTYPES:
        yield f"cast_{to}", partial(_call, "cast", {"dtype": to}, [x])


def _others(dtype: DType) -> Iterator[tuple[str, Callable[[], Call]]]:
    x = _values("x", dtype, 24, False).reshape(2, 4, 3)
    for name in FOLDS:
        yield (
            name,
            partial(
                _call,
                "reduce",
                {"function": name, "axes": (1,)},
                [np.abs(x) if name == "reduce_log_sum" else x],
            ),
        )
    yield "arg", partial(_call, "arg_extreme", {"axis": 1, "extreme": ">", "last": True}, [x])
    yield (
        "running",
        partial(
            _call, "running", {"axis": 1, "product": True, "exclusive": True, "reverse": True}, [x]
        ),
    )
    yield "top", partial(_call, "top_k", {"axis": 2, "k": 2, "largest": False}, [x])
    yield (
        "einsum",
        partial(_call, "einsum", {"terms": ("abc", "ac"), "result": "ab"}, [x, x[:, 0].copy()]),
    )
    yield "expand", partial(_call, "expand", {"shape": (2, 2, 4, 3)}, [x])
    at = np.asarray([[[3, -1, 0]], [[9, -9, 2]]])
    yield "gather", partial(_call, "gather_at", {"mode": "elements", "axis": 1}, [x, at])
    for reduction in REDUCTIONS:
        updates = _values("u", dtype, 6, False).reshape(2, 1, 3)
        attrs = {"mode": "elements", "axis": 1, "reduction": reduction}
        yield f"scatter_{reduction}", partial(_call, "scatter", attrs, [x, at, updates])
    image, taps = x.reshape(1, 2, 4, 3), x.reshape(3, 2, 2, 2)
    window = {
        "kernel": (2, 2),
        "strides": (2, 1),
        "dilations": (1, 1),
        "pads": (1, 0, 0, 1),
        "size": (2, 3),
    }
    yield "conv", partial(_call, "conv_nd", {**window, "group": 1}, [image, taps])
    yield (
        "transposed",
        partial(
            _call,
            "conv_transpose_nd",
            {**window, "size": (5, 3), "group": 1},
            [image, x.reshape(2, 3, 2, 2)],
        ),
    )
    for kind in ("max", "average", "lp"):
        places = (3, 1) if kind == "max" else ()
        pool = {**window, "kind": kind, "padded": True, "p": 2, "places": places}
        yield (
            f"pool_{kind}",
            partial(_call, "max_pool_nd" if kind == "max" else "pool_nd", pool, [image]),
        )


@cache
def calls() -> Mapping[str, Call]:
    """What each type supports; the rest is refused by name."""
    found = {}
    for dtype in DTYPES.values():
        plain = () if dtype.is_storage else (*_elementwise(dtype), *_others(dtype))
        for name, make in (*_casts(dtype), *plain):
            try:
                with np.errstate(all="ignore"):
                    found[f"{name}-{dtype}"] = make()
            except ModelError:
                continue
    return found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    functions = [nest_function(f"plain_{k}", call) for k, call in enumerate(calls().values())]
    headers = {h for call in calls().values() for h in call.nest.includes if h != "math.h"}
    folder: Path = tmp_path_factory.mktemp("plain")
    return build(functions, {"common/tml_fixedpoint.h", *headers}, folder)


@pytest.mark.parametrize("name", calls())
def test_c_computes_what_numpy_does_on_every_plain_type(name: str, library: ctypes.CDLL) -> None:
    call = calls()[name]
    index = list(calls()).index(name)
    assert op_of(call.node).nest
    got = result_of(library, f"plain_{index}", call, call.operands)
    if not call.site.is_float:
        np.testing.assert_array_equal(plain_values(got), plain_values(call.want))
        return
    peak = max(float(np.abs(call.want[np.isfinite(call.want)]).max(initial=0)), 1.0)
    bound = _BOUNDS[str(call.site.y.dtype)] * peak
    np.testing.assert_allclose(got, call.want, rtol=0, atol=bound)
