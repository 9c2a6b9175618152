"""`tinyml inspect`: ops, shapes, MACs and memory of a model that may not be compiled yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import frontends
from ..backend.choose import choose
from ..backend.target import load_target
from ..integers import is_quantised
from ..ir.graph import Graph
from ..passes import FLOAT, integer_passes, run_passes
from ..quant.accumulators import accumulator_bounds
from ..report import became, node_rows
from ..report.chart import memory_chart
from ..report.markdown import count, real_text, typed
from ..report.tensors import memory_map
from ..toolchain.shipped import open_folder
from .screen import Screen
from .text import bold, columns, memory_text

Row = Mapping[str, Any]


def inspect_path(
    screen: Screen, path: Path, target: str, dims: Mapping[str, int]
) -> dict[str, Any]:
    found = _of_folder(path) if path.is_dir() else _of_model(path, target, dims)
    for line in _lines(found):
        screen.out(line)
    return found


def _of_folder(path: Path) -> dict[str, Any]:
    report = open_folder(path).report
    keys = (
        "model",
        "target",
        "io",
        "nodes",
        "memory",
        "totals",
        "options",
        "verified",
        "unverified",
    )
    return {"kind": "folder", **{key: report[key] for key in keys}}


def _of_model(path: Path, target_name: str, dims: Mapping[str, int]) -> dict[str, Any]:
    target = load_target(target_name)
    graph = run_passes(frontends.load(path, dims), FLOAT)
    if is_quantised(graph):
        graph = run_passes(graph, integer_passes(allow_float=True))
    io = [_port(graph, name, "input") for name in graph.inputs]
    io += [_port(graph, name, "output") for name in graph.outputs]
    weights = sum(tensor.type.bytes for tensor in graph.constants)
    plan = choose(graph, target)
    rows = node_rows(plan, accumulator_bounds(graph))
    totals = {
        "macs": sum(row["macs"] for row in rows),
        "weights_bytes": weights,
        "arena_bytes": plan.arena_bytes,
        "scratch_bytes": plan.scratch_bytes,
    }
    model = {"name": graph.name, "file": path.name, "arithmetic": became(graph)}
    return {
        "kind": "model", "model": model, "target": {"name": target.name}, "io": io, "nodes": rows,
        "memory": memory_map(plan), "totals": totals, "options": {"io": "caller"},
    }  # fmt: skip


def _port(graph: Graph, name: str, direction: str) -> dict[str, Any]:
    type_ = graph.type(name)
    quant = type_.quant
    return {
        "direction": direction,
        "name": name,
        "shape": list(type_.shape),
        "dtype": type_.dtype.name,
        "bytes": type_.bytes,
        "scale": quant.scale0 if quant and quant.is_per_tensor else None,
        "zero_point": quant.zero if quant and quant.is_per_tensor else None,
    }


def _lines(found: Row) -> list[str]:
    model, totals = found["model"], found["totals"]
    lines = [
        f"{bold(model['name'])}: {model['file']}, {model['arithmetic']}, kernels for {found['target']['name']}"
    ]
    lines += [
        f"  {port['direction']:<7} {port['name']}: {typed(port)}{_real(port)}"
        for port in found["io"]
    ]
    lines += [
        "",
        *columns(
            ("step", "op", "result", "MACs", "kernel", "node"), list(map(_cells, found["nodes"]))
        ),
    ]
    lines += [
        "",
        f"{count(totals['macs'])} MACs, constants {count(totals['weights_bytes'])} bytes, {memory_text(found)}",
    ]
    return [*lines, "", *memory_chart(found["memory"])]


def _real(port: Row) -> str:
    text = real_text(port)
    return f", real = {text}" if text else ""


def _cells(row: Row) -> tuple[str, ...]:
    step = "" if row["step"] is None else str(row["step"])
    return (
        step,
        row["op"],
        typed(row),
        count(row["macs"]) if row["macs"] else "",
        row["kernel"] or "",
        row["name"],
    )
