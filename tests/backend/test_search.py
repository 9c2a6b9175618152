"""The search over whole choices: what each goal takes, what limits do, and which node an error names."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from tinycc_ml.backend.candidates import Candidate, Options, code_bytes, cycles_of, together
from tinycc_ml.backend.costs import Code, Fit, code_of
from tinycc_ml.backend.limits import check_limits
from tinycc_ml.backend.search import Choice, Limits, Search
from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import TargetError
from tinycc_ml.ops import table
from tinycc_ml.ops.base import Kernel, Overlap
from tinycc_ml.resources import runtime_dir

from ..texts import graph

NET = graph("""\
input "x": f32[1,4,4,8]
"a": f32[1,4,4,8] = abs("x")
"b": f32[1,4,4,8] = abs("a")
output "b"
""")
BYTES = 4 * 4 * 8 * 4


def search(*scratch_and_cycles: tuple[int, float], flash: tuple[int, ...] = ()) -> Search:
    """Both nodes have the same candidates."""
    options = {}
    for node in NET.nodes:
        made = [
            Candidate(node.name, None, scratch, (), cycles, index=k)
            for k, (scratch, cycles) in enumerate(scratch_and_cycles)
        ]
        made = [replace(c, flash_bytes=flash[k]) for k, c in enumerate(made)] if flash else made
        options[node.name] = Options(tuple(made), ())
    return Search(NET, NET.nodes, options, "caller")


def _kernel(name: str) -> Kernel:
    return Kernel(name, "", lambda site: None, lambda site: {})


def taken(choice: Choice) -> list[int]:
    return [choice.chosen[n.name].index for n in NET.nodes]


@pytest.mark.parametrize(
    ("optimize", "wanted"), [("speed", [0, 0]), ("balanced", [1, 1]), ("size", [2, 2])]
)
def test_a_goal_gives_some_speed_for_memory(optimize: str, wanted: list[int]) -> None:
    found = search((400, 1000.0), (200, 1040.0), (0, 1400.0))
    assert taken(found.best(optimize, Limits())) == wanted


@pytest.mark.parametrize(("flash", "wanted"), [(700, [1, 1]), (900, [0, 0])])
def test_size_takes_memory_for_flash_as_parts_have_them(flash: int, wanted: list[int]) -> None:
    """Four bytes of flash, of each of the two nodes, for one of memory, of which both use the same."""
    found = search((400, 1e6), (0, 1e6), flash=(0, flash))
    assert taken(found.best("size", Limits())) == wanted


def test_a_limit_of_memory_costs_what_it_must() -> None:
    offers = (400, 1000.0), (200, 1500.0), (0, 9000.0)
    choice = search(*offers).best("speed", Limits(ram=BYTES + 200))
    assert taken(choice) == [1, 1] and choice.ram == BYTES + 200
    assert taken(search(*offers).best("speed", Limits(ram=BYTES))) == [2, 2]


def test_constants_are_given_up_where_a_byte_saves_least() -> None:
    offers = search((0, 1000.0), (0, 1100.0), flash=(5000, 1000))
    choice = offers.best("speed", Limits(flash=6000))
    assert choice.flash <= 6000
    assert taken(search((0, 1000.0), (0, 1100.0), flash=(5000, 1000)).best("speed", Limits())) == [0, 0]  # fmt: skip


def test_only_the_nodes_at_the_peak_give_way() -> None:
    """b's scratch alone makes the peak; a keeps its fast candidate."""
    found = search((300, 1000.0), (0, 1010.0))
    first = NET.nodes[0].name
    found.options = {**found.options, first: Options((found.options[first].candidates[0],), ())}
    choice = found.best("speed", Limits())
    assert taken(choice)[0] == 0


def test_a_result_over_its_input_needs_no_bytes_of_its_own() -> None:
    found = search((0, 1.0))
    node = NET.nodes[1].name
    over = replace(found.options[node].candidates[0], overlaps=(Overlap(0, 64),))
    assert found.memory(over) == 64
    assert found.memory(replace(over, overlaps=())) == BYTES
    first = NET.nodes[0].name
    given = replace(over, node=first)
    assert found.memory(given) == BYTES, "x is the caller's"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(ram=100), "the arena takes 512 bytes, 412 more than --ram (100); at the peak, in"),
        (
            Limits(flash=10),
            "constants take about 100 bytes and code 0, in all 100, 90 more than --flash (10)",
        ),
        (Limits(cycles=3), "takes about 20 cycles, --cycles allows 3; most of it: 'b' (10 cycles)"),
    ],
)
def test_a_limit_that_can_not_be_met_is_named(limits: Limits, words: str) -> None:
    choice = search((0, 10.0), flash=(50,)).best("speed", limits)
    with pytest.raises(TargetError) as error:
        check_limits(load_target("cortex-m4"), choice, limits)
    assert words in str(error.value)


def with_code(*offers: tuple[float, dict[str, int]], first: int = 9) -> Search:
    """Kernels of cycles and functions; the first node has only the first ones."""
    found = search(*((0, cycles) for cycles, _ in offers))
    options = {}
    for node, count in zip(NET.nodes, (first, len(offers)), strict=True):
        made = [
            replace(c, kernel=_kernel(f"kernel{k}"), pieces=tuple(functions.items()))
            for k, (c, (_, functions)) in enumerate(
                zip(found.options[node.name].candidates, offers, strict=True)
            )
        ]
        options[node.name] = Options(tuple(made[:count]), ())
    return Search(NET, NET.nodes, options, "caller")


def test_functions_that_kernels_share_count_once() -> None:
    choice = with_code((10.0, {"own": 300, "shared": 200})).best("speed", Limits())
    assert choice.code == 500 and choice.flash == 500


