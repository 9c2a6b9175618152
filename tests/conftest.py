"""Options of the tests, and how a difference between graphs is shown."""

from __future__ import annotations

import difflib

import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.text import canonical_text


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files of tests/golden"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Graphs that should be equal: the lines of their texts that differ."""
    if not (isinstance(left, Graph) and isinstance(right, Graph) and op == "=="):
        return None
    texts = (canonical_text(g).splitlines() for g in (left, right))
    return ["graphs differ", *difflib.unified_diff(*texts, "left", "right", lineterm="", n=1)]
