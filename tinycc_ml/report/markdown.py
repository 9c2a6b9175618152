"""report.md: the same data for people. Here the words and numbers are made, the template lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..backend.emit import render
from ..backend.names import short
from .chart import memory_chart
from .profile import PROFILE_HEAD, profile_rows
from .removed import removed_lines

Row = Mapping[str, Any]
UNKNOWN = "?"


def to_markdown(report: Row) -> str:
    """The text of report.md."""
    return render(
        "report.md.j2",
        {
            "report": report,
            "became": report["model"]["arithmetic"],
            "totals": total_lines(report),
            "verified": [verified_line(entry) for entry in report["verified"]],
            "accuracy": accuracy_lines(report["accuracy"]),
            "trials": trial_table(report["accuracy"]),
            "schemes": scheme_table(report["accuracy"]),
            "trade_off": trade_off_table(report["accuracy"]),
            "risks": risk_table(report["accuracy"]),
            "errors": error_table(report["accuracy"]),
            "io": table(("", "tensor", "type", "real value"), map(_io_cells, report["io"])),
            "nodes": table(
                ("step", "node", "op", "result", "MACs", "kernel", "weights", "accumulator", "why"),
                map(_node_cells, report["nodes"]),
            ),
            "refused": refused_lines(report["nodes"]),
            "tensors": table(
                ("tensor", "type", "scale", "zero", "at", "steps", "SQNR dB"),
                (_tensor_cells(row) for row in report["tensors"] if row["kind"] != "constant"),
            ),
            "measured": table(
                ("target", "flags", "code", "stack", "instructions", "cycles (modelled)"),
                map(_measured_cells, report["measured"]),
            ),
            "profile": table(PROFILE_HEAD, profile_rows(report)),
            "removed": removed_lines(report["removed"], each_tensor=True),
            "chart": memory_chart(report["memory"]),
            "files": table(("file", "bytes", "SHA-256"), map(_file_cells, report["files"])),
        },
    )


def count(value: float | None, unit: str = "") -> str:
    """With thousands separated; what is unknown is a question mark."""
    if value is None:
        return UNKNOWN
    return f"{value:,} {unit}".rstrip() if isinstance(value, int) else f"{value:g} {unit}".rstrip()


def total_lines(report: Row) -> list[str]:
    totals, memory = report["totals"], report["memory"]
    ends = {
        kind: sum(p["bytes"] for p in report["io"] if p["direction"] == kind)
        for kind in ("input", "output")
    }
    where = "in the arena" if report["options"]["io"] == "arena" else "the caller's"
    return [
        f"{count(totals['macs'])} multiply-accumulates a run",
        f"constants {count(totals['weights_bytes'])} bytes of flash, code {count(totals['code_bytes'])} bytes",
        f"arena {count(totals['arena_bytes'])} bytes ({_proof(memory)}), "
        f"scratch of one node in it at most {count(totals['scratch_bytes'])}; "
        f"inputs {count(ends['input'])} and outputs {count(ends['output'])} bytes are {where}",
        *map(_band_line, memory["bands"]),
        f"stack {count(totals['stack_bytes'])} bytes, {count(totals['cycles'])} modelled cycles",
    ]


def _band_line(bands: Row) -> str:
    names, (before, after) = bands["nodes"], bands["arena_bytes"]
    rows = "one row" if bands["rows"] == 1 else f"{bands['rows']} rows"
    shared = "kept" if bands["kept"] else "computed again"
    return (
        f"{len(names)} nodes, {short(names[0])} to {short(names[-1])}, are computed {rows} at a time, rows that "
        f"two bands need are {shared}: the arena takes {count(before - after)} bytes less"
    )


_PROOFS = {
    "bound": "no less is possible in this order",
    "optimal": "proven to be the least in this order",
}


def _proof(memory: Row) -> str:
    bound = f"at least {count(memory['lower_bound_bytes'])} in this order"
    return _PROOFS.get(memory["proof"], bound)


def verified_line(entry: Row) -> str:
    return (
        f"{entry['where']}: {entry['what']}, {entry['cases']} samples ({', '.join(entry['tools'])})"
    )


def accuracy_lines(accuracy: Row | None) -> list[str]:
    if accuracy is None:
        return []
    samples = "drawn inputs" if accuracy["risks"] else "calibration samples"
    of = f"{accuracy['samples']} {samples}, {accuracy['scheme']}, {_how(accuracy)}"
    lines = [f"SQNR of {name}: {_db(value)} ({of})" for name, value in accuracy["sqnr_db"].items()]
    if accuracy["argmax_agreement"] is not None:
        lines.append(f"argmax as in float on {percent(accuracy['argmax_agreement'])}")
    if accuracy["labels_quantized"] is not None:
        was = percent(accuracy["labels_float"])
        lines.append(f"labels right: {percent(accuracy['labels_quantized'])}, float {was}")
    if accuracy["explanation"] is not None:
        lines.append(accuracy["explanation"]["advice"])
    return lines


def _how(accuracy: Row) -> str:
    parts = [f"ranges by {accuracy['ranges']}", f"{accuracy['rounding']} rounding"]
    parts += ["bias correction"] if accuracy["bias_correction"] else []
    parts += ["equalised"] if accuracy["equalized"] else []
    return ", ".join(parts)


def trial_table(accuracy: Row | None) -> list[str]:
    """What was tried, and how much each way gained."""
    trials = accuracy["trials"] if accuracy else ()
    words = ("kept" if t["kept"] else "behind" if t["behind"] else "" for t in trials)
    rows = (
        (t["step"], t["what"], _db(t["sqnr_db"]), w) for t, w in zip(trials, words, strict=True)
    )
    return table(("step", "way", "SQNR", ""), rows)


def scheme_table(accuracy: Row | None) -> list[str]:
    """The scheme of each layer, where a budget shared them out."""
    budget = accuracy["budget"] if accuracy else None
    rows = (
        (row["node"], row["scheme"], count(row["weights_bytes"]), _db(row["alone_db"]))
        for row in (budget["layers"] if budget else ())
    )
    return table(("node", "scheme", "bytes of weights", "alone"), rows)


def trade_off_table(accuracy: Row | None) -> list[str]:
    """Best trades as the model expects them, with the one that was taken, also as measured, among them."""
    budget = accuracy["budget"] if accuracy else None
    if budget is None:
        return []
    taken, points = budget["expected"], budget["trade_off"]
    every = sorted(
        points if taken in points else [*points, taken], key=lambda p: p["weights_bytes"]
    )
    rows = (
        (
            count(p["weights_bytes"]),
            _db(p["sqnr_db"]),
            f"{_db(budget['measured']['sqnr_db'])} with {count(budget['measured']['weights_bytes'])} bytes"
            if p == taken
            else "",
        )
        for p in every
    )
    return table(("bytes of weights", "expected", "measured"), rows)


def error_table(accuracy: Row | None) -> list[str]:
    """The error node by node, where it was asked for."""
    found = accuracy["explanation"] if accuracy else None
    rows = (
        (
            n["node"],
            n["op"],
            _db(n["sqnr_db"]),
            _db(n["alone_db"]),
            str(n["levels"] or ""),
            f"{100 * n['cut_off']:.2f} %" if n["levels"] else "",
        )
        for n in (found["nodes"] if found else ())
    )
    return table(("node", "op", "SQNR", "alone", "levels", "cut off"), rows)


def risk_table(accuracy: Row | None) -> list[str]:
    """Ranges that no data were seen for, and what may lie beyond them."""
    rows = (
        (
            r["tensor"],
            _range(r["low"], r["high"]),
            _range(*r["at_most"]) if r["at_most"] else "",
            "training" if r["trained"] else "drawn inputs",
            f"{100 * r['cut_off']:.3f} %",
            f"{100 * r['cut_off_double']:.3f} %",
        )
        for r in (accuracy["risks"] if accuracy else ())
    )
    return table(
        ("tensor", "range", "at most", "moments of", "cut off", "with twice the spread"), rows
    )


def _range(low: float, high: float) -> str:
    return f"{low:.4g}..{high:.4g}"


def refused_lines(nodes: Iterable[Row]) -> list[str]:
    """Each kernel that was turned down, the reason, and the steps it concerns."""
    steps: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        for entry in node["refused"]:
            steps.setdefault((entry["kernel"], entry["reason"]), []).append(str(node["step"]))
    return [
        f"{kernel} {cell(reason)} (step{'s' if len(at) > 1 else ''} {', '.join(at)})"
        for (kernel, reason), at in steps.items()
    ]


def percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _db(value: float) -> str:
    return "exact" if value >= 999 else f"{value:.1f} dB"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; none without rows."""
    body = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *body] if body else []


