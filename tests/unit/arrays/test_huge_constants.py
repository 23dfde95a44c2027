"""Public integers of 2^62 and more beside secrets: never a comparison that is silently wrong."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tacit
from tacit import Computation
from tacit.errors import RangeError, TypeMismatchError

HALF = 1 << 62
CONSTANTS = [HALF - 1, HALF, HALF + 1, (1 << 63) - 1, -HALF + 1, -HALF, -HALF - 1, -(1 << 63), 7]
SECRETS = np.array([-HALF, -HALF + 1, -7, 0, 7, HALF - 2, HALF - 1])
"""To both ends of what integers are documented to be compared in."""

FARTHER = np.array([*CONSTANTS, *SECRETS.tolist()])
"""Beyond, where a comparison with a huge number is still exact."""

RELATIONS: dict[str, Callable[..., Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@pytest.fixture(scope="module", params=[64, 128])
def mpc(request: pytest.FixtureRequest) -> Iterator[Computation]:
    with tacit.local("replicated3", seed=3, ring=request.param) as opened:
        yield opened


def revealed(x: Any) -> NDArray[Any]:
    return np.asarray(x.reveal(to="all"))


@pytest.mark.parametrize("relation", RELATIONS)
def test_relations_with_every_constant(mpc: Computation, relation: str) -> None:
    compare, constants = RELATIONS[relation], np.array(CONSTANTS)[:, None]
    x = mpc.share(SECRETS, owner="alice")
    np.testing.assert_array_equal(revealed(compare(x, constants)), compare(SECRETS, constants))
    np.testing.assert_array_equal(revealed(compare(constants, x)), compare(constants, SECRETS))
    huge = constants[np.abs(constants.astype(float)) >= HALF].reshape(-1, 1)
    x = mpc.share(FARTHER, owner="alice")
    np.testing.assert_array_equal(revealed(compare(x, huge)), compare(FARTHER, huge))
    # One number, as people write it.
    assert revealed(compare(x[:1], -(2**63))) == compare(FARTHER[0], -(2**63))
    assert revealed(compare(x[:1], float(2**62))) == compare(int(FARTHER[0]), 2**62)


@pytest.mark.parametrize("relation", RELATIONS)
def test_small_integers_meet_huge_ones(mpc: Computation, relation: str) -> None:
    compare, constants = RELATIONS[relation], np.array(CONSTANTS)[:, None]
    values = np.array([-128, 0, 7, 127], np.int8)
    x = mpc.share(values, owner="bob") + np.int8(0)
    np.testing.assert_array_equal(revealed(compare(x, constants)), compare(values, constants))


def test_choices(mpc: Computation) -> None:
    x = mpc.share(SECRETS, owner="alice")
    constants = np.array(CONSTANTS)[:, None]
    for ours, numpys in ((tacit.maximum, np.maximum), (tacit.minimum, np.minimum)):
        np.testing.assert_array_equal(revealed(ours(x, constants)), numpys(SECRETS, constants))
        np.testing.assert_array_equal(revealed(ours(constants, x)), numpys(SECRETS, constants))
    for low, high in ((-(1 << 63), 5), (-5, (1 << 63) - 1), (HALF, HALF + 9), (-HALF, HALF - 1)):
        found = revealed(tacit.clip(x, low, high))
        np.testing.assert_array_equal(found, np.clip(SECRETS, low, high))
    chosen = tacit.where(x > -(1 << 63), x, 0)
    np.testing.assert_array_equal(revealed(chosen), SECRETS)


@pytest.mark.parametrize("side", ["left", "right"])
def test_edges(mpc: Computation, side: Any) -> None:
    edges = np.sort(np.array(CONSTANTS))
    x = mpc.share(SECRETS, owner="alice")
    found = revealed(tacit.searchsorted(edges, x, side=side))
    np.testing.assert_array_equal(found, np.searchsorted(edges, SECRETS, side))
    found = revealed(tacit.searchsorted(x, edges, side=side))
    np.testing.assert_array_equal(found, np.searchsorted(SECRETS, edges, side))
    groups = np.array([-(1 << 63), -7, 7, HALF - 1, (1 << 63) - 1])
    counted = revealed(tacit.histogram(x, groups)[0])
    np.testing.assert_array_equal(counted, np.histogram(SECRETS, groups)[0])
    found = revealed(tacit.isin(x, np.array([-(1 << 63), 7, (1 << 63) - 1])))
    np.testing.assert_array_equal(found, SECRETS == 7)


def test_what_no_secret_holds_is_refused(mpc: Computation) -> None:
    x = mpc.share(SECRETS, owner="alice")
    for number in (1 << 63, np.uint64(1 << 63), 2.0**63, np.inf, 1 << 70):
        with pytest.raises((RangeError, TypeMismatchError)):
            operator.lt(x, number)
    assert revealed(x < 1).any()  # before anything was computed: the session goes on


def test_huge_public_keys_are_refused() -> None:
    keys = np.array([HALF, -HALF])
    with tacit.local("replicated3") as mpc:
        x = mpc.share([1, 2], owner="alice")
        for sort in (
            lambda: tacit.sort_by([x], [keys]),
            lambda: tacit.lexsort([x, keys]),
            lambda: tacit.group_by([keys, x], [x]),
        ):
            with pytest.raises(RangeError, match="TC-1352"):
                sort()
        (found,) = tacit.sort_by([keys], [x])  # as a column it only travels
        np.testing.assert_array_equal(revealed(found), keys)


def test_declared_bounds_do_not_refuse_what_is_right(mpc: Computation) -> None:
    x = mpc.share([3, -3], owner="alice", bounds=(-3, 3))
    assert revealed(x < (1 << 63) - 1).all()
    assert revealed(tacit.maximum(x, -(1 << 63))).tolist() == [3, -3]
    assert revealed(tacit.clip(x, -(1 << 63), (1 << 63) - 1)).tolist() == [3, -3]


def test_checked_mode_finds_secrets_beyond() -> None:
    with tacit.local("replicated3", checked=True) as mpc:
        x = mpc.share([HALF - 1, -5], owner="alice")
        assert revealed(x < (1 << 63) - 1).all()
        with pytest.raises(RangeError, match="add"):
            x + x[:1]
        with pytest.raises(RangeError, match="maximum"):
            tacit.maximum(x, (1 << 63) - 1)
