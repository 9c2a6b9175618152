"""How much work a call takes, as a count that no other load on the machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


class TooMuchWork(AssertionError):
    """More function calls than the limit."""


def calls(work: Callable[[], object], at_most: int) -> int:
    """Calls and returns of functions, Python's and C's, while `work` runs: about 3 million take a second.

    Raises TooMuchWork inside `work` as soon as there are more than `at_most`. A loop that calls
    nothing isn't counted; such a one would have to be without end to matter.
    """
    count = 0

    def event(frame: FrameType, kind: str, argument: object) -> None:
        nonlocal count
        count += 1
        if count > at_most:
            sys.setprofile(None)
            raise TooMuchWork(f"more than {at_most:,} calls and returns")

    before = sys.getprofile()
    sys.setprofile(event)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
