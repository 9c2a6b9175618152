"""The table of the committed figures in docs/benchmarks.md, rewritten with every new baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compare import BOARD, TFLM, times
from nets import ROOT

from tinycc_ml.report.markdown import table

PATH = ROOT / "docs" / "benchmarks.md"
_MARK = "<!-- figures -->\n"
_HEAD = ("net", "core", "optimize", "M cycles", "cycles/MAC", "flash", "RAM", "vs TFLM", "vs board")


def rewritten(page: str, baseline: Mapping[str, Any]) -> str:
    """The page with the figures of a baseline between its marks."""
    before, _, after = page.split(_MARK)
    rows = [_row(key, figures) for key, figures in baseline["figures"].items()]
    return "".join([before, _MARK, "\n".join(table(_HEAD, rows)), "\n", _MARK, after])


def _row(key: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    core, net, optimize = key.split("/")
    cycles = figures["cycles"]
    return (
        net, core, optimize, f"{cycles / 1e6:.3f}", f"{cycles / figures['macs']:.2f}",
        f"{figures['flash']:,}", f"{figures['ram']:,}", times(TFLM, net, core, cycles), times(BOARD, net, core, cycles),
    )  # fmt: skip
