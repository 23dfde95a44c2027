"""tacit's own version of every workload, in three processes over mutual TLS.

What each computes, on which numbers, stands in ``peers/inputs.py``. Inputs are shared before and
the result is revealed after the timed part, in which everything stays secret.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import tacit
from bench.peers import inputs, serving
from bench.processes import forget_peak_memory, peak_memory, processor_seconds
from tacit import Computation, SecretArray
from tacit.arrays.array import applied, applied_all
from tacit.sessions import ProcessSession

__all__ = [
    "FUNCTIONS",
    "SKIPPED",
    "VARIANTS",
    "TacitSession",
    "Variant",
    "all_names",
    "compute",
    "names",
]

Function: TypeAlias = Callable[..., SecretArray | tuple[SecretArray, ...]]
"""Takes the computation and the secret inputs; one result, or several."""


def logistic_epoch(mpc: Computation, features: SecretArray, labels: SecretArray) -> SecretArray:
    """One epoch of plain SGD from zero weights, the rows in order, batch by batch."""
    weights = mpc.constant(np.zeros(features.shape[1]), dtype=features.dtype)
    batch = inputs.LOGISTIC_BATCH
    for start in range(0, inputs.LOGISTIC_STEPS * batch, batch):
        rows = slice(start, start + batch)
        weights = applied(
            "logistic_step",
            features[rows],
            labels[rows],
            weights,
            learning_rate=inputs.LOGISTIC_RATE,
        )
    return weights


def mlp_train(
    _: Computation, pixels: SecretArray, *parameters_and_labels: SecretArray
) -> tuple[SecretArray, ...]:
    """One step of plain SGD on the mean softmax cross-entropy; all parameters after it."""
    *parameters, labels = parameters_and_labels
    return applied_all("mlp_step", pixels, labels, *parameters, learning_rate=inputs.MLP_RATE)


FUNCTIONS: dict[str, Function] = {
    "matmul": lambda _, x, y: x @ y,
    "multiply": lambda _, x, y: x * y,
    "compare": lambda _, x, y: x < y,
    "relu": lambda _, x: tacit.relu(x),
    "sigmoid": lambda _, x: tacit.sigmoid(x),
    "exp": lambda _, x: tacit.exp(x),
    "log": lambda _, x: tacit.log(x),
    "reciprocal": lambda _, x: tacit.reciprocal(x),
    "division": lambda _, x, y: x / y,
    "sqrt": lambda _, x: tacit.sqrt(x),
    "tanh": lambda _, x: tacit.tanh(x),
    "sort": lambda _, x: tacit.sort(x),
    "logistic_epoch": logistic_epoch,
    "mlp_train": mlp_train,
    "mlp_infer": lambda _, *operands: applied("mlp_forward", *operands),
}
"""A workload's name begins with its function's."""

SKIPPED: dict[str, str] = {}


class Variant(NamedTuple):
    """A workload of the peers under other conditions.

    Attributes
    ----------
    workload : str
        Whose inputs and function it has.
    size : int, optional
        Elements (or matrix side) instead of the workload's own.
    ring : int
        The bits of the ring.
    protocol : str
        Among whom.
    """

    workload: str
    size: int | None = None
    ring: int = 64
    protocol: str = "replicated3"


VARIANTS: dict[str, Variant] = {
    "matmul_512": Variant("matmul_256", 512),
    "ring128_matmul_512": Variant("matmul_256", 512, 128),
    "ring128_multiply_1e6": Variant("multiply_1e6", ring=128),
    "ring128_compare_1e6": Variant("compare_1e6", ring=128),
    "ring128_sigmoid_1e5": Variant("sigmoid_1e5", ring=128),
    "ring128_log_1e5": Variant("log_1e5", ring=128),
    **{
        f"fantastic4_{name}": Variant(name, protocol="fantastic4")
        for name in inputs.names()
        if name not in SKIPPED
    },
    **{
        f"replicated3_active_{name}": Variant(workload, size, protocol="replicated3_active")
        for name, workload, size in (
            ("matmul_128", "matmul_256", 128),
            ("multiply_1e5", "multiply_1e6", 100_000),
            ("compare_1e5", "compare_1e6", 100_000),
            ("relu_1e5", "relu_1e6", 100_000),
            ("sigmoid_1e5", "sigmoid_1e5", None),
            ("sort_1e4", "sort_1e4", None),
            ("logistic_epoch", "logistic_epoch", None),
            ("matmul_1024", "matmul_1024", None),
        )
    },
}
"""Workloads of other sizes, rings and protocols, by name."""


def names() -> tuple[str, ...]:
    """The workloads that tacit does beside its peers."""
    return tuple(name for name in inputs.names() if name not in SKIPPED)


def all_names() -> tuple[str, ...]:
    """All workloads that tacit does."""
    return (*names(), *VARIANTS)


def compute(
    mpc: Computation, workload: str, shared: Sequence[SecretArray]
) -> tuple[SecretArray, ...]:
    """Compute a workload on inputs that were shared before; all its results."""
    function = FUNCTIONS.get(workload) or FUNCTIONS[workload.rpartition("_")[0]]
    found = function(mpc, *shared)
    return found if isinstance(found, tuple) else (found,)


class TacitSession:
    """Parties in processes of their own for each protocol and ring; see `serving.Session`."""

    def __init__(self) -> None:
        self._computations: dict[tuple[str, int], Computation] = {}
        self._warm: set[tuple[str, int | None]] = set()

    def _among(self, protocol: str, ring: int) -> Computation:
        if (protocol, ring) not in self._computations:
            made = tacit.local(protocol, processes=True, ring=ring)
            self._computations[protocol, ring] = made
        return self._computations[protocol, ring]

    def measure(self, workload: str, size: int | None = None) -> dict[str, Any]:
        """Run a workload once, warm.

        Parameters
        ----------
        workload : str
            Its name.
        size : int, optional
            Elements (or matrix side) instead of the workload's own.

        Returns
        -------
        dict
            ``seconds``, ``max_error``, ``rounds``, ``bytes`` and ``check_bytes`` (all parties),
            ``processor_seconds`` (all parties), ``peak_memory`` (the largest party's, in bytes).
        """
        if workload in SKIPPED:
            raise serving.Skipped(SKIPPED[workload])
        name = workload
        workload, standard, ring, protocol = VARIANTS.get(name, Variant(name))
        mpc = self._among(protocol, ring)
        job = inputs.workload(workload, size or standard)
        owners = mpc.parties * len(job.inputs)
        shared = [
            mpc.share(array, owner)
            for array, owner in zip(job.inputs.values(), owners, strict=False)
        ]
        if (name, size) not in self._warm:
            compute(mpc, workload, shared)
            self._warm.add((name, size))
        assert isinstance(mpc.session, ProcessSession)
        parties = mpc.session.processes.identifiers.values()
        _ = mpc.total_cost  # waits until the parties are idle
        for party in parties:
            forget_peak_memory(party)
        worked = processor_seconds(parties)
        with mpc.measure() as cost:
            found = compute(mpc, workload, shared)
        worked = processor_seconds(parties) - worked
        return {
            "seconds": cost.seconds,
            "max_error": job.error(tuple(result.reveal(to="all") for result in found)),
            "rounds": cost.rounds,
            "bytes": cost.total_bytes,
            "check_bytes": sum(cost.check_bytes.values()),
            "processor_seconds": worked,
            "peak_memory": max(map(peak_memory, parties)),
        }

    def close(self) -> None:
        """End the parties."""
        for mpc in self._computations.values():
            mpc.close()
