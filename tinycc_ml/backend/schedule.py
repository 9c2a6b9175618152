"""The order of execution with the lowest peak of bytes in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .blocks import joint_bytes

# States kept at each step; on a chain there is only one
_BEAM = 64


@dataclass(frozen=True)
class Task:
    """A step: the buffers it reads and writes, and bytes it needs only while it runs. `over`: buffers that
    its result may lie over when no later step reads them, with the lead and whether it is exact."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]
    scratch: int = 0
    over: tuple[tuple[str, tuple[int, bool]], ...] = ()


@dataclass(frozen=True)
class _State:
    done: frozenset[str]
    order: tuple[str, ...]
    live: int
    peak: int
    unread: Mapping[str, int] = field(default_factory=dict)


def schedule(
    tasks: Sequence[Task], sizes: Mapping[str, int], kept: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Names of the tasks in an executable order, never one with a higher peak than theirs. `sizes`: bytes of
    each buffer that takes arena space; a buffer lives from the task that writes it, or from the start, to
    the last one that reads it, or, when it is `kept`, to the end."""
    writers = {b: t.name for t in tasks for b in t.writes}
    needs = {
        t.name: frozenset(writers[b] for b in t.reads if b in writers) - {t.name} for t in tasks
    }
    readers = {
        b: sum(b in t.reads for t in tasks) + (b in kept)
        for b in {b for t in tasks for b in (*t.reads, *t.writes)}
    }
    live = sum(sizes.get(b, 0) for b in readers if b not in writers)
    given = _State(frozenset(), (), live, live, readers)
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
    unread = {**state.unread, **{b: state.unread[b] - 1 for b in task.reads}}
    dead = {b for b in task.reads if unread[b] == 0}
    needed = state.live + made + task.scratch - _shared(task, made, dead, sizes)
    live = state.live + made - sum(sizes.get(b, 0) for b in dead)
    live -= sum(sizes.get(b, 0) for b in task.writes - dead if unread.get(b, 0) == 0)
    done, order = state.done | {task.name}, (*state.order, task.name)
    return _State(done, order, live, max(state.peak, needed), unread)


def _shared(task: Task, made: int, dead: set[str], sizes: Mapping[str, int]) -> int:
    """Bytes that a result and the buffers it may lie over have in common, at most."""
    unders = [(sizes[b], *rule) for b, rule in task.over if b in dead and b in sizes]
    if not made or not unders:
        return 0
    return made + sum(size for size, _, _ in unders) - joint_bytes(made, unders)
