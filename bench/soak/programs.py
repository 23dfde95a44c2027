"""What is computed: programs drawn from a seed, equal at all parties, and what they must give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import tacit
from tacit import Computation, SecretArray
from tacit.encoding.fixed import natural_type
from tacit.errors import PartyLostError, UsageError
from tests.fuzz.judging import judge
from tests.fuzz.operations import OPERATIONS, UNIT

__all__ = ["PROGRAMS", "Found", "Program", "array_of", "judged", "plain", "share"]

Found = dict[str, Any]
"""Of one result: ``shape``, ``kind`` and the ``values``; or why there is none (``refused``)."""

Owned = tuple[str, NDArray[Any]]

STEPS: Final = 8
"""Operations of an array program."""

ROWS, COLUMNS, CLASSES = 48, 6, 3


def share(mpc: Computation, owner: str, values: NDArray[Any]) -> SecretArray:
    """An owner's array, from inside a party or from outside."""
    dtype = natural_type(values)
    own = values if getattr(mpc.session, "name", owner) == owner else None
    return mpc.share(own, owner, dtype=dtype, shape=values.shape)


def plain(values: NDArray[Any]) -> Found:
    """A result as data that travels between processes."""
    kind = {"f": "f", "b": "b"}.get(values.dtype.kind, "i")
    return {"shape": list(values.shape), "kind": kind, "values": values.reshape(-1).tolist()}


def array_of(found: Found) -> NDArray[Any]:
    """The array again."""
    dtype = {"f": np.float64, "b": np.bool_, "i": np.int64}[found["kind"]]
    return np.array(found["values"], dtype).reshape(found["shape"])


# Random operations on random arrays.


def _operations(seed: int) -> list[tuple[str, list[NDArray[Any]], Mapping[str, Any], int]]:
    """Names, operands, options, and the place of the first owner."""
    rng = np.random.default_rng([seed, 1])
    names = sorted(OPERATIONS)
    drawn = []
    for _ in range(STEPS):
        name = names[rng.integers(len(names))]
        fuzzed = OPERATIONS[name]
        kind = fuzzed.kinds[rng.integers(len(fuzzed.kinds))]
        shape = tuple(int(n) for n in rng.integers(2, 6, rng.integers(1, 3)))
        operands = [_numbers(rng, kind, shape) for _ in range(fuzzed.operands)]
        options = fuzzed.options[rng.integers(len(fuzzed.options))]
        drawn.append((name, operands, options, int(rng.integers(4))))
    return drawn


