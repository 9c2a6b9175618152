"""`tinyml targets` and `tinyml ops`: what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backend.target import Target, list_targets
from ..ops import table
from ..ops.base import Op
from ..toolchain.missing import missing_tools
from .screen import Screen
from .text import columns


def list_all_targets(screen: Screen) -> dict[str, Any]:
    found = [_target(target) for target in list_targets()]
    rows = [(t["name"], t["description"], ", ".join(t["missing"]) or "installed") for t in found]
    for line in columns(("target", "what", "tools to verify on it"), rows):
        screen.out(line)
    return {"targets": found}


def _target(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "description": target.description,
        "features": sorted(target.features),
        "memories": {
            n: "unlimited" if size is None else size for n, size in target.memories.items()
        },
        "missing": list(missing_tools(target)),
    }


def onnx_entries() -> list[dict[str, Any]]:
    """What the op table says of each ONNX operator, by name."""
    found = [entry for op in table().values() for entry in _onnx_ops(op)]
    return sorted(found, key=lambda entry: entry["onnx"].lower())


def list_ops(screen: Screen) -> dict[str, Any]:
    found = onnx_entries()
    rows = [
        (e["onnx"], e["op"] or "other operators", *(_form(e, kind) for kind in ("float32", "int8")))
        for e in found
    ]
    for line in columns(("ONNX operator", "becomes", "float32", "int8"), rows):
        screen.out(line)
    return {"ops": found}


def print_reference(screen: Screen) -> dict[str, Any]:
    """docs/operators.md: what can be called in a spec."""
    from ..lsp.pages import operators_page

    # An operator of ONNX goes before that of ONNX Runtime with the same name
    entries = sorted(onnx_entries(), key=lambda e: "." not in e["onnx"])
    forms = {e["onnx"].rpartition(".")[2]: (e["float32"], e["int8"]) for e in entries}
    page = operators_page(forms)
    screen.out(page.rstrip("\n"))
    return {"markdown": page}


def _form(entry: Mapping[str, Any], kind: str) -> str:
    """What is taken apart has the forms of its parts."""
    if entry["op"] is None:
        return "parts"
    return "yes" if entry[kind] else ""


def _onnx_ops(op: Op) -> list[dict[str, Any]]:
    """What an op imports. One that computes nothing itself is taken apart on import."""
    if not (op.kernels or op.nest or op.alias):
        return [{"onnx": name, "op": None, "float32": None, "int8": None} for name in op.onnx]
    float32 = op.reference is not None
    return [
        {"onnx": name, "op": op.name, "float32": float32, "int8": _has_int8(op, name)}
        for name in op.onnx
    ]


def _has_int8(op: Op, name: str) -> bool:
    """Whether the tests hold its integer form against the reference; what makes integers has them anyway."""
    cases = [case for case in op.cases if case.op_type == name.rpartition(".")[2]]
    makes_integers = op.quantize is None and op.integer is not None
    return op.alias or makes_integers or any(case.integer for case in cases)
