"""The verb compile: all its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import (
    Amount,
    given_dims,
    given_ranges,
    given_scales,
    given_schemes,
    given_values,
    quantizer_options,
    verb,
    was_said,
)
from .screen import Screen

_FOLDER = click.Path(path_type=Path)


def add_compile_verb(group: click.Group) -> None:
    """Register it."""

    @verb(group, "compile")
    @click.argument("model", type=_FOLDER)
    @click.option(
        "-o",
        "--out",
        type=_FOLDER,
        metavar="DIR",
        help="Folder for the C and its reports; a spec may name one.",
    )
    @click.option(
        "--calibrate",
        type=_FOLDER,
        metavar="FILE.npz",
        help="Sample inputs [N, ...] by name; makes it int8.",
    )
    @click.option(
        "--quantize",
        metavar="SCHEME",
        help="float32, float16 (weights, with float32 arithmetic), or a scheme: int8, int8-pow2, int16x8, int16x16, int4, int4-channel, int2, ternary, binary, codebook4. Default: what model and data suggest.",
    )
    @click.option(
        "--quantize-node",
        "quantize_nodes",
        multiple=True,
        metavar="NODE=SCHEME",
        help="The scheme of one node. Repeatable.",
    )
    @quantizer_options
    @click.option(
        "--target",
        default="host",
        metavar="NAME|FILE.toml",
        show_default=True,
        help="See `tinyml targets`.",
    )
    @click.option("--name", help="Prefix of files and symbols; default: the model file's.")
    @click.option(
        "--optimize",
        type=click.Choice(["speed", "balanced", "size"]),
        default="balanced",
        show_default=True,
    )
    @click.option(
        "--ram", type=Amount(1024), metavar="BYTES", help="The most the arena may take: 45K."
    )
    @click.option(
        "--flash",
        type=Amount(1024),
        metavar="BYTES",
        help="The most that constants may take: 100K; code comes on top.",
    )
    @click.option(
        "--cycles", type=Amount(1000), metavar="N", help="The most modelled cycles of a run: 3.5M."
    )
    @click.option("--tune", is_flag=True, help="Choose kernels by cycles measured on the emulator.")
    @click.option(
        "--prune",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.0,
        metavar="RATIO",
        help="Part of the weights to set to zero, or of the channels to take out.",
    )
    @click.option(
        "--prune-scope",
        type=click.Choice(["tensor", "global"]),
        default="tensor",
        show_default=True,
    )
    @click.option(
        "--prune-method",
        type=click.Choice(["magnitude", "wanda", "reconstruct"]),
        help="Default: reconstruct with --calibrate, else magnitude.",
    )
    @click.option(
        "--prune-pattern",
        default="single",
        metavar="single|N:M|1xN|channels",
        show_default=True,
        help="N of M neighbouring weights stay; N go together; whole channels go.",
    )
    @click.option(
        "--dim",
        "dims",
        multiple=True,
        metavar="NAME=SIZE",
        help="Binds a symbolic dimension. Repeatable.",
    )
    @click.option(
        "--bind",
        multiple=True,
        metavar="NAME=VALUE",
        help="Makes an input a constant: one that decides a shape. Repeatable; 2,3 is a list.",
    )
    @click.option(
        "--io",
        type=click.Choice(["caller", "arena"]),
        default="caller",
        show_default=True,
        help="Whose memory inputs and outputs lie in.",
    )
    @click.option(
        "--io-type",
        type=click.Choice(["quantized", "float", "uint8"]),
        default="quantized",
        show_default=True,
    )
    @click.option(
        "--io-layout",
        type=click.Choice(["model", "nhwc", "nchw"]),
        default="model",
        show_default=True,
    )
    @click.option(
        "--input-scale",
        "scales",
        multiple=True,
        metavar="[NAME=]SCALE",
        help="real = SCALE * (raw - OFFSET) for raw calibration data. Repeatable.",
    )
    @click.option(
        "--input-offset",
        "offsets",
        multiple=True,
        metavar="[NAME=]OFFSET",
        help="Goes with --input-scale; default 0.",
    )
    @click.option(
        "--input-range",
        "ranges_of_inputs",
        multiple=True,
        metavar="[NAME=]LO..HI",
        help="What an input can be, for --ranges propagated; MEAN+-DEVIATION beside it or alone. Repeatable.",
    )
    @click.option("--allow-float", is_flag=True, help="Ops without an integer form may stay float.")
    @click.option(
        "--keep-dead-work", is_flag=True, help="Keep channels that provably change no output."
    )
    @click.option("--single-file", is_flag=True, help="One C file and one header.")
    @click.option("--no-verify", is_flag=True, help="Don't build and check the C on this machine.")
    @click.option(
        "--dump-passes",
        type=_FOLDER,
        metavar="DIR",
        help="The graph as text before and after each pass.",
    )
    @click.option(
        "--allow-outside",
        "outside",
        is_flag=True,
        help="A spec may include files from outside its folder.",
    )
    def compile_verb(screen: Screen, **given: Any) -> dict[str, Any]:
        """Compile MODEL (an .onnx file, or a .tml spec) to C in DIR, verified on this machine.

        Options override the recipe of a spec. A float model becomes float32 C, or int8 with --calibrate; a quantised model becomes integer C.
        """
        from .work import compile_model

        said = {name: value for name, value in given.items() if was_said(name)}
        if "dims" in said:
            said["dims"] = given_dims(said["dims"])
        if "quantize_nodes" in said:
            said["quantize_nodes"] = given_schemes(said["quantize_nodes"])
        if "bind" in said:
            said["bind"] = given_values(said["bind"])
        if "scales" in said or "offsets" in said:
            scales, offsets = said.pop("scales", ()), said.pop("offsets", ())
            said["input_scales"] = given_scales(scales, offsets)
        if "ranges_of_inputs" in said:
            said["input_ranges"] = given_ranges(said.pop("ranges_of_inputs"))
        if said.pop("no_verify", False):
            said["verify"] = False
        return compile_model(screen, **said)
