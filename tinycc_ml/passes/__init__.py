"""Passes: Graph to Graph, one file each. The lists below are their order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from ..ir.graph import Graph
from ..ir.text import canonical_text
from ..ops import verify
from .absorb_qdq import absorb_qdq
from .channels_last import channels_last
from .eliminate_common import eliminate_common
from .fold_affine import fold_affine
from .fold_constants import fold_constants
from .fuse_clips import fuse_clips
from .integer_ends import integer_ends, unsigned_ends
from .permute_dense import permute_dense
from .remove_no_ops import remove_no_ops
from .restore_names import restore_names
from .trivial_transposes import trivial_transposes

log = logging.getLogger(__name__)
Pass = Callable[[Graph], Graph]

FLOAT: tuple[Pass, ...] = (
    remove_no_ops,
    fold_constants,
    eliminate_common,
    channels_last,
    fold_affine,
    fuse_clips,
    permute_dense,
    trivial_transposes,
    remove_no_ops,
    eliminate_common,
)


def integer_passes(*, io_type: str = "quantized", allow_float: bool = False) -> tuple[Pass, ...]:
    """What follows quantisation. `io_type`: quantized, float or uint8 inputs and outputs at the API."""
    ends: tuple[Pass, ...] = () if io_type == "float" else (integer_ends,)
    unsigned: tuple[Pass, ...] = (unsigned_ends,) if io_type == "uint8" else ()
    return (
        *ends,
        absorb_qdq_allowing_float if allow_float else absorb_qdq,
        *unsigned,
        remove_no_ops,
        fuse_clips,
        eliminate_common,
        trivial_transposes,
        remove_no_ops,
        restore_names,
    )


def absorb_qdq_allowing_float(graph: Graph) -> Graph:
    return absorb_qdq(graph, allow_float=True)


def run_passes(graph: Graph, passes: Sequence[Pass], *, dump_dir: Path | None = None, stage: str = "") -> Graph:
    """Apply passes in order and verify the graph after each; `dump_dir` gets the text before and after."""
    for index, apply in enumerate(passes):
        after = apply(graph)
        verify(after)
        log.debug("pass %s: %d nodes -> %d", apply.__name__, len(graph.nodes), len(after.nodes))
        if dump_dir is not None:
            _dump(dump_dir, f"{stage}_{index:02d}_{apply.__name__}", graph, after)
        graph = after
    return graph


def _dump(folder: Path, name: str, before: Graph, after: Graph) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.before.txt").write_text(canonical_text(before), encoding="utf-8")
    (folder / f"{name}.after.txt").write_text(canonical_text(after), encoding="utf-8")