def _numbers(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if kind == "b":
        return rng.integers(0, 2, shape).astype(np.bool_)
    if kind == "i":
        return rng.integers(-1000, 1000, shape)
    return rng.integers(-(1 << 21), 1 << 21, shape) * UNIT


def arrays(mpc: Computation, seed: int, corrupt: str = "") -> list[Found]:
    """Each operation on fresh inputs of changing owners, and its result to all."""
    found: list[Found] = []
    for name, operands, options, first in _operations(seed):
        try:
            owners = [mpc.parties[(first + k) % len(mpc.parties)] for k in range(len(operands))]
            shared = [share(mpc, *owned) for owned in zip(owners, operands, strict=True)]
            result = OPERATIONS[name].ours(*shared, **options)
            found.append({**plain(result.reveal(to="all")), "corrupt": corrupt in owners})
        except PartyLostError as error:
            if not (error.parties and error.stage == "share"):
                raise
            found.append({"refused": "lost", "party": error.parties[0]})
        except UsageError as error:  # before anything was sent, at all parties alike
            if error.code in ("TC-1033", "TC-1027"):
                raise
            found.append({"refused": error.code})
    return found


def judge_arrays(seed: int, found: list[Found]) -> None:
    """Every result is NumPy's, within the documented error.

    What a corrupt party put in is its own affair: a result of that is not judged.
    """
    for (name, operands, options, _), one in zip(_operations(seed), found, strict=True):
        if "refused" not in one and not one.get("corrupt"):
            judge(OPERATIONS[name], operands, options, array_of(one))


# Training and inference.


def _rows(seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng([seed, 2])
    features = np.round(rng.normal(size=(ROWS, COLUMNS)) * 256) / 256
    labels = features @ rng.normal(size=COLUMNS) + 0.3 * rng.normal(size=ROWS) > 0
    return features, labels


def training(mpc: Computation, seed: int, corrupt: str = "") -> list[Found]:
    """Logistic regression on rows of two or three honest parties; the weights to all."""
    from tacit.ml import LogisticRegression  # takes seconds to import

    features, labels = _rows(seed % REPEATED)
    owners = [name for name in mpc.parties if name != corrupt][:3]
    parts = np.array_split(np.arange(ROWS), len(owners))
    try:
        X = tacit.concat(
            [share(mpc, o, features[p]) for o, p in zip(owners, parts, strict=True)], axis=0
        )
        y = tacit.concat(
            [share(mpc, o, labels[p]) for o, p in zip(owners, parts, strict=True)], axis=0
        )
    except PartyLostError as error:
        if error.stage != "share":
            raise
        return [{"refused": "lost", "party": error.parties[0]}]
    model = LogisticRegression(max_iter=3, batch_size=16).fit(X, y)
    return [plain(model.coef_.reveal(to="all")), plain(model.intercept_.reveal(to="all"))]


REPEATED: Final = 7
"""So many training sets there are: what they must give is computed once."""


@lru_cache(None)
def _trained(seed: int) -> list[NDArray[Any]]:
    with tacit.local("replicated3") as mpc:
        return [array_of(found) for found in training(mpc, seed)]


def judge_training(seed: int, found: list[Found]) -> None:
    """The weights are those that parties in one process find."""
    if "refused" in found[0]:
        return
    for one, expected in zip(found, _trained(seed % REPEATED), strict=True):
        np.testing.assert_allclose(array_of(one), expected, atol=2e-3)


def _network(seed: int) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng([seed, 3])
    shapes = [(COLUMNS, 8), (8,), (8, CLASSES), (CLASSES,)]
    return [np.round(rng.normal(size=shape) * 256) / 256 for shape in shapes]


def inference(mpc: Computation, seed: int, corrupt: str = "") -> list[Found]:
    """One honest party's network on another one's rows: logits and classes to all."""
    features, _ = _rows(seed)
    honest = [name for name in mpc.parties if name != corrupt]
    owner, asker = honest[0], honest[-1]
    try:
        w1, b1, w2, b2 = (share(mpc, owner, values) for values in _network(seed))
        x = share(mpc, asker, features)
    except PartyLostError as error:
        if error.stage != "share":
            raise
        return [{"refused": "lost", "party": error.parties[0]}]
    logits = tacit.relu(x @ w1 + b1) @ w2 + b2
    return [plain(logits.reveal(to="all")), plain(tacit.softmax(logits).reveal(to="all"))]


def judge_inference(seed: int, found: list[Found]) -> None:
    """They are NumPy's."""
    if "refused" in found[0]:
        return
    features, _ = _rows(seed)
    w1, b1, w2, b2 = _network(seed)
    logits = np.maximum(features @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(array_of(found[0]), logits, atol=1e-3)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(array_of(found[1]), expected, atol=5e-3)


Program = tuple[Callable[[Computation, int, str], list[Found]], Callable[[int, list[Found]], None]]

PROGRAMS: Mapping[str, Program] = {
    "arrays": (arrays, judge_arrays),
    "training": (training, judge_training),
    "inference": (inference, judge_inference),
}
"""By name: what the parties do, and what asserts that it is right."""


def judged(name: str, seed: int, found: list[Found]) -> str:
    """What is wrong with results; empty if nothing."""
    try:
        PROGRAMS[name][1](seed, found)
    except AssertionError as error:
        return f"wrong result: {str(error).strip().splitlines()[0] if str(error) else name}"
    return ""
