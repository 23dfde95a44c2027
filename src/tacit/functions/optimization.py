"""Update rules of stochastic gradient descent: plain, with momentum, and Adam rescaled.

A gradient is never a value of its own here where it need not be: learning rate, L2 penalty and
momentum join the sum of products before its one truncation. Public factors become integers C
with ``bits`` fractional bits, C of :data:`SIGNIFICANT` significant bits.

Sources: momentum, Sutskever, Martens, Dahl, Hinton 2013; Adam, Kingma and Ba 2015; training in
fixed point under MPC, Keller and Sun 2022. The rescaled form of Adam is argued in
``docs/decisions/0030-training-perceptrons-in-fixed-point.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, frexp, isfinite, log2, prod
from typing import Any, TypeAlias

from tacit.errors import RangeError
from tacit.functions.costs import Costs, in_sequence, side_by_side
from tacit.functions.parts import as_part
from tacit.functions.roots import rsqrt, rsqrt_cost
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = ["Adam", "Gradient", "Rule", "Sgd", "public_factor", "significant_bits"]

SIGNIFICANT = 11
"""Significant bits of a public factor at most: its relative error is at most 2^-11 then."""

LEAST_SIGNIFICANT = 2

WEIGHT_BITS = 20
"""Fractional bits of the weights of Adam's running means."""

MOST_BITS = 62


def significant_bits(rows: int, fraction_bits: int, scale: float = 1.0) -> int:
    """How many significant bits a factor beside a sum of gradients can have, 2 to 11.

    Large batches, weights of rows and momentum take bits from the factor, so that no sum wraps:
    rows · scale · |a δ| · C stays below 2^(61 - 2f) for a mean |a δ| below 2.

    Parameters
    ----------
    rows, fraction_bits : int
    scale : float
        By how much a row's gradient, or what is kept of those before, can be larger.
    """
    taken = ceil(log2(max(1.0, rows * scale))) + 1
    return max(LEAST_SIGNIFICANT, min(SIGNIFICANT, MOST_BITS - 1 - 2 * fraction_bits - taken))


def public_factor(
    name: str, factor: float, fraction_bits: int, significant: int = SIGNIFICANT
) -> tuple[int, int]:
    """Integers (C, bits) with factor ≈ C / 2^bits, of 11 significant bits; exact powers of two.

    Or of `significant` bits.

    Raises
    ------
    RangeError
        The factor is not positive, or too small or too large for one truncation (TC-1380).
    """
    if isfinite(factor) and factor > 0:
        mantissa, exponent = frexp(factor)
        integer = round(mantissa * (1 << significant))
        bits = significant - exponent
        zeros = (integer & -integer).bit_length() - 1
        integer, bits = integer >> zeros, bits - zeros
        if bits < 0:
            integer, bits = integer << -bits, 0
        if fraction_bits + bits <= MOST_BITS and integer < 1 << 24:
            return integer, bits
    raise RangeError(
        f"{name}: a public factor of {factor:g} cannot be held beside {fraction_bits} fraction"
        " bits.",
        next_step=f"the learning rate over the rows of a batch lies between"
        f" {2.0 ** (fraction_bits + SIGNIFICANT - MOST_BITS):.1g} and 2^24; change the learning"
        " rate or the batch size.",
        case=80,
        stage=name,
    )


@dataclass(frozen=True, slots=True)
class Gradient:
    """What a layer's gradients are made of; public sizes, secret sharings.

    Attributes
    ----------
    below, delta : arithmetic sharing, (n, inputs) and (n, outputs)
        Activations of the layer below, and the loss's derivative by this layer's sums.
    weights, bias : arithmetic sharing, (inputs, outputs) and (outputs,)
    """

    below: Any
    delta: Any
    weights: Any
    bias: Any


Arrays: TypeAlias = tuple[Any, ...]


