"""Nets as users export them are valid, the same each time, exact as int8 on host and core, and near ONNX Runtime
as float."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from exported_nets import NETS, outcome, row
from mixed_graph import mixed_graph

from tinycc_ml.backend.target import load_target

from ..toolchain.programs import require

CORE = "cortex-m4"
# fit into 256 KB of flash and 128 KB of RAM
ON_CORE = {
    "float32": {"lstm_keywords", "gru_keywords", "small_bert"},
    "int8": {"lstm_keywords", "gru_keywords", "small_bert", "tiny_yolo_v2", "mobilenet_v3"},
}


@pytest.mark.parametrize("name", NETS)
def test_the_model_is_valid_and_reproducible(name: str) -> None:
    model = NETS[name].make()
    onnx.checker.check_model(model, full_check=True)
    assert model.SerializeToString() == NETS[name].make().SerializeToString()
    wanted = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert list(NETS[name].data().shape[1:]) == wanted[1:]


def _quick(name: str, quantize: str) -> object:
    quick = (name, quantize) in {("gru_keywords", "float32"), ("small_bert", "int8")}
    marks = [pytest.mark.emulator] if quick else [pytest.mark.emulator, pytest.mark.slow]
    return pytest.param(name, quantize, marks=marks)


@pytest.mark.parametrize(
    ("name", "quantize"), [_quick(name, q) for name in NETS for q in ("float32", "int8")]
)
def test_the_net_is_right_on_host_and_core(name: str, quantize: str, tmp_path: Path) -> None:
    for target in ("host", CORE):
        require(load_target(target))
    found = outcome(name, quantize, CORE, tmp_path)
    assert found.good, row(name, quantize, found)
    assert found.core is (True if name in ON_CORE[quantize] else None)


def test_the_mixed_graph_is_valid_and_has_as_many_nodes_as_asked_for() -> None:
    model = mixed_graph(300)
    onnx.checker.check_model(model, full_check=True)
    assert 300 <= len(model.graph.node) <= 310
    assert len({node.op_type for node in model.graph.node}) >= 15
