"""A job whose parties choose the instruction set of their kernels, for tests alone."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

import tacit
from tacit import Computation, _native
from tacit.sessions import PartyContext


class Settings(msgspec.Struct):
    """The instruction set of this party."""

    path: str


def run_party(context: PartyContext) -> dict[str, Any]:
    """Some of everything: products, matrix products, comparisons, bits, a function."""
    settings = msgspec.msgpack.decode(context.configuration, type=Settings)
    if not _native.set_path(settings.path):
        return {"path": "missing"}
    mpc = Computation(context.session)
    values = np.linspace(-3, 3, 5_000)
    owner, *_ = mpc.parties
    own = values if context.name == owner else None
    x = mpc.share(own, owner, dtype=tacit.fixed, shape=values.shape)
    matrix = x[:900].reshape(30, 30)
    results = {
        "product": x * x,
        "matrix": matrix @ matrix,
        "less": (x < 0.5).astype(tacit.int64),
        "relu": tacit.relu(x),
        "exp": tacit.exp(x),
    }
    revealed = {name: result.reveal(to="all").ravel().tolist() for name, result in results.items()}
    return {"path": _native.path(), **revealed}
