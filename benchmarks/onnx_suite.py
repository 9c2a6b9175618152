"""ONNX's official backend suite through compiled C: passed, refused by name, failed, crashed.

python benchmarks/onnx_suite.py [PATTERN] [--kinds node,simple] [--no-bind] [--write docs/onnx_support.md]
"""

from __future__ import annotations

import argparse
import collections
import glob
import json
import re
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pool import outcomes_of

KINDS = ("node", "pytorch-converted", "pytorch-operator", "simple")
TIMEOUT_S = 60


@dataclass(frozen=True)
class Outcome:
    """status: passed, refused, failed or crashed; `bound`: inputs that became constants."""

    kind: str
    name: str
    status: str
    reason: str = ""
    bound: tuple[str, ...] = ()
    whole: bool = False  # nothing was left to run time
    seconds: float = 0.0


def tests_of(kinds: Sequence[str], pattern: str = "") -> list[tuple[str, TestCase]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [(kind, test) for kind in kinds for test in load_model_tests(kind=kind)]
    return [(kind, test) for kind, test in found if re.search(pattern, test.name)]


def sets_of(test: TestCase) -> tuple[onnx.ModelProto, list[tuple[list[Any], list[Any]]]]:
    """The model and its sets of inputs and wanted outputs."""
    if test.model is not None:
        return test.model, [
            ([_array(a) for a in ins], [_array(a) for a in outs]) for ins, outs in test.data_sets
        ]
    folder = Path(test.model_dir)
    model = onnx.load(folder / "model.onnx")
    loader: Any = object.__new__(Runner)
    sets = []
    for data in sorted(glob.glob(f"{folder}/test_data_set*")):
        parts: list[list[Any]] = []
        for what, values in (("input", model.graph.input), ("output", model.graph.output)):
            part: list[Any] = []
            for k in range(len(glob.glob(f"{data}/{what}_*.pb"))):
                loader._load_proto(f"{data}/{what}_{k}.pb", part, values[k].type)
            parts.append(part)
        sets.append((parts[0], parts[1]))
    return model, sets


def _array(value: Any) -> Any:
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def outcome_of(kind: str, test: TestCase, bind: bool) -> Outcome:
    from tinycc_ml import backend
    from tinycc_ml.errors import ModelError, TargetError

    started, prepared = time.monotonic(), None

    def made(status: str, reason: str = "") -> Outcome:
        bound = prepared.bound if prepared else ()
        whole = bool(bound) and len(bound) == len(prepared.inputs)
        return Outcome(kind, test.name, status, reason, bound, whole, time.monotonic() - started)

    try:
        model, sets = sets_of(test)
        prepared = backend.prepare(model, bind=bind)
        for inputs, wanted in sets:
            got = prepared.run(inputs)
            Runner.assert_similar_outputs(wanted, got, test.rtol, test.atol)
    except (ModelError, TargetError) as error:
        return made("refused", str(error))
    except AssertionError as error:
        return made("failed", str(error))
    except Exception as error:  # whatever it is, it is ours
        return made("crashed", f"{type(error).__name__}: {error}")
    return made("passed")


def run(
    tests: Sequence[tuple[str, TestCase]], bind: bool = True, processes: int = 2
) -> Iterator[Outcome]:
    """Outcomes in the order in which tests end; one that dies or hangs has crashed."""

    def work(k: int) -> Outcome:
        warnings.simplefilter("ignore")
        np.seterr(all="ignore")
        return outcome_of(*tests[k], bind)

    def died(k: int, how: str) -> Outcome:
        return Outcome(tests[k][0], tests[k][1].name, "crashed", how)

    return outcomes_of(work, died, range(len(tests)), processes, TIMEOUT_S)


STATUSES = ("passed", "refused", "failed", "crashed")


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Counts by kind, as Markdown."""
    lines = ["| tests | all | " + " | ".join(STATUSES) + " |", "|---|" + "---:|" * 5]
    for kind in KINDS:
        of = [o for o in outcomes if o.kind == kind]
        counts = [sum(o.status == status for o in of) for status in STATUSES]
        if of:
            lines.append(f"| {kind} | {len(of)} | " + " | ".join(map(str, counts)) + " |")
    return lines


def reasons(outcomes: Sequence[Outcome]) -> list[tuple[str, int]]:
    """Refusals grouped by what they say, names and numbers left out."""
    found = collections.Counter(_general(o.reason) for o in outcomes if o.status == "refused")
    return found.most_common()


def _general(reason: str) -> str:
    text = next((line for line in reason.splitlines()[1:] if line.strip()), reason).strip()
    text = re.sub(r"^node '[^']*': |\s*\(bind it: .*\)$", "", text)
    text = re.sub(r"'[^']*' made at run time", "one made at run time", text)
    return re.sub(r"\[[\d, -]*\]", "[...]", text)


_HEAD = """# What of ONNX is supported

ONNX's official backend suite (onnx {version}), each test compiled to C, built, run on this machine and compared within the suite's
own tolerances. `python benchmarks/onnx_suite.py --write docs/onnx_support.md` writes this page.

- **passed**: the C gives what the suite wants.
- **refused**: the compiler says which operator, attribute or element type it does not take.
- **failed**, **crashed**: other values than the suite wants; anything else.

## Values that decide shapes

C for a microcontroller has static shapes. An input that decides one (Reshape's shape, TopK's k) must be known to the compiler:
it is a constant of the model, or is bound by `--bind NAME=VALUE`; `tinycc_ml.backend` binds the values of the first run. So must
be what decides the loops: an axis, the branch of an If, the iterations of a Loop, the crop of a Resize, the data of NonZero, Unique and NonMaxSuppression.
Nothing else is bound: indices, conditions, weights and scales stay inputs.

## float16 and bfloat16

Inputs, outputs and tensors between operators are stored in 16 bits (`uint16_t` in C); arithmetic is float32's, and the result of
each operator is rounded to the nearest value, halves to even (`runtime_c/common/tml_half.h`). Softmax is rounded at each step of its
definition. Constants are widened when they are compiled.

## 8 bits and less

float8 (e4m3fn, e4m3fnuz, e5m2, e5m2fnuz, e8m0), float6 (e3m2, e2m3), float4 (e2m1), int4, uint4, int2 and uint2 are stored, moved, cast and
quantised ([numerics](numerics.md)). Other operators take them where ONNX says so, on float32.

## Counts

With values bound that decide shapes:
"""


def page(bound: Sequence[Outcome], unbound: Sequence[Outcome]) -> str:
    """docs/onnx_support.md."""
    taken = [o for o in bound if o.bound and o.status == "passed"]
    whole = sum(o.whole for o in taken)
    lines = [
        _HEAD.format(version=onnx.__version__),
        *table(bound),
        "",
        "Without:",
        "",
        *table(unbound),
        "",
    ]
    lines.append(
        f"{len(taken)} tests pass with inputs bound; in {whole} of them every input decides a shape, so that the "
        "result is a constant. What was bound, by the names that the tests give their inputs:\n"
    )
    counts = collections.Counter(", ".join(f"`{name}`" for name in o.bound) for o in taken)
    lines += ["| inputs | tests |", "|---|---:|"]
    lines += [f"| {names} | {count} |" for names, count in counts.most_common()]
    lines += ["", "## What is refused", "", "| reason | tests |", "|---|---:|"]
    lines += [f"| {_cell(reason)} | {count} |" for reason, count in reasons(bound)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--no-bind", action="store_true")
    parser.add_argument("--json", type=Path, help="write all outcomes")
    parser.add_argument(
        "--write", type=Path, help="write the page of docs/ (runs with and without binding)"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--reasons", type=int, default=60)
    given = parser.parse_args()
    tests = tests_of(given.kinds.split(","), given.pattern)
    outcomes = _told(run(tests, not given.no_bind, given.processes))
    print("\n".join(table(outcomes)))
    for reason, count in reasons(outcomes)[: given.reasons]:
        print(f"{count:5} {reason[:150]}")
    if given.write:
        unbound = _told(run(tests, False, given.processes))
        given.write.write_text(page(outcomes, unbound), encoding="utf-8")
        outcomes += unbound
    if given.json:
        given.json.write_text(json.dumps([vars(o) for o in outcomes], indent=1))
    sys.exit(any(o.status in ("failed", "crashed") for o in outcomes))


def _told(outcomes: Iterator[Outcome]) -> list[Outcome]:
    """All of them; those that should not be are printed."""
    found = []
    for outcome in outcomes:
        found.append(outcome)
        if outcome.status in ("failed", "crashed"):
            print(outcome.status, outcome.name, outcome.reason.replace("\n", " ")[:300], flush=True)
    return found


if __name__ == "__main__":
    main()
