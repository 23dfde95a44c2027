"""A corrupt owner shares a number that its encoder would refuse.

The secret v of another owner lies in [0, 2^28), its factor z in [-1, 1], as declared. The parties
open whether v z / 2^18 is below -2^44, which it never is: the bit says nothing, whatever the
corrupt owner inputs within its bounds. With z far outside, v z leaves the range of truncations
where v is large enough, and the bit tells so: a binary search finds all of v. That succeeds
against a copy of each protocol whose inputs are not checked (here, not in the package), and is
refused before anything is computed by the protocols themselves.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from simulation import Simulation

import tacit
from tacit.encoding import RING64, Ring
from tacit.encoding.limits import input_limits
from tacit.encoding.rings import ring_of
from tacit.errors import InputRefusedError, PeerFaultError, TacitError
from tacit.functions.inputs import all_within_cost, checked_input, checked_labels
from tacit.operations import crossing as execution
from tacit.protocols import PROTOCOLS
from tacit.rounds import Adversary, Step, Tamper
from tacit.rounds.adversary import add_one, flip

ACTIVE = pytest.mark.parametrize("protocol", ["fantastic4", "replicated3_active"])
OWNER = 1
COPIES = 24
BOUNDS = (-(1 << 18), 1 << 18)


def program(p: Any, secret: int, factor: int, limits: tuple[int, int]) -> Step[Any]:
    """v and z are shared, v z is truncated; opened is whether it is below every possible result."""
    ring: Ring = p.ring
    own = ring.elements(np.full(COPIES, secret, object))
    v = yield from checked_input(p, 2, own if p.index == 2 else None, (COPIES,), (0, 1 << 28))
    forged = ring.elements(np.full(COPIES, factor, object))
    z = yield from checked_input(p, OWNER, forged if p.index == OWNER else None, (COPIES,), limits)
    if v is None or z is None:
        return None
    y = yield from p.multiply_truncate(v, z, 18)
    below = yield from p.most_significant_bit(p.add_public(y, 1 << (ring.magnitude_bits - 18)))
    return (yield from p.reveal_bits(below, tuple(range(p.size))))


def opened(protocol: str, secret: int, factor: int, seed: int) -> Any:
    simulation = Simulation(seed, protocol=protocol, rounding="exact")
    results = simulation.run(lambda p: program(p, secret, factor, BOUNDS))
    return results[0]


def unchecked(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """The weakened copy. Insecure; it exists only here."""
    monkeypatch.setattr(PROTOCOLS[protocol].party, "checks_inputs", False)


@ACTIVE
def test_within_the_bounds_the_opened_bit_says_nothing(protocol: str) -> None:
    for seed, secret in enumerate((0, 1, (1 << 28) - 1)):
        for factor in (*BOUNDS, 0, 7):
            assert not opened(protocol, secret, factor, seed).any()


@ACTIVE
def test_without_the_check_a_corrupt_owner_finds_the_secret(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """v z < -2^62 if and only if v >= t, for z = -(2^62 / t + 1): one bit of v a session."""
    unchecked(monkeypatch, protocol)
    secret = 123_456_789
    low, high, seed = 0, 1 << 28, 100
    mixed = 0
    while high - low > 1:
        middle = (low + high) // 2
        flags = opened(protocol, secret, -((1 << 62) // middle + 1), seed)
        low, high = (middle, high) if flags.any() else (low, middle)
        mixed += flags.any() and not flags.all()
        seed += 1
    assert low == secret
    # Equal secrets and factors, and not one result: it depends on the shares, in `exact` too.
    assert mixed


@ACTIVE
def test_it_is_refused_before_anything_is_computed(protocol: str) -> None:
    for seed, factor in enumerate(
        (BOUNDS[0] - 1, BOUNDS[1] + 1, 1 << 62, -(1 << 63), 1 - (1 << 40))
    ):
        simulation = Simulation(seed, protocol=protocol)
        results = simulation.run(lambda p, z=factor: program(p, 1 << 27, z, BOUNDS))
        assert results == [None] * len(simulation.parties)
        costs = PROTOCOLS[protocol].costs_with()
        parts = [
            costs["input"](COPIES, 2), all_within_cost(costs, COPIES, (0, 1 << 28)),
            costs["input"](COPIES, OWNER), all_within_cost(costs, COPIES, BOUNDS),
        ]  # fmt: skip
        assert simulation.driver.cost().rounds == sum(part.rounds for part in parts)


@ACTIVE
def test_the_last_number_of_a_long_input_is_found(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a session, which checks long inputs in chunks."""
    monkeypatch.setattr(execution, "CHUNK_SIZE", 128)
    size = 513
    with tacit.local(protocol) as mpc:
        session: Any = mpc.session
        forged = np.zeros(size, np.uint64)
        forged[-1] = 128
        with pytest.raises(InputRefusedError, match="TC-5400"):
            session.input_elements(OWNER, forged, tacit.int8, (size,), (-128, 127))
        forged[-1] = 127
        session.input_elements(OWNER, forged, tacit.int8, (size,), (-128, 127))


@ACTIVE
def test_what_an_input_costs(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "CHUNK_SIZE", 128)
    costs = PROTOCOLS[protocol].costs_with()
    for size, dtype in ((0, tacit.fixed), (128, tacit.fixed), (513, tacit.int8), (70, tacit.bool)):
        with tacit.local(protocol) as mpc:
            with mpc.measure() as cost:
                mpc.share(np.zeros(size, dtype.numpy), "bob", dtype=dtype)
            limits = input_limits(dtype)
            declared = execution.input_cost(costs, dtype, size, OWNER, limits, checked=True)
            assert cost.rounds == declared.rounds
            assert list(cost.bytes_sent.values()) == list(declared.bytes_sent)
            assert list(cost.check_bytes.values()) == list(declared.check_bytes)


