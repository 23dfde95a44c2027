"""Discrete noise that is drawn inside the computation, so that nobody knows it or can move it.

Every sampler is a public circuit on uniform secret bits that no party chose: what comes out has a
distribution known to the last bit, and its distance from the ideal one is a number
(``distance``) that a privacy statement adds to its delta. No floating-point number is involved.
May import what ``functions`` may. Start with ``tables.py``, then ``gaussian.py``.
"""

from tacit.functions.noise.gaussian import discrete_gaussian, discrete_gaussian_cost
from tacit.functions.noise.laplace import discrete_laplace, discrete_laplace_cost
from tacit.functions.noise.plans import GaussianPlan, LaplacePlan, gaussian_plan, laplace_plan
from tacit.functions.noise.voting import noisy_argmax, noisy_argmax_cost

__all__ = [
    "GaussianPlan",
    "LaplacePlan",
    "discrete_gaussian",
    "discrete_gaussian_cost",
    "discrete_laplace",
    "discrete_laplace_cost",
    "gaussian_plan",
    "laplace_plan",
    "noisy_argmax",
    "noisy_argmax_cost",
]
