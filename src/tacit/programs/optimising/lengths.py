"""How long the longest chain of a body is, about: whether a loop that does less also waits less.

Steps beside a longer chain cost no rounds (``programs/running.py``), and moved out of a loop they
would. Rounds are those of ``replicated3``, roughly; a plan counts them.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from tacit.programs.inference import Checked, CheckedNode

__all__ = ["is_dear", "longest"]

_PRODUCTS: Final = 3
_COMPARISONS: Final = 9
_FUNCTIONS: Final = 20
_LOOPS: Final = 100

_ROUNDS: Final = {
    **dict.fromkeys(
        ("multiply", "matmul", "square", "sum_of_products", "convolution", "mean", "astype"),
        _PRODUCTS,
    ),
    **dict.fromkeys(
        ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "maximum",
         "minimum", "relu", "abs", "sign", "clip", "one_hot", "isin"),
        _COMPARISONS,
    ),
    **dict.fromkeys(("where", "bitwise_and", "bitwise_or", "sum"), 1),
}  # fmt: skip


def is_dear(node: CheckedNode) -> bool:
    """Whether a node sends something, as far as can be told."""
    if node.operation is None:
        return True
    return not node.public and not getattr(node.operation.meaning, "local", False)


def longest(body: Checked, places: Container[int]) -> int:
    """About how many rounds the longest chain of these nodes takes."""
    depths = [0] * len(body.types)
    most = 0
    for place, node in enumerate(body.nodes):
        depth = max((depths[value] for value in node.node.operands), default=0)
        if place in places and is_dear(node):
            depth += _rounds(node)
        for offset in range(len(node.results)):
            depths[node.first + offset] = depth
        most = max(most, depth)
    return most


def _rounds(node: CheckedNode) -> int:
    if node.operation is None:
        return _LOOPS
    return _ROUNDS.get(node.node.operation, _FUNCTIONS)