def test_a_kernel_that_one_node_calls_is_smaller() -> None:
    kernel = Candidate("a", _kernel("k"), 0, (), 1.0, pieces=(("k", 300),), single_bytes=200)
    assert code_bytes([kernel]) == 100
    assert code_bytes([kernel, replace(kernel, node="b")]) == 300


@pytest.mark.parametrize(
    ("optimize", "saved", "wanted"),
    [
        ("speed", 10, 1), ("balanced", 15_000, 0), ("balanced", 17_000, 1), ("size", 63_000, 0),
        ("size", 65_000, 1),
    ],
)  # fmt: skip
def test_a_kernel_of_one_node_has_to_be_worth_its_code(
    optimize: str, saved: float, wanted: int
) -> None:
    """1,000 bytes: a byte is worth 16 cycles for balanced, 64 for size."""
    found = with_code((1e7, {"slow": 100}), (1e7 - saved, {"fast": 1000}), first=1)
    assert taken(found.best(optimize, Limits())) == [0, wanted]


def test_a_limit_of_flash_counts_code_and_names_the_function() -> None:
    found = with_code((1000.0, {"fast": 3000}), (5000.0, {"slow": 400}))
    assert taken(found.best("speed", Limits(flash=3000))) == [0, 0]
    choice = found.best("speed", Limits(flash=399))
    assert taken(choice) == [1, 1]
    with pytest.raises(TargetError, match=r"code 400, in all 400, 1 more .* 'slow' \(400 bytes\)"):
        check_limits(load_target("cortex-m4"), choice, Limits(flash=399))


def test_the_flash_of_a_part_is_checked_for_constants_only() -> None:
    """Code is about right, constants are certain."""
    part = load_target("atmega328p")
    limits = Limits(flash=float(part.memories["flash"] or 0))
    choice = with_code((1000.0, {"fast": 40_000})).best("speed", limits)
    check_limits(part, choice, limits)


def test_the_code_of_a_call_is_inlined_or_shared() -> None:
    kernel = Candidate("a", _kernel("k"), 0, (), 1.0)
    code = Code({"k": {"k": 300, "piece": 100}}, "every", factor=0.5, each=10.0)
    every = code.of(kernel)
    assert (every.code_bytes, every.pieces, every.single_bytes) == (160, (("piece", 100),), 0)
    single = replace(code, inlined="single").of(kernel)
    assert (single.code_bytes, len(single.pieces), single.single_bytes) == (10, 2, 150)
    assert replace(code, inlined="small").of(kernel) == single
    small = replace(kernel, kernel=replace(_kernel("k"), small=True))
    assert replace(code, inlined="small").of(small).code_bytes == every.code_bytes


def test_a_kernel_is_small_where_its_c_says_so() -> None:
    for kernel in {k.name: k for op in table().values() for k in op.kernels}.values():
        header = runtime_dir() / kernel.folder / f"{kernel.name}.h"
        macro = "TML_SMALL_KERNEL" if kernel.small else "TML_KERNEL"
        text = " ".join(header.read_text("utf-8").split())
        assert f"{macro} void {kernel.name}(" in text, kernel.name


def test_a_fit_has_a_factor_for_the_slower_path() -> None:
    kernel = Candidate("a", _kernel("k"), 0, (), 100.0, slow_cycles=40.0)
    assert Fit(2.0, 5.0, 0.5).of(kernel).cycles == 2.0 * 60.0 + 0.5 * 40.0 + 5.0
    assert Fit(each=-200.0).of(kernel).cycles == 1.0


def test_a_kernel_for_one_call_is_faster_than_one_for_several() -> None:
    kernel = Fit(single=0.75).of(Candidate("a", _kernel("k"), 0, (), 100.0))
    other = replace(kernel, node="b")
    assert cycles_of([kernel]) == 75.0 and cycles_of([kernel, other]) == 200.0
    assert [c.cycles for c in together([kernel, replace(other, kernel=_kernel("l"))])] == [
        75.0,
        75.0,
    ]


def test_code_was_measured_for_every_kernel_of_a_core() -> None:
    target = load_target("cortex-m4")
    kernels = {k.name: k for op in table().values() for k in op.kernels}
    for goal in ("speed", "balanced", "size"):
        wanted = {
            n for n, k in kernels.items() if k.features <= target.abilities and goal in k.goals
        }
        assert wanted <= code_of("cortex-m4", goal).kernels.keys()


def test_limits_of_memory_and_flash_are_met_together() -> None:
    """With little memory the fastest takes much flash; the one with little of both is slow."""
    found = search((400, 1000.0), (0, 2000.0), (0, 9000.0), flash=(1000, 5000, 1000))
    limits = Limits(ram=BYTES, flash=2500)
    choice = found.best("speed", limits)
    assert choice.meets(limits) and taken(choice) == [2, 2]


def test_no_limit_is_no_error() -> None:
    check_limits(load_target("cortex-m4"), search((0, 10.0)).best("size", Limits()), Limits(inf))


def test_packed_weights_are_not_taken_where_others_are_better_in_everything() -> None:
    """The fastest packed kernel (0) is a little cheaper than the plain one (2); its slow form (1) is what is left
    where memory is wanted, as the code of the plain one would be new to each node by itself."""
    found = search((300, 1000.0), (0, 1400.0), (0, 1170.0))
    options = {}
    for name, given in found.options.items():
        packed, slow, plain = given.candidates
        made = [
            replace(c, kernel=_kernel("packed"), pieces=(("packed", 400),), packed=True)
            for c in (packed, slow)
        ]
        made.append(replace(plain, kernel=_kernel("plain"), pieces=(("plain", 395),)))
        options[name] = Options(tuple(made), ())
    choice = Search(NET, NET.nodes, options, "caller").best("size", Limits())
    assert taken(choice) == [2, 2]
