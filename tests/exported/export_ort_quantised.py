"""The nets of the other scripts, quantised by ONNX Runtime: its static formats QDQ and QOperator, and dynamically.

    python tests/exported/export_ort_quantised.py [FOLDER]

FOLDER holds the float nets and gets the quantised ones. Not part of the tests: they read the files.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

FOLDER = Path(__file__).parent / "files"
SIGNED: Mapping[str, Any] = {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8}
UNSIGNED: Mapping[str, Any] = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QUInt8}

# net, suffix, how
STATIC = (
    ("torch_residual_ts", "qdq", {**SIGNED, "quant_format": QuantFormat.QDQ, "per_channel": True}),
    ("torch_residual_ts", "qdq_u8", {**UNSIGNED, "quant_format": QuantFormat.QDQ}),
    ("torch_residual_ts", "qop", {**SIGNED, "quant_format": QuantFormat.QOperator}),
    ("torch_residual_ts", "qop_u8", {**UNSIGNED, "quant_format": QuantFormat.QOperator}),
    ("torch_mobile_block_ts", "qdq", {**SIGNED, "quant_format": QuantFormat.QDQ, "per_channel": True}),
    ("torch_mobile_block_ts", "qop", {**SIGNED, "quant_format": QuantFormat.QOperator}),
    ("torch_upsampling_ts", "qdq", {**SIGNED, "quant_format": QuantFormat.QDQ}),
    ("torch_attention_ts", "qdq", {**SIGNED, "quant_format": QuantFormat.QDQ}),
    ("torch_classifier_ts", "qdq", {**SIGNED, "quant_format": QuantFormat.QDQ}),
    ("keras_residual", "qdq", {**SIGNED, "quant_format": QuantFormat.QDQ, "per_channel": True}),
    ("keras_encoder", "qdq", {**SIGNED, "quant_format": QuantFormat.QDQ}),
)  # fmt: skip
DYNAMIC = ("torch_residual_ts", "torch_attention_ts", "torch_classifier_ts")


class Samples(CalibrationDataReader):
    """Seeded inputs of a model, each open dimension 1."""

    def __init__(self, path: Path, count: int = 8):
        self.left = self._made(onnx.load(path), count)

    def _made(self, model: onnx.ModelProto, count: int) -> Iterator[dict[str, np.ndarray]]:
        rng = np.random.default_rng(3)
        for _ in range(count):
            yield {value.name: self._value(rng, value) for value in model.graph.input}

    def _value(self, rng: np.random.Generator, value: onnx.ValueInfoProto) -> np.ndarray:
        tensor = value.type.tensor_type
        shape = [dim.dim_value or 1 for dim in tensor.shape.dim]
        if tensor.elem_type == onnx.TensorProto.INT64:
            return rng.integers(0, 40, shape)
        return rng.normal(size=shape).astype(np.float32)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.left, None)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        for name in dict.fromkeys([*(net for net, _, _ in STATIC), *DYNAMIC]):
            source, made = folder / f"{name}.onnx", Path(scratch) / f"{name}.onnx"
            quant_pre_process(str(source), str(made), skip_symbolic_shape=True)
        for name, suffix, how in STATIC:
            source, made = Path(scratch) / f"{name}.onnx", folder / f"ort_{name}_{suffix}.onnx"
            quantize_static(source, made, Samples(source), **how)
            print(f"{made.name}: {made.stat().st_size} bytes")
        for name in DYNAMIC:
            made = folder / f"ort_{name}_dynamic.onnx"
            # reduce_range: where a machine lacks the instructions, ONNX Runtime's sums of 8 bits saturate
            quantize_dynamic(Path(scratch) / f"{name}.onnx", made, reduce_range=True)
            print(f"{made.name}: {made.stat().st_size} bytes")


if __name__ == "__main__":
    main()
