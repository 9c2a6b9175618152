"""Every portable kernel that takes a node of a case against the references: integers exactly, floats to a few
last places."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from tinycc_ml.backend.candidates import overlaps_of
from tinycc_ml.ops import op_of, table
from tinycc_ml.ops.base import PLAIN, PLANAR, Kernel, Overlap
from tinycc_ml.resources import runtime_dir

from .c_functions import (
    Call,
    build,
    calls,
    header_of,
    kernel_function,
    kernel_operands,
    result_of,
)  # fmt: skip

# Sums of products in another order than NumPy's, and libm's expf
FLOAT_BOUND = 1e-5


@cache
def with_kernels() -> Mapping[str, tuple[Call, Kernel]]:
    return {
        _title(kernel, name): (call, kernel)
        for name, call in calls().items()
        for kernel in op_of(call.node).kernels
        if kernel.features <= {"dsp"} and kernel.accepts(call.site) is None
        if (runtime_dir() / header_of(kernel)).exists()
    }


def _title(kernel: Kernel, name: str) -> str:
    formats = {kernel.x_format, kernel.y_format} - {PLAIN}
    return "-".join([kernel.name, *formats, name])


def test_every_kernel_of_the_op_table_has_its_header() -> None:
    kernels = [kernel for op in table().values() for kernel in op.kernels]
    assert [k.name for k in kernels if not (runtime_dir() / header_of(k)).exists()] == []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    found = list(with_kernels().values())
    functions = [
        kernel_function(f"case_{k}", call, kernel) for k, (call, kernel) in enumerate(found)
    ]
    return build(
        functions, [header_of(kernel) for _, kernel in found], tmp_path_factory.mktemp("kernels")
    )


@pytest.mark.parametrize("name", with_kernels())
def test_kernel_computes_what_the_reference_does(name: str, library: ctypes.CDLL) -> None:
    call, kernel = with_kernels()[name]
    ident = f"case_{list(with_kernels()).index(name)}"
    got = result_of(library, ident, call, kernel_operands(call, kernel), kernel.y_format)
    if call.site.is_float:
        peak = max(float(np.abs(call.want).max(initial=0)), 1.0)
        np.testing.assert_allclose(got, call.want, rtol=0, atol=FLOAT_BOUND * peak)
    else:
        np.testing.assert_array_equal(got, call.want)


@cache
def with_overlaps() -> Mapping[str, tuple[str, Overlap]]:
    """By test name: a case with its kernel, and a way in which its result may lie over an input."""
    return {
        f"{name}-input{o.input}-lead{o.lead}": (name, o)
        for name, (call, kernel) in with_kernels().items()
        for o in overlaps_of(kernel, call.site)
    }


@pytest.mark.parametrize("title", with_overlaps())
def test_kernel_may_write_over_its_input_as_it_says(title: str, library: ctypes.CDLL) -> None:
    name, overlap = with_overlaps()[title]
    call, kernel = with_kernels()[name]
    operands = [np.ascontiguousarray(a) for a in kernel_operands(call, kernel)]
    place = kernel.activations.index(overlap.input)
    x, size = operands[place], call.want.nbytes
    start = max(-overlap.lead, 0)  # of y in the buffer; x lies `lead` behind it
    buffer = np.zeros(start + max(overlap.lead, 0) + max(x.nbytes, size) + 16, np.uint8)
    under = buffer[start + overlap.lead :][: x.nbytes]
    under[:] = np.frombuffer(x.tobytes(), np.uint8)
    y = buffer[start:][:size]
    operands[place] = under
    function = getattr(library, f"case_{list(with_kernels()).index(name)}")
    function(*(ctypes.c_void_p(a.ctypes.data) for a in (*operands, y)))
    got = np.frombuffer(y.tobytes(), call.want.dtype)
    apart = result_of(
        library, function.__name__, call, kernel_operands(call, kernel), kernel.y_format
    )
    planes = kernel.y_format == PLANAR
    wanted = np.ascontiguousarray(apart.transpose(0, 3, 1, 2) if planes else apart)
    np.testing.assert_array_equal(got, np.ravel(wanted))
