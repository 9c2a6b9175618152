"""The order of execution with the lowest peak of bytes in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .blocks import joint_bytes

# States kept at each step; on a chain there is only one
_BEAM = 64


@dataclass(frozen=True)
class Task:
    """A step: the buffers it reads and writes, and bytes it needs only while it runs. `over`: buffers that
    its result may lie over when no later step uses them, with the lead and whether it is exact. `after`:
    the tasks that must be done before, None where those are all that write what it reads."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]
    scratch: int = 0
    over: tuple[tuple[str, tuple[int, bool]], ...] = ()
    after: frozenset[str] | None = None

    @property
    def uses(self) -> frozenset[str]:
        return self.reads | self.writes


@dataclass(frozen=True)
class _State:
    """`left`: for each buffer how many tasks are yet to use it; `unborn`: those that none has used."""

    done: frozenset[str]
    order: tuple[str, ...]
    live: int
    peak: int
    left: Mapping[str, int] = field(default_factory=dict)
    unborn: frozenset[str] = frozenset()


def schedule(
    tasks: Sequence[Task], sizes: Mapping[str, int], kept: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Names of the tasks in an executable order, never one with a higher peak than theirs. `sizes`: bytes of
    each buffer that takes arena space; a buffer lives from the first task that writes it, or from the start,
    to the last one that uses it, or, when it is `kept`, to the end."""
    uses = Counter(b for t in tasks for b in t.uses)
    uses.update(kept & uses.keys())
    unborn = frozenset(b for t in tasks for b in t.writes)
    live = sum(sizes.get(b, 0) for b in uses if b not in unborn)
    given = _State(frozenset(), (), live, live, uses, unborn)
    beam, needs = [given], _needs(tasks)
    for task in tasks:
        beam = _advance(beam, tasks, needs, sizes)
        given = _run(given, task, sizes)
    return min(beam[0], given, key=lambda state: state.peak).order


def _needs(tasks: Sequence[Task]) -> dict[str, frozenset[str]]:
    """The tasks that must be done before each."""
    return {
        t.name: frozenset(o.name for o in tasks if o.writes & t.reads and o.name != t.name)
        if t.after is None
        else t.after
        for t in tasks
    }


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
    born = task.writes & state.unborn
    made = sum(sizes.get(b, 0) for b in born)
    left = {**state.left, **{b: state.left[b] - 1 for b in task.uses}}
    dead = {b for b in task.uses if left[b] == 0}
    needed = state.live + made + task.scratch - _shared(task, made, dead - born, sizes)
    live = state.live + made - sum(sizes.get(b, 0) for b in dead)
    done, order = state.done | {task.name}, (*state.order, task.name)
    return _State(done, order, live, max(state.peak, needed), left, state.unborn - born)


def _shared(task: Task, made: int, dead: set[str], sizes: Mapping[str, int]) -> int:
    """Bytes that a result and the buffers it may lie over have in common, at most."""
    unders = [(sizes[b], *rule) for b, rule in task.over if b in dead and b in sizes]
    if not made or not unders:
        return 0
    return made + sum(size for size, _, _ in unders) - joint_bytes(made, unders)
