"""The steps between three and four parties cost what they declare."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulation import NAMES, Simulation

from tacit.protocols.fallback import inputs_cost, transfer
from tacit.protocols.fantastic4.readmission import readmit, readmit_cost
from tacit.protocols.service import (
    ServiceParty,
    deliver,
    deliver_cost,
    deposit,
    deposit_cost,
    put_in,
    put_in_cost,
)
from tacit.rounds import Declaration, LockstepDriver
from tacit.rounds.randomness import SeededRandomness
from tacit.sharing.fallback import drop, members_without

SIZES = pytest.mark.parametrize("size", [0, 1, 64, 65, 200])
KINDS = pytest.mark.parametrize("bits", [False, True], ids=["numbers", "bits"])
PROTOCOLS = pytest.mark.parametrize("protocol", ["replicated3", "replicated3_active"])
A, B = 1, 3
OLD, NEW = members_without(B), members_without(A)


def of_three(size: int, bits: bool) -> list[Any]:
    four = Simulation(1, protocol="fantastic4")
    values = np.zeros(size, np.int64)
    parts = four.share_bits(values) if bits else four.share(values)
    return [drop(part, i, B, A) for i, part in enumerate(parts)]


def compare(driver: LockstepDriver, declared: Declaration) -> None:
    cost = driver.cost()
    assert cost.rounds == declared.rounds
    assert tuple(cost.bytes_sent.values()) == tuple(declared.bytes_sent)
    assert tuple(cost.check_bytes.values()) == tuple(declared.check_bytes)


@SIZES
@KINDS
@PROTOCOLS
def test_transfer(size: int, bits: bool, protocol: str) -> None:
    s = Simulation(2, protocol=protocol)
    parts = of_three(size, bits)
    s.run(
        lambda p, part: transfer(p, part, (size,), bits=bits, old=OLD, new=NEW),
        [parts[i] for i in NEW],
    )
    owners = (NEW.index(0), NEW.index(2))
    compare(s.driver, inputs_cost(s.parties[0], size, owners, bits=bits))


@SIZES
@KINDS
def test_readmit(size: int, bits: bool) -> None:
    s = Simulation(2, protocol="fantastic4")
    s.run(lambda p, part: readmit(p, part, (size,), bits=bits, back=B), of_three(size, bits))
    compare(s.driver, readmit_cost(size, B, bits=bits))


@SIZES
@KINDS
@PROTOCOLS
def test_service(size: int, bits: bool, protocol: str) -> None:
    seeds = Simulation(3).seeds
    served = NEW.index(B)
    three = [ServiceParty(NAMES, i, served, seeds[i]) for i in range(3)]
    parts = of_three(size, bits)
    driver = LockstepDriver(NAMES)
    driver.run(
        [
            deliver(p, parts[i], (size,), bits=bits, members=OLD, index=i, suspect=A)
            for p, i in zip(three, NEW, strict=True)
        ]
    )
    compare(driver, deliver_cost(size, served, bits=bits))
    driver = LockstepDriver(NAMES)
    values = np.zeros(size, np.uint8 if bits else np.uint64)
    source = SeededRandomness(1)
    summands = driver.run(
        [
            deposit(p, values if p.index == served else None, (size,), source, bits=bits)
            for p in three
        ]
    )
    compare(driver, deposit_cost(size, served, bits=bits))
    s = Simulation(2, protocol=protocol)
    helpers = (OLD.index(0), OLD.index(2))
    s.run(
        lambda p, part: put_in(p, part, (size,), bits=bits, helpers=helpers),
        [summands[0], None, summands[1]],
    )
    compare(s.driver, put_in_cost(s.parties[0], size, helpers, bits=bits))
