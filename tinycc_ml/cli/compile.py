"""The verb compile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .compile_options import interface, places, pruning, quantizer, schemes, target, ways
from .options import (
    given_dims,
    given_ranges,
    given_scales,
    given_schemes,
    given_values,
    verb,
    was_said,
)
from .screen import Screen

# What the compiler calls a text of NAME=VALUE pairs, and what it becomes
_PAIRS = {
    "dims": ("dims", given_dims),
    "quantize_nodes": ("quantize_nodes", given_schemes),
    "bind": ("bind", given_values),
    "ranges_of_inputs": ("input_ranges", given_ranges),
}


def add_compile_verb(group: click.Group) -> None:
    """Register it."""

    @verb(group, "compile")
    @places
    @schemes
    @quantizer
    @target
    @pruning
    @interface
    @ways
    def compile_verb(screen: Screen, **given: Any) -> dict[str, Any]:
        """Compile MODEL (an .onnx file, or a .tml spec) to C in DIR, verified on this machine.

        Options override the recipe of a spec. A float model becomes float32 C, or int8 with --calibrate; a quantised model becomes integer C.
        """
        from .work import compile_model

        return compile_model(screen, **_asked(given))


def _asked(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the user said, as compile_model takes it."""
    said = {name: value for name, value in given.items() if was_said(name)}
    for name, (known_as, read) in _PAIRS.items():
        if name in said:
            said[known_as] = read(said.pop(name))
    if "scales" in said or "offsets" in said:
        scales, offsets = said.pop("scales", ()), said.pop("offsets", ())
        said["input_scales"] = given_scales(scales, offsets)
    if said.pop("no_verify", False):
        said["verify"] = False
    return said