def _weight_sum(
    party: Party, of: Gradient, factor: int, bits: int, linear: list[Any], fraction_bits: int
) -> Step[Any]:
    """(C · belowᵀ δ + Σ linear) / 2^(f + bits): C stands for `factor` with `bits`.

    Without linear terms the truncation is part of the product; else they join in between.
    """
    transposed = of.below.map(lambda share: share.T)
    scaled = of.delta if factor == 1 else party.multiply_public(of.delta, factor)
    if not linear:
        return (yield from party.matmul_truncate(transposed, scaled, fraction_bits + bits))
    total = yield from party.matmul(transposed, scaled)
    for term in linear:
        total = party.add(total, term)
    return (yield from party.truncate(total, fraction_bits + bits))


def _weight_sum_cost(
    costs: Costs, rows: int, shape: tuple[int, ...], bits: int, linear: bool, fraction_bits: int
) -> Declaration:
    dropped, size = fraction_bits + bits, prod(shape)
    shapes = (shape[0], rows), (rows, shape[1])
    if not linear:
        return costs["matmul_truncate"](*shapes, dropped)
    return in_sequence(costs["matmul"](*shapes), costs["truncate"](size, dropped))


def _bias_sum(party: Party, of: Gradient, factor: int, bits: int, linear: Any = None) -> Step[Any]:
    """(C · Σ δ + linear) / 2^bits."""
    total = party.multiply_public(party.sum(of.delta, axis=0), factor)
    if linear is not None:
        total = party.add(total, linear)
    return (yield from party.truncate(total, bits)) if bits else total


def _bias_sum_cost(costs: Costs, size: int, bits: int) -> Declaration:
    return costs["truncate"](size, bits) if bits else in_sequence()


