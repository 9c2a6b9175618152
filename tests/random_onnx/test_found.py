"""What random graphs have found, each as the smallest graph that shows it."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import pytest

from benchmarks.pool import outcomes_of

from .graphs import RandomModel
from .outcomes import Outcome, outcome_of_model
from .writer import session

HEAD = '<ir_version: 10, opset_import: ["" : {opset}, "com.microsoft" : 1]> g '

FOUND = {
    "bias_of_run_time_of_a_convolution": (13, "(float[1,2,3,3] x, float[2] b) => (float[1,2,3,3] y) <float[2,2,1,1] w = {1, 2, 3, 4}> { y = Conv(x, w, b) }"),
    "bias_of_run_time_of_a_depthwise_convolution": (13, "(float[1,2,3,3] x, float[2] b) => (float[1,2,3,3] y) <float[2,1,1,1] w = {1, 2}> { y = Conv<group = 2>(x, w, b) }"),
    "bias_of_run_time_of_a_transposed_convolution": (13, "(float[1,1,2,2] x, float[1] b) => (float[1,1,2,2] y) <float[1,1,1,1] w = {3}> { y = ConvTranspose(x, w, b) }"),
    "c_of_run_time_of_gemm": (13, "(float[2,2] x, float[2] c) => (float[2,2] y) <float[2,2] w = {1, 2, 3, 4}> { y = Gemm(x, w, c) }"),
    "sign_of_integers": (13, "(int64[4] x) => (int64[4] y) { y = Sign(x) }"),
    "hardmax_along_several_axes": (11, "(float[2,2,3] x) => (float[2,2,3] y) { y = Hardmax<axis = 1>(x) }"),
    "bytes_read_as_they_are_and_for_what_they_mean": (13, "(uint8[2,3] x) => (int32[2,2] y, float[2,3] z) <uint8[3,2] w = {1, 2, 3, 4, 5, 6}, float s = {0.5}> { y = MatMulInteger(x, w)\n z = DequantizeLinear(x, s) }"),
    "bytes_moved_and_read_both_ways": (13, "(uint8[2,3] x) => (float[3,2] y, float[3,2] z) <float s = {0.5}> { t = Transpose(x)\n y = Cast<to = 1>(t)\n z = DequantizeLinear(t, s) }"),
    "elements_of_64_bits_behind_others_in_the_arena": (13, "(float[5] x, float[3] z) => (float[1] y, float[3] w) { a = Ceil(x)\n b = ArgMax(a)\n c = Neg(z)\n d = Cast<to = 1>(b)\n y = Neg(d)\n w = Add(c, d) }"),
}  # fmt: skip

QUANTISED = {
    "where_on_int8": (13, "(bool[2,1] b, float[2,3] x, float[3] z) => (float[2,3] y) { t = Add(x, z)\n y = Where(b, t, z) }"),
    "where_with_a_constant": (13, "(bool[3] b, float[2,3] x) => (float[2,3] y) <float[3] c = {1, -2, 3}> { y = Where(b, x, c) }"),
    "embedding": (13, "(int64[2,2] i) => (float[2,2,3] y) <float[4,3] e = {1, 2, 3, -4, 5, 6, -7, 8, 9, 0, 1, 2}> { y = Gather(e, i) }"),
    "argmax_of_int8": (13, "(float[2,4] x, float[4] z) => (int64[2] y) { t = Mul(x, z)\n y = ArgMax<axis = 1, keepdims = 0>(t) }"),
    "layer_norm": (17, "(float[2,4] x, float[4] z) => (float[2,4] y) <float[4] g = {1, -2, 3, 0.5}, float[4] o = {1, 2, -3, 4}> { t = Mul(x, z)\n y = LayerNormalization(t, g, o) }"),
    "indices_among_the_inputs": (13, "(float[4] x, int64[2] i) => (float[2] y) { y = Gather(x, i) }"),
    "bytes_cast_and_read_for_what_they_mean": (13, "(uint8[2,3] x) => (int32[2,3] y, float[2,3] z) <float s = {0.5}> { y = Cast<to = 6>(x)\n t = DequantizeLinear(x, s)\n q = QuantizeLinear(t, s)\n z = DequantizeLinear(q, s) }"),
    "compared_on_two_scales": (13, "(float[2,4] x) => (float[2,4] y) { a = Neg(x)\n b = Tanh(x)\n c = Less(a, b)\n y = Cast<to = 1>(c) }"),
    "bits_beside_int8": (18, "(float[4] x, int32[2] i) => (float[4] y, int32[2] j) { y = Relu(x)\n j = BitwiseNot(i) }"),
}  # fmt: skip


def drawn(opset: int, text: str) -> RandomModel:
    """The graph of a text, with inputs of small numbers of both signs."""
    model = onnx.parser.parse_model(HEAD.format(opset=opset) + text)
    inputs = {}
    for value in model.graph.input:
        type_ = value.type.tensor_type
        shape = [d.dim_value for d in type_.shape.dim]
        steps = np.arange(np.prod(shape)).reshape(shape)
        kind = onnx.helper.tensor_dtype_to_np_dtype(type_.elem_type)
        small = (
            steps * 5 % 7 % 4 - 1.5
            if kind.kind == "f"
            else steps % 2
            if kind.kind == "b"
            else steps % 4
        )
        inputs[value.name] = small.astype(kind)
    made = session(model).run(None, inputs)
    names = [value.name for value in model.graph.output]
    return RandomModel(0, model, inputs, dict(zip(names, made, strict=True)), frozenset())


def _outcome(model: RandomModel, int8: bool) -> Outcome:
    """In a process of its own: undefined behaviour is a trap."""

    def work(_: int) -> Outcome:
        return outcome_of_model(model, int8)

    (found,) = outcomes_of(work, lambda _, how: Outcome(0, "crash", how), [0], 1, 60.0)
    return found


@pytest.mark.parametrize("name", FOUND)
def test_what_was_wrong_is_right(name: str) -> None:
    outcome = _outcome(drawn(*FOUND[name]), int8=False)
    assert outcome.status == "right", outcome.reason


@pytest.mark.parametrize("name", QUANTISED)
def test_what_was_wrong_on_int8_is_right(name: str) -> None:
    outcome = _outcome(drawn(*QUANTISED[name]), int8=True)
    assert outcome.status == "right", outcome.reason
    assert not outcome.floats
