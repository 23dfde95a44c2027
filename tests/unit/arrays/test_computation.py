"""Opening a computation, sharing, and measuring."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import tacit
from tacit.errors import RangeError, ShapeError, TypeMismatchError, UsageError


def test_the_example_of_the_design() -> None:
    with tacit.local("replicated3") as mpc:
        x = mpc.share(np.array([[1.5, -2.0]]), owner="alice", bounds=(-8, 8))
        y = mpc.share(np.array([[3.0], [4.0]]), owner="bob")
        with mpc.measure() as cost:
            z = x @ y
        np.testing.assert_allclose(z.reveal(to="all"), [[-3.5]], atol=1e-5)
        assert set(cost.bytes_sent) == set(cost.check_bytes) == {"alice", "bob", "carol"}
        assert cost.rounds > 0
        assert cost.seconds > 0
        assert repr(cost).startswith("Cost(rounds=")
        assert mpc.total_cost.rounds > cost.rounds
        assert mpc.security.parties == 3


def test_measure_is_filled_at_the_end_and_counts_what_is_inside() -> None:
    with tacit.local() as mpc:
        x = mpc.share(np.ones((10, 10)), owner="alice")
        with mpc.measure() as free:
            (x + 1).T.reshape(-1)[3:].sum()
        assert (free.rounds, free.total_bytes) == (0, 0)
        with mpc.measure() as first:
            assert first == tacit.Cost()
            x * x
        with mpc.measure() as second:
            x * x
        assert (first.rounds, first.bytes_sent) == (second.rounds, second.bytes_sent)
        with pytest.raises(dataclasses.FrozenInstanceError):
            first.rounds = 0  # type: ignore[misc]
        with pytest.raises(RuntimeError, match="inside"), mpc.measure() as failed:
            raise RuntimeError("inside")
        assert failed == tacit.Cost()


def test_a_network_makes_seconds_virtual() -> None:
    with tacit.local(network=tacit.WAN) as far, tacit.local(network=tacit.METRO) as near:
        seconds = []
        for mpc in (far, near):
            x = mpc.share(np.ones(10), owner="alice")
            with mpc.measure() as cost:
                y = x * x
            np.testing.assert_allclose(y.reveal(to="all"), 1.0, atol=1e-4)
            assert mpc.total_cost.seconds > cost.seconds
            seconds.append(cost.seconds)
        for measured, network in zip(seconds, (tacit.WAN, tacit.METRO), strict=True):
            assert 3 * network.latency_seconds < measured < 1.0
        assert seconds[0] > seconds[1]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ({"protocol": "replicated9"}, "TC-1001", "replicated3"),
        ({"parties": ["a", "b"]}, "TC-1021", "3 parties"),
        ({"parties": "abc"}, "TC-1021", "3 parties"),
        ({"parties": ["a", "b", "a"]}, "TC-1022", "different"),
        ({"parties": ["a", "b", "all"]}, "TC-1023", "'all'"),
        ({"parties": ["a", "b", ""]}, "TC-1023", "letters"),
        ({"parties": ["a", "b", 3]}, "TC-1023", "letters"),
        ({"processes": True, "seed": 1}, "TC-1032", "seed"),
        ({"processes": True, "network": tacit.WAN}, "TC-1034", "real one"),
    ],
)
def test_what_cannot_be_opened(arguments: dict[str, object], code: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        tacit.local(**arguments)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert text in str(caught.value)


def test_named_parties() -> None:
    with tacit.local(parties=["bank_a", "bank_b", "neutral"]) as mpc:
        assert mpc.parties == ("bank_a", "bank_b", "neutral")
        assert "bank_b" in repr(mpc)
        with pytest.raises(UsageError, match="bank_a, bank_b, neutral"):
            mpc.share([1.0], owner="alice")


def test_sharing_refuses_before_anything_is_sent() -> None:
    with tacit.local() as mpc:
        before = mpc.total_cost.rounds
        for values, options, error in [
            ([1.0, np.nan], {}, RangeError),
            ([np.inf], {}, RangeError),
            ([9.0], {"bounds": (-8, 8)}, RangeError),
            ([2.0**50], {}, RangeError),
            ([1.5], {"dtype": tacit.int64}, TypeMismatchError),
            ([2], {"dtype": tacit.bool}, RangeError),
            (["text"], {}, TypeMismatchError),
            ([1.0], {"shape": (2,)}, ShapeError),
            (None, {}, UsageError),
        ]:
            with pytest.raises(error) as caught:
                mpc.share(values, owner="alice", **options)  # type: ignore[arg-type]
            assert caught.value.next_step
        assert mpc.total_cost.rounds == before


def test_a_closed_computation_says_so() -> None:
    mpc = tacit.local()
    x = mpc.share([1.0], owner="alice")
    mpc.close()
    mpc.close()
    for use in (lambda: x + 1, lambda: x.reveal(to="all"), lambda: mpc.total_cost):
        with pytest.raises(UsageError, match="closed"):
            use()


def test_a_seed_gives_the_same_shares() -> None:
    def parts(seed: int | None) -> list[bytes]:
        with tacit.local(seed=seed) as mpc:
            reference = mpc.share(np.arange(5.0), owner="bob").reference
            return [part.share.own.tobytes() for part in reference.parts]  # type: ignore[attr-defined]

    assert parts(7) == parts(7)
    assert parts(7) != parts(8)
    assert parts(None) != parts(None)
