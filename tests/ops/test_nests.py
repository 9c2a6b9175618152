"""Every loop nest as C against the references, node by node: integers exactly, floats to a few last places."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from tinycc_ml.ops import op_of
from tinycc_ml.ops.integer_end import is_wide

from .c_functions import Call, build, calls, nest_function, result_of

# libm's expf, tanhf, ... against NumPy's, and sums in another order
FLOAT_BOUND = 5e-6


# Their nests are for what their kernels leave: int16
ONLY_WIDE = ("average_pool2d", "max_pool2d", "softmax")


@cache
def with_nests() -> Mapping[str, Call]:
    return {
        name: c
        for name, c in calls().items()
        if op_of(c.node).nest and not op_of(c.node).alias
        if c.node.op not in ONLY_WIDE or is_wide(c.site)
    }


def _ident(name: str) -> str:
    return f"nest_{list(with_nests()).index(name)}"


def _headers() -> set[str]:
    return {h for call in with_nests().values() for h in call.nest.includes if h != "math.h"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    functions = [nest_function(f"nest_{k}", call) for k, call in enumerate(with_nests().values())]
    return build(
        functions,
        {"common/tml_fixedpoint.h", *_headers()},
        tmp_path_factory.mktemp("nests"),
    )


@pytest.mark.parametrize("name", with_nests())
def test_loop_nest_computes_what_the_reference_does(name: str, library: ctypes.CDLL) -> None:
    call = with_nests()[name]
    got = result_of(
        library, _ident(name), call, [*call.operands, *(a for _, a in call.nest.arrays)]
    )
    if call.site.is_float:
        peak = max(float(np.abs(call.want).max(initial=0)), 1.0)
        np.testing.assert_allclose(got, call.want, rtol=0, atol=FLOAT_BOUND * peak)
    else:
        np.testing.assert_array_equal(got, call.want)
