"""fuse_clips: a clip joins what makes its input, unless that input is seen by others."""

from __future__ import annotations

import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes.fuse_clips import fuse_clips

from ..texts import assert_same_values, graph

HEAD = "input x: f32[4]\ninput z: f32[4]\n"
Q = "i8[4] scale 0.5 zero 3"
ADD = "multiplier0=1000 multiplier1=1000 offset=7 shift=11"


def _fused(lines: str) -> Graph:
    before = graph(lines)
    after = fuse_clips(before)
    assert_same_values(before, after)
    return after


def test_a_clip_joins_the_op_before_it() -> None:
    after = _fused(f"{HEAD}a: f32[4] = add(x, z)\ny: f32[4] = clip(a) max=6.0 min=0.0\noutput y")
    assert after == graph(f"{HEAD}y: f32[4] = add(x, z) max=6.0 min=0.0\noutput y")


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("min=0.0", "max=1.0", "max=1.0 min=0.0"),
        ("max=2.0 min=-1.0", "min=0.0", "max=2.0 min=0.0"),
        ("max=2.0 min=-1.0", "max=0.5 min=-3.0", "max=0.5 min=-1.0"),
        ("max=-1.0", "min=1.0", "max=1.0 min=1.0"),
        ("min=3.0", "max=1.0", "max=1.0 min=1.0"),
        ("", "min=0.0", "min=0.0"),
        ("min=0.0", "", "min=0.0"),
        ("min=0.0", "min=-inf max=inf", "min=0.0"),
    ],
)
def test_clips_of_clips_keep_the_joint_bounds(first: str, second: str, both: str) -> None:
    after = _fused(f"{HEAD}a: f32[4] = clip(x) {first}\ny: f32[4] = clip(a) {second}\noutput y")
    assert after == graph(f"{HEAD}y: f32[4] = clip(x) {both}\noutput y")


def test_a_relu_is_kept_when_its_input_is_also_an_output() -> None:
    lines = f"{HEAD}a: f32[4] = add(x, z)\ny: f32[4] = clip(a) min=0.0\noutput y\noutput a"
    assert _fused(lines) == graph(lines)


def test_a_relu_is_kept_when_something_else_reads_its_input() -> None:
    lines = (
        f"{HEAD}a: f32[4] = add(x, z)\nr: f32[4] = clip(a) min=0.0\ny: f32[4] = mul(a, r)\noutput y"
    )
    assert _fused(lines) == graph(lines)


def test_a_clip_of_an_input_or_behind_an_op_that_cannot_clamp_is_kept() -> None:
    lines = f"{HEAD}a: f32[4] = clip(x) min=0.0\nb: f32[4] = exp(z)\nc: f32[4] = clip(b) max=1.0\ny: f32[4] = sub(a, c)\noutput y"
    assert _fused(lines) == graph(lines)


def test_a_chain_of_clips_joins_whole() -> None:
    after = _fused(f"""{HEAD}
        a: f32[4] = mul(x, z)
        b: f32[4] = clip(a) min=0.0
        c: f32[4] = clip(b) max=6.0
        y: f32[4] = clip(c) max=3.0
        output y""")
    assert after == graph(f"{HEAD}y: f32[4] = mul(x, z) max=3.0 min=0.0\noutput y")


def test_an_integer_clip_joins_at_equal_quantisation() -> None:
    head = f"input x: {Q}\ninput z: {Q}\n"
    after = _fused(f"""{head}
        a: {Q} = add(x, z) {ADD} q_max=127 q_min=-128
        y: {Q} = clip(a) q_max=15 q_min=3
        output y""")
    assert after == graph(f"{head}y: {Q} = add(x, z) {ADD} q_max=15 q_min=3\noutput y")


def test_an_integer_clip_to_another_quantisation_is_kept() -> None:
    lines = f"""
        input x: {Q}
        input z: {Q}
        a: i8[4] scale 0.25 zero 3 = add(x, z) {ADD} q_max=127 q_min=-128
        y: {Q} = clip(a) q_max=15 q_min=3
        output y"""
    assert _fused(lines) == graph(lines)
