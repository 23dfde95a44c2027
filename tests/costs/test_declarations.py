"""Every primitive of every protocol costs exactly what it declares: rounds, bytes, check bytes.

None exempt: a primitive without a declaration, or a declaration without a case here, fails.
Truncations run by 18 bits for every size and by every number of bits for a few sizes;
``TACIT_TESTS=whole`` runs all of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from simulation import NAMES, SIZES, Simulation, integers
from thinning import EVERYTHING

from tacit.encoding import RING64, RING128, Ring, ring_of
from tacit.protocols import PROTOCOLS
from tacit.protocols.interface import Party
from tacit.rounds import Declaration, LockstepDriver

COMMUNICATING = {
    name
    for name, member in vars(Party).items()
    if callable(member) and "Step" in str(getattr(member, "__annotations__", {}).get("return"))
}


@dataclass(frozen=True)
class Case:
    """A call of one primitive, and the sizes it declares its cost for."""

    primitive: str
    arguments: tuple[Any, ...]
    step: Callable[..., Any]
    shared: Callable[[Simulation], list[Any]]

    def __str__(self) -> str:
        return f"{self.primitive}{self.arguments}"


RNG = np.random.default_rng(11)


def numbers(*shapes: Any) -> Callable[[Simulation], list[Any]]:
    return lambda s: [s.share(integers(RNG, shape, 20)) for shape in shapes]


def bits(size: Any, count: int = 1) -> Callable[[Simulation], list[Any]]:
    return lambda s: [s.share_bits(RNG.integers(0, 2, size)) for _ in range(count)]


def planes(count: int, size: int) -> Callable[[Simulation], list[Any]]:
    return lambda s: [s.share_bits(RNG.integers(0, 2, (count, size)), planes=1) for _ in range(2)]


def bits_and_numbers(size: int, count: int) -> Callable[[Simulation], list[Any]]:
    return lambda s: [*bits(size)(s), *numbers(*[size] * count)(s)]


MATRICES = (
    ((3, 4), (4, 5)),
    ((2, 9), (9, 3)),
    ((100, 7), (7,)),
    ((2, 7), (7,)),
    ((5,), (5, 4)),
    ((4, 0), (0, 4)),
    ((2, 5, 3), (2, 3, 4)),
    ((5, 3), (2, 3, 4)),
)


def shifts(n: int, all_of: tuple[int, ...]) -> tuple[int, ...]:
    """The numbers of bits to truncate by at a size."""
    return all_of if EVERYTHING or n in (0, 1, 65, 193, 4096) else (18,)


def cases() -> Iterator[Case]:
    for n in SIZES:
        zeros = np.zeros(n, np.int64)
        for o in range(3):
            yield Case(
                "input",
                (n, o),
                lambda p, n=n, o=o: p.input(o, p.ring.zeros(n) if p.index == o else None, (n,)),
                numbers(),
            )
            yield Case(
                "input_bits",
                (n, o),
                lambda p, n=n, o=o, v=zeros: p.input_bits(o, v if p.index == o else None, (n,)),
                numbers(),
            )
        for to in ((), (0,), (2, 1), (0, 1, 2)):
            yield Case("reveal", (n, to), lambda p, x, to=to: p.reveal(x, to), numbers(n))
            yield Case("reveal_bits", (n, to), lambda p, x, to=to: p.reveal_bits(x, to), bits(n))
        yield Case("multiply", (n,), lambda p, x, y: p.multiply(x, y), numbers(n, n))
        for rounding in ("probabilistic", "nearest", "exact"):
            for m in shifts(n, (1, 16, 18, 40, 62)):
                yield Case(
                    "truncate",
                    (n, m, rounding),
                    lambda p, x, m=m, r=rounding: p.truncate(x, m, r),
                    numbers(n),
                )
        for m in shifts(n, (1, 16, 17, 18, 32, 33, 62)):
            yield Case(
                "multiply_truncate",
                (n, m),
                lambda p, x, y, m=m: p.multiply_truncate(x, y, m),
                numbers(n, n),
            )
            yield Case(
                "sum_products_truncate",
                (n, m, 2),
                lambda p, x, y, m=m: p.sum_products_truncate([(x, y), (y, y)], m),
                numbers(n, n),
            )
        yield Case("bitwise_and", (n,), lambda p, x, y: p.bitwise_and(x, y), bits(n, 2))
        yield Case("most_significant_bit", (n,), lambda p, x: p.most_significant_bit(x), numbers(n))
        yield Case("to_bits", (n,), lambda p, x: p.to_bits(x), numbers(n))
        yield Case("bit_to_arithmetic", (n,), lambda p, x: p.bit_to_arithmetic(x), bits(n))
        yield Case("inject", (n,), lambda p, a, x: p.inject(a, x), bits_and_numbers(n, 1))
        yield Case("select", (n,), lambda p, a, x, y: p.select(a, x, y), bits_and_numbers(n, 2))
    for k, n in ((1, 70), (64, 3), (64, 65), (7, 0)):
        yield Case("from_bits", (n, k), lambda p, x, y: p.from_bits(x), planes(k, n))
        yield Case("bitwise_and", (n, k), lambda p, x, y: p.bitwise_and(x, y), planes(k, n))
        yield Case(
            "reveal_bits", (n, (1,), k), lambda p, x, y: p.reveal_bits(x, (1,)), planes(k, n)
        )
    for rows, count in ((1, 0), (0, 5), (1, 1), (1, 65), (3, 7), (2, 100)):
        for back in (False, True):
            yield Case(
                "permute",
                (2 * rows * count, back),
                lambda p, x, r=rows, c=count, b=back: p.permute(p.permutation(r, c), x, b),
                numbers((rows, count, 2)),
            )
            yield Case(
                "permute_bits",
                (rows * count, back),
                lambda p, a, r=rows, c=count, b=back: p.permute_bits(p.permutation(r, c), a, b),
                bits((rows, count)),
            )
    for left, right in MATRICES:
        yield Case("matmul", (left, right), lambda p, x, y: p.matmul(x, y), numbers(left, right))
        for m in (16, 18, 40):
            yield Case(
                "matmul_truncate",
                (left, right, m),
                lambda p, x, y, m=m: p.matmul_truncate(x, y, m),
                numbers(left, right),
            )


def long_cases() -> Iterator[Case]:
    """What only a ring of 128 bits has: truncations by more bits, more planes."""
    for n in (0, 1, 65, 4097):
        for m in (63, 64, 65, 100, 126):
            yield Case(
                "multiply_truncate",
                (n, m),
                lambda p, x, y, m=m: p.multiply_truncate(x, y, m),
                numbers(n, n),
            )
            for rounding in ("probabilistic", "exact"):
                yield Case(
                    "truncate",
                    (n, m, rounding),
                    lambda p, x, m=m, r=rounding: p.truncate(x, m, r),
                    numbers(n),
                )
        yield Case("from_bits", (n, 128), lambda p, x, y: p.from_bits(x), planes(128, n))


CASES = list(cases())
LONG_CASES = list(long_cases())
PROTOCOL_NAMES = sorted(PROTOCOLS)
IN_EVERY_RING = pytest.mark.parametrize(
    ("protocol", "over"),
    [
        pytest.param(name, ring_of(bits), id=f"{name}-{bits}")
        for name in PROTOCOL_NAMES
        for bits in PROTOCOLS[name].rings
    ],
)


def measured(protocol: str, case: Case, over: Ring = RING64) -> tuple[LockstepDriver, Declaration]:
    simulation = Simulation(2, protocol=protocol, over=over)
    simulation.run(case.step, *case.shared(simulation))
    declared = PROTOCOLS[protocol].costs_with(ring=over)
    return simulation.driver, declared[case.primitive](*case.arguments)


@pytest.mark.parametrize("protocol", PROTOCOL_NAMES)
def test_every_communicating_primitive_declares_and_has_cases(protocol: str) -> None:
    assert len(COMMUNICATING) >= 17
    assert set(PROTOCOLS[protocol].costs) - {"lookup"} == COMMUNICATING
    assert {case.primitive for case in CASES} == COMMUNICATING


@IN_EVERY_RING
@pytest.mark.parametrize("primitive", sorted(COMMUNICATING))
def test_declared_is_measured(protocol: str, primitive: str, over: Ring) -> None:
    for case in CASES + (LONG_CASES if over == RING128 else []):
        if case.primitive != primitive:
            continue
        driver, declared = measured(protocol, case, over)
        cost = driver.cost()
        assert {c.rounds for c in driver.counters} == {declared.rounds}, case
        assert tuple(cost.bytes_sent[n] for n in driver.names) == tuple(declared.bytes_sent), case
        assert tuple(cost.check_bytes[n] for n in driver.names) == tuple(declared.check_bytes), case


@pytest.mark.parametrize("protocol", [n for n in PROTOCOL_NAMES if "lookup" in PROTOCOLS[n].costs])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("n", SIZES)
def test_declared_is_measured_where_there_are_tables(protocol: str, n: int, count: int) -> None:
    tables = [[1, -2, 3, 1 << 63]] * count
    case = Case("lookup", (n, count), lambda p, a, b: p.lookup(a, b, tables), bits(n, 2))
    driver, declared = measured(protocol, case)
    cost = driver.cost()
    assert {c.rounds for c in driver.counters} == {declared.rounds}
    assert tuple(cost.bytes_sent[name] for name in driver.names) == tuple(declared.bytes_sent)


@IN_EVERY_RING
@pytest.mark.parametrize("rounding", ["nearest", "exact"])
def test_declared_is_measured_with_every_rounding(protocol: str, rounding: Any, over: Ring) -> None:
    declared = PROTOCOLS[protocol].costs_with(rounding, over)
    rounded = {name for name, declare in declared.items() if "rounding" in declare.keywords}  # type: ignore[attr-defined]
    assert rounded == {name for name in COMMUNICATING if name.endswith("truncate")}
    for case in CASES:
        if case.primitive in rounded and not isinstance(case.arguments[-1], str):
            simulation = Simulation(2, protocol=protocol, rounding=rounding, over=over)
            simulation.run(case.step, *case.shared(simulation))
            cost = declared[case.primitive](*case.arguments)
            assert {c.rounds for c in simulation.driver.counters} == {cost.rounds}, case
            sent = simulation.driver.cost().bytes_sent
            assert tuple(sent[n] for n in simulation.names) == tuple(cost.bytes_sent), case


@pytest.mark.parametrize("protocol", PROTOCOL_NAMES)
@pytest.mark.parametrize(
    "local",
    ["add", "subtract", "sum", "random", "random_bits", "permutation", "public", "invert", "xor"],
)
def test_local_operations_have_no_declaration(protocol: str, local: str) -> None:
    assert local not in PROTOCOLS[protocol].costs
    assert local not in COMMUNICATING


# The headline numbers of replicated3, as published: per element, from the measured traffic.


def per_element(primitive: str, *arguments: Any, n: int) -> tuple[int, float]:
    (case,) = [c for c in CASES if (c.primitive, c.arguments) == (primitive, (n, *arguments))]
    driver, _ = measured("replicated3", case)
    return driver.cost().rounds, driver.cost().total_bytes / n


@pytest.mark.parametrize(
    ("primitive", "arguments", "rounds", "bytes_in_all"),
    [
        ("multiply", (), 1, 3 * 8),
        ("truncate", (18, "probabilistic"), 2, 20),
        ("truncate", (16, "probabilistic"), 2, 14),
        ("truncate", (40, "probabilistic"), 2, 4 * 8),
        ("multiply_truncate", (16,), 3, 30),
        ("multiply_truncate", (18,), 3, 36),
        ("bit_to_arithmetic", (), 2, 3 * 8),
        ("inject", (), 2, 4 * 8),
        ("input", (0,), 1, 8),
        ("reveal", ((0, 1, 2),), 1, 3 * 8),
        ("bitwise_and", (), 1, 3 / 8),
        ("most_significant_bit", (), 7, 335 / 8),
    ],
)
def test_headline(
    primitive: str, arguments: tuple[Any, ...], rounds: int, bytes_in_all: float
) -> None:
    # 4,096 fills words and blocks exactly.
    assert per_element(primitive, *arguments, n=4096) == (rounds, bytes_in_all)


@pytest.mark.parametrize(
    ("primitive", "arguments", "rounds", "bytes_in_all"),
    [
        ("multiply", (), 1, 3 * 16),
        ("truncate", (18, "probabilistic"), 2, 28),
        ("multiply_truncate", (16,), 3, 3 * 16 + 3 * 2),
        ("multiply_truncate", (40,), 3, 3 * 16 + 3 * 8),
        ("inject", (), 2, 4 * 16),
        ("reveal", ((0, 1, 2),), 1, 3 * 16),
        ("most_significant_bit", (), 8, 700 / 8),
        ("truncate", (18, "exact"), 10, (700 - 1) / 8 + 28 + 3 * 16),
        ("to_bits", (), 9, 16 + 3 * (128 + 769) / 8),
    ],
)
def test_headline_over_128_bits(
    primitive: str, arguments: tuple[Any, ...], rounds: int, bytes_in_all: float
) -> None:
    simulation = Simulation(2, over=RING128)
    x = simulation.share(np.ones(4096, np.int64))
    bits = simulation.share_bits(np.ones(4096, np.uint8))
    operands = {"multiply": (x, x), "multiply_truncate": (x, x), "inject": (bits, x)}
    step = lambda p, *parts: getattr(p, primitive)(*parts, *arguments)  # noqa: E731
    simulation.run(step, *operands.get(primitive, (x,)))
    cost = simulation.driver.cost()
    assert (cost.rounds, cost.total_bytes / 4096) == (rounds, bytes_in_all)


def test_a_table_at_two_bits_is_five_elements_and_each_further_one_two() -> None:
    declare = PROTOCOLS["replicated3"].costs["lookup"]
    for tables, elements in ((1, 5), (2, 7), (8, 19)):
        assert declare(4096, tables).rounds == 2
        assert sum(declare(4096, tables).bytes_sent) == 8 * elements * 4096


@pytest.mark.parametrize("over", [RING64, RING128], ids=repr)
@pytest.mark.parametrize(
    ("primitive", "arguments", "rounds", "elements_in_all", "digests"),
    [
        ("multiply", (), 1, 6, 6),
        ("input", (3,), 2, 2, 4),
        ("reveal", ((0, 1, 2, 3),), 1, 4, 4),
        ("reveal", ((3,),), 1, 1, 1),
        ("bitwise_and", (), 1, 6 / 64, 6),
    ],
)
def test_headline_of_four_parties(
    primitive: str, arguments: tuple[Any, ...], rounds: int, elements_in_all: float, digests: int,
    over: Ring,
) -> None:  # fmt: skip
    """As published [DEK21], digests and receipts of inputs apart; an AND is 6 bits."""
    simulation = Simulation(2, protocol="fantastic4", over=over)
    n, width = 4096, 8 if primitive == "bitwise_and" else over.element_bytes
    x, a = simulation.share(np.ones(n, np.int64)), simulation.share_bits(np.ones(n, np.uint8))
    steps: dict[str, Any] = {
        "multiply": lambda p, v, w: p.multiply(v, v),
        "bitwise_and": lambda p, v, w: p.bitwise_and(w, w),
        "reveal": lambda p, v, w: p.reveal(v, *arguments),
        "input": lambda p, v, w: p.input(
            arguments[0], p.ring.zeros(n) if p.index == arguments[0] else None, (n,)
        ),
    }
    simulation.run(steps[primitive], x, a)
    cost = simulation.driver.cost()
    assert (cost.rounds, cost.total_bytes) == (rounds, elements_in_all * n * width)
    assert sum(cost.check_bytes.values()) == 32 * digests
    declared = PROTOCOLS["fantastic4"].costs_with(ring=over)[primitive](n, *arguments)
    assert tuple(cost.bytes_sent.values()) == tuple(declared.bytes_sent)
    assert tuple(cost.check_bytes.values()) == tuple(declared.check_bytes)


def test_multiplication_is_eight_bytes_from_each_party() -> None:
    (case,) = [c for c in CASES if (c.primitive, c.arguments) == ("multiply", (4096,))]
    driver, _ = measured("replicated3", case)
    assert driver.cost().bytes_sent == dict.fromkeys(NAMES, 8 * 4096)


def test_a_matrix_product_costs_by_its_result_alone() -> None:
    costs = set()
    for inner in (1, 10, 300):
        simulation = Simulation()
        x, y = simulation.share(np.ones((20, inner))), simulation.share(np.ones((inner, 5)))
        simulation.run(lambda p, a, b: p.matmul(a, b), x, y)
        costs.add((simulation.driver.cost().rounds, simulation.driver.cost().total_bytes))
    assert costs == {(1, 3 * 8 * 100)}


def test_work_is_spread_evenly() -> None:
    """Roles rotate over thirds: no party sends over 1 % more than another on large arrays."""
    for primitive, arguments in (
        ("multiply_truncate", (18,)),
        ("inject", ()),
        ("truncate", (18, "probabilistic")),
    ):
        declared = PROTOCOLS["replicated3"].costs[primitive](3 * 640, *arguments)
        assert max(declared.bytes_sent) <= 1.01 * min(declared.bytes_sent)
