"""Tensors and where they lie: one row for each tensor, and the map of the arena."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backend.arena import used_bytes
from ..backend.choose import Plan
from ..backend.place import Block
from ..backend.planning import Bands
from ..ir.graph import Tensor
from ..ir.types import Quant


def tensor_rows(plan: Plan, sqnr_db: Mapping[str, float]) -> list[dict[str, Any]]:
    """Run-time tensors first, in the graph's order, then the constants that nodes read."""
    used = {name for node in plan.graph.nodes for name in (*node.inputs, *node.outputs)}
    used.update((*plan.graph.inputs, *plan.graph.outputs))
    tensors = [t for name, t in plan.graph.tensors.items() if name in used]
    return [_row(plan, t, sqnr_db) for t in sorted(tensors, key=lambda t: t.is_constant)]


def _row(plan: Plan, tensor: Tensor, sqnr_db: Mapping[str, float]) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "source_name": tensor.source_name,
        "kind": _kind(plan, tensor),
        "shape": list(tensor.shape),
        "dtype": tensor.type.dtype.name,
        "bytes": tensor.type.bytes,
        "quantization": quantization(tensor.type.quant),
        "view": None if tensor.is_constant else view_of(plan, tensor.name),
        "lifetime": None if tensor.is_constant else lifetime(plan, tensor.name),
        "sqnr_db": sqnr_db.get(tensor.name),
    }


def _kind(plan: Plan, tensor: Tensor) -> str:
    if tensor.is_constant:
        return "constant"
    if tensor.name in plan.graph.inputs:
        return "input"
    return "output" if tensor.name in plan.graph.outputs else "internal"


def quantization(quant: Quant | None) -> dict[str, Any] | None:
    """Scale and zero point; of per-channel scales their number and range."""
    if quant is None:
        return None
    return {
        "axis": quant.axis,
        "channels": len(quant.scale),
        "scale": quant.scale0 if quant.is_per_tensor else None,
        "zero_point": quant.zero if len(set(quant.zero_point)) == 1 else None,
        "scale_min": min(quant.scale),
        "scale_max": max(quant.scale),
    }


def view_of(plan: Plan, tensor: str) -> dict[str, Any]:
    """Buffer, byte offset in it and bytes. A buffer is the arena or, by name, the caller's memory."""
    view = plan.view(tensor)
    return {
        "buffer": view.buffer,
        "offset": view.offset,
        "bytes": view.format.bytes,
        "format": "plain" if view.format.is_plain else "planar",
    }


def lifetime(plan: Plan, tensor: str) -> list[int] | None:
    """First and last step of the tensor's bytes in the arena; None for the caller's memory."""
    buffer = plan.storage.buffer_of[tensor]
    return next(([b.first, b.last] for b in plan.blocks if b.name == buffer), None)


def memory_map(plan: Plan) -> dict[str, Any]:
    """Every block of the arena with its place and time, and the step that needs most."""
    used = {s: used_bytes(plan.arena, s) for s in range(len(plan.steps))}
    peak = max(used, key=lambda s: used[s]) if plan.blocks else None
    return {
        "arena_bytes": plan.arena_bytes,
        "lower_bound_bytes": plan.placement.lower_bound,
        "proof": plan.placement.proof,
        "steps": len(plan.steps),
        "peak_step": peak,
        "peak_bytes": used[peak] if peak is not None else None,
        "bands": [_bands(b) for b in plan.bands],
        "blocks": [_block(plan, b) for b in sorted(plan.blocks, key=lambda b: (b.first, b.name))],
    }


def _bands(bands: Bands) -> dict[str, Any]:
    """A chain of nodes that is computed some rows at a time, and the arena before and after."""
    return {
        "nodes": list(bands.chain.nodes),
        "rows": bands.chain.rows,
        "kept": bands.chain.kept,
        "arena_bytes": list(bands.arena_bytes),
    }


def _block(plan: Plan, block: Block) -> dict[str, Any]:
    tensors = [name for name, buffer in plan.storage.buffer_of.items() if buffer == block.name]
    return {
        "name": block.name,
        "tensors": tensors,  # none: scratch of a node
        "offset": plan.placement.offsets[block.name],
        "bytes": block.bytes,
        "first_step": block.first,
        "last_step": block.last,
    }
