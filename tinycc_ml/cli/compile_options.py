"""The options of the verb compile, by what they are about; --help shows them in this order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .options import Amount

# As quant/methods.py has them, which --help does not wait for
RANGE_METHODS = ("auto", "min-max", "percentile", "least-error", "entropy", "propagated")
ROUNDINGS = ("auto", "nearest", "second-order")
_FOLDER = click.Path(path_type=Path)
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*options: Decorator) -> Decorator:
    """The first one comes first."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


# Where the model is, and where the C goes.
places = together(
    click.argument("model", type=_FOLDER),
    click.option(
        "-o",
        "--out",
        type=_FOLDER,
        metavar="DIR",
        help="Folder for the C and its reports; a spec may name one.",
    ),
)
# What is quantised, and to what.
schemes = together(
    click.option(
        "--calibrate",
        type=_FOLDER,
        metavar="FILE.npz",
        help="Sample inputs [N, ...] by name; makes it int8.",
    ),
    click.option(
        "--quantize",
        metavar="SCHEME",
        help="float32, float16 (weights, with float32 arithmetic), or a scheme: int8, int8-pow2, int16x8, int16x16, int4, int4-channel, int2, ternary, binary, codebook4. Default: what model and data suggest.",
    ),
    click.option(
        "--quantize-node",
        "quantize_nodes",
        multiple=True,
        metavar="NODE=SCHEME",
        help="The scheme of one node. Repeatable.",
    ),
)
# How integers are found; what is not said is tried, and kept where it helps.
quantizer = together(
    click.option(
        "--ranges",
        type=click.Choice(RANGE_METHODS),
        default="auto",
        help="Of activations; propagated: without data, of --input-range. Default: auto.",
    ),
    click.option(
        "--rounding",
        type=click.Choice(ROUNDINGS),
        default="auto",
        help="Of weights; default: auto.",
    ),
    click.option(
        "--bias-correction/--no-bias-correction",
        default=None,
        help="The mean error of channels goes into biases. Default: where it helps.",
    ),
    click.option(
        "--equalize/--no-equalize",
        default=None,
        help="Scale channels of neighbouring layers to like ranges. Default: where it helps.",
    ),
    click.option("--explain-accuracy", is_flag=True, help="Report what rounding each node costs."),
    click.option(
        "--weights",
        type=Amount(1024),
        metavar="BYTES",
        help="Mixed precision: the most that stored weights may take, 20K; a scheme for each layer.",
    ),
    click.option(
        "--sqnr",
        type=float,
        metavar="DB",
        help="Mixed precision: the least dB of the worst output, with the fewest bytes of weights.",
    ),
)
# The chip, and what is wanted of it.
target = together(
    click.option(
        "--target",
        default="host",
        metavar="NAME|FILE.toml",
        show_default=True,
        help="See `tinyml targets`.",
    ),
    click.option("--name", help="Prefix of files and symbols; default: the model file's."),
    click.option(
        "--optimize",
        type=click.Choice(["speed", "balanced", "size"]),
        default="balanced",
        show_default=True,
    ),
    click.option(
        "--ram", type=Amount(1024), metavar="BYTES", help="The most the arena may take: 45K."
    ),
    click.option(
        "--flash",
        type=Amount(1024),
        metavar="BYTES",
        help="The most that constants may take: 100K; code comes on top.",
    ),
    click.option(
        "--cycles", type=Amount(1000), metavar="N", help="The most modelled cycles of a run: 3.5M."
    ),
    click.option("--tune", is_flag=True, help="Choose kernels by cycles measured on the emulator."),
)
# Which weights go.
pruning = together(
    click.option(
        "--prune",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.0,
        metavar="RATIO",
        help="Part of the weights to set to zero, or of the channels to take out.",
    ),
    click.option(
        "--prune-scope",
        type=click.Choice(["tensor", "global"]),
        default="tensor",
        show_default=True,
    ),
    click.option(
        "--prune-method",
        type=click.Choice(["magnitude", "wanda", "reconstruct"]),
        help="Default: reconstruct with --calibrate, else magnitude.",
    ),
    click.option(
        "--prune-pattern",
        default="single",
        metavar="single|N:M|1xN|channels",
        show_default=True,
        help="N of M neighbouring weights stay; N go together; whole channels go.",
    ),
)
# Inputs and outputs: sizes, values, types and what raw data mean.
interface = together(
    click.option(
        "--dim",
        "dims",
        multiple=True,
        metavar="NAME=SIZE",
        help="Binds a symbolic dimension. Repeatable.",
    ),
    click.option(
        "--bind",
        multiple=True,
        metavar="NAME=VALUE",
        help="Makes an input a constant: one that decides a shape. Repeatable; 2,3 is a list.",
    ),
    click.option(
        "--io",
        type=click.Choice(["caller", "arena"]),
        default="caller",
        show_default=True,
        help="Whose memory inputs and outputs lie in.",
    ),
    click.option(
        "--io-type",
        type=click.Choice(["quantized", "float", "uint8"]),
        default="quantized",
        show_default=True,
    ),
    click.option(
        "--io-layout",
        type=click.Choice(["model", "nhwc", "nchw"]),
        default="model",
        show_default=True,
    ),
    click.option(
        "--input-scale",
        "scales",
        multiple=True,
        metavar="[NAME=]SCALE",
        help="real = SCALE * (raw - OFFSET) for raw calibration data. Repeatable.",
    ),
    click.option(
        "--input-offset",
        "offsets",
        multiple=True,
        metavar="[NAME=]OFFSET",
        help="Goes with --input-scale; default 0.",
    ),
    click.option(
        "--input-range",
        "ranges_of_inputs",
        multiple=True,
        metavar="[NAME=]LO..HI",
        help="What an input can be, for --ranges propagated; MEAN+-DEVIATION beside it or alone. Repeatable.",
    ),
)
# How the compiler goes about it.
ways = together(
    click.option("--allow-float", is_flag=True, help="Ops without an integer form may stay float."),
    click.option(
        "--keep-dead-work", is_flag=True, help="Keep channels that provably change no output."
    ),
    click.option("--single-file", is_flag=True, help="One C file and one header."),
    click.option("--no-verify", is_flag=True, help="Don't build and check the C on this machine."),
    click.option(
        "--dump-passes",
        type=_FOLDER,
        metavar="DIR",
        help="The graph as text before and after each pass.",
    ),
    click.option(
        "--allow-outside",
        "outside",
        is_flag=True,
        help="A spec may include files from outside its folder.",
    ),
)
