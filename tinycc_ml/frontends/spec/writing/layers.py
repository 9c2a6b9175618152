"""Nodes with weights as friendly layers."""

from __future__ import annotations

from .items import Arg, Item
from .matching import Node, item_of, only, read_again
from .padding import pad_of, plain
from .raw import written_float


def match_conv(node: Node) -> Item | None:
    weight = node.weight(1)
    if weight is None or not only(
        node, "strides", "dilations", "group", "kernel_shape", "pads", "auto_pad"
    ):
        return None
    attrs, (units, _, *kernel) = node.attrs, weight.array.shape
    bias = node.weight(2, units)
    if (node.input(2) and bias is None) or len(kernel) != len(node.shape(0)) - 2:
        return None
    group, channels = attrs.get("group", 1), node.shape(0)[1]
    rest = [
        Arg("stride", plain(attrs.get("strides", [1] * len(kernel))), 1, False),
        Arg("pad", pad_of(attrs, kernel, node.shape(0)[2:]), "same", False),
        Arg("dilation", plain(attrs.get("dilations", [1] * len(kernel))), 1, False),
    ]
    bias_arg = Arg("bias", bias is not None, True, False)
    size = Arg("kernel", plain(kernel), 3)
    weights = (1, 2) if bias is not None else (1,)
    if group == channels > 1:
        times = Arg("multiplier", units // channels, 1, False)
        return item_of(node, "dw", [size, *rest, times, bias_arg], weights)
    groups = Arg("groups", group, 1, False)
    return item_of(node, "conv", [Arg("channels", units), size, *rest, groups, bias_arg], weights)


def match_dense(node: Node) -> Item | None:
    weight, attrs = node.weight(1), node.attrs
    plain_gemm = attrs.get("alpha", 1) == attrs.get("beta", 1) == 1 and not attrs.get("transA", 0)
    if weight is None or weight.array.ndim != 2 or not plain_gemm or len(node.shape(0)) != 2:
        return None
    turned = bool(attrs.get("transB", 0))
    units = weight.array.shape[0 if turned else 1]
    bias = node.weight(2, units)
    if node.input(2) and bias is None:
        return None
    args = [
        Arg("units", units),
        Arg("bias", bias is not None, True, False),
        Arg("order", "oi" if turned else "io", "oi", False),
    ]
    return item_of(node, "dense", args, (1, 2) if bias is not None else (1,))


def match_linear(product: Node, total: Node) -> Item | None:
    """MatMul and Add."""
    weight = product.weight(1)
    if weight is None or weight.array.ndim != 2 or len(product.shape(0)) != 2:
        return None
    units = weight.array.shape[1]
    bias = total.weight(1, units)
    if total.input(0) != product.proto.output[0] or bias is None or read_again(product):
        return None
    first = item_of(product, "linear", [Arg("units", units)], (1,))
    second = item_of(total, "", [], (1,))
    made = [n for n in (weight.node, bias.node) if n is not None]
    nodes = (*made, product.proto, total.proto)
    return Item("linear", first.args, second.results, nodes, first.weights + second.weights)


def match_prelu(node: Node) -> Item | None:
    shape = node.shape(0)
    fits = len(shape) > 1 and node.weight(1, shape[1], *[1] * (len(shape) - 2))
    return item_of(node, "prelu", [], (1,)) if fits else None


def match_batch_norm(node: Node) -> Item | None:
    channels = node.shape(0)[1:2]
    fits = set(node.attrs) in ({"epsilon"}, {"epsilon", "momentum"}) and all(
        node.weight(k, *channels) for k in range(1, 5)
    )
    epsilon = Arg("epsilon", written_float(node.attrs.get("epsilon", 0.0)), 1e-5, False)
    return item_of(node, "batch_norm", [epsilon], (1, 2, 3, 4)) if fits and channels else None
