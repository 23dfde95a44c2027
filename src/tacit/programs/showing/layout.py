"""Where the boxes of a graph go: layers from top to bottom, few crossings, straight chains.

The layered method of Sugiyama, Tagawa and Toda (1981): layers by the longest path, dummies on long
edges, orders by barycentres, then positions as near to their neighbours as the boxes' widths allow
(an isotonic regression for each layer).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

__all__ = ["Layout", "Placed", "layered"]

_GAP: Final = 18.0
_BETWEEN: Final = 34.0
_SWEEPS: Final = 8
_DUMMY: Final = 8.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A box: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes, and a line for each edge.

    Attributes
    ----------
    boxes : list of Placed
    lines : list of list of (x, y)
        For each edge the points that it passes, from top to bottom.
    width, height : float
    """

    boxes: list[Placed]
    lines: list[list[tuple[float, float]]]
    width: float
    height: float


def layered(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]) -> Layout:
    """Lay out a graph.

    Parameters
    ----------
    sizes : sequence of (width, height)
        Of the boxes, in an order in which edges go forwards.
    edges : sequence of (from, to)
    """
    if not sizes:
        return Layout([], [], 0.0, 0.0)
    layer = _layers(len(sizes), edges)
    widths = [size[0] for size in sizes]
    chains: list[list[int]] = []
    for start, end in edges:
        chain = [start]
        for between in range(layer[start] + 1, layer[end]):
            layer.append(between)
            widths.append(_DUMMY)
            chain.append(len(layer) - 1)
        chains.append([*chain, end])
    above: list[list[int]] = [[] for _ in layer]
    below: list[list[int]] = [[] for _ in layer]
    for chain in chains:
        for one, other in pairwise(chain):
            below[one].append(other)
            above[other].append(one)
    rows: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for number, place in enumerate(layer):
        rows[place].append(number)
    _order(rows, above, below)
    centres = _centres(rows, widths, above, below)
    return _placed(sizes, chains, layer, rows, centres)


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    layer = [0] * count
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        layer[end] = max(layer[end], layer[start] + 1)
    targets: dict[int, list[int]] = {}
    fed = {end for _, end in edges}
    for start, end in edges:
        targets.setdefault(start, []).append(layer[end])
    for number, found in targets.items():
        if number not in fed:  # what begins stands just above its first use
            layer[number] = min(found) - 1
    return layer


def _order(
    rows: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]
) -> None:
    place = {number: float(k) for row in rows for k, number in enumerate(row)}
    for sweep in range(_SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = {
                number: sum(place[n] for n in near[number]) / len(near[number])
                if near[number]
                else place[number]
                for number in row
            }
            row.sort(key=lambda number: wanted[number])
            for k, number in enumerate(row):
                place[number] = float(k)


def _centres(
    rows: Sequence[Sequence[int]],
    widths: Sequence[float],
    above: Sequence[Sequence[int]],
    below: Sequence[Sequence[int]],
) -> dict[int, float]:
    centres: dict[int, float] = {}
    for row in rows:
        x = 0.0
        for number in row:
            centres[number] = x + widths[number] / 2
            x += widths[number] + _GAP
    for sweep in range(2 * _SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [
                sum(centres[n] for n in near[number]) / len(near[number])
                if near[number]
                else centres[number]
                for number in row
            ]
            found = _apart(wanted, [widths[number] for number in row])
            for number, centre in zip(row, found, strict=True):
                centres[number] = centre
    return centres


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The centres nearest to those wanted that keep boxes in order and apart (pooled)."""
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + _GAP)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, size = pools.pop()
            total, count = total + before, count + size
        pools.append((total, count))
    level = [total / count for total, count in pools for _ in range(count)]
    return [one + offset for one, offset in zip(level, offsets, strict=True)]


def _placed(
    sizes: Sequence[tuple[float, float]],
    chains: Sequence[Sequence[int]],
    layer: Sequence[int],
    rows: Sequence[Sequence[int]],
    centres: dict[int, float],
) -> Layout:
    count = len(sizes)
    tall = [max((sizes[n][1] for n in row if n < count), default=0.0) for row in rows]
    tops = [0.0]
    for height in tall:
        tops.append(tops[-1] + height + _BETWEEN)
    left = min(centres[n] - (sizes[n][0] if n < count else _DUMMY) / 2 for n in centres)
    boxes = [
        Placed(
            centres[n] - left - width / 2,
            tops[layer[n]],
            width,
            height,
        )
        for n, (width, height) in enumerate(sizes)
    ]
    lines: list[list[tuple[float, float]]] = []
    for chain in chains:
        start, end = boxes[chain[0]], boxes[chain[-1]]
        middle, bottom = start.x + start.width / 2, tops[layer[chain[0]]] + tall[layer[chain[0]]]
        points = [(middle, start.y + start.height)]
        if bottom > start.y + start.height:
            points.append((middle, bottom))
        for number in chain[1:-1]:
            x, top = centres[number] - left, tops[layer[number]]
            points += [(x, top), (x, top + tall[layer[number]])]
        points.append((end.x + end.width / 2, end.y))
        lines.append(points)
    wide = max(box.x + box.width for box in boxes)
    wide = max([wide, *(x + _DUMMY for line in lines for x, _ in line)])
    return Layout(boxes, lines, wide, tops[-1] - _BETWEEN)
