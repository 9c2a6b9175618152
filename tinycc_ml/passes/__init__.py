"""Passes: Graph to Graph, one file each. The lists below are their order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path

from ..ir.graph import Graph
from ..ir.text import canonical_text
from ..ops import verify
from .absorb_qdq import absorb_qdq
from .integer_ends import integer_ends, unsigned_ends

log = logging.getLogger(__name__)
Pass = Callable[[Graph], Graph]


def _named(*names: str) -> tuple[Pass, ...]:
    """The passes of these names: each is a function in the file of its name."""
    return tuple(getattr(import_module(f"{__name__}.{name}"), name) for name in names)


FLOAT: tuple[Pass, ...] = _named(
    "remove_no_ops",
    "fold_constants",
    "eliminate_common",
    "channels_last",
    "fold_affine",
    "fuse_clips",
    "permute_dense",
    "trivial_transposes",
    "remove_no_ops",
    "eliminate_common",
)
INTEGER: tuple[Pass, ...] = _named(
    "remove_no_ops",
    "fuse_clips",
    "eliminate_common",
    "trivial_transposes",
    "remove_no_ops",
    "restore_names",
)


def integer_passes(
    *, io_type: str = "quantized", allow_float: bool = False, unsigned: Collection[str] = ()
) -> tuple[Pass, ...]:
    """What follows quantisation. `io_type`: quantized, float or uint8 inputs and outputs at the API;
    `unsigned`: inputs and outputs that are uint8 there in any case."""

    @wraps(absorb_qdq)
    def absorb(graph: Graph) -> Graph:
        return absorb_qdq(graph, allow_float=allow_float)

    @wraps(unsigned_ends)
    def unsign(graph: Graph) -> Graph:
        return unsigned_ends(graph, None if io_type == "uint8" else unsigned)

    ends: tuple[Pass, ...] = () if io_type == "float" else (integer_ends,)
    return (*ends, absorb, *((unsign,) if ends else ()), *INTEGER)


def run_passes(
    graph: Graph, passes: Sequence[Pass], *, dump_dir: Path | None = None, stage: str = ""
) -> Graph:
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
