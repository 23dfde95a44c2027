"""What everybody may know of a secret model: kind, schema, layers. Public among the parties."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from tacit.encoding.digest import tagged_hash
from tacit.encoding.limits import Limits
from tacit.encoding.types import DType, fixed_point
from tacit.errors import RangeError, ShapeError, UsageError
from tacit.functions.perceptron import Activation
from tacit.tables import Schema

__all__ = ["INPUT_BITS", "ModelForm"]

INPUT_BITS: Final = 26
"""Fractional bits of rows scaled into [-1, 1]."""

_MOST_UNITS: Final = 4_096


class ModelForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form of a model with one score a row, the log-odds of its label being 1.

    Attributes
    ----------
    kind : {"logistic", "mlp"}
        Logistic regression is the case without hidden layers.
    schema : Schema
        Of the rows: columns, bounds, categories, label.
    hidden : tuple of int
        Units of each hidden layer.
    activation : {"relu", "logistic", "tanh", "identity"}
        Of hidden layers.
    fraction_bits : int
        Of parameters and scores.
    input_bits : int
        Of rows: a folded first layer can hold weights of 2^10 for columns that vary little
        within their bounds, so rows are finer than scores.
    rows : int
        How many rows the model was trained on.
    notes : dict of str to str
        What else the parties want to remember, such as the optimiser.

    Raises
    ------
    UsageError
        Layers that do not fit the kind, or numbers out of range (TC-1053).
    """

    kind: Literal["logistic", "mlp"]
    schema: Schema
    hidden: tuple[int, ...] = ()
    activation: Activation = "relu"
    fraction_bits: int = 18
    input_bits: int = INPUT_BITS
    rows: int = 0
    notes: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = (self.kind == "mlp") == bool(self.hidden)
        units = all(0 < units <= _MOST_UNITS for units in self.hidden)
        bits = 12 <= self.fraction_bits <= 24 and 12 <= self.input_bits <= 30
        if not (layers and units and bits and self.rows >= 0):
            raise UsageError(
                f"A {self.kind} model with hidden layers {self.hidden or 'none'},"
                f" {self.fraction_bits} and {self.input_bits} fraction bits does not exist.",
                next_step="a logistic model has no hidden layer, an mlp one or more of 1 to"
                f" {_MOST_UNITS} units; scores have 12 to 24 fraction bits, rows 12 to 30.",
                case=53,
                stage="model",
            )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, in order."""
        return self.schema.features

    @property
    def widths(self) -> tuple[int, ...]:
        """Features, units of each hidden layer, 1."""
        return (len(self.schema.features), *self.hidden, 1)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of its parameters: weights (inputs, outputs) and bias (outputs,) of every layer."""
        return tuple(s for a, b in pairwise(self.widths) for s in ((a, b), (b,)))

    @property
    def names(self) -> tuple[str, ...]:
        """What each parameter is called: W1, b1, W2, b2, …"""
        return tuple(f"{n}{i + 1}" for i in range(len(self.widths) - 1) for n in ("W", "b"))

    @property
    def dtype(self) -> DType:
        """The secret type of parameters and scores."""
        return fixed_point(self.fraction_bits)

    @property
    def limits(self) -> Limits:
        """What an encoded row's numbers lie within, for the range check of an input."""
        return -(1 << self.input_bits), 1 << self.input_bits

    @property
    def title(self) -> str:
        """For people: "logistic regression", or "perceptron 30-32-16-1 (relu)"."""
        if self.kind == "logistic":
            return "logistic regression"
        return f"perceptron {'-'.join(map(str, self.widths))} ({self.activation})"

    def encoded(self, rows: ArrayLike) -> NDArray[np.uint64]:
        """Rows scaled into [-1, 1] as an owner shares them.

        Parameters
        ----------
        rows : array_like of float, (n, d)
            From :func:`tacit.tables.encode.encode`.

        Returns
        -------
        ndarray of uint64, (n, d)
            With :attr:`input_bits` fractional bits, within :attr:`limits`.

        Raises
        ------
        ShapeError
            Not d columns (TC-1188).
        RangeError
            A number is NaN or outside [-1, 1] (TC-1353).
        """
        values = np.asarray(rows, np.float64)
        columns = len(self.schema.features)
        if values.ndim != 2 or values.shape[1] != columns:
            raise ShapeError(
                f"Rows of shape {values.shape} do not fit a model of {columns} features.",
                next_step=f"pass rows (n, {columns}), encoded by the model's schema.",
                case=88,
                stage="model",
            )
        # Written so that NaN is outside.
        if not np.all(np.abs(values) <= 1.0):
            raise RangeError(
                "A row's numbers do not all lie within [-1, 1].",
                next_step="encode rows by the model's schema: its bounds scale them into [-1, 1].",
                case=53,
                stage="model",
            )
        return np.rint(values * float(1 << self.input_bits)).astype(np.int64).view(np.uint64)

    def check_parameters(self, parameters: Any) -> None:
        """Refuse parameters of other shapes. Raises ShapeError (TC-1189)."""
        found = tuple(tuple(p.shape) for p in parameters)
        if found != self.shapes:
            raise ShapeError(
                f"Parameters of shapes {', '.join(map(str, found)) or 'none'} are not those of a"
                f" {self.title}.",
                next_step=f"pass weights and biases of shapes {', '.join(map(str, self.shapes))}.",
                case=89,
                stage="model",
            )

    def to_bytes(self) -> bytes:
        """Canonical JSON: equal bytes for equal forms."""
        return msgspec.json.encode(self, order="deterministic")

    def digest(self) -> bytes:
        """32 bytes that parties compare."""
        schema = self.schema.digest()  # however its file looks
        rest = msgspec.to_builtins(self)
        del rest["schema"]
        return tagged_hash("model form", schema, msgspec.json.encode(rest, order="deterministic"))

    @staticmethod
    def from_bytes(data: bytes) -> ModelForm:
        """The inverse of :meth:`to_bytes`. Raises UsageError (TC-1054) for anything else."""
        try:
            return msgspec.json.decode(data, type=ModelForm)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"This is not the form of a model: {error}.",
                next_step="use what the same version of tacit wrote.",
                case=54,
                stage="model",
            ) from None
