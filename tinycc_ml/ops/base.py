"""What an operator is: one row of the op table, and the pieces its fields are made of.

An op file gives an `OP` (or `OPS`, for a family). Everything the compiler knows about an operator is
in that row; no other room names operators. docs/adding_an_op.md walks through one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.graph import Attrs, Graph, Node, Tensor
from ..ir.types import DType, Quant, TensorType

if TYPE_CHECKING:
    from .channels import Channels
    from .importing import OnnxNode
    from .intervals import Interval
    from .lowering import Lowering
    from .rows import Rows
    from .runs import Runs

Arrays = Sequence[np.ndarray]
Infer = Callable[[Sequence[TensorType], Attrs], tuple[TensorType, ...]]
Reference = Callable[[Arrays, Attrs], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Site:
    """A node together with its tensors: what shape rules, kernels and loop nests look at."""

    node: Node
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @staticmethod
    def of(graph: Graph, node: Node) -> Site:
        inputs = tuple(graph.tensors[name] for name in node.inputs if name)
        return Site(node, inputs, tuple(graph.tensors[name] for name in node.outputs))

    @property
    def attrs(self) -> Attrs:
        return self.node.attrs

    @property
    def x(self) -> TensorType:
        return self.inputs[0].type

    @property
    def y(self) -> TensorType:
        return self.outputs[0].type

    @property
    def is_float(self) -> bool:
        return self.y.dtype.is_float

    def const(self, index: int) -> np.ndarray:
        return self.inputs[index].value


@dataclass(frozen=True)
class Loop:
    """for (size_t var = 0; var < extent; var++) { body }; the body holds loops and C statements."""

    var: str
    extent: int
    body: tuple[Loop | str, ...]


@dataclass(frozen=True)
class Overlap:
    """The result may lie over the run-time input `input`: its first byte comes at least `lead` bytes before
    that of the input; when `exact`, neither more nor fewer. It may end before or behind the input's end."""

    input: int = 0
    lead: int = 0
    exact: bool = False


