"""The five nets nobody tuned for are valid, the same each time, and exact on the host."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from untuned_models import MODELS
from untuned_nets import compiled, slow_nodes

from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain.shipped import open_folder

from ..toolchain.programs import require


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_valid_and_reproducible(name: str) -> None:
    model = MODELS[name]()
    onnx.checker.check_model(model, full_check=True)
    assert model.SerializeToString() == MODELS[name]().SerializeToString()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_c_equals_the_reference(name: str, tmp_path: Path) -> None:
    require(load_target("host"))
    report = open_folder(compiled(name, "cortex-m4", "speed", tmp_path)).report
    assert all(entry["equal"] for entry in report["verified"])


def test_nodes_that_cost_more_than_their_macs_are_named() -> None:
    def node(name: str, macs: int, cycles: int | None) -> dict:
        return {
            "name": name, "op": "conv2d", "kernel": "k", "shape": [1, 2], "macs": macs, "cycles": cycles,
        }  # fmt: skip

    nodes = [
        node("fast", 1000, 900),
        node("moves", 0, 300),
        node("slow", 1000, 2000),
        node("view", 0, None),
    ]
    rows = slow_nodes({"nodes": nodes, "profiled": {"cycles": 3200}})
    assert [(row[0], row[-2], row[-1]) for row in rows] == [
        ("slow", "2.00", "25.0 %"),
        ("moves", "", "9.4 %"),
    ]
