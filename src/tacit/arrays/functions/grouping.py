"""Histograms, counts, sums and means by group. Sizes are public, results secret."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tacit.arrays.array import SecretArray, applied, applied_all, secret_operand
from tacit.arrays.functions.sorting import key_bits

__all__ = [
    "Groups",
    "bincount",
    "group_by",
    "group_count",
    "group_mean",
    "group_sum",
    "histogram",
]


def histogram(
    x: SecretArray, /, bins: ArrayLike, *, weights: Any = None
) -> tuple[SecretArray, NDArray[Any]]:
    """How many elements, or how much weight, lies between public edges.

    Parameters
    ----------
    x : SecretArray
        Any shape.
    bins : array_like
        Public edges in ascending order. A number of bins would need the range of the data, which
        is secret: use ``np.linspace(low, high, bins + 1)``.
    weights : array, optional
        Of x's shape, secret or public.

    Returns
    -------
    (SecretArray, ndarray)
        The totals and the edges. As in NumPy the last edge belongs to the last bin, and elements
        outside all bins are left out.

    Notes
    -----
    Every element is compared with every edge: 9 rounds (10 with weights, and again for every 2^19
    comparisons), 66 bytes an element and edge.
    """
    edges = np.atleast_1d(np.asarray(bins))
    flat = secret_operand("histogram", x).reshape(-1)
    return _totals(flat, edges, _flat(weights), single=False), edges


def _flat(weights: Any) -> Any:
    if weights is None or isinstance(weights, SecretArray):
        return None if weights is None else weights.reshape(-1)
    return np.ravel(weights)


def _totals(x: Any, edges: Any, weights: Any, *, single: bool) -> SecretArray:
    operands = (x, edges) if weights is None else (x, edges, weights)
    return applied("totals_between", *operands, single=single)


def bincount(x: SecretArray, /, weights: Any = None, *, minlength: int) -> SecretArray:
    """How often each integer 0 to minlength - 1 occurs, or the sum of its weights.

    Parameters
    ----------
    x : SecretArray
        Integers along one axis. Others than 0 to minlength - 1 are left out.
    weights : array, optional
        Along one axis, secret or public.
    minlength : int
        How many bins; must be given, as the largest element is secret.
    """
    return _totals(x, np.arange(operator.index(minlength)), weights, single=True)


def group_count(keys: SecretArray, groups: ArrayLike, /) -> SecretArray:
    """How many keys equal each of some public groups; 9 rounds.

    Parameters
    ----------
    keys : SecretArray
        Numbers along one axis. Keys that are no group are left out.
    groups : array_like
        The public values that keys can take.
    """
    return _totals(keys, groups, None, single=True)


def group_sum(keys: SecretArray, values: Any, groups: ArrayLike, /) -> SecretArray:
    """The sum of the values of each public group; zero for an empty one. 10 rounds.

    Parameters
    ----------
    keys : SecretArray
        Numbers along one axis.
    values : array
        A row for every key: (n,) or (n, …), secret or public.
    groups : array_like
        The public values that keys can take.

    Returns
    -------
    SecretArray
        (groups,) or (groups, …). Exact.
    """
    return _totals(keys, groups, values, single=True)


def group_mean(keys: SecretArray, values: Any, groups: ArrayLike, /) -> SecretArray:
    """The mean of the values of each public group; zero for an empty one.

    See :func:`group_sum`; the quotient has the error of :func:`tacit.divide`.
    """
    sums = group_sum(keys, values, groups)
    return _mean(sums, group_count(keys, groups))


def _mean(sums: SecretArray, counts: SecretArray) -> SecretArray:
    least_one = applied("maximum", counts, np.asarray(1))
    return sums / least_one.reshape((*counts.shape, *(1,) * (sums.ndim - counts.ndim)))


class Groups(NamedTuple):
    """What :func:`group_by` gives: one place for each group, in ascending order of the keys.

    Attributes
    ----------
    keys, sums : SecretArray or tuple of SecretArray, (n,)
        As they were given. Zero behind the last group.
    counts : SecretArray, (n,)
        How many rows each group has. Zero behind the last group.
    valid : SecretArray of tacit.bool, (n,)
        True in the places of groups: ``valid.sum()`` is how many groups there are.
    """

    keys: Any
    sums: Any
    counts: SecretArray
    valid: SecretArray

    def means(self) -> Any:
        """The mean of every group, zero behind the last one."""
        if isinstance(self.sums, tuple):
            return tuple(_mean(sums, self.counts) for sums in self.sums)
        return _mean(self.sums, self.counts)


def group_by(keys: Any, values: Any = (), /) -> Groups:
    """Sums and counts by secret keys that nobody knows, not even how many there are.

    Parameters
    ----------
    keys : SecretArray or sequence of array, (n,)
        One key or several; rows belong together where all keys are equal.
    values : SecretArray or sequence of array, (n,)
        What is summed up; nothing by default.

    Returns
    -------
    Groups
        All of length n, because the number of groups is secret.

    Notes
    -----
    A sort, prefix sums and a partition: the rounds of :func:`tacit.sort_by` and about 20 more.
    """
    many = isinstance(keys, list | tuple)
    several = isinstance(values, list | tuple)
    columns = [*(keys if many else [keys]), *(values if several else [values])]
    count = len(keys) if many else 1
    widths = tuple(map(key_bits, columns[:count]))
    *found, counts, valid = applied_all("group_by", *columns, keys=count, key_bits=widths)
    first, rest = tuple(found[:count]), tuple(found[count:])
    return Groups(first if many else first[0], rest if several else rest[0], counts, valid)
