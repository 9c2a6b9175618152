"""What a newcomer gets wrong, and what is said: mistakes/NAME.tml, whose first line names the token that the
caret must point at, and mistakes/NAME.txt, the whole message (--update-golden rewrites it)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinycc_ml.frontends.spec import SpecError, read_spec

FOLDER = Path(__file__).parent / "mistakes"
MISTAKES = sorted(FOLDER.glob("*.tml"))


def _mistake(path: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    return caught.value


@pytest.mark.parametrize("path", MISTAKES, ids=lambda p: p.stem)
def test_the_message_is_the_expected_one(path: Path, update_golden: bool) -> None:
    said = f"{_mistake(path)}\n"
    golden = path.with_suffix(".txt")
    if update_golden:
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MISTAKES, ids=lambda p: p.stem)
def test_the_caret_is_under_the_token_to_blame(path: Path) -> None:
    wanted = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# wants ")
    problem = _mistake(path).problems[0]
    span = problem.span
    token = problem.source.line(span.line)[span.column - 1 : span.end_column - 1]
    assert token == ("" if wanted == "the end of the line" else wanted)


def test_there_are_enough_mistakes() -> None:
    assert len(MISTAKES) >= 40


@pytest.mark.parametrize("path", MISTAKES, ids=lambda p: p.stem)
def test_every_mistake_has_one_message(path: Path) -> None:
    """One mistake does not make others; `several_at_once` holds three."""
    count = {"several_at_once": 3}.get(path.stem, 1)
    assert len(_mistake(path).problems) == count