@dataclass(frozen=True)
class Nest:
    """An operator as loops with constant bounds. Statements name operands x0, x1, ... (inputs), y0, ...
    (outputs) and the `arrays` by their own name; all are C pointers to the first element."""

    body: tuple[Loop | str, ...]
    arrays: tuple[tuple[str, np.ndarray], ...] = ()
    includes: tuple[str, ...] = ()
    in_place: tuple[int, ...] = ()  # inputs that are read at an index before it is written
    overlaps: tuple[Overlap, ...] = ()  # other rules for lying over an input
    cycles: float = 0.0
    # working memory, (name, element type, elements) each: a pointer of that name in the statements
    scratch: tuple[tuple[str, DType, int], ...] = ()

    @property
    def scratch_offsets(self) -> tuple[int, ...]:
        """Where each piece begins, in bytes, and where the last one ends."""
        ends = [0]
        for _, dtype, size in self.scratch:
            ends.append(ends[-1] + -(-dtype.bytes * size // 4) * 4)
        return tuple(ends)

    @property
    def scratch_bytes(self) -> int:
        return self.scratch_offsets[-1]


@dataclass(frozen=True)
class Element:
    """One value of a result: `c`, its C expression of the operands' values v0, v1, ...; modelled cycles of a nest's step."""

    c: str
    cycles: float


# Storage formats (backend/views.py): row-major; a plane for each channel of [N, H, W, C]
PLAIN, PLANAR = "plain", "planar"

SPEED = frozenset({"speed"})
ANY_GOAL = frozenset({"speed", "balanced", "size"})


@dataclass(frozen=True)
class Kernel:
    """A C function in runtime_c that can serve nodes of an op.

    `name` is the function and its header, `folder` its place in runtime_c. `accepts` gives None, or
    the reason why not. Arguments in C: params, the activations, `arrays`, scratch if any, the output.
    """

    name: str
    folder: str
    accepts: Callable[[Site], str | None]
    params: Callable[[Site], Mapping[str, int | float]]
    arrays: Callable[[Site], tuple[tuple[str, np.ndarray], ...]] = lambda site: ()
    scratch_bytes: Callable[[Site], int] = lambda site: 0
    # Modelled cycles on a Cortex-M4: only ranks candidates against each other
    cycles: Callable[[Site], float] = lambda site: 0.0
    # Of them, those of a slower path than what it is made for, which costs.toml has a factor of its own for
    slow_cycles: Callable[[Site], float] = lambda site: 0.0
    activations: tuple[int, ...] = (0,)
    # how the result may lie over an input
    overlaps: Callable[[Site], tuple[Overlap, ...]] = lambda site: ()
    # storage of all its activations, and of its result
    x_format: str = PLAIN
    y_format: str = PLAIN
    per_image: bool = True  # one call for each index of the leading (batch) axis
    features: frozenset[str] = frozenset()  # what the target must have
    # its array `multiplier` goes to tml_output_i8 alone, which can shift by it instead (backend/shifts.py)
    shifts: bool = False
    # A TML_SMALL_KERNEL: every call has a copy for its literal shapes, but where each kernel is wanted once
    small: bool = False
    goals: frozenset[str] = ANY_GOAL  # the --optimize it may serve
    # Constants it packs, in bytes; None: those of `arrays`
    flash_bytes: Callable[[Site], int] | None = None


@dataclass(frozen=True)
class QuantizeRule:
    """How an op becomes integer.

    `lower` emits the integer nodes for a float node between quantised tensors. `output`: where the
    quantisation of the result comes from: "calibrated", "input" (that of the first input), or a fixed
    Quant. `weights`: constant operands quantised symmetrically, by index: their channel axis.
    `judges_input`: the range of its input is best judged by the error of its result.
    `windows`: how the weights meet the input: float x to [groups, rows, columns], such that the node's sums are
    the products of each row with the weights of its group's channels (quant.grids.as_rows, channels in equal
    shares). None: not known, weights are rounded to nearest.
    """

    lower: Callable[[Lowering], None]
    output: str | Quant = "calibrated"
    weights: Mapping[int, int] = field(default_factory=dict)
    bias: int | None = None
    judges_input: bool = False
    windows: Callable[[Site, np.ndarray], np.ndarray] | None = None
    # whether its integer form takes and gives int8 only, not int16
    int8_only: bool = False
    # values within the op whose range the integer form needs: the node gets an attribute `<name>_range`
    inside: Callable[[Arrays, Attrs], Mapping[str, np.ndarray]] | None = None


@dataclass(frozen=True)
class Case:
    """An ONNX node to test an op with: shapes of run-time inputs, then constants, then attributes.

    `inputs`: one entry for each ONNX input: a shape (run-time, float32 in `low..high`), a Const, or
    None for an absent one.
    """

    name: str
    op_type: str
    inputs: tuple[Any, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    opset: int = 17
    low: float = -3.0
    high: float = 3.0
    outputs: int = 1
    integer: bool = True  # also quantised to int8 and compared exactly
    off: float = 0.0  # steps of the result that the int8 form may be off beyond its own rounding
    domain: str = ""


@dataclass(frozen=True)
class Const:
    """A constant input of a Case: an explicit value, or a seeded random float32 array of `shape`."""

    value: Any = None
    shape: tuple[int, ...] | None = None
    dtype: str = "float32"


@dataclass(frozen=True)
class Op:
    """One operator. Only `name` and `infer` are needed; what is None is refused by name when asked for."""

    name: str
    infer: Infer
    # float reference: arrays in, arrays out
    reference: Reference | None = None
    # integer reference: what the C does on quantised tensors, bit for bit
    integer: Callable[[Site, Arrays], tuple[np.ndarray, ...]] | None = None
    # bound of |accumulator| per channel of an integer node, None where there is no accumulator
    accumulator: Callable[[Site], np.ndarray] | None = None
    # ranges of an integer node's results by channel, from those of its operands; None: all values of the type
    interval: Callable[[Site, Sequence[Interval]], tuple[Interval, ...]] | None = None
    # how channels can be taken out of an integer node; None: at this site they can't
    channels: Callable[[Site], Channels | None] = lambda site: None
    quantize: QuantizeRule | None = None
    kernels: tuple[Kernel, ...] = ()
    nest: Callable[[Site], Nest] | None = None
    macs: Callable[[Site], int] = lambda site: 0
    # operands that hold indices, and how many values each may take (from 0)
    indices: Callable[[Site], Mapping[int, int]] = lambda site: {}
    # the output is the input's bytes: no code, one buffer
    alias: bool = False
    # elements from the first of the result to the first of each operand, where the operands' values may lie in
    # the result's bytes, or it in theirs (then they begin before it): no code; None: at this site they can't
    parts: Callable[[Site], tuple[int, ...] | None] | None = None
    # what comments in C call a node; "": its op
    title: Callable[[Attrs], str] = lambda attrs: ""
    # one value of the result from those of the operands at its index, of tensors without quantisation: what lets
    # it share a loop nest with its neighbours (chain.py)
    element: Callable[[Site], Element] | None = None
    # how rows of the result depend on rows of the operands; None: at this site they can't be told apart
    rows: Callable[[Site], Rows | None] = lambda site: None
    # many runs at once (runs.py)
    runs: Runs = lambda site, runs: None
    # one value in, one value out, at each index, whatever the shape
    elementwise: bool = False
    # op(T(x)) == T(op'(x)): the attributes of op' for a permutation, or None where that does not hold
    transposed: Callable[[Site, tuple[int, ...]], Mapping[str, Any] | None] | None = None
    # takes float16 and bfloat16 as they are stored; all other ops see them as float32
    halves: bool = False
    # has the attributes `min` and `max` that clamp its result: a following clip is fused into it
    clamps: bool = False
    onnx: Mapping[str, Callable[[OnnxNode], None]] = field(default_factory=dict)
    # importers for what those of `onnx`, of this op or another, refuse: other element types, ranks, ...
    generic: Mapping[str, Callable[[OnnxNode], None]] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    summary: str = ""


def no_limits(attrs: Attrs) -> bool:
    """True when an op with a fused clamp does not clamp."""
    return "min" not in attrs and "max" not in attrs


def clamped(value: np.ndarray, attrs: Attrs) -> np.ndarray:
    """The fused clamp of the float reference."""
    if no_limits(attrs):
        return value
    low = np.float32(attrs.get("min", -np.inf))
    return np.clip(value, low, np.float32(attrs.get("max", np.inf)))


FLT_MAX = float(np.finfo(np.float32).max)


def float_limits(attrs: Attrs) -> tuple[float, float]:
    """The fused clamp as C constants."""
    return float(attrs.get("min", -FLT_MAX)), float(attrs.get("max", FLT_MAX))
