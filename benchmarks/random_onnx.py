"""Random ONNX graphs through compiled C, against ONNX Runtime; as int8, the C against the integer reference.

    python benchmarks/random_onnx.py [--count 1000] [--first 0] [--int8] [--save FOLDER]

Prints how many are right, refused by name, wrong, uncompilable or crash, what is refused, and which operators
were drawn. Exits with 1 when one is wrong, uncompilable or crashes; `--first SEED --count 1` does it again.
"""

from __future__ import annotations

import argparse
import collections
import os
import re
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pool import outcomes_of
from tests.random_onnx.graphs import ENTRIES
from tests.random_onnx.outcomes import STATUSES, Outcome, died, outcome_of, saved

TIMEOUT_S = 120


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--save", type=Path, help="a folder for the models that go wrong")
    given = parser.parse_args()
    started = time.monotonic()
    seeds = range(given.first, given.first + given.count)
    work = partial(outcome_of, int8=given.int8)
    found = list(outcomes_of(work, died, seeds, given.processes, TIMEOUT_S))
    bad = [o for o in found if o.status not in ("right", "refused")]
    _print(found, given.int8)
    for outcome in bad:
        print(f"seed {outcome.seed}: {outcome.status}: {outcome.reason}")
        if given.save:
            print(f"    {saved(outcome.seed, given.save)}")
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if bad else 0


def _print(found: Sequence[Outcome], int8: bool) -> None:
    counts = collections.Counter(o.status for o in found)
    print(f"{len(found)} graphs:", ", ".join(f"{counts[s]} {s}" for s in STATUSES))
    if int8:
        right = [o for o in found if o.status == "right"]
        left = collections.Counter(op for o in right for op in o.floats)
        print(
            f"{sum(not o.floats for o in right)} without arithmetic on floats; left in the others:"
        )
        print(", ".join(f"{op} {count}" for op, count in left.most_common()))
    reasons = collections.Counter(_general(o.reason) for o in found if o.status == "refused")
    for reason, count in reasons.most_common(40):
        print(f"{count:5} {reason}")
    drawn = collections.Counter(op for o in found if o.status == "right" for op in o.ops)
    missing = sorted({e.op for e in ENTRIES} - set(drawn))
    print(f"{len(drawn)} operators in graphs that are right:")
    print(", ".join(f"{op} {count}" for op, count in sorted(drawn.items())))
    print("not among them:", ", ".join(missing) or "none")


def _general(reason: str) -> str:
    """A refusal without names and sizes."""
    text = re.sub(r"node '[^']*': |'[^']*'", "", reason).replace("\n", " ")
    return re.sub(r"\[[\d, -]*\]", "[...]", text)[:160]


if __name__ == "__main__":
    sys.exit(main())
