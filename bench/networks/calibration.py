"""What this machine takes for computing and for its links, measured on loopback.

A few workloads, not those that are predicted later, run in three processes over TLS on loopback
and in virtual time on a network that takes no time at all. The difference is what the driver for
virtual time has to be told: how much slower three processes on these cores compute than one
thread alone, and what a message and a byte cost in TLS and the operating system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import nnls

from bench.networks.measured import LOOPBACK, Run, measured
from bench.networks.predicted import predicted

__all__ = ["CALIBRATION", "Machine", "calibrated"]

CALIBRATION = (
    Run("multiply_1e6", 200_000, 7),
    Run("compare_1e6", 20_000, 7),
    Run("compare_1e6", 300_000, 7),
    Run("exp_1e5", 30_000, 7),
    Run("tanh_1e5", 60_000, 7),
    Run("matmul_256", 400, 7),
    Run("sqrt_1e5", 1_000, 7),
    Run("mlp_infer_1", None, 7),
)


@dataclass(frozen=True)
class Machine:
    """Arguments of `tacit.rounds.VirtualTime` that stand for this machine.

    Attributes
    ----------
    compute_scale : float
        Three processes on these cores against one thread alone.
    message_seconds, byte_seconds : float
        Of sending a message and one of its bytes; of receiving as much again.
    """

    compute_scale: float
    message_seconds: float
    byte_seconds: float

    def as_arguments(self) -> dict[str, float]:
        """For the driver."""
        return asdict(self)


def calibrated(runs: Sequence[Run] = CALIBRATION) -> Machine:
    """Measure on loopback, and fit: least squares of relative errors, nothing negative."""
    real = np.array([median(times[1:]) for times in measured(runs)])

    def virtual(**arguments: float) -> Any:
        found = predicted(runs, LOOPBACK, **arguments)
        return np.array([median(times[1:]) for times in found])

    nothing = {"compute_scale": 0.0, "message_seconds": 0.0, "byte_seconds": 0.0}
    parts = np.stack(
        [
            virtual(**{**nothing, "compute_scale": 1.0}),
            virtual(**{**nothing, "message_seconds": 1.0}),
            virtual(**{**nothing, "byte_seconds": 1.0}),
        ],
        axis=1,
    )
    factors, _ = nnls(parts / real[:, None], np.ones(len(real)))
    return Machine(*map(float, factors))
