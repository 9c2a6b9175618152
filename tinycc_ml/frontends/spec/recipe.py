"""The calls of a recipe. Each is a row of a table: its parameters, and the settings it makes, which are the
options of the command line by their names in api.compile. A new one needs a row, no grammar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .binding import Given, Parameter, bind
from .problems import Problem, listed, nearest
from .syntax import Call, Source, Span
from .values import Value, describe, is_int, is_number

Values = Mapping[str, Value]


@dataclass(frozen=True)
class Setting:
    """What a recipe says, and where. `tensor`: the name in it of a tensor of the model, to be checked."""

    value: Any
    source: Source
    span: Span
    tensor: str | None = None


@dataclass(frozen=True)
class RecipeCall:
    """`settings`: from the arguments to options by name. `choices`: the texts a parameter may be.
    `files`: parameters that are paths, relative to the spec. `any_name`: takes every named argument."""

    summary: str
    parameters: tuple[Parameter, ...]
    settings: Callable[[Values], Mapping[str, Any]]
    choices: Mapping[str, tuple[str, ...]]
    files: tuple[str, ...] = ()
    any_name: bool = False


def _call(
    summary: str, settings: Callable[[Values], Mapping[str, Any]], *parameters: Parameter,
    choices: Mapping[str, tuple[str, ...]] | None = None, files: tuple[str, ...] = (), any_name: bool = False,
) -> RecipeCall:  # fmt: skip
    return RecipeCall(summary, parameters, settings, choices or {}, files, any_name)


def _some(**values: Any) -> dict[str, Any]:
    """Those that were given."""
    return {name: value for name, value in values.items() if value is not None}


def _switch(name: str) -> Callable[[Values], Mapping[str, Any]]:
    return lambda v: {name: v["on"]}


# The command line's: what stands behind the names is in quant
SCHEMES = (
    "int8",
    "int8-pow2",
    "int16x8",
    "int16x16",
    "int4",
    "int4-channel",
    "int2",
    "ternary",
    "binary",
    "codebook4",
    "float32",
    "float16",
)
_ON = Parameter("on", "bool", True)
_MANY = {
    "input_scales",
    "input_ranges",
    "dims",
    "bind",
    "quantize_nodes",
}  # said several times, they add up

CALLS: Mapping[str, RecipeCall] = {
    "target": _call(
        "The core it is compiled for, by name or TOML file, and what it may use of it.",
        lambda v: _some(target=v["name"], flash=v["flash"], ram=v["ram"], cycles=v["cycles"]),
        Parameter("name", "text", None), Parameter("flash", "size", None), Parameter("ram", "size", None),
        Parameter("cycles", "size", None),
    ),
    "quantize": _call(
        "The arithmetic, of the net or of one node.",
        lambda v: {"quantize": v["scheme"]} if v["node"] is None else {"quantize_nodes": {v["node"]: v["scheme"]}},
        Parameter("scheme", "text", "int8"), Parameter("node", "text", None), choices={"scheme": SCHEMES},
    ),
    "quantizer": _call(
        "How integers are found; what is not said is tried, and kept where it helps.",
        lambda v: _some(**v),
        Parameter("ranges", "text", None), Parameter("rounding", "text", None),
        Parameter("bias_correction", "bool", None), Parameter("equalize", "bool", None),
        choices={
            "ranges": ("auto", "min-max", "percentile", "least-error", "entropy", "propagated"),
            "rounding": ("auto", "nearest", "second-order"),
        },
    ),
    "budget": _call(
        "Mixed precision: a scheme for each layer, within bytes of stored weights, with so many dB at the worst output.",
        lambda v: _some(weights=v["weights"], sqnr=None if v["sqnr"] is None else float(v["sqnr"])),
        Parameter("weights", "size", None), Parameter("sqnr", "number", None),
    ),
    "explain_accuracy": _call("The report says what rounding each node costs.", _switch("explain_accuracy"), _ON),
    "calibrate": _call(
        "Sample inputs [N, ...] by name, which int8 needs.", lambda v: {"calibrate": v["file"]},
        Parameter("file", "text"), files=("file",),
    ),
    "input_scale": _call(
        "What raw calibration data mean: real = scale * (raw - offset).",
        lambda v: {"input_scales": {v["input"]: (float(v["scale"]), v["offset"])}},
        Parameter("scale", "number"), Parameter("offset", "int", 0), Parameter("input", "text", ""),
    ),
    "input_range": _call(
        "What an input can be, or its mean and standard deviation, for ranges propagated without data.",
        lambda v: {"input_ranges": {v["input"]: {
            n: float(v[n]) for n in ("low", "high", "mean", "deviation") if v[n] is not None
        }}},
        Parameter("low", "number", None), Parameter("high", "number", None), Parameter("mean", "number", None),
        Parameter("deviation", "number", None), Parameter("input", "text", ""),
    ),
    "prune": _call(
        "The part of the weights that is set to zero, or of the channels that are taken out.",
        lambda v: {
            "prune": float(v["ratio"]), "prune_scope": v["scope"],
            **_some(prune_method=v["method"], prune_pattern=v["pattern"]),
        },
        Parameter("ratio", "number", 0), Parameter("scope", "text", "tensor"), Parameter("method", "text", None),
        Parameter("pattern", "text", None),
        choices={"scope": ("tensor", "global"), "method": ("magnitude", "wanda", "reconstruct")},
    ),
    "optimize": _call(
        "What is wanted most.", lambda v: _some(optimize=v["goal"], tune=v["tune"] or None),
        Parameter("goal", "text", "balanced"), Parameter("tune", "bool", False),
        choices={"goal": ("speed", "balanced", "size")},
    ),
    "io": _call(
        "Memory, element type and layout of inputs and outputs.",
        lambda v: _some(io=v["memory"], io_type=v["type"], io_layout=v["layout"]),
        Parameter("memory", "text", None), Parameter("type", "text", None), Parameter("layout", "text", None),
        choices={"memory": ("caller", "arena"), "type": ("quantized", "float", "uint8"), "layout": ("model", "nhwc", "nchw")},
    ),
    "dims": _call("Sizes of the open dimensions of an imported net.", lambda v: {"dims": dict(v)}, any_name=True),
    "bind": _call(
        "The value of an input of an imported net that decides shapes.",
        lambda v: {"bind": {v["input"]: v["value"]}}, Parameter("input", "text"), Parameter("value", "list"),
    ),
    "output": _call(
        "Where the files go, and how many.",
        lambda v: _some(out=v["folder"], name=v["name"], single_file=v["single_file"] or None),
        Parameter("folder", "text", None), Parameter("name", "text", None), Parameter("single_file", "bool", False),
        files=("folder",),
    ),
    "verify": _call("The C is built and checked on this machine.", _switch("verify"), _ON),
    "allow_float": _call("Operators without an integer form may stay float.", _switch("allow_float"), _ON),
    "keep_dead_work": _call("Channels that change no output are kept.", _switch("keep_dead_work"), _ON),
    "dump_passes": _call(
        "The graph as text before and after each pass.", lambda v: {"dump_passes": Path(v["folder"])},
        Parameter("folder", "text"), files=("folder",),
    ),
}  # fmt: skip


def evaluate_call(call: Call, given: list[Given], source: Source, said: dict[str, Setting]) -> None:
    """Add what a call of the recipe says to `said`. Problem when it makes no sense, or was said before."""
    name = call.callee.id
    row = CALLS.get(name)
    if row is None:
        hint = nearest(name, CALLS) or f"there are {listed(CALLS, 20)}"
        raise Problem(f"no call {name!r} in a recipe", source, call.callee.span, hint)
    values, spans = _values(row, call, given, source)
    for key, value in row.settings(values).items():
        span = next(
            (spans[n] for n, v in values.items() if v is value and n in spans), call.callee.span
        )
        tensor = next(iter(value)) or None if key in ("input_scales", "input_ranges") else None
        setting = Setting(value, source, spans.get("input", span) if tensor else span, tensor)
        _add(key, setting, said, source)


def _add(key: str, setting: Setting, said: dict[str, Setting], source: Source) -> None:
    before = said.get(key)
    if before is None:
        said[key] = setting
    elif key in _MANY and not set(before.value) & set(setting.value):
        said[key] = Setting(
            {**before.value, **setting.value}, source, setting.span, setting.tensor or before.tensor
        )
    elif key not in ("prune_scope",):
        at = f"{before.source.name}:{before.span.line}"
        raise Problem(f"the recipe says {key!r} twice", source, setting.span, f"first at {at}")


def _values(
    row: RecipeCall, call: Call, given: list[Given], source: Source
) -> tuple[dict[str, Value], dict[str, Span]]:
    if row.any_name:
        return _named_sizes(call, given, source)
    bound = bind(call.callee.id, row.parameters, given, call, source)
    for name, argument in bound.items():
        _check_choice(row, name, argument, call, source)
        _check_range(name, argument, call, source)
    values = {p.name: bound[p.name].value if p.name in bound else p.default for p in row.parameters}
    for name in row.files:
        if values[name] is not None:
            values[name] = str(beside(source, values[name]))
    if "name" in values and call.callee.id == "target" and str(values["name"]).endswith(".toml"):
        values["name"] = str(beside(source, values["name"]))
    return values, {n: g.span for n, g in bound.items()}


def beside(source: Source, text: str) -> Path:
    """A path of a spec is relative to its file."""
    return (source.path.parent if source.path else Path()) / text


def _check_choice(row: RecipeCall, name: str, argument: Given, call: Call, source: Source) -> None:
    choices = row.choices.get(name)
    if choices and argument.value is not None and argument.value not in choices:
        hint = nearest(str(argument.value), choices) or f"there are {', '.join(choices)}"
        message = f"{call.callee.id}: no {name} {str(argument.value)!r}"
        raise Problem(message, source, argument.span, hint)


def _check_range(name: str, argument: Given, call: Call, source: Source) -> None:
    if name == "ratio" and not 0 <= argument.value < 1:
        raise Problem(
            f"{call.callee.id}: {name!r} is from 0 to below 1, got {argument.value:g}",
            source,
            argument.span,
        )
    if name == "scale" and not (is_number(argument.value) and argument.value > 0):
        raise Problem(
            f"{call.callee.id}: {name!r} is above 0, got {argument.value:g}", source, argument.span
        )


def _named_sizes(
    call: Call, given: list[Given], source: Source
) -> tuple[dict[str, Value], dict[str, Span]]:
    for argument in given:
        if argument.name is None or not is_int(argument.value) or argument.value < 1:
            message = f"{call.callee.id} takes NAME=SIZE, got {describe(argument.value)}"
            raise Problem(message, source, argument.span)
    return {str(g.name): g.value for g in given}, {str(g.name): g.span for g in given}
