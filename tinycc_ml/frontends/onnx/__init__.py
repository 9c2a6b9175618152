"""The ONNX front end: a model file or ModelProto to a float Graph with its quantize/dequantize nodes."""

from .load import bound, load

__all__ = ["bound", "load"]
