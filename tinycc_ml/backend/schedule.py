"""The order of execution with the lowest peak of live bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# States kept at each step; on a chain there is only one
_BEAM = 64


@dataclass(frozen=True)
class Task:
    """A step: the buffers it reads and writes, and bytes it needs only while it runs."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]
    scratch: int = 0


@dataclass(frozen=True)
class _State:
    done: frozenset[str]
    order: tuple[str, ...]
    live: int
    peak: int
    unread: Mapping[str, int] = field(default_factory=dict)


def schedule(tasks: Sequence[Task], sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Names of the tasks in an executable order, never one with a higher peak than theirs. `sizes`: bytes of
    each buffer that takes arena space; a buffer lives from the task that writes it to the last one that
    reads it."""
    writers = {b: t.name for t in tasks for b in t.writes}
    needs = {
        t.name: frozenset(writers[b] for b in t.reads if b in writers) - {t.name} for t in tasks
    }
    readers = {
        b: sum(b in t.reads for t in tasks)
        for b in {b for t in tasks for b in (*t.reads, *t.writes)}
    }
    given = _State(frozenset(), (), 0, 0, readers)
    beam = [given]
    for task in tasks:
        beam = _advance(beam, tasks, needs, sizes)
        given = _run(given, task, sizes)
    return min(beam[0], given, key=lambda state: state.peak).order


def _advance(
    beam: Sequence[_State],
    tasks: Sequence[Task],
    needs: Mapping[str, frozenset[str]],
    sizes: Mapping[str, int],
) -> list[_State]:
    best: dict[frozenset[str], _State] = {}
    for state in beam:
        for task in tasks:
            if task.name in state.done or not needs[task.name] <= state.done:
                continue
            after = _run(state, task, sizes)
            rival = best.get(after.done)
            if rival is None or (after.peak, after.live) < (rival.peak, rival.live):
                best[after.done] = after
    ranked = sorted(best.values(), key=lambda s: (s.peak, s.live))
    return ranked[:_BEAM]


def _run(state: _State, task: Task, sizes: Mapping[str, int]) -> _State:
    made = sum(sizes.get(b, 0) for b in task.writes)
    peak = max(state.peak, state.live + made + task.scratch)
    unread = dict(state.unread)
    live = state.live + made
    for buffer in task.reads:
        unread[buffer] -= 1
        if unread[buffer] == 0:
            live -= sizes.get(buffer, 0)
    live -= sum(sizes.get(b, 0) for b in task.writes if unread.get(b, 0) == 0)
    return _State(state.done | {task.name}, (*state.order, task.name), live, peak, unread)
