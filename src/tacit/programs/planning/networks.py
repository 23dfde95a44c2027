"""Networks by name or by figures, as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tacit.errors import ProgramError
from tacit.programs.planning.measured import Measured
from tacit.rounds.virtual import LAN, LOOPBACK, METRO, TEN_SEGMENTS, WAN, Network

__all__ = ["NETWORKS", "described", "network_of"]

NETWORKS: Final[Mapping[str, Network]] = {
    "loopback": LOOPBACK,
    "lan": LAN,
    "metro": METRO,
    "wan": WAN,
}

_TIME = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_SPEED = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_FIGURE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zµ]+)(?:/s)?")


def network_of(given: Network | Measured | str) -> Network | Measured:
    """A network: itself, by name, or from ``rtt=20ms,bandwidth=100Mbit``.

    Raises
    ------
    ProgramError
        It is neither (TC-1560).
    """
    if isinstance(given, Network | Measured):
        return given
    text = given.strip().lower()
    if text in NETWORKS:
        return NETWORKS[text]
    figures = dict(part.split("=", 1) for part in text.split(",") if part.count("=") == 1)
    if figures.keys() == {"rtt", "bandwidth"}:
        rtt = _figure(figures["rtt"], _TIME)
        bandwidth = _figure(figures["bandwidth"], _SPEED)
        if rtt is not None and bandwidth:
            return Network(rtt / 2, bandwidth, TEN_SEGMENTS)
    raise ProgramError(
        f"{given[:80]!r} is no network.",
        next_step=f"choose one of: {', '.join(NETWORKS)}; or give a round-trip time and a"
        " bandwidth, such as rtt=20ms,bandwidth=100Mbit.",
        case=60,
    )


def _figure(text: str, units: Mapping[str, float]) -> float | None:
    found = _FIGURE.fullmatch(text.strip())
    if found is None or found[2] not in units:
        return None
    return float(found[1]) * units[found[2]]


def described(network: Network | Measured) -> str:
    """A network in a few words."""
    if isinstance(network, Measured):
        return network.describe()
    speed = network.bits_per_second
    unit, per = ("Gbit/s", 1e9) if speed >= 1e9 else ("Mbit/s", 1e6)
    figures = f"{network.latency_seconds * 2e3:g} ms round trip, {speed / per:g} {unit}"
    for name, known in NETWORKS.items():
        if network == known:
            return f"{name} ({figures})"
    return figures
