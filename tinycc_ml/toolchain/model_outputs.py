"""What another runtime makes of the user's ONNX file: onnxruntime when installed, else onnx's evaluator."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

log = logging.getLogger(__name__)
Session = Callable[[None, dict[str, np.ndarray]], Any]


@dataclass(frozen=True)
class ModelOutputs:
    """outputs: arrays [N, ...] by name; tool: the runtime and its version."""

    outputs: Mapping[str, np.ndarray]
    tool: str


def model_outputs(model: Path, inputs: Mapping[str, np.ndarray]) -> ModelOutputs | None:
    """The outputs for each sample of arrays [N, ...] in the model's own layout; None when no runtime
    can run the model, which the log says."""
    makers = (
        (_onnxruntime, _onnx_evaluator)
        if importlib.util.find_spec("onnxruntime")
        else (_onnx_evaluator,)
    )
    for make in makers:
        try:
            return make(model, inputs)
        except Exception as error:  # each runtime raises types of its own
            first = (str(error).splitlines() or [type(error).__name__])[0]
            log.warning(
                "not compared with %s, which can't run the model: %s",
                make.__name__.strip("_"),
                first,
            )
    return None


def _onnxruntime(model: Path, inputs: Mapping[str, np.ndarray]) -> ModelOutputs:
    import onnxruntime as ort

    options = ort.SessionOptions()
    # Optimised, it differs from itself on quantised nets
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return ModelOutputs(_all(session.run, names, inputs), f"onnxruntime {ort.__version__}")


def _onnx_evaluator(model: Path, inputs: Mapping[str, np.ndarray]) -> ModelOutputs:
    import onnx
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(onnx.load(model))
    tool = f"onnx.reference {onnx.__version__}"
    return ModelOutputs(_all(evaluator.run, list(evaluator.output_names), inputs), tool)


def _all(
    session: Session, names: list[str], inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    count = len(next(iter(inputs.values())))
    runs = [session(None, {name: array[k] for name, array in inputs.items()}) for k in range(count)]
    return {name: np.stack([np.asarray(made[i]) for made in runs]) for i, name in enumerate(names)}
