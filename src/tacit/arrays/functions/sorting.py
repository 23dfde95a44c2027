"""Sorting and shuffling: nobody learns an order.

All sorts are stable: equal elements keep their order, also where the largest come first. Numbers
compare exactly for magnitudes below 2^62 in the ring, which holds for all fixed-point numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.arrays.array import SecretArray, applied, applied_all
from tacit.errors import UsageError

__all__ = [
    "argsort",
    "lexsort",
    "shuffle",
    "sort",
    "sort_by",
]


def key_bits(x: Any) -> int | None:
    """How many bits hold the ring elements of an array in magnitude, by its public bounds.

    Narrow keys take one comparison where others take three: small integers, and arrays with
    declared bounds. None where nothing is known; a public array says itself.
    """
    if not isinstance(x, SecretArray):
        array = np.asarray(x)
        if array.dtype.kind not in "biu" or not array.size:
            return None
        return max(abs(int(array.max())), abs(int(array.min()))).bit_length()
    if x.bounds is None:
        return None
    return math.ceil(max(map(abs, x.bounds)) * x.dtype.scale).bit_length()


def sort(
    x: SecretArray, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> SecretArray:
    """The elements along an axis in ascending order. Exact; always stable.

    Parameters
    ----------
    x : SecretArray
    axis : int
        The axis; all lines along it are sorted side by side, in the same rounds.
    descending : bool
        The largest first.
    stable : bool
        For the standard's sake: the sort is stable whatever it says.

    Notes
    -----
    10^4 numbers: about 110 rounds and 2.7 kB an element, all parties together; 1 kB where bounds
    are known (declared, or of small integers). The rounds follow from the shape; the bytes vary by
    some per cent with the order of shuffled elements, which the parties learn and which says
    nothing about x. Booleans: 9 rounds.
    """
    return applied("sort", x, axis=axis, descending=descending, key_bits=key_bits(x))


def argsort(
    x: SecretArray, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> SecretArray:
    """Where the elements in order stand along an axis: secret positions. As :func:`sort`.

    Ties keep their order: the first of equal elements comes first, descending as well.
    """
    return applied("argsort", x, axis=axis, descending=descending, key_bits=key_bits(x))


def lexsort(keys: Sequence[Any], /, *, descending: bool | Sequence[bool] = False) -> SecretArray:
    """Where rows stand in the order of several keys: as in NumPy the *last* key comes first.

    Parameters
    ----------
    keys : sequence of array
        Vectors of one length, at least one of them secret.
    descending : bool or sequence of bool
        The largest first, for all keys or for each.
    """
    keys, flags = _first_key_first("lexsort", list(keys)[::-1], descending, backwards=True)
    widths = tuple(map(key_bits, keys))
    return applied("lexsort", *keys, descending=flags, key_bits=widths)


def sort_by(arrays: Any, /, keys: Any, *, descending: bool | Sequence[bool] = False) -> Any:
    """The rows of arrays in the order of secret keys, stably; nobody learns the order.

    Parameters
    ----------
    arrays : array or sequence of array
        What is put in order along the first axis.
    keys : array or sequence of array
        Vectors of that length; the *first* one comes first.
    descending : bool or sequence of bool
        The largest first, for all keys or for each.

    Returns
    -------
    SecretArray or tuple of SecretArray
        As many as were given. All travel under one permutation, in the rounds of one sort.
    """
    several = isinstance(arrays, list | tuple)
    columns = list(arrays) if several else [arrays]
    given = list(keys) if isinstance(keys, list | tuple) else [keys]
    given, flags = _first_key_first("sort_by", given, descending)
    widths = tuple(map(key_bits, given))
    found = applied_all("sort_by", *columns, *given, descending=flags, key_bits=widths)
    return found if several else found[0]


def _first_key_first(
    name: str, keys: list[Any], descending: bool | Sequence[bool], *, backwards: bool = False
) -> tuple[list[Any], tuple[bool, ...]]:
    if isinstance(descending, Sequence):
        flags = tuple(map(bool, descending))[:: -1 if backwards else 1]
    else:
        flags = (bool(descending),) * len(keys)
    if len(flags) != len(keys):
        raise UsageError(
            f"{name}: {len(flags)} directions for {len(keys)} keys.",
            next_step="give one direction for all keys, or one for each.",
            case=52,
            stage=name,
        )
    return keys, flags


def shuffle(x: SecretArray, /, *, axis: int = 0) -> SecretArray:
    """Slices along an axis in a uniform order that nobody knows.

    ``tacit.shuffle(mpc.constant(np.arange(n)))`` is a secret random permutation. 2 rounds, 32 bytes
    an element, all parties together.
    """
    return applied("shuffle", x, axis=axis)
