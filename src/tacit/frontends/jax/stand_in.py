"""A loop over rows at once, until the package has its own."""

from __future__ import annotations

from typing import Any

from tacit.arrays import functions as tacit


def scan(body: Any, init: Any, xs: Any, length: int, reverse: bool = False) -> Any:
    carry, outs = list(init), []
    for i in range(length)[:: -1 if reverse else 1]:
        carry, y = body(carry, [x[i] for x in xs])
        outs.append(y)
    if reverse:
        outs.reverse()
    return carry, [tacit.stack(list(c)) for c in zip(*outs, strict=True)]
