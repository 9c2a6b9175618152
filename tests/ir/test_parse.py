"""The reader of canonical text: it gives back what was printed, and tells what is wrong by line and column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycc_ml.errors import ModelError
from tinycc_ml.ir.graph import Graph, Node, Tensor, constant
from tinycc_ml.ir.parse import parse_graph
from tinycc_ml.ir.text import LARGEST_INLINE, canonical_text
from tinycc_ml.ir.types import DTYPES, I8, Quant, TensorType

SMALL = """graph "small"
input "x": f32[1,2]
constant "w": f32[3,2] = [0.5, 1.0, -1.0, 2.0, 0.0, inf]
constant "q": i8[2,3] scale [0.1,0.25] zero 0 axis 0 = [1, 2, 3, -4, 5, -128]
constant "r": i8[2] scale [0.1,0.25] zero [1,2] axis 0 = [1, 2]
"y": f32[1,3], "z z": u8[] scale 0.5 zero 128 = op("x", _, "w", "q", "r") axes=[1,[2.5]] deep=True mode="a\\"b" none=[]
output "y"
output "x"
"""


def graph(lines: str) -> Graph:
    return parse_graph(f"graph net\n{lines}")


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
floats = st.floats(allow_nan=False, width=32)
attributes = st.recursive(
    st.integers(-(2**40), 2**40) | floats | st.booleans() | names,
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)


@st.composite
def types(draw: st.DrawFn) -> TensorType:
    shape = draw(shapes)
    if not draw(st.booleans()):
        return TensorType(shape, draw(st.sampled_from(list(DTYPES.values()))))
    axis = draw(st.sampled_from([None, *range(len(shape))]))
    count = 1 if axis is None else shape[axis]
    scale = tuple(draw(st.lists(st.floats(1e-6, 1e3), min_size=count, max_size=count)))
    zero = tuple(draw(st.lists(st.integers(-128, 127), min_size=count, max_size=count)))
    return TensorType(shape, I8, Quant(scale, zero, axis))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any structure; operators and shapes mean nothing to the text."""
    free = iter(draw(st.lists(names, min_size=12, max_size=12, unique=True)))
    tensors: dict[str, Tensor] = {}
    inputs = [Tensor(next(free), draw(types())) for _ in range(draw(st.integers(0, 2)))]
    for k in range(draw(st.integers(0, 2))):
        type_ = draw(types())
        size = min(type_.size, LARGEST_INLINE)
        type_ = type_.with_shape((size,)) if type_.quant is None else TensorType((size,), I8)
        inputs.append(constant(next(free), type_, np.arange(size) - k))
    tensors.update({t.name: t for t in inputs})
    nodes = []
    for k in range(draw(st.integers(0, 3))):
        read = draw(st.lists(st.sampled_from(["", *tensors]), max_size=3))
        made = [Tensor(next(free), draw(types())) for _ in range(draw(st.integers(1, 2)))]
        attrs = draw(
            st.dictionaries(
                st.from_regex("[a-z][a-z0-9_]{0,5}", fullmatch=True), attributes, max_size=3
            )
        )
        nodes.append(Node(f"n{k}", "op", tuple(read), tuple(t.name for t in made), attrs))
        tensors.update({t.name: t for t in made})
    outputs = draw(st.lists(st.sampled_from([*tensors]), unique=True)) if tensors else []
    runtime = tuple(t.name for t in inputs if not t.is_constant)
    return Graph(next(free), runtime, tuple(outputs), tuple(nodes), tensors)


def test_text_is_read_and_printed_again() -> None:
    assert canonical_text(parse_graph(SMALL)) == SMALL


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_what_is_printed_is_read_back(made: Graph) -> None:
    text = canonical_text(made)
    again = parse_graph(text)
    assert canonical_text(again) == text
    assert again.inputs == made.inputs
    assert [(n.op, n.inputs, n.outputs, n.attrs) for n in again.nodes] == [
        (n.op, n.inputs, n.outputs, n.attrs) for n in made.nodes
    ]


def test_attributes_keep_their_python_types() -> None:
    made = graph("x: f32[1] = op() a=1 b=1.0 c=1e-05 d=-inf e=True f=[True,2]")
    assert (
        repr(dict(made.nodes[0].attrs))
        == "{'a': 1, 'b': 1.0, 'c': 1e-05, 'd': -inf, 'e': True, 'f': (True, 2)}"
    )


def test_seeded_constants_are_the_same_each_time() -> None:
    line = "constant w: f32[3,4] = seed 7\noutput w"
    first, second = graph(line).tensors["w"].value, graph(line).tensors["w"].value
    np.testing.assert_array_equal(first, second)
    assert np.ptp(first) > 0


def test_large_constant_is_given_by_name_and_checked() -> None:
    data = np.arange(20, dtype=np.int8)
    text = canonical_text(parse_graph("graph g\nconstant w: i8[20]\noutput w", {"w": data}))
    np.testing.assert_array_equal(parse_graph(text, {"w": data}).tensors["w"].value, data)
    with pytest.raises(ModelError, match="2:10: constant 'w' has other values"):
        parse_graph(text, {"w": data + 1})
    with pytest.raises(ModelError, match="'w' is not given"):
        parse_graph(text)


def test_integers_beyond_float64_are_exact() -> None:
    made = graph("constant a: i64[2] = [9007199254740993, -9223372036854775808]\noutput a")
    assert made.tensors["a"].value.tolist() == [9007199254740993, -(2**63)]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", "1:1", "not a line"),
        ("graph", "1:", "not a line"),
        ("graph a\ninput x f32[1]", "2:9", "input x f32"),
        ("graph a\n\n  input x: f32[1,]", "3:18", "not a line"),
        ("graph a\ninput x: f33[1]", "2:10", "no element type 'f33'"),
        ("graph a\ny: f32[1] = neg(x)", "2:17", "'x' is made by no line"),
        ("graph a\noutput z", "2:8", "'z' is made by no line"),
        ("graph a\ninput x: f32[1]\nx: f32[1] = neg(x)", "3:1", "made twice"),
        ("graph a\nconstant c: f32[2] = [1]", "2:10", "got 1 values"),
        ("graph a\ninput x: i8[2] scale [1,2,3] zero 0 axis 0", "2:23", "3 scales"),
        ("graph a\ninput x: i8[2] scale [1,2] zero 0", "2:23", "need an axis"),
        ("graph a\ninput x: i8[2] scale [1,2] zero 0 axis 1", "2:23", "axis 1"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_column(text: str, where: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_graph(text)
    assert str(caught.value).startswith(where)
    assert message in str(caught.value)
