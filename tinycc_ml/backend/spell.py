"""From a plan to a program: constants packed, views and arguments spelled in C. Decides nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np

from ..errors import InternalError
from ..ir.graph import Node
from ..ir.text import graph_hash
from ..ir.types import TensorType, dtype_of
from ..ops import op_of
from ..ops.base import Loop, Nest, Site
from ..ops.indexing import c_float, half_headers, read
from ..resources import runtime_dir
from .choose import Plan
from .names import comment, identifier, identifiers, short, whole
from .program import ConstantArray, Pointer, Port, Probe, Program, Step
from .shifts import packed_arrays, shifts_serve

_INLINE = {"speed": 1, "balanced": None, "size": 0}
_FIXEDPOINT = "common/tml_fixedpoint.h"
_PORT = "common/tml_port.h"
# Names that the self-test and every step use beside the parameters; those of loop nests are looked up
_LOCALS = (
    *(f"{letter}{k}" for letter in "xy" for k in range(10)),
    "a", "i", "params", "sample", "sample_now", "first_wrong", "wrong", "wanted", "error", "crc32", "tml_trace",
)  # fmt: skip


def spell(plan: Plan, *, optimize: str = "balanced") -> Program:
    """The program of a plan."""
    return _Speller(plan).program(optimize)


class _Speller:
    """Collects constants and headers while the steps are spelled."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.graph = plan.graph
        self.name = identifier(plan.graph.name)
        self.constants: dict[tuple[str, bytes], ConstantArray] = {}
        widened = half_headers(self.graph.type(name).dtype for name in self.graph.outputs)
        self.headers: dict[str, None] = dict.fromkeys(
            [_PORT, *widened]
        )  # the self-test compares by them
        self.system_headers: dict[str, None] = {}
        self.arrays_of: dict[str, tuple[str, ...]] = {}
        self.nests = {n.name: nest for n in plan.steps if (nest := self._nest_of(n)) is not None}
        self.shifts = shifts_serve(plan, self.nests.values())
        self.ports = self._ports()
        made = [out for node in plan.steps for out in node.outputs]
        self.idents = identifiers([self.graph.tensors[t].source_name for t in dict.fromkeys(made)])

    def program(self, optimize: str) -> Program:
        steps = tuple(self._step(index, node) for index, node in enumerate(self.plan.steps))
        graph, plan = self.graph, self.plan
        return Program(
            name=self.name,
            upper=self.name.upper(),
            graph_hash=graph_hash(graph),
            inputs=tuple(self.ports[n] for n in graph.inputs),
            outputs=tuple(self.ports[n] for n in graph.outputs),
            io_in_arena=plan.io == "arena",
            constants=tuple(self.constants.values()),
            steps=steps,
            arena_bytes=plan.arena_bytes or self._empty_tensors(),
            headers=tuple(sorted(self.headers)),
            system_headers=tuple(sorted(self.system_headers)),
            inline_kernels=_INLINE[optimize],
            macs=sum(op_of(n).macs(Site.of(graph, n)) for n in graph.nodes),
            arrays_of=self.arrays_of,
            shifts=self.shifts,
            wide_arena=any(t.type.dtype.bits == 64 for t in graph.tensors.values()),
        )

    def _empty_tensors(self) -> int:
        """Tensors of no bytes need an address, too."""
        return (
            4
            if any(not self.graph.type(out).size for n in self.plan.steps for out in n.outputs)
            else 0
        )

    def _ports(self) -> dict[str, Port]:
        names = (*self.graph.inputs, *self.graph.outputs)
        words = {
            w for nest in self.nests.values() for w in re.findall(r"[A-Za-z_]\w*", _text(nest.body))
        }
        idents = identifiers(names, taken=(*_LOCALS, *sorted(words)))
        uppers = {name: ident.upper() for name, ident in idents.items()}
        return {
            n: Port(n, idents[n], uppers[n], self.graph.type(n), self._offset(n)) for n in names
        }

    def _offset(self, tensor: str) -> int | None:
        inside = self.plan.storage.buffer_of[tensor] in self.plan.placement.offsets
        return self.plan.view(tensor).offset if inside else None

    # -- steps ---------------------------------------------------------------------------------

    def _step(self, index: int, node: Node) -> Step:
        site = Site.of(self.graph, node)
        probe = self._probe(index, node)
        nest = self.nests.get(node.name)
        return (
            self._kernel_step(node, site, probe)
            if nest is None
            else self._nest_step(node, site, probe, nest)
        )

    def _nest_of(self, node: Node) -> Nest | None:
        """The loop nest of a node that no kernel was chosen for."""
        candidate, site = self.plan.chosen.get(node.name), Site.of(self.graph, node)
        if candidate is None:
            return _copy(site)
        rule = op_of(node).nest
        return rule(site) if candidate.kernel is None and rule is not None else None

    def _probe(self, index: int, node: Node) -> Probe:
        tensor = self.graph.tensors[node.outputs[0]]
        view = self.plan.view(tensor.name)
        pointer = self._pointer(tensor.name)
        return Probe(
            index, tensor.name, tensor.source_name, tensor.type, view, pointer, view.format.bytes
        )

    def _title(self, node: Node, site: Site) -> str:
        op = op_of(node)
        macs = op.macs(site)
        read = ", ".join(
            f"{short(t.source_name)} {t.type}" for t in site.inputs if not t.is_constant
        )
        counted = f", {macs:,} MACs" if macs else ""
        return comment(
            f"{op.title(node.attrs) or node.op}: {short(site.outputs[0].source_name)} {site.y} <- {read}{counted}"
        )

    def _kernel_step(self, node: Node, site: Site, probe: Probe) -> Step:
        kernel = self.plan.chosen[node.name].kernel
        assert kernel is not None
        self.headers[f"{kernel.folder}/{kernel.name}.h"] = None
        packed = packed_arrays(kernel, site, self.shifts)
        arrays = [self._constant(node, suffix, values) for suffix, values in packed]
        self.arrays_of[node.name] = tuple(arrays)
        images = site.y.shape[0] if kernel.per_image and site.y.rank > 1 else 1
        calls = tuple(self._arguments(node, site, image, images, arrays) for image in range(images))
        params = tuple((k, _literal(v)) for k, v in kernel.params(site).items())
        params_type = _params_type(f"{kernel.folder}/{kernel.name}.h", kernel.name)
        return Step(
            node.name, self._title(node, site), probe, kernel.name, params_type, params, calls
        )

    def _arguments(
        self, node: Node, site: Site, image: int, images: int, arrays: Sequence[str]
    ) -> tuple[str, ...]:
        candidate = self.plan.chosen[node.name]
        assert candidate.kernel is not None
        args = ["&params"]
        for index in candidate.kernel.activations:
            type_ = site.inputs[index].type
            args.append(self._operand(node, site, index, image * type_.size // images))
        args += arrays
        scratch = self.plan.scratch_offset(node.name)
        if candidate.scratch_bytes:
            assert scratch is not None
            args.append(_arena_pointer(site.x.dtype.c, scratch))
        args.append(self._pointer(node.outputs[0], image * site.y.size // images))
        return tuple(args)

    def _operand(self, node: Node, site: Site, index: int, skipped: int) -> str:
        tensor = site.inputs[index]
        if tensor.data is not None:
            ident = self._constant(node, f"x{index}", tensor.data)
            return f"{ident} + {skipped}" if skipped else ident
        return self._pointer(tensor.name, skipped)

    def _nest_step(self, node: Node, site: Site, probe: Probe, nest: Nest) -> Step:
        self.headers[_FIXEDPOINT] = None
        self.system_headers.update(dict.fromkeys(h for h in nest.includes if h == "math.h"))
        self.headers.update(dict.fromkeys(h for h in nest.includes if h != "math.h"))
        used = _text(nest.body)
        pointers, arrays = [], []
        for index, tensor in enumerate(site.inputs):
            if _mentions(used, f"x{index}"):
                if tensor.is_uniform and _reads_one(used, f"x{index}"):
                    expression = self._constant(node, f"x{index}", tensor.value.reshape(-1)[:1])
                else:
                    expression = self._operand(node, site, index, 0)
                arrays += [expression] if tensor.is_constant else []
                pointers.append(Pointer(f"const {tensor.type.dtype.c}", f"x{index}", expression))
        for name, values in nest.arrays:
            ident = self._constant(node, name, values)
            arrays.append(ident)
            pointers.append(Pointer(f"const {dtype_of(values).c}", name, ident))
        for index, tensor in enumerate(site.outputs):
            pointers.append(Pointer(tensor.type.dtype.c, f"y{index}", self._pointer(tensor.name)))
        pointers += self._scratch_pointers(node, nest)
        self.arrays_of[node.name] = tuple(arrays)
        return Step(
            node.name, self._title(node, site), probe, pointers=tuple(pointers), body=nest.body
        )

    def _scratch_pointers(self, node: Node, nest: Nest) -> list[Pointer]:
        start = self.plan.scratch_offset(node.name) or 0
        return [
            Pointer(dtype.c, name, _arena_pointer(dtype.c, start + offset))
            for (name, dtype, _), offset in zip(nest.scratch, nest.scratch_offsets, strict=False)
        ]

    # -- operands ------------------------------------------------------------------------------

    def _pointer(self, tensor: str, skipped: int = 0) -> str:
        """The C pointer to a run-time tensor, `skipped` elements in."""
        dtype, view = self.graph.type(tensor).dtype, self.plan.view(tensor)
        if self.plan.storage.buffer_of[tensor] in self.plan.placement.offsets:
            return _arena_pointer(dtype.c, view.offset + skipped * dtype.bytes)
        ident, skipped = self.ports[view.buffer].ident, skipped + view.offset // dtype.bytes
        return f"{ident} + {skipped}" if skipped else ident

    def _constant(self, node: Node, suffix: str, values: np.ndarray) -> str:
        """The C name of a constant array; equal arrays are stored once."""
        c_type, values = dtype_of(values).c, values.astype(dtype_of(values).stored, copy=False)
        key = (c_type, values.tobytes())
        found = self.constants.get(key)
        if found is None:
            owner = self.idents[self.graph.tensors[node.outputs[0]].source_name]
            ident = self._free(f"{self.name}_{owner}_{suffix}")
            title = comment(
                f"{suffix} of {short(whole(self.graph.tensors[node.outputs[0]].source_name))}"
            )
            found = self.constants[key] = ConstantArray(ident, c_type, np.ravel(values), title)
        return found.ident

    def _free(self, ident: str) -> str:
        taken = {c.ident for c in self.constants.values()}
        unique, count = ident, 1
        while unique in taken:
            count += 1
            unique = f"{ident}_{count}"
        return unique


@cache
def _params_type(header: str, function: str) -> str:
    """The struct that a kernel takes, as its header says."""
    text = (runtime_dir() / header).read_text(encoding="utf-8")
    found = re.search(rf"\b{function}\(const struct (\w+) \*", text)
    if found is None:
        raise InternalError(f"{header} does not declare {function}(const struct ... *, ...)")
    return found.group(1)


def _arena_pointer(c_type: str, offset: int) -> str:
    place = f"a + {offset}" if offset else "a"
    if c_type == "uint8_t":
        return place
    if c_type == "int8_t":
        return f"(int8_t *)({place})" if offset else "(int8_t *)a"
    return f"({c_type} *)(void *)({place})"  # aligned by the planner


def _literal(value: int | float) -> str:
    return c_float(value) if isinstance(value, float) else str(value)


def _copy(site: Site) -> Nest:
    """Bytes from one end of the model to another: an alias whose ends both lie outside the arena."""
    type_: TensorType = site.y
    return Nest((Loop("i", type_.size, (f"y0[i] = {_read_alias(site)};",)),))


def _read_alias(site: Site) -> str:
    return read(site, 0, "i")


def _text(body: Sequence[Loop | str]) -> str:
    return "\n".join(_text(part.body) if isinstance(part, Loop) else part for part in body)


def _reads_one(text: str, name: str) -> bool:
    """Whether a pointer is used for its first element only."""
    return len(re.findall(rf"\b{name}\b", text)) == len(re.findall(rf"\(&{name}\[0\]\)", text))


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None
