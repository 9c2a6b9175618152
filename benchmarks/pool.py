"""Work that may die: done in processes of their own, so that a crash or a hang is an outcome like others."""

from __future__ import annotations

import multiprocessing as mp
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, TypeVar

T = TypeVar("T")


def outcomes_of(
    work: Callable[[int], T],
    died: Callable[[int, str], T],
    items: Iterable[int],
    processes: int,
    timeout_s: float,
) -> Iterator[T]:
    """work(item) of all items, in the order in which they end; died(item, how) of one that dies or hangs."""
    context = mp.get_context("fork")
    todo = iter(items)
    busy: dict[Any, tuple[Any, int, float]] = {}

    def start() -> tuple[Any, Any]:
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(work, theirs), daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def give(worker: tuple[Any, Any]) -> None:
        item = next(todo, None)
        worker[1].send(item)
        if item is not None:
            busy[worker[1]] = (worker, item, time.monotonic())

    for _ in range(processes):
        give(start())
    while busy:
        ready = wait(list(busy), timeout=1)
        late = [p for p, (_, _, since) in busy.items() if time.monotonic() - since > timeout_s]
        for pipe in {*ready, *late}:
            worker, item, _ = busy.pop(pipe)
            try:
                if pipe in late and pipe not in ready:
                    raise TimeoutError(f"over {timeout_s} s")
                yield pipe.recv()
            except (EOFError, OSError, TimeoutError) as error:
                worker[0].kill()
                yield died(item, repr(error))
                worker = start()
            give(worker)


def _serve(work: Callable[[int], Any], pipe: Any) -> None:
    while (item := pipe.recv()) is not None:
        pipe.send(work(item))
