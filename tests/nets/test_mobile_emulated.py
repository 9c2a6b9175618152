"""Small nets in the manner of MobileNet, of even and odd sizes, on an emulated core with DSP instructions: the
blocks of assembly against the integer reference, every tensor by checksum."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tinycc_ml
from tinycc_ml.backend.costs import Code
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

CORE = "cortex-m4"
RGB = "tml_conv2d_ab_rgb_s2_to_planar_i8"
S1, S2 = "tml_depthwise_conv2d_planar_i8", "tml_depthwise_conv2d_planar_s2_i8"
STEADY = tuple(f"tml_conv2d_1x1_ab_planar_k{k}_i8" for k in (8, 16))
# height, width, channels of the layers, pads of the first one: kernels that have to be among those taken
NETS = {
    "even": ((24, 32), (8, 16, 32, 32, 12), (0, 0, 1, 1), {RGB, S1, S2, *STEADY}),
    "odd": ((22, 26), (8, 16, 32, 24), (1, 1, 1, 1), {S1, S2}),
    "odd_block": ((51, 66), (8, 16, 32, 12), (1, 1, 1, 1), {S1, S2}),
    "odd_channels": ((18, 16), (8, 12, 20, 12), (0, 1, 1, 0), {RGB, S1, S2, STEADY[0]}),
}


def mobile(size: Sequence[int], channels: Sequence[int], pads: Sequence[int]) -> onnx.ModelProto:
    """A first layer on colours, then pairs of depthwise (stride 1 and 2 in turn) and pointwise layers, each with
    a ReLU."""
    rng, nodes, constants = np.random.default_rng(0), [], []

    def conv(shape: tuple[int, ...], **attrs: object) -> None:
        k, fan_in = len(constants), int(np.prod(shape[1:]))
        w = rng.normal(0, 1.5 / fan_in**0.5, shape).astype(np.float32)
        b = rng.normal(0, 0.3, shape[0]).astype(np.float32)
        constants.extend([numpy_helper.from_array(w, f"w{k}"), numpy_helper.from_array(b, f"b{k}")])
        x = nodes[-1].output[0] if nodes else "x"
        nodes.append(helper.make_node("Conv", [x, f"w{k}", f"b{k}"], [f"c{k}"], **attrs))
        nodes.append(helper.make_node("Relu", [f"c{k}"], [f"r{k}"]))

    conv((channels[0], 3, 3, 3), strides=[2, 2], pads=list(pads))
    for layer, (c_in, c_out) in enumerate(zip(channels, channels[1:], strict=False)):
        stride = 1 + layer % 2
        conv((c_in, 1, 3, 3), group=c_in, strides=[stride] * 2, pads=[1, 1, 1, 1])
        conv((c_out, c_in, 1, 1))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, *size])
    y = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "mobile", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(autouse=True)
def _code_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nets this small would do without kernels that one node uses."""
    monkeypatch.setattr("tinycc_ml.backend.costs.code_of", lambda core, optimize: Code())


@pytest.mark.emulator
@pytest.mark.parametrize("optimize", ["speed", "balanced"])
@pytest.mark.parametrize("net", NETS)
def test_mobile_net_equals_its_reference_on_the_core(
    net: str, optimize: str, tmp_path: Path
) -> None:
    size, channels, pads, wanted = NETS[net]
    target = load_target(CORE)
    if missing := missing_tools(target):
        pytest.skip(f"missing: {', '.join(missing)}")
    path, samples = tmp_path / "mobile.onnx", tmp_path / "samples.npz"
    onnx.save(mobile(size, channels, pads), path)
    np.savez(samples, x=np.random.default_rng(1).normal(0, 1, (8, 1, 3, *size)).astype(np.float32))
    out = tmp_path / "out"
    made = tinycc_ml.compile(
        path, out, target=CORE, calibrate=samples, optimize=optimize, verify=False
    )
    taken = {node["kernel"] for node in made.report["nodes"]}
    assert wanted <= taken
    verified, _ = verify_dir(out, target)
    assert verified.cases == 4