def cell(text: str) -> str:
    """Safe inside a table: names come from the model."""
    return (
        "".join(c if c.isprintable() else "?" for c in text)
        .replace("|", "\\|")
        .replace("<", "&lt;")
    )


def typed(row: Row) -> str:
    return f"{row['dtype']}[{','.join(map(str, row['shape']))}]"


def real_text(row: Row) -> str:
    """What the integers of an input or output mean."""
    if row["scale"] is None:
        return ""
    zero = row["zero_point"]
    return (
        f"{row['scale']:.9g} * {f'(q - {zero})' if zero > 0 else f'(q + {-zero})' if zero else 'q'}"
    )


def _io_cells(row: Row) -> Sequence[str]:
    return row["direction"], row["name"], typed(row), real_text(row)


def _node_cells(row: Row) -> Sequence[str]:
    bound = row["accumulator_bound"]
    return (
        "" if row["step"] is None else str(row["step"]),
        row["name"],
        row["op"],
        typed(row),
        count(row["macs"]) if row["macs"] else "",
        row["kernel"] or "",
        count(row["weights_bytes"]) if row["weights_bytes"] else "",
        "" if bound is None else f"{bound.bit_length() + 1} bits",
        row["why"],
    )


def _tensor_cells(row: Row) -> Sequence[str]:
    quant, view, life = row["quantization"], row["view"], row["lifetime"]
    per_tensor = quant is not None and quant["scale"] is not None
    return (
        row["source_name"],
        typed(row),
        f"{quant['scale']:.6g}" if per_tensor else "",
        str(quant["zero_point"]) if per_tensor else "",
        f"{view['buffer']} + {view['offset']}",
        f"{life[0]}..{life[1]}" if life else "",
        "" if row["sqnr_db"] is None else _db(row["sqnr_db"]).removesuffix(" dB"),
    )


def _measured_cells(row: Row) -> Sequence[str]:
    numbers = (row[key] for key in ("code_bytes", "stack_bytes", "instructions", "cycles"))
    return (row["target"], row["flags"], *map(count, numbers))


def _file_cells(row: Row) -> Sequence[str]:
    return row["path"], count(row["bytes"]), row["sha256"]
