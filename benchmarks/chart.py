"""A chart of the figures: cycles of each net on each core, beside those of TFLM + CMSIS-NN."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from compare import TFLM, peer_mcycles
from measure import Case, Figures


def draw(found: Mapping[Case, Figures], path: Path) -> None:
    """Writes the picture; leaves with a clear line where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        sys.exit("--chart needs matplotlib: pip install -e '.[bench]'")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    bars = _bars(found)
    figure, axes = pyplot.subplots(figsize=(9, 0.8 + 0.28 * len(bars)))
    names = [name for name, _, _ in bars]
    axes.barh(names, [value for _, value, _ in bars], color=[colour for _, _, colour in bars])
    for row, (_, value, _) in enumerate(bars):
        axes.text(value, row, f" {value:.3g}", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_xlabel(
        "modelled cycles of one inference, millions (blue: ours; grey: TFLM + CMSIS-NN)"
    )
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _bars(found: Mapping[Case, Figures]) -> list[tuple[str, float, str]]:
    """Label, length, colour; the peer below ours."""
    bars = []
    for case, figures in found.items():
        label = f"{case.net.name}  {case.core}  {case.optimize}"
        bars.append((label, figures.cycles / 1e6, "tab:blue"))
        theirs = peer_mcycles(TFLM, case.net.name, case.core)
        if theirs:
            bars.append((f"{label}  (TFLM)", theirs, "tab:gray"))
    return bars
