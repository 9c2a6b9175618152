"""The tables of the committed figures in docs/benchmarks.md and README.md, rewritten with every new baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from compare import BOARD, TFLM, peer_bytes, peer_mcycles, times
from nets import INT8, ROOT, family

from tinycc_ml.report.markdown import table

_MARK = "<!-- figures -->\n"
_HEAD = ("net", "core", "optimize", "M cycles", "cycles/MAC", "flash", "RAM", "vs TFLM", "vs board")
_HEADLINES = (
    "cortex-m4", "M cycles, speed", "balanced", "TFLM", "board", "flash, balanced", "TFLM", "RAM, balanced", "TFLM",
)  # fmt: skip
_CORE = "cortex-m4"


def rewrite(baseline: Mapping[str, Any]) -> None:
    """Puts the figures of a baseline on all pages."""
    for path, tabled in PAGES.items():
        text = path.read_text(encoding="utf-8")
        path.write_text(rewritten(text, tabled(baseline["figures"])), encoding="utf-8")


def rewritten(page: str, lines: list[str]) -> str:
    """A page with lines between its marks."""
    before, _, after = page.split(_MARK)
    return "".join([before, _MARK, "\n".join(lines), "\n", _MARK, after])


def everything(figures: Mapping[str, Any]) -> list[str]:
    return table(_HEAD, [_row(key, entry) for key, entry in figures.items()])


def headlines(figures: Mapping[str, Any]) -> list[str]:
    """The nets of MLPerf Tiny on one core, beside what others take."""
    return table(_HEADLINES, [_headline(net, figures) for net in INT8])


PAGES: Mapping[Path, Callable[[Mapping[str, Any]], list[str]]] = {
    ROOT / "docs" / "benchmarks.md": everything,
    ROOT / "README.md": headlines,
}


def _headline(net: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    speed, balanced = (figures[f"{_CORE}/{net}/{goal}"] for goal in ("speed", "balanced"))
    cycles = [f"{given['cycles'] / 1e6:.3f}" for given in (speed, balanced)]
    others = [_or_blank(peer_mcycles(peer, net, _CORE), ".3f") for peer in (TFLM, BOARD)]
    sizes = [
        _or_blank(size, ",")
        for kind in ("flash", "ram")
        for size in (balanced[kind], peer_bytes(TFLM, kind, net, _CORE))
    ]
    return family(net), *cycles, *others, *sizes


def _or_blank(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _row(key: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    core, net, optimize = key.split("/")
    cycles = figures["cycles"]
    return (
        net, core, optimize, f"{cycles / 1e6:.3f}", f"{cycles / figures['macs']:.2f}",
        f"{figures['flash']:,}", f"{figures['ram']:,}", times(TFLM, net, core, cycles), times(BOARD, net, core, cycles),
    )  # fmt: skip
