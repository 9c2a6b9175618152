"""Specs for the tests: read from a text, made at random, and spoilt."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tinycc_ml.frontends.spec import Source, Spec, read_spec

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.tml"))


def spec(text: str, folder: Path | None = None, **options: Any) -> Spec:
    """What a text in a file net.tml of a folder means."""
    return read_spec(Source("net.tml", text, (folder or Path("/nowhere")) / "net.tml"), **options)


def net(lines: str, shape: str = "1, 3, 16, 16", **options: Any) -> Spec:
    """Lines after an input x and random weights."""
    return spec(f"input x: f32[{shape}]\nweights(random(1))\n{lines}\n", **options)


_STEPS = (
    "relu", "relu6", "batch_norm", "conv({c})", "conv({c}, {k}, stride={s})", "conv({c}, [{k}, 1], pad={p})",
    "dw({k}, stride={s})", "dw", "scale", "prelu", "max_pool(3, stride={s}, pad=\"same\")", "avg_pool(3, 1, pad=1)",
    "Conv(param_free)", "sigmoid", "HardSwish", "LeakyRelu(alpha=0.{k})", "resize(1)", "add(x)", "stage({c})",
    "Clip(-{k}, {k}.5)", "Transpose(perm=[0, 1, 2, 3])", "silu",
)  # fmt: skip


_BLOCKS = (
    ["block  both( x ,  wide : bool=false ) { # two", "    if wide { return x |> relu, x } else { return x, x |> tanh }", "}"],
    ["block both(x, # the net", "    # how", "    wide = false) {", "    return x |> relu, x |> tanh # results", "    # end", "}"],
    ["block both(x, wide: bool = not true and (1 < 2 or 3 >= 4)) { return x |> relu, # first", "    x |> tanh }"],
)  # fmt: skip
_RECIPES = (
    [],
    ['recipe { optimize("speed") }'],
    ["recipe {  # how", '    target( "cortex-m4" , ram=64K,flash = 256KiB )', "", "    # no", "    prune(0.5)", "}"],
    ["rate = 16kHz * 20ms", "recipe {", "    input_scale(1/255, offset=-3,", '        input="x") # raw', "}"],
)  # fmt: skip


@st.composite
def random_specs(draw: st.DrawFn) -> str:
    """A valid spec: blocks, loops, branches, residuals, arithmetic, comments, lines laid out anyhow."""
    number = lambda low, high: draw(st.integers(low, high))  # noqa: E731
    lines = ["# a net", "model   net   # its name", f"C = {number(1, 3)} * 2"]
    lines += [
        "block stage(x, channels, kernel=3) {",
        "    y = x |> conv(channels, kernel) |> relu",
        "    return y",
        "}",
        *draw(st.sampled_from(_BLOCKS)),
    ]
    lines += [f"input x: f32[1, C, {number(8, 12)}, 2 ** 3]", "skip = x"]
    for _ in range(number(1, 5)):
        lines += _statement(draw)
    layout = draw(st.sampled_from((" |> ", "\n    |> ", " |>\n", "  # why\n    |> ")))
    lines += [
        "output y = x |> flatten |> dense(4) |> softmax".replace(" |> ", layout),
        "weights(random(1))",
        *draw(st.sampled_from(_RECIPES)),
    ]
    return "\n".join(lines) + draw(st.sampled_from(("", "\n", "\n\n# end\n")))


def _statement(draw: st.DrawFn) -> list[str]:
    values = {
        "c": draw(st.sampled_from(("C", "2 * C", "8"))),
        "k": draw(st.sampled_from((1, 2, 3))),
    }
    values |= {
        "s": draw(st.sampled_from((1, 2))),
        "p": draw(st.sampled_from(('"same"', "1", "[1, 0]"))),
    }
    pick = [s for s in _STEPS if s not in ("Conv(param_free)", "add(x)")]
    steps = [draw(st.sampled_from(pick)).format(**values) for _ in range(draw(st.integers(1, 3)))]
    pipe = f"x = x |> {' |> '.join(steps)}"
    kind = draw(st.sampled_from(("plain", "loop", "branch", "residual", "list", "results", "long")))
    if kind == "results":
        return [
            "a, b=both(x, # call",
            f"    wide={draw(st.sampled_from(('true', 'C > 2')))})",
            "x = a+b  *  0.5",
        ]
    if kind == "long":
        return [
            f"x = x |> {' |> '.join(['relu', 'dw(3, pad=1)', 'Clip(-1, 6.5)'] * 4)}",
            "",
            "",
            "# kept apart",
            "",
        ]
    if kind == "loop":
        return [f"for i in range({draw(st.integers(0, 3))}) {{", f"    {pipe}", "}"]
    if kind == "list":
        return [
            "for c, s in [[C, 1], [2 * C, 1]] {",
            "    x = x |> dw(3, s) |> relu |> conv(c, 1)",
            "}",
        ]
    if kind == "branch":
        return ["if C > 2 and not false {", f"    {pipe}", "} else {", "    x = x |> relu", "}"]
    if kind == "residual":
        return ["r = x |> relu |> dw", "x = x + r * 2 - (x |> sigmoid)"]
    return [pipe]


_PIECES = (
    "(", ")", "[", "]", "{", "}", ",", "=", "|>", ":", "\n", '"', "#", "-", "**", "9999999999", "0", "1e300", "64K",
    "none", "true", "x", "range(100000)", "for i in range(9999) {", "block f(x) {", "return x", "not ", "input x: f32[1]",
    "\\", "\x00", "\u00e9", "' ", ";", "conv(99999, 999)", "w[\"a\"]", "include \"a.tml\"", " |> reshape([-1])", "recipe {",
    "Pad([99999999, 0], [1])", " |> resize(1000)", "stride=0", "-1", "x = x + x",
)  # fmt: skip


def spoilt(text: str, rng: random.Random) -> str:
    """The text with a few mistakes: characters and words removed, doubled, swapped, put in."""
    for _ in range(rng.randint(1, 4)):
        at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        end = min(end, at + rng.choice((1, 1, 5, 40)))
        change = rng.randrange(5)
        if change == 0:
            text = text[:at] + text[end:]
        elif change == 1:
            text = text[:at] + rng.choice(_PIECES) + text[at:]
        elif change == 2:
            text = text[:at] + text[at:end] * rng.choice((2, 3, 50)) + text[end:]
        elif change == 3:
            text = text[:at] + rng.choice(_PIECES) + text[end:]
        else:
            words = text.split(" ")
            a, b = (rng.randrange(len(words)) for _ in range(2))
            words[a], words[b] = words[b], words[a]
            text = " ".join(words)
    return text
