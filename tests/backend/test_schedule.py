"""schedule: an executable order that needs no more memory than the one given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from tinycc_ml.backend.schedule import Task, schedule


def peak(
    order: Sequence[str],
    tasks: Sequence[Task],
    sizes: Mapping[str, int],
    kept: frozenset[str] = frozenset(),
) -> int:
    """The most bytes at once, by counting from scratch at every step."""
    by_name = {t.name: t for t in tasks}
    most = 0
    for step, name in enumerate(order):
        done, left = order[: step + 1], order[step + 1 :]
        written = {b for n in done for b in by_name[n].writes}
        needed = (
            {b for n in left for b in by_name[n].reads} | by_name[name].reads | by_name[name].writes
        )
        live = sum(sizes.get(b, 0) for b in written & (needed | kept))
        later = {b for n in left for b in by_name[n].reads} | kept
        live -= _shared(by_name[name], sizes, later)
        most = max(most, live + by_name[name].scratch)
    return most


def _shared(task: Task, sizes: Mapping[str, int], later: Set[str]) -> int:
    """Bytes of the one operand that the result may take over."""
    for x, (lead, _) in task.over:
        if x in sizes and x not in later:
            (y,) = task.writes
            apart = sizes[x] + sizes[y]
            return apart - min(apart, max(sizes[y], sizes[x] + lead))
    return 0


def is_executable(order: Sequence[str], tasks: Sequence[Task]) -> bool:
    made_by_any = {b for t in tasks for b in t.writes}
    by_name = {t.name: t for t in tasks}
    made: set[str] = set()
    for name in order:
        if (by_name[name].reads & made_by_any) - made:
            return False
        made |= by_name[name].writes
    return sorted(order) == sorted(t.name for t in tasks)


@st.composite
def dags(draw: st.DrawFn, largest: int = 14) -> tuple[list[Task], dict[str, int]]:
    """Tasks in an executable order; some read what lies outside (no size), some write nothing that is read."""
    count = draw(st.integers(1, largest))
    sizes = {f"b{k}": draw(st.integers(0, 50)) for k in range(count)}
    tasks = []
    for k in range(count):
        earlier = [f"b{j}" for j in range(k)]
        reads = draw(st.lists(st.sampled_from([*earlier, "outside"]), max_size=3))
        over = tuple((b, (draw(st.sampled_from([0, 0, 5, 20])), False)) for b in reads[:1])
        scratch = draw(st.sampled_from([0, 0, 30]))
        tasks.append(Task(f"t{k}", frozenset(reads), frozenset({f"b{k}"}), scratch, over))
    return tasks, sizes


@given(dags())
@settings(max_examples=150, deadline=None)
def test_order_is_executable_and_never_worse_than_the_given_one(
    case: tuple[list[Task], dict[str, int]],
) -> None:
    tasks, sizes = case
    order = schedule(tasks, sizes)
    assert is_executable(order, tasks)
    assert peak(order, tasks, sizes) <= peak([t.name for t in tasks], tasks, sizes)


@given(dags(largest=6))
@settings(max_examples=60, deadline=None)
def test_small_graphs_get_the_best_order_there_is(case: tuple[list[Task], dict[str, int]]) -> None:
    tasks, sizes = case
    orders = permutations([t.name for t in tasks])
    best = min(peak(o, tasks, sizes) for o in orders if is_executable(o, tasks))
    assert peak(schedule(tasks, sizes), tasks, sizes) == best


@given(st.integers(2, 12), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_wide_graphs_beyond_the_beam_are_never_made_worse(
    branches: int, wide: int, narrow: int
) -> None:
    """Many branches that first grow and then shrink, run one by one in the order given."""
    tasks, sizes, ends = [], {}, []
    for k in range(branches):
        sizes |= {f"w{k}": wide + 3 * k, f"n{k}": narrow + k % 3}
        tasks += [
            Task(f"grow{k}", frozenset({"x"}), frozenset({f"w{k}"})),
            Task(f"shrink{k}", frozenset({f"w{k}"}), frozenset({f"n{k}"})),
        ]
        ends.append(f"n{k}")
    tasks.append(Task("join", frozenset(ends), frozenset({"y"})))
    order = schedule(tasks, sizes)
    assert is_executable(order, tasks)
    assert peak(order, tasks, sizes) <= peak([t.name for t in tasks], tasks, sizes)


def test_the_branch_that_frees_more_runs_first() -> None:
    tasks = [
        Task("a", frozenset({"x"}), frozenset({"big"})),
        Task("b", frozenset({"x"}), frozenset({"also big"})),
        Task("c", frozenset({"big"}), frozenset({"small"})),
        Task("d", frozenset({"also big", "small"}), frozenset({"y"})),
    ]
    assert schedule(tasks, {"big": 100, "also big": 90, "small": 1}) == ("a", "c", "b", "d")


def test_a_chain_keeps_its_order() -> None:
    tasks = [Task(f"t{k}", frozenset({f"b{k}"}), frozenset({f"b{k + 1}"})) for k in range(40)]
    assert schedule(tasks, {f"b{k}": 7 * k % 11 for k in range(41)}) == tuple(t.name for t in tasks)


def test_no_tasks_have_an_empty_order() -> None:
    assert schedule([], {}) == ()


def test_what_must_be_kept_and_what_lies_there_from_the_start_counts() -> None:
    """x is there from the start: reading it for the last time makes room, writing y, which stays, takes it."""
    tasks = [
        Task("keep", frozenset({"x"}), frozenset({"y"})),
        Task("grow", frozenset({"z"}), frozenset({"big"})),
        Task("end", frozenset({"big"}), frozenset({"w"})),
    ]
    sizes = {"x": 4, "y": 40, "z": 10, "big": 50, "w": 1}
    assert schedule(tasks, sizes, frozenset({"y", "w"})) == ("grow", "end", "keep")


def test_a_step_that_writes_over_its_operand_is_worth_coming_last() -> None:
    tasks = [
        Task("in place", frozenset({"x"}), frozenset({"y"}), over=(("x", (0, False)),)),
        Task("other", frozenset({"x"}), frozenset({"z"})),
        Task("join", frozenset({"y", "z"}), frozenset({"w"})),
    ]
    assert schedule(tasks, {"x": 30, "y": 30, "z": 20, "w": 1}) == ("other", "in place", "join")
