"""Weights: by name, in order, from a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tinycc_ml.frontends.spec import SpecError

from ...models import model, node, weights
from .texts import net, spec

DENSE = "input x: f32[1, 4]\nh = x |> dense(8) |> relu\noutput y = h |> dense(3)\n"


def _arrays() -> dict[str, np.ndarray]:
    return {
        "h.weight": weights(1, 8, 4), "h.bias": weights(2, 8),
        "y.weight": weights(3, 3, 8), "y.bias": weights(4, 3),
    }  # fmt: skip


def test_arrays_are_found_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **_arrays())
    made = spec(f'{DENSE}weights("w.npz")', tmp_path)
    np.testing.assert_array_equal(made.net.initialisers["h.weight"], _arrays()["h.weight"])


def test_the_first_of_several_files_that_has_the_name_gives_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"y.bias": np.ones(3, np.float32)})
    np.savez(tmp_path / "b.npz", **_arrays())
    made = spec(f'weights("a.npz")\n{DENSE}weights("b.npz", extra=true)', tmp_path)
    assert made.net.initialisers["y.bias"].tolist() == [1, 1, 1]


def test_initialisers_of_an_onnx_file_are_taken_in_the_order_of_their_use(tmp_path: Path) -> None:
    arrays = _arrays()
    names = dict(zip(("q", "b", "a", "z"), arrays.values(), strict=True))
    nodes = [node("Gemm", "x q b", "m", transB=1), node("Relu", "m", "r"), node("Gemm", "r a z", "n", transB=1)]  # fmt: skip
    proto = model(nodes, {"x": (1, 4)}, ["n"], dict(reversed(names.items())))
    onnx.save(proto, tmp_path / "net.onnx")
    made = spec(f'{DENSE}weights("net.onnx", match="order")', tmp_path)
    np.testing.assert_array_equal(made.net.initialisers["y.weight"], arrays["y.weight"])


def test_a_weight_can_be_named_where_it_is_used(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", odd=weights(1, 3, 4))
    made = spec(
        'input x: f32[1, 4]\noutput y = x |> dense(3, bias=false, weight=w["odd"])\nweights("w.npz")',
        tmp_path,
    )
    assert "odd" in made.net.initialisers


def test_all_that_does_not_fit_is_said_at_once(tmp_path: Path) -> None:
    arrays = _arrays() | {"y.bais": weights(4, 3), "h.bias": weights(2, 9)}
    del arrays["y.bias"]
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(SpecError) as caught:
        spec(f'{DENSE}weights("w.npz")', tmp_path)
    (problem,) = caught.value.problems
    assert problem.message == "w.npz and the net differ: 1 missing, 1 of another shape, 1 left over"
    assert problem.notes[0] == "shape:    h.bias is [8], net.tml:2, the array is [9]"
    assert problem.notes[1] == "missing:  y.bias [3], net.tml:3 (did you mean 'y.bais'?)"
    assert problem.notes[2] == "left over: y.bais [3] (did you mean 'y.bias'?)"


def test_random_weights_depend_on_their_name_only() -> None:
    few = net("a = x |> conv(4)\noutput y = a |> relu")
    more = net("b = x |> conv(2)\na = x |> conv(4)\noutput y = a |> relu, z = b |> relu")
    np.testing.assert_array_equal(
        few.net.initialisers["a.weight"], more.net.initialisers["a.weight"]
    )


def test_a_file_that_is_not_there_may_be_replaced_by_a_seed(tmp_path: Path) -> None:
    made = spec(f'{DENSE}weights("none.npz", absent=random(3))', tmp_path)
    assert made.graph.outputs == ("y",)