def honest(p: Any, value: int) -> Step[Any]:
    elements = p.ring.elements(np.full(70, value, object))
    return checked_input(p, OWNER, elements if p.index == OWNER else None, (70,), (0, 1000))


@ACTIVE
def test_no_message_of_the_owner_gets_its_input_accepted(protocol: str) -> None:
    """Every message that it sends after an out-of-range input is altered in turn."""
    names = Simulation(protocol=protocol).names
    driver = Adversary(names)
    Simulation(5, driver, protocol=protocol).run(lambda p: honest(p, 1001))
    messages = [m for m in driver.sent if m.sender == OWNER]
    assert len(messages) > 10
    for place, message in enumerate(messages):
        for rewrite in (flip(), add_one(), flip(-1)):
            tamper = Tamper(rewrite, OWNER, message.receiver, None, message.index)
            driver = Adversary(names, tamper)
            with suppress(PeerFaultError):  # an honest party stopped
                Simulation(5, driver, protocol=protocol).run(lambda p: honest(p, 1001))
            accepted = [i for i, part in driver.returned.items() if part is not None]
            assert [i for i in accepted if i != OWNER] == [], (place, message)


@ACTIVE
def test_labels_are_bits_whatever_the_owner_sends(protocol: str) -> None:
    """Every bit that the owner sends is a share of a bit: labels are 0 and 1, or nobody goes on."""
    names = Simulation(protocol=protocol).names
    labels = np.ones(64, np.uint8)

    def step(p: Any) -> Step[Any]:
        return checked_labels(p, OWNER, labels if p.index == OWNER else None, (64,))

    for rewrite in (flip(), add_one(3)):
        driver = Adversary(names, Tamper(rewrite, OWNER, None, 1))
        simulation = Simulation(7, driver, protocol=protocol)
        try:
            shared = simulation.run(step)
        except PeerFaultError:
            continue
        assert set(np.unique(simulation.open(shared))) <= {0, 1}


@pytest.mark.parametrize(
    ("protocol", "bits", "dtype", "bounds", "value"),
    [
        ("fantastic4", 64, tacit.fixed, (-1.0, 1.0), (1 << 18) + 1),
        ("fantastic4", 64, tacit.fixed, None, 1 << 61),
        ("fantastic4", 64, tacit.int8, None, 128),
        ("fantastic4", 64, tacit.uint16, None, -1),
        ("fantastic4", 64, tacit.int64, None, 1 << 62),
        ("fantastic4", 64, tacit.int64, (0, 2**63 - 1), -1),
        ("fantastic4", 128, tacit.fixed, (-1.0, 1.0), 1 << 100),
        ("fantastic4", 128, tacit.int64, None, 1 << 63),
        ("fantastic4", 128, tacit.int128, None, -(1 << 126) - 1),
        ("replicated3_active", 64, tacit.fixed, (-1.0, 1.0), -(1 << 18) - 1),
        ("replicated3_active", 64, tacit.int32, None, 1 << 31),
        ("replicated3_active", 64, tacit.fixed, None, -(1 << 63)),
    ],
)
def test_every_type_in_a_session_which_goes_on(
    protocol: str, bits: int, dtype: Any, bounds: Any, value: int
) -> None:
    with tacit.local(protocol, ring=bits) as mpc:
        x = mpc.share(np.arange(3.0), owner="carol")
        session: Any = mpc.session
        limits = session.input_limits(dtype, bounds, None)
        forged = ring_of(bits).elements(np.array([0, value], object))
        with pytest.raises(InputRefusedError) as caught:
            session.input_elements(OWNER, forged, dtype, (2,), limits)
        assert caught.value.parties == ("bob",)
        assert "bob" in str(caught.value)
        assert str(value) not in str(caught.value)
        np.testing.assert_allclose((x + 1).reveal(to="all"), [1, 2, 3])


def test_passive_parties_check_nothing_and_send_nothing_more() -> None:
    with tacit.local() as mpc:
        session: Any = mpc.session
        forged = RING64.elements(np.array([1 << 62], object))
        session.input_elements(OWNER, forged, tacit.fixed, (1,), (-1, 1))
        assert session.total_cost.rounds == 1


@pytest.mark.processes
@ACTIVE
def test_between_processes(protocol: str) -> None:
    with tacit.local(protocol, processes=True) as mpc:
        x = mpc.share(np.arange(3.0), owner="carol", bounds=(0, 2))
        session: Any = mpc.session
        forged = RING64.elements(np.array([0, 1 << 60], object))
        for _ in range(2):
            with pytest.raises(InputRefusedError, match="TC-5400") as caught:
                session.input_elements(OWNER, forged, tacit.fixed, (2,), (-5, 5))
            assert caught.value.parties == ("bob",)
        y = mpc.share([5, 6], owner="bob")
        np.testing.assert_array_equal(y.reveal(to="all"), [5, 6])
        np.testing.assert_allclose((x * x).reveal(to="all"), [0, 1, 4], atol=1e-4)


def test_the_error_travels_as_data() -> None:
    from tacit.functions.inputs import refusal

    again = TacitError.from_dict(refusal("bob").as_dict())
    assert isinstance(again, InputRefusedError)
    assert again.parties == ("bob",)
