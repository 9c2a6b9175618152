"""The program: how the model is computed, spelled in C. Templates see only this."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..ir.types import TensorType
from ..ops.base import Loop
from .views import View


@dataclass(frozen=True)
class Port:
    """An input or output of the API. `ident` names the C parameter, `upper` its macros."""

    tensor: str
    ident: str
    upper: str
    type: TensorType
    offset: int | None = None  # in the arena, with --io arena

    @property
    def c_type(self) -> str:
        return self.type.dtype.c

    @property
    def size(self) -> int:
        return self.type.size

    @property
    def bytes(self) -> int:
        return self.type.bytes

    @property
    def text(self) -> str:
        return str(self.type)

    @property
    def quantised(self) -> bool:
        return self.type.quant is not None

    @property
    def scale(self) -> float:
        assert self.type.quant is not None
        return self.type.quant.scale0

    @property
    def zero_point(self) -> int:
        assert self.type.quant is not None
        return self.type.quant.zero

    @property
    def limits(self) -> tuple[int, int]:
        return self.type.dtype.range


@dataclass(frozen=True)
class ConstantArray:
    """Data in flash: its C name, element type and values in storage order."""

    ident: str
    c_type: str
    values: np.ndarray
    title: str

    @property
    def size(self) -> int:
        return self.values.size


@dataclass(frozen=True)
class Probe:
    """A place where a tensor can be looked at: after the step that makes it."""

    id: int
    tensor: str
    source_name: str
    type: TensorType
    view: View
    expression: str
    bytes: int


@dataclass(frozen=True)
class Pointer:
    """A local pointer of a loop nest."""

    c_type: str
    name: str
    expression: str


@dataclass(frozen=True)
class Step:
    """One node in C. A kernel step has params and one list of arguments for each image of the batch; a
    nest has pointers and a body."""

    node: str
    title: str
    probe: Probe
    function: str = ""
    params_type: str = ""
    params: tuple[tuple[str, str], ...] = ()
    calls: tuple[tuple[str, ...], ...] = ()
    pointers: tuple[Pointer, ...] = ()
    body: tuple[Loop | str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A whole model in C."""

    name: str
    upper: str
    graph_hash: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    io_in_arena: bool
    constants: tuple[ConstantArray, ...]
    steps: tuple[Step, ...]
    arena_bytes: int
    headers: tuple[str, ...]
    system_headers: tuple[str, ...]
    inline_kernels: int | None
    macs: int
    arrays_of: Mapping[str, tuple[str, ...]]  # node to the constants it reads
    shifts: bool = False  # multipliers of kernels are numbers of bits to shift by
    wide_arena: bool = False  # it holds elements of 64 bits

    @property
    def weights_bytes(self) -> int:
        return sum(c.values.nbytes for c in self.constants)

    @property
    def has_bool(self) -> bool:
        """The API has a parameter of type bool."""
        return any(port.c_type == "bool" for port in (*self.inputs, *self.outputs))

    @property
    def idle_inputs(self) -> tuple[Port, ...]:
        """Parameters that no step reads any more."""
        if self.io_in_arena:
            return ()
        spelled = [a for s in self.steps for call in s.calls for a in call]
        spelled += [p.expression for s in self.steps for p in s.pointers]
        words = {word for text in spelled for word in re.findall(r"\w+", text)}
        return tuple(p for p in self.inputs if p.ident not in words)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of NAME_run in C."""
        ports = () if self.io_in_arena else (*self.inputs, *self.outputs)
        given = [
            f"const {p.c_type} *{p.ident}" if p in self.inputs else f"{p.c_type} *{p.ident}"
            for p in ports
        ]
        return (f"{self.name}_arena_t *arena", *given)
