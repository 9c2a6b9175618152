"""Nodes as calls of the friendly operators of grammar/prelude.tml, where one says exactly the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import onnx

from .items import Arg, Item, Ref, Refs
from .layers import match_batch_norm, match_conv, match_dense, match_linear, match_prelu
from .matching import Args, Node, item_of, only, read_again
from .padding import pad_of, plain
from .raw import written_array, written_float
from .source_net import SourceNet


def friendly_item(protos: Sequence[onnx.NodeProto], net: SourceNet) -> tuple[Item, int] | None:
    """The call for the first node, or the first two, and how many; None when there is no friendly one."""
    node = Node(protos[0], net)
    if node.proto.domain not in ("", "ai.onnx") or not node.runs(0):
        return None
    if len(protos) > 1:
        for match in _PAIRS.get((protos[0].op_type, protos[1].op_type), ()):
            item = match(node, Node(protos[1], net))
            if item is not None:
                return item, 2
    item = _SINGLE.get(node.proto.op_type, lambda node: None)(node)
    return (item, 1) if item is not None else None


def _fake_quantize(node: Node, back: Node) -> Item | None:
    """A QuantizeLinear and the only DequantizeLinear of it, with one scale."""
    first, second = _quantisation(node), _quantisation(back)
    if first is None or second is None or first[:2] != second[:2] or read_again(node):
        return None
    if back.input(0) != node.proto.output[0]:
        return None
    item = item_of(node, "fake_quantize", _quantised_args(*first))
    return Item(item.callee, item.args, tuple(back.proto.output), (node.proto, back.proto))


def _quantisation(node: Node) -> tuple[Any, Any, str] | None:
    """Scale, zero point and type of the integers, when there is one scale."""
    scale, zero = (node.net.weights.get(node.input(k)) for k in (1, 2))
    if scale is None or zero is None or not only(node, "axis"):
        return None
    if scale.array.shape or zero.array.shape or scale.array.dtype != np.float32:
        return None
    type_ = node.net.types[node.input(2)].dtype.name
    return written_float(scale.array), int(zero.array), type_


def _quantised_args(scale: Any, zero: Any, type_: str) -> Args:
    return [Arg("scale", scale), Arg("zero", zero, 0), Arg("type", type_, "i8", False)]


def _quantize(node: Node) -> Item | None:
    found = _quantisation(node)
    return None if found is None else item_of(node, "quantize", _quantised_args(*found))


def _dequantize(node: Node) -> Item | None:
    found = _quantisation(node)
    return None if found is None else item_of(node, "dequantize", _quantised_args(*found)[:2])


def _pool(callee: str) -> Callable[[Node], Item | None]:
    def match(node: Node) -> Item | None:
        attrs = node.attrs
        kernel = attrs.get("kernel_shape", [])
        known = {"kernel_shape", "strides", "pads", "auto_pad"}
        known |= {"count_include_pad"} if callee == "avg_pool" else set()
        unset = {"ceil_mode": 0, "storage_order": 0, "dilations": [1] * len(kernel)}
        if any(n not in known and (n not in unset or v != unset[n]) for n, v in attrs.items()):
            return None
        if len([name for name in node.proto.output if name]) != 1:
            return None
        size, stride = plain(kernel), plain(attrs.get("strides", [1] * len(kernel)))
        pad = pad_of(attrs, kernel, node.shape(0)[2:], prefer="valid")
        args = [
            Arg("kernel", size, 2), Arg("stride", None if stride == size else stride, None, False), Arg("pad", pad, "valid", False),
        ]  # fmt: skip
        if callee == "avg_pool":
            args.append(Arg("count_pad", bool(attrs.get("count_include_pad", 0)), False, False))
        return item_of(node, callee, args)

    return match


def _plain(callee: str, *attributes: tuple[str, Any]) -> Callable[[Node], Item | None]:
    """An operator of one operand. attributes: name, the prelude's default."""

    def match(node: Node) -> Item | None:
        # An absent attribute is not exactly what its default is when written
        if {a[0] for a in attributes} != set(node.attrs) or any(node.proto.input[1:]):
            return None
        args = [
            Arg(name, written_float(node.attrs[name]), default, False)
            for name, default in attributes
        ]
        return item_of(node, callee, args)

    return match


def _softmax(callee: str) -> Callable[[Node], Item | None]:
    def match(node: Node) -> Item | None:
        axis, last = (
            node.attrs.get("axis", -1 if node.net.opset >= 13 else 1),
            len(node.shape(0)) - 1,
        )
        if node.net.opset < 13 and axis not in (-1, last):
            return None
        return item_of(node, callee, [Arg("axis", -1 if axis == last else axis, -1, False)])

    return match


