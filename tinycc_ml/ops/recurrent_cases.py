"""Cases of the recurrent operators: directions, layouts, states, lengths, activations."""

from __future__ import annotations

from typing import Any

from .base import Case, Const

STEPS, BATCH, INPUTS, UNITS = 5, 2, 3, 6


def cases_of(op_type: str, gates: int, functions: int, off: float) -> tuple[Case, ...]:
    """functions: how many activations a direction has. off: what h, rounded at every step, adds up to in steps of
    the result; random weights are large, those of a net that was trained are not."""

    def inputs(ways: int = 1, batch: int = BATCH, *, lens: Any = None, states: bool = False, peepholes: bool = False,
               batch_first: bool = False, bias: bool = True) -> tuple[Any, ...]:  # fmt: skip
        rows = gates * UNITS
        state: Any = (batch, ways, UNITS) if batch_first else (ways, batch, UNITS)
        all_states = [state] * (2 if op_type == "LSTM" else 1)
        return (
            (batch, STEPS, INPUTS) if batch_first else (STEPS, batch, INPUTS),
            Const(shape=(ways, rows, INPUTS)),
            Const(shape=(ways, rows, UNITS)),
            Const(shape=(ways, 2 * rows)) if bias else None,
            None if lens is None else Const(lens, dtype="int32"),
            *(all_states if states else []),
            *([Const(shape=(ways, 3 * UNITS))] if peepholes else []),
        )

    def case(
        name: str, operands: tuple[Any, ...], outputs: int = 1, integer: bool = True, **attrs: Any
    ) -> Case:
        return Case(
            name, op_type, operands, {"hidden_size": UNITS, **attrs}, outputs=outputs, integer=integer,
            low=-2.0, high=2.0, off=off,
        )  # fmt: skip

    both: dict[str, Any] = {"direction": "bidirectional"}
    made = [
        case("forward", inputs()),
        case("all_outputs", inputs(1, 1), outputs=3 if op_type == "LSTM" else 2),
        case("reverse_without_bias", inputs(bias=False), direction="reverse"),
        case("bidirectional", inputs(2), outputs=2, **both),
        case("states", inputs(states=True), outputs=3 if op_type == "LSTM" else 2),
        case("lengths", inputs(lens=[2, 5], states=True), outputs=2),
        case("lengths_reverse", inputs(2, lens=[0, 4]), outputs=2, **both),
        case("clip", inputs(), clip=0.5),
        case("relu", inputs(1, 1), activations=[*["Sigmoid"] * (functions > 1), *["Relu"] * max(functions - 1, 1)], clip=1.0),
        case("many_functions", inputs(2), integer=False, clip=1.0, **both, activations=_SOME[: 2 * functions],
             activation_alpha=_ALPHA[: 2 * functions], activation_beta=[0.4]),
    ]  # fmt: skip
    if op_type == "LSTM":
        made += [
            case("peepholes", inputs(1, states=True, peepholes=True), integer=False),
            case("coupled", inputs(), input_forget=1),
        ]
    if op_type == "GRU":
        made += [
            case("linear_before_reset", inputs(), linear_before_reset=1),
            case(
                "linear_without_bias",
                inputs(bias=False),
                linear_before_reset=1,
                direction="reverse",
            ),
        ]
    return tuple(made)


# The parameters in the order of the functions that have them
_SOME = ["HardSigmoid", "LeakyRelu", "Softsign", "Elu", "ThresholdedRelu", "Sigmoid"]
_ALPHA = [0.3, 0.1, 0.9, 0.7]
