"""How a computation is opened whose parties all run on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tacit.arrays.computation import Computation
from tacit.encoding.rings import ring_of
from tacit.encoding.types import fixed, fixed_point
from tacit.errors import UsageError
from tacit.network import NetworkSettings
from tacit.protocols import protocol_named
from tacit.protocols.interface import Rounding, checked_rounding
from tacit.rounds.randomness import SeededRandomness
from tacit.rounds.virtual import Network, VirtualTime
from tacit.sessions import LocalSession, ProcessSession, checked_parties
from tacit.storage import Place, places

__all__ = ["local"]


def local(
    protocol: str = "replicated3",
    parties: Sequence[str] | None = None,
    processes: bool = False,
    *,
    seed: int | None = None,
    settings: NetworkSettings | None = None,
    rounding: Rounding = "probabilistic",
    ring: int = 64,
    fraction_bits: int = fixed.fraction_bits,
    network: Network | None = None,
    checked: bool = False,
    storage: Path | str | Mapping[str, Place] | None = None,
    threads: int | None = None,
) -> Computation:
    """Open a computation whose parties all run on this machine.

    Parameters
    ----------
    protocol : str
        The protocol's name.
    parties : sequence of str, optional
        The parties' names; by default alice, bob, carol, … as many as the protocol needs.
    processes : bool
        Each party in a process of its own, linked by mutual TLS, instead of all in this one.
    seed : int, optional
        Reproducible shares, for tests and examples in one process. Never secure.
    settings : NetworkSettings, optional
        Time limits between processes.
    rounding : {"probabilistic", "nearest", "exact"}
        How fixed-point products, sums and functions round. With ``"exact"`` (down) and
        ``"nearest"`` results are the same bits in every run, at more rounds
        (``docs/decisions/0026-rounding-modes.md``).
    ring : {64, 128}
        The bits of the ring that shares are elements of. 128 hold numbers and products that 64
        do not, at twice the bytes and more work (``docs/encodings.md``).
    fraction_bits : int
        The fractional bits of the fixed point that float arrays become by default: 1 to 40, over
        128 bits 1 to 100.
    network : Network, optional
        Count seconds in virtual time, as if the parties were on such a network, for instance
        ``tacit.METRO`` or ``tacit.WAN``: what `measure` gives is then a prediction
        (``docs/performance.md``). For parties in this process.
    checked : bool
        For development, in one process: after every operation the parties open one bit, whether
        it left its range, and :class:`~tacit.errors.RangeError` names the first that did
        (``docs/types.md``). Slower by a factor of about ten.
    storage : path or mapping of str to Place, optional
        Where the parties keep what ``save`` seals: a folder with one inside for each party, or
        each party's own place (``docs/storage.md``).
    threads : int, optional
        Threads of each party for matrix products; results are the same bits with any number. By
        default the environment's ``TACIT_THREADS``, and else the cores that this process may
        use: all of them with parties in this process, which compute in turn, and an equal part
        for each of several processes. One on a simulated network.

    Returns
    -------
    Computation

    Raises
    ------
    UsageError
        An unknown protocol, rounding or ring, a wrong number of parties, bad names, a seed or a
        network with processes, a seed with storage.
    RangeError
        More fractional bits than the ring has room for.

    Examples
    --------
    >>> import numpy as np, tacit
    >>> with tacit.local("replicated3") as mpc:
    ...     x = mpc.share(np.array([1.5, -2.0]), owner="alice")
    ...     (x * x).sum().reveal(to="all")
    array(6.25)
    """
    chosen = protocol_named(protocol)
    names = checked_parties(chosen, parties)
    checked_rounding(rounding)
    elements, fractions = ring_of(ring), fixed_point(fraction_bits)
    kept = None
    if storage is not None:
        if seed is not None:
            raise UsageError(
                "A seed is for sessions without storage: it repeats the masks of the session that"
                " saved, which shows the difference of what they hid.",
                next_step="leave seed away, or storage.",
                case=77,
            )
        kept = dict(storage) if isinstance(storage, Mapping) else places(storage, names)
    if processes:
        if checked:
            raise UsageError(
                "checked=True is for parties in one process.",
                next_step="leave checked away, or processes=False, and test there first.",
                case=71,
            )
        if seed is not None:
            raise UsageError(
                "A seed is for parties in one process; processes take the system's randomness.",
                next_step="leave seed away, or processes=False.",
                case=32,
            )
        if network is not None:
            raise UsageError(
                "A network is simulated for parties in one process; processes have a real one.",
                next_step="leave network away, or processes=False.",
                case=34,
            )
        return Computation(
            ProcessSession(
                chosen,
                names,
                settings,
                rounding=rounding,
                ring=elements,
                fractions=fractions,
                storage=kept,
                threads=threads,
            )
        )
    randomness = None if seed is None else SeededRandomness(seed)
    driver = None if network is None else VirtualTime(names, network)
    return Computation(
        LocalSession(
            chosen,
            names,
            randomness,
            driver,
            rounding=rounding,
            ring=elements,
            fractions=fractions,
            checked=checked,
            storage=kept,
            threads=threads,
        )
    )
