"""Names of a model as C identifiers, and its text in comments."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycc_ml.backend.names import comment, identifier, identifiers

LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("x", "x"),
        ("a.b", "a_b"),
        ("model/conv 1:0", "model_conv_1_0"),
        ("__a__b__", "a_b"),
        ("1st", "t1st"),
        ("", "tensor"),
        ("+-*", "tensor"),
        ("größe", "gr_e"),
        ("日本", "tensor"),
        ("int", "int_"),
        ("class", "class_"),
        ("arena", "arena_"),
    ],
)
def test_identifiers_are_legal_and_near_to_the_name(text: str, made: str) -> None:
    assert identifier(text) == made


def test_names_that_collide_get_numbers_in_order() -> None:
    assert identifiers(["a.b", "a_b", "a/b"]) == {"a.b": "a_b", "a_b": "a_b_2", "a/b": "a_b_3"}


def test_a_number_that_is_taken_is_passed_over() -> None:
    assert identifiers(["a_b_2", "a.b", "a_b"]) == {"a_b_2": "a_b_2", "a.b": "a_b", "a_b": "a_b_3"}


def test_names_that_differ_by_case_differ_as_macros() -> None:
    made = identifiers(["Input", "input", "INPUT"])
    assert len({name.upper() for name in made.values()}) == 3


def test_names_in_use_are_avoided() -> None:
    assert identifiers(["x0", "a"], taken=["x0", "A"]) == {"x0": "x0_2", "a": "a_2"}


def test_long_names_are_cut_and_stay_apart() -> None:
    long = "layer/" * 40
    made = identifiers([long + "a", long + "b"])
    assert len(set(made.values())) == 2
    assert all(len(name) <= 63 for name in made.values())


@given(
    st.lists(st.text(max_size=12), unique=True, max_size=12),
    st.lists(st.sampled_from(["a", "i", "params", "x0"])),
)
def test_any_names_become_distinct_legal_identifiers(names: list[str], taken: list[str]) -> None:
    made = identifiers(names, taken)
    assert list(made) == names
    assert all(LEGAL.fullmatch(name) for name in made.values())
    upper = [name.upper() for name in (*made.values(), *set(taken))]
    assert len(set(upper)) == len(upper)


@given(st.text())
def test_a_comment_cannot_be_closed_opened_or_continued(text: str) -> None:
    safe = comment(text)
    assert "*/" not in f"{safe}" and "/*" not in safe
    assert "\\" not in safe and "\n" not in safe and "??" not in safe
    assert all(" " <= c <= "~" for c in safe)


@pytest.mark.parametrize(
    "text", ["a */ int evil; /* b", "*//", "/**/", "**//**//", "*\n/", "a\\", "??/", "???/"]
)
def test_text_that_tries_to_leave_a_comment(text: str) -> None:
    safe = comment(text)
    assert "*/" not in safe and "/*" not in safe and not safe.endswith("\\") and "??" not in safe
