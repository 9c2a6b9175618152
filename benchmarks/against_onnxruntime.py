"""Q/DQ nets against onnxruntime with graph optimisation off: every quantised tensor, on all the data.

    python benchmarks/against_onnxruntime.py [NET ...]

The integer reference is compared; the C equals it bit for bit (benchmarks/verify_all.py). Exits with 1
when a figure misses its goal.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
from nets import MODELS, need_shared, real_inputs, table

from tinycc_ml import frontends
from tinycc_ml.ir.graph import Graph
from tinycc_ml.numerics.quantization import quantize
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.reference.run import run

NETS = (
    "hello_world_int8qdq",
    "ad01_int8qdq",
    "kws_int8qdq",
    "kws_ortq",
    "resnet8_int8qdq",
    "strww_int8qdq",
    "vww_int8qdq",
)


def session(net: str) -> tuple[onnxruntime.InferenceSession, list[str]]:
    """The model with every quantised tensor as an output, optimisation off."""
    model = onnx.load(MODELS / f"{net}.onnx")
    names = [n.output[0] for n in model.graph.node if n.op_type == "QuantizeLinear"]
    have = {o.name for o in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in have)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options), names


class Tally:
    """Counts of values near and far, per tensor, and of outputs whose argmax differs."""

    def __init__(self) -> None:
        self.near: dict[str, int] = {}
        self.all: dict[str, int] = {}
        self.worst = 0
        self.flips = 0
        self.samples = 0

    def add(
        self, graph: Graph, ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]
    ) -> None:
        for tensor in graph.tensors.values():
            origin = tensor.origin
            if (
                tensor.is_constant
                or origin is None
                or origin.name not in theirs
                or tensor.name in graph.inputs
            ):
                continue
            got = ours[tensor.name].astype(int)
            moved = got.transpose(origin.permutation) if origin.permutation else got
            want = theirs[origin.name].astype(int)
            if want.min(initial=0) < -128 or want.dtype.kind != "i":
                continue
            step = np.abs(moved.reshape(want.shape) - want)
            self.worst = max(self.worst, int(step.max()))
            self.near[origin.name] = self.near.get(origin.name, 0) + int((step <= 1).sum())
            self.all[origin.name] = self.all.get(origin.name, 0) + step.size

    def add_output(self, ours: np.ndarray, theirs: np.ndarray) -> None:
        """A flip counts unless onnxruntime's two best are at most one step apart."""
        self.samples += 1
        best = np.sort(theirs.ravel().astype(int))[-2:]
        if theirs.size > 1 and ours.argmax() != theirs.argmax() and best[1] - best[0] > 1:
            self.flips += 1

    @property
    def least_near(self) -> float:
        return min(100 * self.near[n] / self.all[n] for n in self.all)


def compare(net: str) -> tuple[tuple[object, ...], bool]:
    theirs, names = session(net)
    graph = run_passes(run_passes(frontends.load(MODELS / f"{net}.onnx"), FLOAT), integer_passes())
    (input_name,) = graph.inputs
    real, _ = real_inputs(net)
    type_ = graph.type(input_name)
    float_input = theirs.get_inputs()[0].type == "tensor(float)"
    tally = Tally()
    for sample in real:
        q = quantize(sample.reshape(type_.shape), type_)
        fed = sample.reshape(type_.shape) if float_input else q
        made = dict(zip(names, theirs.run(names, {theirs.get_inputs()[0].name: fed}), strict=True))
        values = run(graph, {input_name: q})
        tally.add(graph, values, made)
        tally.add_output(values[graph.outputs[0]], made[names[-1]])
    goal = 97.0 if net.startswith("resnet8") else 99.0
    met = tally.least_near >= goal and tally.flips == 0
    row = (
        net,
        tally.samples,
        len(tally.all),
        f"{tally.least_near:.3f}",
        goal,
        tally.worst,
        tally.flips,
        "yes" if met else "NO",
    )
    return row, met


def main() -> int:
    need_shared()
    found = [compare(net) for net in sys.argv[1:] or NETS]
    header = (
        "net",
        "samples",
        "tensors",
        "within 1 LSB, least %",
        "goal %",
        "largest step",
        "argmax flips",
        "met",
    )
    table("Q/DQ nets against onnxruntime, optimisation off", header, [row for row, _ in found])
    return 0 if all(met for _, met in found) else 1


if __name__ == "__main__":
    sys.exit(main())
