"""What the user asks for: the options of the command line, a recipe or tinycc_ml.compile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from .errors import DataError
from .quant.data import InputScale
from .quant.draw import InputRange
from .quant.methods import PROPAGATED, Methods

# Arithmetic in float32, weights as they are or stored as float16
FLOATS = ("float32", "float16")


@dataclass(frozen=True)
class Options:
    """What the user asks for beside model and target; the defaults of the command line."""

    quantize: str | None = (
        None  # "float32", "float16" weights, a scheme, or None: what model and data suggest
    )
    quantize_nodes: Mapping[str, str] = field(default_factory=dict)  # schemes of single nodes
    # how float nets become integer (quant/methods.py); None: tried, and kept where it helps
    ranges: str = "auto"
    rounding: str = "auto"
    bias_correction: bool | None = None
    equalize: bool | None = None
    weights: float = (
        inf  # mixed precision: most bytes of stored weights, least dB of the worst output
    )
    sqnr: float = -inf
    explain_accuracy: bool = False  # the report says what each node costs
    prune: float = 0.0
    prune_scope: str = "tensor"  # or "global"
    prune_method: str | None = None  # of pruning.METHODS; None: the best that the data allow
    prune_pattern: str = "single"  # or N:M, 1xN, channels
    name: str | None = None
    optimize: str = "balanced"
    ram: float = inf  # limits: bytes of arena, bytes of constants, modelled cycles
    flash: float = inf
    cycles: float = inf
    tune: bool = False  # choose by cycles measured on the target's emulator; api.compile does
    io: str = "caller"
    io_type: str = "quantized"
    io_layout: str = "model"
    single_file: bool = False
    allow_float: bool = False
    keep_dead_work: bool = False
    dims: Mapping[str, int] = field(default_factory=dict)
    bind: Mapping[str, Any] = field(
        default_factory=dict
    )  # inputs that become constants of this value
    input_scales: Mapping[str, InputScale] = field(default_factory=dict)
    input_ranges: Mapping[str, InputRange] = field(default_factory=dict)  # for ranges "propagated"
    dump_passes: Path | None = None
    self_test: bool = True  # the files hold a self-test with its vectors

    @property
    def has_budget(self) -> bool:
        """Layers get schemes of their own, within a budget."""
        return self.weights < inf or self.sqnr > -inf

    @property
    def methods(self) -> Methods:
        return Methods(self.ranges, self.rounding, self.bias_correction, self.equalize)


def check_propagated(options: Options, *, has_data: bool) -> None:
    """DataError for what does not go with ranges that are found without samples."""
    calibrate = "give --calibrate FILE.npz and say other ranges"
    for said, wrong, hint in (
        ("--calibrate", has_data, "say one of them"),
        (f"--quantize {options.quantize}", options.quantize in FLOATS, "say one of them"),
        ("--rounding second-order", options.rounding == "second-order", calibrate),
        ("--bias-correction", options.bias_correction, calibrate),
        ("--equalize", options.equalize, calibrate),
        ("--weights and --sqnr", options.has_budget, calibrate),
        ("--input-scale", options.input_scales, "say --input-range"),
    ):
        if wrong:
            raise DataError(
                f"--ranges {PROPAGATED} makes integers without data, {said} does not go with that",
                hint=hint,
            )
