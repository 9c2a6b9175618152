"""Random graphs of real operators, for tests that hold for any graph."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from hypothesis import strategies as st

from tinycc_ml.ir.graph import Graph

from .texts import graph

Shape = tuple[int, ...]
SHAPES: tuple[Shape, ...] = ((6,), (2, 3), (1, 6), (1, 3, 4), (1, 2, 3, 2), (1, 3, 2, 4))
SPLITS = {n: [s for s in SHAPES if prod(s) == n] for n in {prod(s) for s in SHAPES}}
LARGEST = 60


class _Writer:
    """Lines of a graph, and what has been made so far."""

    def __init__(self, draw: st.DrawFn):
        self.draw = draw
        self.lines: list[str] = []
        self.shapes: dict[str, Shape] = {}

    def one_of(self, *choices: object) -> object:
        return self.draw(st.sampled_from(choices))

    def add(self, expression: str, shape: Shape) -> str:
        name = f"t{len(self.lines)}"
        self.lines.append(f"{name}: f32[{_list(shape)}] = {expression}")
        self.shapes[name] = shape
        return name

    def constant(self, shape: Shape) -> str:
        """One of three values for each shape, so that some are equal."""
        name = f"c{len(self.lines)}"
        self.lines.append(
            f"constant {name}: f32[{_list(shape)}] = seed {self.draw(st.integers(0, 2))}"
        )
        return name

    def any(self) -> str:
        return self.draw(st.sampled_from(list(self.shapes)[-5:]))

    def like(self, x: str) -> str:
        return self.draw(
            st.sampled_from([n for n, s in self.shapes.items() if s == self.shapes[x]])
        )


def _list(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))


def _unary(w: _Writer, x: str) -> None:
    op = w.one_of(
        "sigmoid({})", "tanh({})", "neg({})", "identity({})", "clip({}) min=0.0", "clip({}) max=1.0"
    )
    w.add(str(op).format(x), w.shapes[x])


def _binary(w: _Writer, x: str) -> None:
    w.add(f"{w.one_of('add', 'mul', 'sub')}({x}, {w.like(x)})", w.shapes[x])


def _with_constant(w: _Writer, x: str) -> None:
    """A constant of the same rank or less, with some axes of size 1, on either side."""
    shape = w.shapes[x]
    cut = shape[w.draw(st.integers(0, len(shape))) :]
    kept = tuple(d if w.draw(st.booleans()) else 1 for d in cut)
    sides = [x, w.constant(kept)]
    if w.draw(st.booleans()):
        sides.reverse()
    w.add(f"{w.one_of('add', 'mul', 'sub')}({sides[0]}, {sides[1]})", shape)


def _reshape(w: _Writer, x: str) -> None:
    count = prod(w.shapes[x])
    shape = w.draw(st.sampled_from([*SPLITS.get(count, []), (1, count), (count,)]))
    w.add(f"reshape({x}) shape=[{_list(shape)}]", shape)


def _transpose(w: _Writer, x: str) -> None:
    perm = tuple(w.draw(st.permutations(range(len(w.shapes[x])))))
    w.add(f"transpose({x}) perm=[{_list(perm)}]", tuple(w.shapes[x][p] for p in perm))


def _concat(w: _Writer, x: str) -> None:
    shape, axis = list(w.shapes[x]), w.draw(st.integers(0, len(w.shapes[x]) - 1))
    if prod(shape) > LARGEST:
        return
    shape[axis] *= 2
    w.add(f"concat({x}, {w.like(x)}) axis={axis}", tuple(shape))


def _slice(w: _Writer, x: str) -> None:
    shape = w.shapes[x]
    starts = tuple(w.draw(st.integers(0, d - 1)) for d in shape)
    kept = tuple(w.draw(st.integers(1, d - s)) for d, s in zip(shape, starts, strict=True))
    steps = _list((1,) * len(shape))
    w.add(f"slice({x}) starts=[{_list(starts)}] steps=[{steps}] shape=[{_list(kept)}]", kept)


def _softmax(w: _Writer, x: str) -> None:
    w.add(f"softmax({x})", w.shapes[x])


def _outer(w: _Writer, x: str) -> None:
    """x * x', the second being a reshape of the first: nothing that could be written in place."""
    if len(w.shapes[x]) != 1 or w.shapes[x][0] > 7:
        return
    (n,) = w.shapes[x]
    column = w.add(f"reshape({x}) shape=[{n},1]", (n, 1))
    w.add(f"mul({x}, {column})", (n, n))


def _dense(w: _Writer, x: str) -> None:
    shape = w.shapes[x]
    weights = w.constant((3, shape[-1]))
    bias = f", {w.constant((3,))}" if w.draw(st.booleans()) else ""
    w.add(f"dense({x}, {weights}{bias})", (*shape[:-1], 3))


def _convolution(w: _Writer, x: str) -> None:
    """As the front end writes it: channels first outside, and back."""
    if len(w.shapes[x]) != 4:
        return
    n, c, h, width = w.shapes[x]
    image = w.add(f"transpose({x}) perm=[0,2,3,1]", (n, h, width, c))
    weights = w.constant((2, 1, 1, c))
    window = "dilations=[1,1] groups=1 pads=[0,0,0,0] strides=[1,1]"
    made = w.add(f"conv2d({image}, {weights}) {window}", (n, h, width, 2))
    w.add(f"transpose({made}) perm=[0,3,1,2]", (n, 2, h, width))


def _again(w: _Writer, x: str) -> None:
    """A node that is there already, once more."""
    made = [line for line in w.lines if line.startswith("t")]
    if made:
        line = w.draw(st.sampled_from(made))
        w.add(line.split(" = ")[1], w.shapes[line.split(":")[0]])


_KINDS: tuple[Callable[[_Writer, str], None], ...] = (
    _unary, _unary, _binary, _with_constant, _reshape, _transpose, _concat, _slice, _softmax, _outer,
    _dense, _convolution, _again,
)  # fmt: skip


@st.composite
def graphs(draw: st.DrawFn, largest: int = 10) -> Graph:
    """One or two inputs; nodes that each read any of the last tensors; several outputs, some read inside."""
    writer = _Writer(draw)
    inputs = {f"x{k}": draw(st.sampled_from(SHAPES)) for k in range(draw(st.integers(1, 2)))}
    writer.shapes.update(inputs)
    for _ in range(draw(st.integers(1, largest))):
        draw(st.sampled_from(_KINDS))(writer, writer.any())
    _unary(writer, writer.any())
    made = [n for n in writer.shapes if n not in inputs]
    outputs = draw(st.lists(st.sampled_from(made), max_size=2, unique=True))
    ends = dict.fromkeys([*outputs, made[-1]])
    head = [f"input {name}: f32[{_list(shape)}]" for name, shape in inputs.items()]
    return graph("\n".join([*head, *writer.lines, *(f"output {n}" for n in ends)]))
