"""The memory of a party's process stays near its shares, however long the arrays."""

from __future__ import annotations

import msgspec
import pytest

from bench.operation_party import Report, Settings
from tacit.sessions import launch

pytestmark = pytest.mark.processes

NAMES = ("alice", "bob", "carol")


@pytest.mark.parametrize(
    ("operation", "size", "slack"),
    [
        ("relu", 1 << 22, 128 << 20),
        ("multiply", 1 << 22, 128 << 20),
        ("sqrt", 1 << 21, 256 << 20),
        ("hypot", 5 << 18, 256 << 20),
        ("sinh", 5 << 18, 224 << 20),
        ("bitwise_and of integers", 5 << 18, 224 << 20),
    ],
)
def test_a_party_needs_its_shares_and_little_more(operation: str, size: int, slack: int) -> None:
    """Interpreter and libraries included: they take about 55 MiB of what is allowed.

    Computed whole, ReLU and product need 150 MiB beside their shares, the square root 1.1 GiB. In
    chunks as large as others', AND of integers needs 800 MiB, the hyperbolic sine 273.
    """
    found = launch(NAMES, "bench.operation_party", dict.fromkeys(NAMES, Settings(operation, size)))
    for result in found.values():
        report = msgspec.convert(result, Report)
        assert report.shares == 2 * 2 * 8 * size
        assert report.peak_memory < report.shares + slack
        assert report.max_error < 1e-3
