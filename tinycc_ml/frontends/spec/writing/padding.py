"""Sizes and padding as the language writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NAMES = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}


def plain(sizes: Sequence[int]) -> Any:
    """One number where all are the same, else the list."""
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)


def pad_of(
    attrs: Mapping[str, Any], kernel: Sequence[int], image: Sequence[int], prefer: str = "same"
) -> Any:
    """The padding of a convolution or pool: a word where one says it, `prefer` first."""
    axes = len(kernel)
    word = _NAMES.get(attrs.get("auto_pad", "NOTSET"))
    if word is not None:
        return word
    pads = list(attrs.get("pads", [0] * (2 * axes)))
    strides, dilations = (attrs.get(n, [1] * axes) for n in ("strides", "dilations"))
    words = {
        "same": same_pads(kernel, strides, dilations, image, upper=True),
        "valid": [0] * (2 * axes),
        "same_lower": same_pads(kernel, strides, dilations, image, upper=False),
    }
    for name in (prefer, *words):
        if words[name] == pads:
            return name
    if pads[:axes] == pads[axes:]:
        return pads[0] if len(set(pads)) == 1 else tuple(pads[:axes])
    return tuple(pads)


def same_pads(
    kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], image: Sequence[int], upper: bool
) -> list[int]:  # fmt: skip
    """What SAME_UPPER or SAME_LOWER means: as many results as steps of the stride fit on the image."""
    small, large = [], []
    for size, stride, dilation, length in zip(kernel, strides, dilations, image, strict=True):
        total = max((-(-length // stride) - 1) * stride + (size - 1) * dilation + 1 - length, 0)
        small.append(total // 2)
        large.append(total - total // 2)
    return small + large if upper else large + small
