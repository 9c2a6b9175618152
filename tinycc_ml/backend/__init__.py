"""From the integer (or float) graph to C: kernels, memory, spelling, files.

As a module it is also ONNX's backend interface (prepare, run_model, run_node, supports_device), which
stands in tinycc_ml/onnx_backend.py, above the rooms that it runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_INTERFACE = ("is_compatible", "prepare", "run_model", "run_node", "supports_device")


def __getattr__(name: str) -> Any:
    if name not in _INTERFACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("tinycc_ml.onnx_backend").CBackend, name)
