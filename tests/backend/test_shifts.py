"""Powers of two as multipliers: shifts give the same integers, and are taken where all multipliers allow it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

import tinycc_ml
from tinycc_ml.backend.shifts import shifts_of
from tinycc_ml.backend.target import load_target
from tinycc_ml.ir.graph import Node
from tinycc_ml.numerics.fixedpoint import requantize, rounding_shift
from tinycc_ml.ops.base import Site
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

from ..models import model, node, weights

SAYS_SO = "#define TML_MULTIPLIERS_ARE_SHIFTS 1"
POWERS = {"quantize": "int8-pow2", "ranges": "propagated", "input_ranges": {"": (-3.0, 3.0)}}


def _site(pre_shift: int) -> Site:
    return Site(Node("n", "dense", (), (), {"pre_shift": pre_shift}), (), ())


@pytest.mark.parametrize("pre_shift", [0, 3, 15])
@pytest.mark.parametrize("exponent", [1, 13, 22, 30])
def test_a_shift_gives_what_the_multiplier_gives(pre_shift: int, exponent: int) -> None:
    m = np.array([1 << exponent], np.int32)
    bits = shifts_of(m, _site(pre_shift))
    if 32 - pre_shift - exponent < 0:
        assert bits is None
        return
    assert bits is not None
    most = (2**31 - 1) >> pre_shift
    rng = np.random.default_rng(exponent)
    acc = np.concatenate([rng.integers(-most, most, 2000), np.arange(-70, 70), [-most, most]])
    wanted = requantize(acc << pre_shift, m.astype(np.int64))
    np.testing.assert_array_equal(rounding_shift(acc, int(bits[0])), wanted)


@pytest.mark.parametrize("m", [0, 3, 2**30 + 1, 1])
def test_what_is_no_shift_is_none(m: int) -> None:
    assert shifts_of(np.array([1 << 20, m], np.int32), _site(0)) is None


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """Convolutions of all kinds, pools and a dense; the multiplier of one pool is a power of two, too, but means
    are rounded another way, and stay."""
    nodes = [
        node("Conv", "x w0 b0", "c0", pads=[1, 1, 1, 1]),
        node("Relu", "c0", "r0"),
        node("Conv", "r0 w1 b0", "c1", pads=[1, 1, 1, 1], group=6),
        node("Conv", "c1 w2 b0", "c2"),
        node("Relu", "c2", "r2"),
        node("AveragePool", "r2", "half", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "half", "pooled"),
        node("Flatten", "pooled", "flat"),
        node("Gemm", "flat w3 b3", "logits", transB=1),
        node("Softmax", "logits", "y", axis=-1),
    ]
    constants = {
        "w0": weights(1, 6, 3, 3, 3), "b0": weights(2, 6), "w1": weights(3, 6, 1, 3, 3), "w2": weights(4, 6, 6, 1, 1),
        "w3": weights(5, 5, 6), "b3": weights(6, 5),
    }  # fmt: skip
    path = tmp_path / "net.onnx"
    onnx.save(model(nodes, {"x": (1, 3, 6, 5)}, ["y"], constants), path)
    return path


def _c(result: tinycc_ml.api.Result) -> str:
    return result.files["net.c"]


def test_shifts_are_taken_without_a_long_multiply_and_the_c_is_exact(net: Path) -> None:
    result = tinycc_ml.compile(net, target="cortex-m0plus", **POWERS)
    assert SAYS_SO in _c(result)
    assert "bit for bit" in result.report["verified"][0]["what"]
    program = result.compiled.program
    ends = [s.node for s in program.steps if s.function.startswith(("tml_conv2d", "tml_de"))]
    tables = [
        c
        for c in program.constants
        if c.ident.endswith("multiplier") and any(c.ident in program.arrays_of[n] for n in ends)
    ]
    assert len(tables) >= 4 and all(c.values.min() >= 0 and c.values.max() <= 31 for c in tables)


def test_multipliers_stay_where_they_are_no_powers_or_cost_nothing(net: Path) -> None:
    assert SAYS_SO not in _c(tinycc_ml.compile(net, target="cortex-m4", verify=False, **POWERS))
    others = {**POWERS, "quantize": "int8"}
    plain = tinycc_ml.compile(net, target="cortex-m0plus", verify=False, **others)
    assert SAYS_SO not in _c(plain)
    last = next(n.name for n in plain.compiled.float_graph.nodes if n.op == "dense")
    mixed = {**POWERS, "quantize_nodes": {last: "int8"}}
    assert SAYS_SO not in _c(tinycc_ml.compile(net, target="cortex-m0plus", verify=False, **mixed))


@pytest.mark.emulator
@pytest.mark.parametrize("name", ["cortex-m0plus", "atmega328p"])
def test_shifts_take_fewer_cycles_on_the_core(net: Path, tmp_path: Path, name: str) -> None:
    target = load_target(name)
    if missing := missing_tools(target):
        pytest.skip(f"missing: {', '.join(missing)}")
    tinycc_ml.compile(net, tmp_path / "shifts", target=target, verify=False, **POWERS)
    able = replace(target, features=target.features | {"long_multiply"})
    tinycc_ml.compile(net, tmp_path / "plain", target=able, verify=False, **POWERS)
    shifts, plain = (verify_dir(tmp_path / n, target)[1] for n in ("shifts", "plain"))
    assert shifts.cycles is not None and plain.cycles is not None
    assert shifts.cycles < plain.cycles
