"""widen_halves: the same net in float32, and no casts that do nothing."""

from __future__ import annotations

import numpy as np

from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.passes.widen_halves import widen_halves
from tinycc_ml.reference.run import outputs

from ..texts import graph

HALF = """
    input x: f16[2,3]
    w: f32[2,3] = cast(x) dtype="f32"
    a: f32[2,3] = sqrt(w)
    r: f16[2,3] = cast(a) dtype="f16"
    s: f32[2,3] = cast(r) dtype="f32"
    b: f32[2,3] = neg(s)
    y: f16[2,3] = cast(b) dtype="f16"
    output y"""


def test_what_is_rounded_to_16_bits_on_the_way_is_not() -> None:
    after = run_passes(graph(HALF), (widen_halves, *FLOAT))
    assert [n.op for n in after.nodes] == ["sqrt", "neg"]
    assert {after.type(n).dtype.name for n in ("x", "y")} == {"f32"}
    made = outputs(after, {"x": np.full((2, 3), 2, np.float32)})["y"]
    assert (made == -np.sqrt(np.float32(2))).all()


def test_a_cast_of_an_integer_makes_float32() -> None:
    after = widen_halves(
        graph("""
        input x: i32[2]
        y: f16[2] = cast(x) dtype="f16"
        output y""")
    )
    assert [(n.op, dict(n.attrs)) for n in after.nodes] == [("cast", {"dtype": "f32"})]
    assert after.type("y").dtype.name == "f32"


def test_a_net_without_them_is_left_alone() -> None:
    plain = graph("input x: f32[2]\n y: f32[2] = neg(x)\n output y")
    assert widen_halves(plain) == plain
