"""New shares of what is stored: a sharing of zero from a common coin is added to every entry.

Proactive security (R. Ostrovsky, M. Yung, *How to withstand mobile virus attacks*, PODC 1991; A.
Herzberg, S. Jarecki, H. Krawczyk, M. Yung, *Proactive secret sharing*, CRYPTO 1995). With a
replicated sharing x = Σ x_j any party may know the whole sharing of zero, since it counts as
corrupted in both epochs if it is during the refresh: so delta_1, delta_2, … come from a
pseudorandom function of a coin that all toss together, and delta_0 is minus their sum. Over Z_2
the same with XOR. Communication: the coin's, whatever the size. See decision 0049.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from tacit import kernels
from tacit.encoding.digest import tagged_hash
from tacit.encoding.ring import RING64, Elements, Ring
from tacit.encoding.rings import ring_of
from tacit.sharing.additive import AdditiveForm
from tacit.storage.records import ArrayRecord, Header
from tacit.storage.sealed import CHUNK_BYTES, byte_view
from tacit.storage.store import Holding, Store

__all__ = ["ZeroSharing", "refreshed"]

_BLOCK_BYTES: Final = 16
_KEY_BYTES: Final = 16


class ZeroSharing:
    """The additive parts of a sharing of zero for one entry, from a coin.

    Parameters
    ----------
    coin : bytes-like
        What all parties tossed.
    header : Header
        The entry in its new epoch.
    count : int
        How many additive parts a secret has.
    """

    def __init__(self, coin: bytearray, header: Header, count: int) -> None:
        epoch = header.epoch.to_bytes(8, "little")
        seed = tagged_hash("refresh", coin, header.identity, header.mark, epoch)
        self._key = kernels.StreamKey(seed[:_KEY_BYTES])
        self._count = count

    def __repr__(self) -> str:
        return "ZeroSharing()"

    def add(
        self,
        words: Elements,
        *,
        array: int,
        part: int,
        start: int,
        ring: Ring | None,
    ) -> Elements:
        """Words of one additive part, refreshed.

        Parameters
        ----------
        words : ndarray, (n,)
            Ring elements, or packed bits where `ring` is None.
        array : int
            Which array of the entry.
        part : int
            Which additive part, 0 to count - 1.
        start : int
            The place of the first word in the part; a multiple of 16 bytes.
        ring : Ring or None
        """
        block = start * words.dtype.itemsize // _BLOCK_BYTES
        for lane in range(1, self._count):
            if part in (0, lane):
                delta = np.empty_like(words)
                (ring or RING64).kernels.fill(self._key, array + 1, lane, delta, block)
                if ring is None:
                    words = words ^ delta
                else:
                    words = ring.subtract(words, delta) if part == 0 else ring.add(words, delta)
        return words


def refreshed(
    store: Store, holding: Holding, header: Header, form: AdditiveForm, coin: bytearray
) -> Holding:
    """Write the next epoch of an entry as a prepared file. Local; streams.

    Parameters
    ----------
    store : Store
    holding : Holding
        The epoch that all have.
    header : Header
        The same entry in its new epoch.
    form : AdditiveForm
        How the protocol's shares split into additive parts.
    coin : bytearray
        Tossed by all parties.

    Returns
    -------
    Holding
        The new file.

    Raises
    ------
    StorageError
        The old file is damaged or the new one cannot be written.
    """
    zero = ZeroSharing(coin, header, form.count)
    with store.writing(header) as (new, out), store.reading(holding) as source:
        for number, record in enumerate(header.arrays):
            ring = None if record.kind == "bool" else ring_of(header.ring)
            for part in form.held(new.header.index):
                for start, words in _blocks(record, ring or RING64, header.ring):
                    source.read_into(byte_view(words))
                    renewed = zero.add(words, array=number, part=part, start=start, ring=ring)
                    out.write(byte_view(renewed))
        source.finish()
    return new


def _blocks(record: ArrayRecord, ring: Ring, bits: int) -> Iterator[tuple[int, Elements]]:
    """Room for one part of an array, piece by piece: the place of the first word, and words."""
    words = record.part_bytes(bits) // ring.element_bytes
    step = CHUNK_BYTES // ring.element_bytes
    for start in range(0, words, step):
        yield start, ring.empty(min(step, words - start))
