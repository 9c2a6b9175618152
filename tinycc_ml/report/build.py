"""The data of report.json. What is not known is None, never 0; no date, no host, no absolute path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any

from .. import __version__
from ..backend.program import Port
from ..backend.target import Target
from ..compiler import Compiled, Options
from ..ir.graph import Graph
from ..ir.types import I16
from ..quant.budget import Allotted, Point
from ..quant.explain import Explanation
from ..toolchain.shipped import SCHEMA
from ..toolchain.verified import Verified
from .errors_by_tensor import sqnr_by_tensor
from .nodes import node_rows
from .removed import removed_rows
from .tensors import memory_map, tensor_rows

# An SQNR in dB for "no error at all": JSON has no infinity
NO_ERROR_DB = 999.0


@dataclass(frozen=True)
class Source:
    """The user's file by name and SHA-256, and the name of the calibration file, if any.

    `recipe`: the options that a spec says, None when the file is no spec; `overridden`: those of them
    that the caller says otherwise.
    """

    file: str
    sha256: str
    calibration: str | None = None
    recipe: tuple[str, ...] | None = None
    overridden: tuple[str, ...] = ()


def build_report(
    compiled: Compiled,
    source: Source,
    verified: Iterable[Verified] = (),
    unverified: str | None = None,
) -> dict[str, Any]:
    """Everything that is known after compiling. `unverified`: why nothing was verified."""
    plan, program = compiled.plan, compiled.program
    errors = sqnr_by_tensor(compiled)
    return {
        "schema": SCHEMA,
        "generator": {"name": "tinycc_ml", "version": __version__},
        "model": _model(compiled, source),
        "options": _options(compiled.options, source),
        "target": _target(plan.target),
        "io": [_port(compiled, p, "input") for p in program.inputs]
        + [_port(compiled, p, "output") for p in program.outputs],
        "nodes": node_rows(plan, compiled.bounds, program),
        "tensors": tensor_rows(plan, {name: db(value) for name, value in errors.items()}),
        "constants": [
            {
                "ident": c.ident,
                "c_type": c.c_type,
                "elements": c.size,
                "bytes": c.values.nbytes,
                "title": c.title,
            }
            for c in program.constants
        ],
        "memory": memory_map(plan),
        "totals": _totals(compiled),
        "accuracy": _accuracy(compiled),
        "removed": removed_rows(compiled),
        "verified": [asdict(item) | {"tools": list(item.tools)} for item in verified],
        "unverified": unverified,
        "measured": [],
        "profiled": None,
        "files": [_file(path, text) for path, text in sorted(compiled.files.items())],
        "notes": list(compiled.notes),
    }


def became(graph: Graph) -> str:
    """The arithmetic of the result: "int8", "int16", "float32", or several of these, joined by "and"."""
    types = [graph.type(name) for node in graph.nodes for name in node.outputs]
    made = {
        "float32" if t.dtype.is_real else "int16" if t.dtype == I16 and t.quant else "int8"
        for t in types
    }
    return " and ".join(k for k in ("int8", "int16", "float32") if k in made) or "int8"


def _model(compiled: Compiled, source: Source) -> dict[str, Any]:
    return {
        "name": compiled.program.name,
        "file": source.file,
        "sha256": source.sha256,
        "graph_hash": compiled.program.graph_hash,
        "arithmetic": became(compiled.graph),
        "test_samples": compiled.vectors.count,
        "checksums": compiled.vectors.sums is not None,
    }


def _options(options: Options, source: Source) -> dict[str, Any]:
    return {
        "calibrate": source.calibration,
        "quantize": options.quantize,
        "quantize_nodes": dict(options.quantize_nodes),
        "ranges": options.ranges,
        "rounding": options.rounding,
        "bias_correction": options.bias_correction,
        "equalize": options.equalize,
        "explain_accuracy": options.explain_accuracy,
        "prune": options.prune,
        "prune_scope": options.prune_scope,
        "prune_method": options.prune_method,
        "prune_pattern": options.prune_pattern,
        "optimize": options.optimize,
        **{limit: _limit(getattr(options, limit)) for limit in ("ram", "flash", "cycles")},
        "weights": _limit(options.weights),
        "sqnr": options.sqnr if isfinite(options.sqnr) else None,
        "tune": options.tune,
        "io": options.io,
        "io_type": options.io_type,
        "io_layout": options.io_layout,
        "single_file": options.single_file,
        "allow_float": options.allow_float,
        "keep_dead_work": options.keep_dead_work,
        "dims": dict(options.dims),
        "input_scales": {name: asdict(scale) for name, scale in options.input_scales.items()},
        "input_ranges": {name: asdict(known) for name, known in options.input_ranges.items()},
        "recipe": None if source.recipe is None else list(source.recipe),
        "overridden": list(source.overridden),
    }


def _limit(most: float) -> int | None:
    return None if most == inf else int(most)


def _target(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "description": target.description,
        "core": target.core,
        "features": sorted(target.features),
        "constants": target.constants,
        "memories": {
            n: "unlimited" if size is None else size for n, size in target.memories.items()
        },
    }


def _port(compiled: Compiled, port: Port, direction: str) -> dict[str, Any]:
    tolerance = compiled.vectors.tolerances.get(port.tensor) if direction == "output" else None
    return {
        "direction": direction,
        "name": port.tensor,
        "ident": port.ident,
        "shape": list(port.type.shape),
        "dtype": port.type.dtype.name,
        "elements": port.size,
        "bytes": port.bytes,
        "scale": port.scale if port.quantised else None,
        "zero_point": port.zero_point if port.quantised else None,
        "arena_offset": port.offset if compiled.program.io_in_arena else None,
        "tolerance": tolerance or None,
    }


def _totals(compiled: Compiled) -> dict[str, Any]:
    """code, stack and cycles are measured by `tinyml verify`."""
    return {
        "macs": compiled.program.macs,
        "weights_bytes": compiled.program.weights_bytes,
        "code_bytes": None,
        "arena_bytes": compiled.program.arena_bytes,
        "scratch_bytes": compiled.plan.scratch_bytes,
        "stack_bytes": None,
        "cycles": None,
    }


def _accuracy(compiled: Compiled) -> dict[str, Any] | None:
    found = compiled.accuracy
    if found is None:
        return None
    return asdict(found) | {
        "sqnr_db": {name: db(value) for name, value in found.sqnr_db.items()},
        "trials": [asdict(trial) | {"sqnr_db": db(trial.sqnr_db)} for trial in found.trials],
        "explanation": _explanation(found.explanation),
        "budget": _budget(found.budget),
        "risks": [asdict(risk) for risk in found.risks],
    }


def _budget(found: Allotted | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return asdict(found) | {
        "expected": _point(found.expected),
        "measured": _point(found.measured),
        "layers": [asdict(layer) | {"alone_db": db(layer.alone_db)} for layer in found.layers],
        "trade_off": [_point(point) for point in found.trade_off],
    }


def _point(point: Point) -> dict[str, Any]:
    return asdict(point) | {"sqnr_db": db(point.sqnr_db)}


def _explanation(found: Explanation | None) -> dict[str, Any] | None:
    if found is None:
        return None
    nodes = [
        asdict(n) | {"sqnr_db": db(n.sqnr_db), "alone_db": db(n.alone_db)} for n in found.nodes
    ]
    return {"nodes": nodes, "worst": found.worst, "advice": found.advice}


def db(value: float) -> float:
    return round(value, 2) if isfinite(value) else NO_ERROR_DB if value > 0 else -NO_ERROR_DB


def _file(path: str, text: str) -> dict[str, Any]:
    raw = text.encode()
    return {"path": path, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