@dataclass(frozen=True, slots=True)
class Sgd:
    """w ← w - (rate / n) (belowᵀ δ + alpha w), optionally through a velocity.

    With momentum m: v ← m v - gradient, w ← w + v, or by Nesterov w ← w + m v - gradient.

    Attributes
    ----------
    learning_rate, alpha, momentum : float
        Public. `alpha` is the L2 penalty of weights, not of biases, as in scikit-learn.
    nesterov : bool
    largest : float
        The largest weight of a row's loss.

    Notes
    -----
    Range: |Σ g| C < 2^(61 - 2f) for the factor rate / n = C / 2^b, velocities and decay included;
    C has as many bits as that leaves (:func:`significant_bits`). Rounds: 3, with Nesterov 5.
    """

    learning_rate: float
    alpha: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    largest: float = 1.0

    @property
    def slots(self) -> int:
        """Arrays of state for every parameter."""
        return 1 if self.momentum else 0

    def factors(self, rows: int, fraction_bits: int) -> tuple[int, int]:
        """The public factor rate / n. Raises RangeError.

        With momentum it has at least the bits that momentum needs beside it.
        """
        significant = significant_bits(rows, fraction_bits, self.largest / (1.0 - self.momentum))
        factor, bits = public_factor(
            "mlp_step", self.learning_rate / rows, fraction_bits, significant
        )
        missing = max(0, SIGNIFICANT - bits) if self.momentum else 0
        return factor << missing, bits + missing

    def gradient(
        self, party: Party, of: Gradient, state: Sequence[Arrays], fraction_bits: int
    ) -> Step[list[Arrays]]:
        """A layer's new (weights, bias), and its new velocities where there is momentum."""
        factor, bits = self.factors(of.delta.shape[0], fraction_bits)
        linear: list[Any] = []
        if self.alpha:
            decay = round(factor * self.alpha * (1 << fraction_bits))
            linear.append(party.multiply_public(of.weights, decay))
        if not self.momentum:
            steps = yield from together(
                _weight_sum(party, of, factor, bits, linear, fraction_bits),
                _bias_sum(party, of, factor, bits),
            )
            values = zip((of.weights, of.bias), steps, strict=True)
            return [tuple(party.subtract(value, step) for value, step in values)]
        # -v' = (C belowᵀ δ - m v 2^(f + bits)) / 2^(f + bits).
        weight_velocity, bias_velocity = state[0]
        linear.append(party.multiply_public(weight_velocity, self._kept(fraction_bits + bits)))
        falling = yield from together(
            _weight_sum(party, of, factor, bits, linear, fraction_bits),
            _bias_sum(
                party, of, factor, bits, party.multiply_public(bias_velocity, self._kept(bits))
            ),
        )
        velocities = tuple(party.negate(step) for step in falling)
        moves: Arrays = velocities
        if self.nesterov:
            # m v' - gradient = v' + m (v' - v).
            again = [
                party.truncate(
                    party.multiply_public(party.subtract(new, old), self._momentum()), SIGNIFICANT
                )
                for new, old in zip(velocities, state[0], strict=True)
            ]
            extra = yield from together(*again)
            moves = tuple(party.add(v, e) for v, e in zip(velocities, extra, strict=True))
        values = zip((of.weights, of.bias), moves, strict=True)
        return [tuple(party.add(value, move) for value, move in values), velocities]

    def _momentum(self) -> int:
        return round(self.momentum * (1 << SIGNIFICANT))

    def _kept(self, bits: int) -> int:
        """-m at `bits` fractional bits, of which there are at least :data:`SIGNIFICANT`."""
        return -(self._momentum() << (bits - SIGNIFICANT))

    def finish(
        self, party: Party, layers: list[list[Arrays]], state: Sequence[Any], fraction_bits: int
    ) -> Step[list[list[Arrays]]]:
        """Nothing is left to do."""
        return layers
        yield  # a generator without rounds

    def gradient_cost(
        self, costs: Costs, rows: int, shape: tuple[int, int], fraction_bits: int
    ) -> Declaration:
        """Of :meth:`gradient`."""
        _, bits = self.factors(rows, fraction_bits)
        linear = bool(self.alpha or self.momentum)
        first = side_by_side(
            _weight_sum_cost(costs, rows, shape, bits, linear, fraction_bits),
            _bias_sum_cost(costs, shape[1], bits),
        )
        if not (self.momentum and self.nesterov):
            return first
        again = [costs["truncate"](size, SIGNIFICANT) for size in (prod(shape), shape[1])]
        return in_sequence(first, side_by_side(*again))

    def finish_cost(
        self, costs: Costs, rows: int, shapes: Sequence[tuple[int, int]], fraction_bits: int
    ) -> Declaration:
        """Of :meth:`finish`."""
        return in_sequence()


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam on gradients times a public power of two S, its running means unbiased at once.

    u = S g, with S = 2^-8 / epsilon rounded to a power of two; then for step t = 1, 2, …

        m ← a m + (1 - a) u        1 - a = (1 - beta_1) / (1 - beta_1^t)
        v ← b v + (1 - b) u²       1 - b = (1 - beta_2) / (1 - beta_2^t)
        w ← w - rate · m / sqrt(v + 2^-16)

    m and v are Kingma and Ba's bias-corrected means times S and S^2, so that no small number is
    ever divided by a small number; for f < 16 the 2^-16 is 2^-f. See
    ``docs/decisions/0030-training-perceptrons-in-fixed-point.md``.

    Attributes
    ----------
    learning_rate, alpha, beta_1, beta_2, epsilon : float
        Public.
    step : int
        t, from 1.
    largest : float
        The largest weight of a row's loss.

    Notes
    -----
    Range: |u| < 2^min(13 - (f - 18), 12), so |g| < 16 for the default epsilon. Rounds: 3 in the
    backward pass; then 3, 2, one inverse square root over all parameters, and 3.
    """

    learning_rate: float
    alpha: float = 0.0
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 2.0**-16
    step: int = 1
    largest: float = 1.0

    @property
    def slots(self) -> int:
        """Arrays of state for every parameter."""
        return 2

    def factors(self, rows: int, fraction_bits: int) -> tuple[int, int]:
        """The public factor S / n. Raises RangeError."""
        self._rate(fraction_bits)
        scale = 2.0 ** round(-8 - log2(self.epsilon))
        significant = significant_bits(rows, fraction_bits, self.largest)
        return public_factor("mlp_step", scale / rows, fraction_bits, significant)

    def _rate(self, fraction_bits: int) -> tuple[int, int]:
        return public_factor("mlp_step", self.learning_rate, fraction_bits)

    def _weight(self, beta: float) -> int:
        """The new value's weight in a running mean, at 20 fractional bits."""
        return round((1 - beta) / (1 - beta**self.step) * (1 << WEIGHT_BITS))

    def gradient(
        self, party: Party, of: Gradient, state: Sequence[Arrays], fraction_bits: int
    ) -> Step[list[Arrays]]:
        """A layer's (weights, bias), and S times their gradients."""
        factor, bits = self.factors(of.delta.shape[0], fraction_bits)
        linear: list[Any] = []
        if self.alpha:
            decay = round(factor * self.alpha * (1 << fraction_bits))
            linear.append(party.multiply_public(of.weights, decay))
        gradients = yield from together(
            _weight_sum(party, of, factor, bits, linear, fraction_bits),
            _bias_sum(party, of, factor, bits),
        )
        return [(of.weights, of.bias), gradients]

    def finish(
        self,
        party: Party,
        layers: list[list[Arrays]],
        state: Sequence[Sequence[Arrays]],
        fraction_bits: int,
    ) -> Step[list[list[Arrays]]]:
        """All layers' parameters and means, moved by gradients at hand."""
        shapes = [array.shape for layer in layers for array in layer[0]]
        w = _joined(party, [array for layer in layers for array in layer[0]])
        u = _joined(party, [array for layer in layers for array in layer[1]])
        m = _joined(party, [array for layer in state for array in layer[0]])
        v = _joined(party, [array for layer in state for array in layer[1]])
        m, square = yield from together(
            self._mean(party, m, u, self.beta_1), party.multiply_truncate(u, u, fraction_bits)
        )
        v = yield from self._mean(party, v, square, self.beta_2)
        floor = max(1, round(2.0 ** (fraction_bits - 16)))
        inverse = yield from rsqrt(as_part(party), party.add_public(v, floor), fraction_bits)
        factor, bits = self._rate(fraction_bits)
        move = yield from party.multiply_truncate(
            party.multiply_public(m, factor), inverse, fraction_bits + bits
        )
        parts = [_parted(flat, shapes) for flat in (party.subtract(w, move), m, v)]
        return [
            [tuple(part[2 * place : 2 * place + 2]) for part in parts]
            for place in range(len(layers))
        ]

    def _mean(self, party: Party, old: Any, new: Any, beta: float) -> Step[Any]:
        weight = self._weight(beta)
        total = party.add(
            party.multiply_public(old, (1 << WEIGHT_BITS) - weight),
            party.multiply_public(new, weight),
        )
        return (yield from party.truncate(total, WEIGHT_BITS))

    def gradient_cost(
        self, costs: Costs, rows: int, shape: tuple[int, int], fraction_bits: int
    ) -> Declaration:
        """Of :meth:`gradient`."""
        _, bits = self.factors(rows, fraction_bits)
        return side_by_side(
            _weight_sum_cost(costs, rows, shape, bits, bool(self.alpha), fraction_bits),
            _bias_sum_cost(costs, shape[1], bits),
        )

    def finish_cost(
        self, costs: Costs, rows: int, shapes: Sequence[tuple[int, int]], fraction_bits: int
    ) -> Declaration:
        """Of :meth:`finish`."""
        size = sum((inputs + 1) * outputs for inputs, outputs in shapes)
        mean = costs["truncate"](size, WEIGHT_BITS)
        _, bits = self._rate(fraction_bits)
        return in_sequence(
            side_by_side(mean, costs["multiply_truncate"](size, fraction_bits)),
            mean,
            rsqrt_cost(costs, size, fraction_bits),
            costs["multiply_truncate"](size, fraction_bits + bits),
        )


Rule: TypeAlias = Sgd | Adam


def _joined(party: Party, arrays: Sequence[Any]) -> Any:
    return party.concatenate([array.map(lambda share: share.reshape(-1)) for array in arrays])


def _parted(flat: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    parts, start = [], 0
    for shape in shapes:
        stop = start + prod(shape)
        parts.append(flat[start:stop].reshape(*shape))
        start = stop
    return parts
