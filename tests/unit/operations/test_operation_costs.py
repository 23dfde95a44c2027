"""Operations that declare a cost of their own cost exactly that; local ones cost nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tacit.operations.moments import variance_cost
from tacit.operations.scaling import divide_by_count_cost
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration
from tacit.sessions import LocalSession

NAMES = ("a", "b", "c", "d")


def spent(protocol: str, name: str, shape: tuple[int, ...], **attributes: Any) -> Declaration:
    names = NAMES[: PROTOCOLS[protocol].security.parties]
    session = LocalSession(PROTOCOLS[protocol], names)
    x = session.share(np.ones(shape), "a")
    with session.measure() as cost:
        session.apply(name, [x], **attributes)
    return Declaration(
        cost.rounds,
        tuple(cost.bytes_sent[party] for party in names),
        tuple(cost.check_bytes[party] for party in names),
    )


def padded(declared: Declaration, protocol: str) -> Declaration:
    """With zeros written out, where a declaration of nothing leaves them away."""
    zeros = (0,) * PROTOCOLS[protocol].security.parties
    return Declaration(
        declared.rounds, tuple(declared.bytes_sent) or zeros, tuple(declared.check_bytes) or zeros
    )


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("count", [1, 2, 3, 64, 100])
def test_means_and_variances(protocol: str, count: int) -> None:
    costs = PROTOCOLS[protocol].costs
    declared = divide_by_count_cost(costs, 70, 18, count, 18)
    assert padded(declared, protocol) == spent(protocol, "mean", (count, 70), axis=0)
    for correction in (0, 0.5, 1):
        if correction < count:
            declared = variance_cost(costs, count, 70, 18, correction)
            found = spent(protocol, "var", (count, 70), axis=0, correction=correction)
            assert padded(declared, protocol) == found
