"""Every function costs exactly what it declares, for every protocol; none exempt.

All sizes run with three parties' passive protocol at 18 fraction bits. Other protocols, fraction
bits and roundings run with fewer: what a primitive costs by size is ``tests/costs``'s, for every
protocol. ``TACIT_TESTS=whole`` runs every size with each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from simulation import Simulation
from thinning import EVERYTHING

from tacit import functions
from tacit.encoding import RING128, int8, uint16
from tacit.errors import RangeError
from tacit.functions import (
    activations,
    comparison,
    costs,
    division,
    exponential,
    hyperbolic,
    integers,
    inverse_trigonometry,
    logarithm,
    powers,
    products,
    roots,
    rounding,
    selection,
    trigonometry,
)
from tacit.functions.accuracy import FINE
from tacit.functions.sigmoid import sigmoid_cost, tanh_cost
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

FIXED_POINT: dict[str, Callable[..., Declaration]] = {
    "sigmoid": sigmoid_cost,
    "tanh": tanh_cost,
    "exp": exponential.exp_cost,
    "log": logarithm.log_cost,
    "sqrt": roots.sqrt_cost,
    "rsqrt": roots.rsqrt_cost,
    "reciprocal": division.reciprocal_cost,
    "divide": division.divide_cost,
    "expm1": hyperbolic.expm1_cost,
    "sinh": hyperbolic.sinh_cost,
    "cosh": hyperbolic.cosh_cost,
    "log1p": logarithm.log_cost,
    "log2": logarithm.log_cost,
    "log10": logarithm.log_cost,
    "power": powers.power_cost,
    "hypot": roots.hypot_cost,
    "sin": trigonometry.sin_cost,
    "cos": trigonometry.cos_cost,
    "tan": trigonometry.tan_cost,
    "atan": inverse_trigonometry.atan_cost,
    "atan2": inverse_trigonometry.atan2_cost,
    "asin": inverse_trigonometry.asin_cost,
    "acos": inverse_trigonometry.acos_cost,
    "erf": activations.erf_cost,
    "softplus": activations.softplus_cost,
    "silu": activations.silu_cost,
    "gelu": activations.gelu_cost,
    "elu": activations.elu_cost,
    "leaky_relu": activations.leaky_relu_cost,
    "logaddexp": activations.logaddexp_cost,
}
EXACT: dict[str, tuple[int, Callable[..., Declaration]]] = {
    "less": (2, comparison.less_cost),
    "less_equal": (2, comparison.less_cost),
    "greater": (2, comparison.less_cost),
    "greater_equal": (2, comparison.less_cost),
    "is_negative": (1, comparison.less_cost),
    "is_zero": (1, comparison.is_zero_cost),
    "equal": (2, comparison.is_zero_cost),
    "not_equal": (2, comparison.is_zero_cost),
    "maximum": (2, selection.maximum_cost),
    "minimum": (2, selection.maximum_cost),
    "relu": (1, selection.maximum_cost),
    "absolute": (1, selection.maximum_cost),
    "sign": (1, selection.sign_cost),
    "clip": (1, selection.clip_cost),
    "where": (2, selection.where_cost),
    "copysign": (2, selection.copysign_cost),
}
PRODUCTS: dict[str, Callable[..., Declaration]] = {
    "prod": products.prod_cost,
    "cumulative_prod": products.cumulative_prod_cost,
}
ELSEWHERE = {"floor_divide", "floor_divide_public", "less_far", "shift_right"} | {
    "integer_power",
    "polyval",
    "power_of_public",
    "public_power",
    "square",
}
"""With public parameters of their own, in ``test_quotients.py``, ``test_powers.py``,
``test_far_comparisons.py`` and ``test_public_polynomials.py``."""

OF_ROWS = {"log_softmax", "logsumexp", "softmax"}
"""In ``test_softmax.py``."""

WHOLE: dict[str, tuple[Callable[..., Any], Callable[..., Declaration]]] = {
    "floor": (lambda p, x: functions.floor(p, x, 18), rounding.floor_cost),
    "ceil": (lambda p, x: functions.ceil(p, x, 18), rounding.floor_cost),
    "trunc": (lambda p, x: functions.trunc(p, x, 18), rounding.trunc_cost),
    "round_half_even": (
        lambda p, x: functions.round_half_even(p, x, 18),
        rounding.round_half_even_cost,
    ),
    "wrapped": (
        lambda p, x: functions.wrapped(p, x, int8, (-256, 255)),
        lambda costs, size: integers.wrapped_cost(costs, size, int8),
    ),
    "wrapped anywhere": (
        lambda p, x: functions.wrapped(p, x, uint16, (0, 1 << 64)),
        lambda costs, size: integers.wrapped_cost(costs, size, uint16, (0, 1 << 64)),
    ),
}
SIZES = (1, 63, 64, 65, 700, 5000)


def sizes(
    protocol: str, fewer: tuple[int, ...] = (1, 65, 700), *, usual: bool = True
) -> tuple[int, ...]:
    """The sizes to run with a protocol, of its usual settings or others."""
    return SIZES if EVERYTHING or (usual and protocol == "replicated3") else fewer


def check(protocol: str, simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert {c.rounds for c in simulation.driver.counters} == {declared.rounds}
    nothing = (0,) * len(simulation.names)
    assert tuple(cost.bytes_sent[n] for n in simulation.names) == (
        tuple(declared.bytes_sent) or nothing
    )
    assert tuple(cost.check_bytes[n] for n in simulation.names) == (
        tuple(declared.check_bytes) or nothing
    )


@pytest.mark.parametrize(
    ("protocol", "fraction_bits"),
    [
        (protocol, bits)
        for protocol in sorted(PROTOCOLS)
        for bits in ((12, 18, 24) if protocol == "replicated3" else (18,))
    ],
)
@pytest.mark.parametrize("name", FIXED_POINT)
def test_fixed_point_functions(name: str, fraction_bits: int, protocol: str) -> None:
    function: Any = getattr(functions, name)
    table = PROTOCOLS[protocol].costs
    for size in sizes(protocol, usual=fraction_bits == 18):
        simulation = Simulation(protocol=protocol)
        values = [np.full(size, 1 << fraction_bits, np.int64)] * functions.ACCURACY[name].operands
        simulation.run(
            lambda party, *shares: function(party, *shares, fraction_bits),
            *(simulation.share(v) for v in values),
        )
        check(protocol, simulation, FIXED_POINT[name](table, size, fraction_bits))


@pytest.mark.parametrize(
    "protocol", [name for name, protocol in PROTOCOLS.items() if 128 in protocol.rings]
)
@pytest.mark.parametrize("fraction_bits", [18, 24, 25, 32, 40])
@pytest.mark.parametrize("name", FIXED_POINT)
def test_fixed_point_functions_over_128_bits(name: str, fraction_bits: int, protocol: str) -> None:
    if fraction_bits > 24 and name not in FINE:
        simulation = Simulation(protocol=protocol, over=RING128)
        shares = [simulation.share([1])] * functions.ACCURACY[name].operands
        with pytest.raises(RangeError):
            simulation.run(lambda p, *s: getattr(functions, name)(p, *s, fraction_bits), *shares)
        return
    function: Any = getattr(functions, name)
    table = PROTOCOLS[protocol].costs_with(ring=RING128)
    for size in (1, 65) if EVERYTHING or fraction_bits == 18 else (65,):
        simulation = Simulation(protocol=protocol, over=RING128)
        values = [np.full(size, 1 << fraction_bits, np.int64)] * functions.ACCURACY[name].operands
        simulation.run(
            lambda party, *shares: function(party, *shares, fraction_bits),
            *(simulation.share(v) for v in values),
        )
        check(protocol, simulation, FIXED_POINT[name](table, size, fraction_bits))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("rounding", ["nearest", "exact"])
@pytest.mark.parametrize("name", FIXED_POINT)
def test_fixed_point_functions_with_every_rounding(name: str, rounding: Any, protocol: str) -> None:
    function: Any = getattr(functions, name)
    table = PROTOCOLS[protocol].costs_with(rounding)
    for size in (1, 65) if EVERYTHING else (65,):
        simulation = Simulation(protocol=protocol, rounding=rounding)
        values = [np.full(size, 1 << 18, np.int64)] * functions.ACCURACY[name].operands
        simulation.run(
            lambda party, *shares: function(party, *shares, 18),
            *(simulation.share(v) for v in values),
        )
        check(protocol, simulation, FIXED_POINT[name](table, size, 18))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("name", EXACT)
def test_exact_functions(name: str, protocol: str) -> None:
    operands, declared = EXACT[name]
    function: Any = getattr(functions, name)
    if name == "clip":
        function = lambda party, x: functions.clip(party, x, -5, 5)  # noqa: E731
    for size in sizes(protocol):
        simulation = Simulation(protocol=protocol)
        shares = [simulation.share(np.ones(size)) for _ in range(operands)]
        if name == "where":
            shares.insert(0, simulation.share_bits(np.ones(size)))
        simulation.run(function, *shares)
        check(protocol, simulation, declared(PROTOCOLS[protocol].costs, size))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("rounding", ["probabilistic", "exact"])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name: str, rounding: Any, protocol: str) -> None:
    function, declared = WHOLE[name]
    for size in sizes(protocol, usual=rounding == "probabilistic"):
        simulation = Simulation(protocol=protocol, rounding=rounding)
        simulation.run(function, simulation.share(np.ones(size)))
        check(protocol, simulation, declared(PROTOCOLS[protocol].costs_with(rounding), size))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("fraction_bits", [0, 18])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_many(name: str, fraction_bits: int, protocol: str) -> None:
    function: Any = getattr(functions, name)
    for count in (0, 1, 2, 3, 8, 13):
        simulation = Simulation(protocol=protocol)
        rows = simulation.share(np.full((count, 70), 1 << fraction_bits, np.int64))
        simulation.run(lambda party, x: function(party, x, fraction_bits), rows)
        declared = PRODUCTS[name](PROTOCOLS[protocol].costs, count, 70, fraction_bits)
        one = PROTOCOLS[protocol].costs["multiply_truncate" if fraction_bits else "multiply"]
        assert declared.rounds == one(70).rounds * max(count - 1, 0).bit_length()
        check(protocol, simulation, declared)


def test_no_function_is_exempt() -> None:
    data = {"ACCURACY", "Accuracy"}
    whole = {name.split()[0] for name in WHOLE}
    named = set(FIXED_POINT) | set(EXACT) | set(PRODUCTS) | whole | ELSEWHERE | OF_ROWS
    assert named == set(functions.__all__) - data
    assert set(FIXED_POINT) | OF_ROWS == set(functions.ACCURACY)


def test_adding_up() -> None:
    one, two = Declaration(1, (8, 0, 8)), Declaration(3, (1, 2, 3), (0, 32, 0))
    assert costs.in_sequence(one, two) == Declaration(4, (9, 2, 11), (0, 32, 0))
    assert costs.side_by_side(one, two) == Declaration(3, (9, 2, 11), (0, 32, 0))
    assert costs.in_sequence() == costs.NOTHING
    assert costs.side_by_side(costs.NOTHING, one) == one


@pytest.mark.parametrize(
    ("name", "rounds", "most_bytes"),
    [
        ("sigmoid", 12, 440),
        ("tanh", 12, 440),
        ("exp", 19, 370),
        ("log", 30, 650),
        ("sqrt", 30, 685),
        ("rsqrt", 30, 685),
        ("reciprocal", 30, 645),
        ("divide", 30, 705),
        ("expm1", 20, 645),
        ("cosh", 19, 735),
        ("sinh", 20, 1010),
        ("log1p", 30, 650),
        ("log2", 30, 650),
        ("log10", 30, 650),
        ("power", 53, 1130),
        ("hypot", 31, 735),
        ("sin", 22, 296),
        ("cos", 22, 296),
        ("tan", 52, 1245),
        ("atan", 40, 960),
        ("atan2", 48, 1190),
        ("asin", 42, 930),
        ("acos", 42, 930),
        ("erf", 12, 434),
        ("softplus", 12, 500),
        ("logaddexp", 12, 500),
        ("silu", 12, 597),
        ("gelu", 12, 500),
        ("elu", 12, 399),
        ("leaky_relu", 11, 108),
    ],
)
def test_headline(name: str, rounds: int, most_bytes: int) -> None:
    """Rounds and bytes an element on replicated3 for f = 18, all parties together."""
    declared = FIXED_POINT[name](PROTOCOLS["replicated3"].costs, 4096)
    assert declared.rounds == rounds
    assert sum(declared.bytes_sent) / 4096 <= most_bytes
