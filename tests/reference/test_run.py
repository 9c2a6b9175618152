"""Running a graph in NumPy."""

from __future__ import annotations

import numpy as np

from tinycc_ml.reference.run import outputs, run, run_all

from ..texts import graph, random_inputs

NET = """
input x: f32[2,3]
constant w: f32[4,3] = seed 1
constant k: f32[1] = [2]
h: f32[2,4] = dense(x, w) min=0.0
y: f32[2,4] = mul(h, k)
output y
output h
"""


def test_run_gives_every_tensor_and_outputs_only_outputs() -> None:
    made = graph(NET)
    given = random_inputs(made)
    values = run(made, given)
    assert set(values) == set(made.tensors)
    found = outputs(made, given)
    assert list(found) == ["y", "h"]
    for name, array in found.items():
        np.testing.assert_array_equal(array, values[name])
    np.testing.assert_allclose(values["h"], np.maximum(given["x"] @ values["w"].T, 0), rtol=1e-6)


def test_inputs_take_the_shape_of_the_graph() -> None:
    made = graph(NET)
    given = random_inputs(made)
    flat = outputs(made, {"x": given["x"].ravel()})
    np.testing.assert_array_equal(flat["y"], outputs(made, given)["y"])


def test_an_input_or_constant_may_be_an_output() -> None:
    made = graph(
        "input x: f32[2]\nconstant k: f32[2] = [1, 2]\ny: f32[2] = add(x, k)\noutput y\noutput x\noutput k"
    )
    found = outputs(made, {"x": np.float32([3, 4])})
    assert {n: v.tolist() for n, v in found.items()} == {"y": [4, 6], "x": [3, 4], "k": [1, 2]}


def test_run_all_goes_sample_by_sample() -> None:
    made = graph(NET)
    samples = np.random.default_rng(0).standard_normal((3, 2, 3)).astype(np.float32)
    got = list(run_all(made, {"x": samples}))
    assert len(got) == 3
    np.testing.assert_array_equal(got[2]["y"], outputs(made, {"x": samples[2]})["y"])


def test_results_have_the_element_type_of_the_graph() -> None:
    made = graph("input x: f32[2]\nconstant k: f32[] = [3]\ny: f32[2] = div(x, k)\noutput y")
    assert outputs(made, {"x": np.array([1, 2], np.float64)})["y"].dtype == np.float32
