"""io_layout: images at the API in the other layout; what is computed stays the same."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.passes.io_layout import io_layout
from tinycc_ml.reference.run import outputs

from ..models import NETS
from ..texts import graph, random_inputs

NHWC, NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


@pytest.mark.parametrize(
    ("layout", "perm", "back"), [("nhwc", "0,3,1,2", "0,2,3,1"), ("nchw", "0,2,3,1", "0,3,1,2")]
)
def test_images_are_transposed_at_both_ends(layout: str, perm: str, back: str) -> None:
    before = graph(
        "input x: f32[1,2,3,4]\ninput v: f32[4]\ny: f32[1,2,3,4] = add(x, v)\nz: f32[4] = neg(v)\noutput y\noutput z"
    )
    shape = ",".join(str((1, 2, 3, 4)[int(p)]) for p in back.split(","))
    assert io_layout(before, layout) == graph(f"""
        input x: f32[{shape}]
        input v: f32[4]
        "x.model": f32[1,2,3,4] = transpose(x) perm=[{perm}]
        "y.model": f32[1,2,3,4] = add("x.model", v)
        z: f32[4] = neg(v)
        y: f32[{shape}] = transpose("y.model") perm=[{back}]
        output y
        output z""")


def _turned(
    values: dict[str, np.ndarray], made: Graph, perm: tuple[int, ...]
) -> dict[str, np.ndarray]:
    return {n: v.transpose(perm) if v.ndim == 4 else v for n, v in values.items()}


@pytest.mark.parametrize("name", NETS)
def test_values_are_those_of_the_model_transposed(name: str) -> None:
    before = load(NETS[name]())
    after = run_passes(io_layout(before, "nhwc"), FLOAT)
    given = random_inputs(before)
    got = _turned(outputs(after, _turned(given, before, NHWC)), after, NCHW)
    for output, want in outputs(before, given).items():
        np.testing.assert_allclose(got[output], want, rtol=0, atol=1e-5)


def test_a_channels_first_model_needs_no_transpose_at_a_channels_last_api() -> None:
    after = run_passes(io_layout(load(NETS["residual"]()), "nhwc"), FLOAT)
    assert "transpose" not in [n.op for n in after.nodes]
    assert after.type("x").shape == (1, 6, 5, 3)


def test_origins_lead_back_to_the_layout_of_the_model() -> None:
    after = io_layout(load(NETS["branches"]()), "nhwc")
    for name in ("x", "z", "inner"):
        origin = after.tensors[name].origin
        assert origin is not None and origin.name == name and origin.permutation == NCHW


def test_there_and_back_is_where_it_was() -> None:
    before = run_passes(load(NETS["gates"]()), FLOAT)
    assert run_passes(io_layout(io_layout(before, "nhwc"), "nchw"), FLOAT) == before


def test_an_image_that_two_nodes_read_and_that_is_an_output_inside() -> None:
    before = graph("""
        input x: f32[1,2,3,4]
        a: f32[1,2,3,4] = neg(x)
        y: f32[1,2,3,4] = mul(x, a)
        output a
        output y""")
    after = io_layout(before, "nhwc")
    given = random_inputs(before)
    got = outputs(after, {"x": given["x"].transpose(NHWC)})
    for name, want in outputs(before, given).items():
        np.testing.assert_array_equal(got[name].transpose(NCHW), want)
