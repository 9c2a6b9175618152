"""A call of an ONNX operator, as a node of the net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ModelError
from . import syntax as s
from .binding import Given
from .blocks import check_name
from .onnx_calls import (
    Refused,
    attributes_of,
    flat_operands,
    literal,
    operand_dtype,
    operators,
    schema_of,
    split_arguments,
)
from .problems import Problem
from .scope import Frame, Own
from .values import Tensor, Value, describe, is_int

if TYPE_CHECKING:
    from .evaluate import Evaluator

# Arguments of every operator: what the result and the node are called, how many results, whose operator
_OURS = ("name", "tensor", "node", "outputs", "domain")
# On constants only, an operator could make a large constant of a small one; these can't
_KEEP_SIZE = {
    "DequantizeLinear",
    "QuantizeLinear",
    "Transpose",
    "Reshape",
    "Cast",
    "Identity",
    "Squeeze",
    "Unsqueeze",
}
_MOST_OUTPUTS = 256


def emit(
    evaluator: Evaluator, call: s.Call, given: list[Given], frame: Frame, own: Own | None
) -> Value:  # fmt: skip
    """Its result, or a list of several."""
    try:
        return _emitted(evaluator, call, given, frame, own)
    except Refused as refused:
        at = refused.given
        span = call.callee.span if at is None or at.piped else at.name_span or at.span
        raise evaluator.problem(frame, span, refused.message, refused.hint) from None


def _emitted(
    evaluator: Evaluator, call: s.Call, given: list[Given], frame: Frame, own: Own | None
) -> Value:
    op = call.callee.id
    ours: dict[str | None, Given] = {g.name: g for g in given if g.name in _OURS}
    domain = ours["domain"].value if "domain" in ours else operators()[op]
    operands, attributes = split_arguments(
        op, domain, [g for g in given if ours.get(g.name) is not g]
    )
    operands = flat_operands(op, domain, operands)
    if (
        not any(g and isinstance(g.value, Tensor) and not g.value.constant for g in operands)
        and op not in _KEEP_SIZE
    ):
        raise Refused(
            f"{op} reads no tensor of the net", None, f"a net is piped in: x |> {op}(...)"
        )
    made = attributes_of(op, domain, attributes)
    called = _result_names(evaluator, call, domain, ours, frame, own)
    inputs = _operand_names(evaluator, op, domain, operands, called[0], frame)
    names = [_in_net(evaluator, name) for name in called]
    node = (
        str(ours["node"].value)
        if "node" in ours
        else evaluator.net.node_names.get(called[0], names[0])
    )
    parents = [g.value.name for g in operands if g is not None and isinstance(g.value, Tensor)]
    read = [p for p in parents if evaluator.net.draft.tensors[p].data is None]
    step = evaluator.step(frame, call, read[0] if read else None)
    try:
        results = evaluator.net.add_node(op, domain, inputs, names, made, node, step)
    except ModelError as error:
        hint, notes = error.hint, evaluator.net.chain(read)
        raise Problem(error.message, frame.source, call.callee.span, hint, notes) from error
    return results[0] if len(results) == 1 else results


def _operand_names(
    evaluator: Evaluator, op: str, domain: str, operands: list[Given | None], result: str, frame: Frame
) -> list[str]:  # fmt: skip
    """Names of tensors; numbers and lists become constants, none an absent operand."""
    dtypes = {
        g.value.name: evaluator.net.draft.tensors[g.value.name].type.dtype.numpy
        for g in operands
        if g is not None and isinstance(g.value, Tensor)
    }
    names = []
    for k, given in enumerate(operands):
        if given is None or given.value is None:
            names.append("")
        elif isinstance(given.value, Tensor):
            names.append(given.value.name)
        else:
            array = literal(op, given, operand_dtype(op, domain, k, operands, dtypes))
            hint = f"{result}.{_formal(op, domain, k)}"
            names.append(evaluator.constant(hint, array, frame, given.span).name)
    while names and not names[-1]:
        names.pop()
    return names


def _formal(op: str, domain: str, index: int) -> str:
    schema = schema_of(op, domain)
    return schema.inputs[min(index, len(schema.inputs) - 1)].name if schema else f"operand{index}"


def _result_names(
    evaluator: Evaluator, call: s.Call, domain: str, ours: dict[str | None, Given], frame: Frame, own: Own | None
) -> list[str]:  # fmt: skip
    if "tensor" in ours:
        return _exact_names(evaluator, ours["tensor"], frame)
    base = own.result or own.path if own else frame.path + call.callee.id
    if "name" in ours:
        check_name(evaluator, ours["name"], frame)
        base = frame.path + ours["name"].value
    count = _output_count(call.callee.id, domain, ours, base)
    if isinstance(base, tuple):
        base = base if len(base) == count else base[0]
    bases = base if isinstance(base, tuple) else [base, *(f"{base}_{k}" for k in range(1, count))]
    # Where names of the text are not those of the net, they don't depend on them
    taken = () if evaluator.net.renames else evaluator.net.draft.tensors
    return [evaluator.naming.result(name, taken) for name in bases]


def _in_net(evaluator: Evaluator, name: str) -> str:
    """What a tensor is called in the net."""
    net = evaluator.net
    if not net.renames:
        return name
    return net.names.get(name) or evaluator.naming.numbered(name, net.draft.tensors)


def _exact_names(evaluator: Evaluator, given: Given, frame: Frame) -> list[str]:
    names = given.value if isinstance(given.value, tuple) and given.value else (given.value,)
    for name in names:
        check_name(evaluator, Given("tensor", name, given.span), frame)
        if name in evaluator.net.draft.tensors or names.count(name) > 1:
            raise evaluator.problem(frame, given.span, f"there is a tensor {name!r} already")
    return list(names)


def _output_count(op: str, domain: str, ours: dict[str | None, Given], base: object) -> int:
    if "outputs" in ours:
        count = ours["outputs"].value
        if not is_int(count) or not 1 <= count <= _MOST_OUTPUTS:
            raise Refused(
                f"'outputs' is a whole number from 1 to {_MOST_OUTPUTS}, got {describe(count)}",
                ours["outputs"],
            )
        return count
    schema = schema_of(op, domain)
    if isinstance(base, tuple) and schema is not None and len(base) <= schema.max_output:
        return len(base)
    return max(1, schema.min_output) if schema else 1
