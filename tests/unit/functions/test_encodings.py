"""Encodings for which no error is stated are refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation

from tacit import functions
from tacit.errors import RangeError


@pytest.mark.parametrize("fraction_bits", [0, 11, 25, 40])
@pytest.mark.parametrize("name", sorted(functions.ACCURACY))
def test_refused(name: str, fraction_bits: int) -> None:
    simulation = Simulation()
    function: Any = getattr(functions, name)
    operands = [simulation.share([1])] * functions.ACCURACY[name].operands
    with pytest.raises(RangeError, match=r"TC-1303.*12 to 24") as caught:
        simulation.run(lambda party, *x: function(party, *x, fraction_bits), *operands)
    assert caught.value.stage == name
    assert simulation.driver.cost().rounds == 0