def _clip(node: Node) -> Item | None:
    bounds = [node.net.weights.get(node.input(k)) for k in (1, 2)]
    if any(b is None or b.array.shape or b.array.dtype != np.float32 for b in bounds):
        return None
    low, high = (written_float(b.array) for b in bounds if b is not None)
    if (low, high) == (0, 6):
        return item_of(node, "relu6", [])
    return item_of(node, "clip", [Arg("low", low), Arg("high", high)])


def _listed(callee: str, label: str) -> Callable[[Node], Item | None]:
    """An operator whose second operand is a list of whole numbers."""

    def match(node: Node) -> Item | None:
        weight = node.net.weights.get(node.input(1))
        if weight is None or weight.array.ndim != 1 or weight.array.size > 8 or not only(node):
            return None
        return item_of(node, callee, [Arg(label, written_array(weight.array))])

    return match


def _flatten(node: Node) -> Item | None:
    return item_of(node, "flatten", []) if node.attrs.get("axis", 1) == 1 else None


def _reshape(node: Node) -> Item | None:
    shape, made = node.shape(0), node.net.types[node.proto.output[0]].shape
    if len(shape) > 2 and made == (shape[0], prod(shape[1:])) and only(node):
        return item_of(node, "flatten", [])
    return _listed("reshape", "shape")(node)


def _transpose(node: Node) -> Item | None:
    order = tuple(node.attrs.get("perm", ()))
    known = {(0, 3, 1, 2): "to_nchw", (0, 2, 3, 1): "to_nhwc"}
    if order in known:
        return item_of(node, known[order], [])
    return item_of(node, "transpose", [Arg("order", order)]) if order else None


def _concat(node: Node) -> Item | None:
    names = tuple(node.proto.input)
    if any(name in node.net.weights for name in names):
        return None
    args = (Arg("inputs", Refs(names)), Arg("axis", node.attrs["axis"], 1, False))
    return Item("concat", args, tuple(node.proto.output), (node.proto,))


def _binary(sign: str, callee: str) -> Callable[[Node], Item | None]:
    """a + b on tensors; a factor or an offset for each channel."""

    def match(node: Node) -> Item | None:
        if node.runs(1):
            args = (Arg("a", Ref(node.input(0))), Arg("b", Ref(node.input(1))))
            return Item(callee, args, tuple(node.proto.output), (node.proto,), infix=sign)
        shape = node.shape(0)
        channels = (1, *shape[1:2], *[1] * (len(shape) - 2))
        if callee in ("times", "plus") and len(shape) > 1 and node.weight(1, *channels):
            return item_of(node, "scale" if callee == "times" else "shift", [], (1,))
        return None

    return match


_SINGLE: dict[str, Callable[[Node], Item | None]] = {
    "Conv": match_conv, "Gemm": match_dense, "QuantizeLinear": _quantize, "DequantizeLinear": _dequantize,
    "MaxPool": _pool("max_pool"), "AveragePool": _pool("avg_pool"), "GlobalAveragePool": _plain("global_avg_pool"),
    "GlobalMaxPool": _plain("global_max_pool"), "Relu": _plain("relu"), "Sigmoid": _plain("sigmoid"),
    "Tanh": _plain("tanh"), "HardSwish": _plain("hard_swish"), "Mish": _plain("mish"), "Softplus": _plain("softplus"),
    "LeakyRelu": _plain("leaky_relu", ("alpha", 0.01)), "Elu": _plain("elu", ("alpha", 1.0)),
    "Softmax": _softmax("softmax"), "LogSoftmax": _softmax("log_softmax"), "Clip": _clip, "Flatten": _flatten,
    "Reshape": _reshape, "Squeeze": _listed("squeeze", "axes"),
    "Unsqueeze": _listed("unsqueeze", "axes"), "Transpose": _transpose, "Concat": _concat,
    "Add": _binary("+", "plus"), "Sub": _binary("-", "minus"), "Mul": _binary("*", "times"),
    "Div": _binary("/", "over"), "PRelu": match_prelu, "BatchNormalization": match_batch_norm,
}  # fmt: skip
_PAIRS: dict[tuple[str, str], tuple[Callable[[Node, Node], Item | None], ...]] = {
    ("MatMul", "Add"): (match_linear,),
    ("QuantizeLinear", "DequantizeLinear"): (_fake_quantize,),
}
