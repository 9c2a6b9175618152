"""onnxruntime's static quantiser on arrays: what its int8 nets give."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

METHODS = {
    "min-max": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}


class _Samples(CalibrationDataReader):
    def __init__(self, name: str, samples: np.ndarray):
        self._left = iter(samples)
        self._name = name

    def get_next(self) -> dict[str, np.ndarray] | None:
        sample = next(self._left, None)
        return None if sample is None else {self._name: sample}


def quantised(
    model: Path, calibration: np.ndarray, samples: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """By method: outputs [N, ...] for `samples`, each in the model's own shape, batch included. QDQ, int8, weights per
    channel; graph optimisation is off when it runs, so that every rounding the model asks for is made."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    name = onnxruntime.InferenceSession(model).get_inputs()[0].name
    logging.disable(logging.WARNING)
    for method, chosen in METHODS.items():
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            path = Path(folder) / "int8.onnx"
            quantize_static(
                model, path, _Samples(name, calibration), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, calibrate_method=chosen,
            )  # fmt: skip
            session = onnxruntime.InferenceSession(path, options)
            made = [session.run(None, {name: sample})[0].ravel() for sample in samples]
        yield method, np.stack(made)
    logging.disable(logging.NOTSET)
