"""A model in the clear: what a recipient of a revealed model holds, and what owners share in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from tacit.errors import ConfigurationError, ShapeError, StorageError
from tacit.functions.perceptron import Activation
from tacit.models.form import ModelForm

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

__all__ = ["ClearModel", "ModelRecord", "activated", "sigmoid"]

Floats = NDArray[np.float64]

_VERSION: Final = 1
_MAX_BYTES: Final = 256 << 20


class ModelRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model as it travels and lies in files: version, form, parameters as flat lists."""

    version: int = _VERSION
    form: ModelForm
    parameters: list[list[float]]

    def __repr__(self) -> str:
        return f"ModelRecord({self.form.title})"


@dataclass(frozen=True, slots=True)
class ClearModel:
    """A model for rows scaled into [-1, 1] by its schema; public to whoever holds it.

    Attributes
    ----------
    form : ModelForm
    parameters : list of ndarray of float64
        Weights and biases in turn, of ``form.shapes``.

    Raises
    ------
    ShapeError
        Parameters of other shapes (TC-1189).
    """

    form: ModelForm
    parameters: list[Floats]

    def __repr__(self) -> str:
        return f"ClearModel({self.form.title})"

    def __post_init__(self) -> None:
        self.form.check_parameters(self.parameters)

    def decision_function(self, rows: ArrayLike) -> Floats:
        """Log-odds of encoded rows (n, d): (n,). Raises ShapeError (TC-1188)."""
        a = np.asarray(rows, np.float64)
        if a.ndim != 2 or a.shape[1] != self.form.widths[0]:
            raise ShapeError(
                f"Rows of shape {a.shape} do not fit a model of {self.form.widths[0]} features.",
                next_step="encode the rows by the model's schema.",
                case=88,
                stage="model",
            )
        last = len(self.parameters) // 2 - 1
        for place in range(last + 1):
            a = a @ self.parameters[2 * place] + self.parameters[2 * place + 1]
            if place < last:
                a = activated(self.form.activation, a)
        return a[:, 0]

    def probability(self, rows: ArrayLike) -> Floats:
        """Probabilities that the labels of encoded rows are 1, (n,)."""
        return sigmoid(self.decision_function(rows))

    def predict_proba(self, rows: ArrayLike) -> Floats:
        """Probabilities of both classes, (n, 2), as scikit-learn's."""
        positive = self.probability(rows)
        return np.stack([1.0 - positive, positive], axis=1)

    def predict(self, rows: ArrayLike) -> NDArray[np.int64]:
        """Labels 0 and 1, (n,)."""
        return (self.decision_function(rows) > 0).astype(np.int64)

    @property
    def coefficients(self) -> Floats:
        """Of logistic regression, (d,). Raises ShapeError (TC-1189) for other models."""
        if self.form.kind != "logistic":
            raise ShapeError(
                f"A {self.form.title} has no coefficients.",
                next_step="use its parameters.",
                case=89,
                stage="model",
            )
        return self.parameters[0][:, 0]

    @property
    def intercept(self) -> float:
        """Of the last layer."""
        return float(self.parameters[-1][0])

    # Plain data and files.

    @staticmethod
    def of_flat(form: ModelForm, numbers: ArrayLike) -> ClearModel:
        """From all parameters in one row, in the order of ``form.shapes``."""
        flat = np.asarray(numbers, np.float64)
        edges = np.cumsum([int(np.prod(shape)) for shape in form.shapes])
        if flat.shape != (edges[-1],):
            raise ShapeError(
                f"{flat.size} numbers are not the {edges[-1]} parameters of a {form.title}.",
                next_step="pass all parameters in the order of the form's shapes.",
                case=89,
                stage="model",
            )
        parts = np.split(flat, edges[:-1])
        return ClearModel(
            form, [part.reshape(shape) for part, shape in zip(parts, form.shapes, strict=True)]
        )

    def record(self) -> ModelRecord:
        """As plain data."""
        return ModelRecord(form=self.form, parameters=[p.ravel().tolist() for p in self.parameters])

    @staticmethod
    def of_record(record: ModelRecord) -> ClearModel:
        """The inverse of :meth:`record`. Raises ShapeError (TC-1189)."""
        flat = np.concatenate([np.array(p, np.float64) for p in record.parameters])
        return ClearModel.of_flat(record.form, flat)

    def save(self, path: str | Path) -> Path:
        """Write it as JSON: version, form with schema, parameters. Raises StorageError."""
        target = Path(path)
        data = msgspec.json.format(msgspec.json.encode(self.record()), indent=2) + b"\n"
        try:
            target.write_bytes(data)
        except OSError as error:
            raise StorageError(
                f"The model cannot be written to {path}: {error.strerror}.",
                next_step="choose a path that can be written.",
                case=2,
            ) from None
        return target

    @staticmethod
    def load(path: str | Path) -> ClearModel:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ConfigurationError
            The file cannot be read, or is no model of this version (TC-2030).
        """
        try:
            with Path(path).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
            record = msgspec.json.decode(data, type=ModelRecord)
            if len(data) > _MAX_BYTES or record.version != _VERSION:
                raise ValueError(f"it is not of version {_VERSION}, or too long")
            model = ClearModel.of_record(record)
            if not all(np.isfinite(p).all() for p in model.parameters):
                raise ValueError("a parameter is not finite")
        except (OSError, ValueError, msgspec.DecodeError, ShapeError) as error:
            problem = getattr(error, "strerror", None) or getattr(error, "message", None) or error
            raise ConfigurationError(
                f"{path} is not a model that can be read: {problem}.",
                next_step="give a file that `tacit train` wrote as model.json.",
                case=30,
            ) from None
        return model

    def to_sklearn(self) -> LogisticRegression | MLPClassifier:
        """A fitted scikit-learn estimator for rows scaled into [-1, 1] by the schema."""
        if self.form.kind == "logistic":
            return self._linear()
        from sklearn.neural_network import MLPClassifier
        from sklearn.preprocessing import LabelBinarizer

        model = MLPClassifier(self.form.hidden, self.form.activation)
        model.coefs_, model.intercepts_ = self.parameters[::2], self.parameters[1::2]
        model.n_features_in_, model.n_layers_ = self.form.widths[0], len(self.form.widths)
        model.n_outputs_, model.out_activation_ = 1, "logistic"
        model.classes_ = np.array([0, 1])
        model._label_binarizer = LabelBinarizer().fit(model.classes_)
        return model

    def _linear(self) -> LogisticRegression:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression()
        model.coef_ = self.coefficients.reshape(1, -1)
        model.intercept_ = np.array([self.intercept])
        model.classes_, model.n_features_in_ = np.array([0, 1]), self.form.widths[0]
        return model


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)) without overflow."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * z))
    return result


def activated(activation: Activation, z: Any) -> Any:
    """An activation function in the clear."""
    if activation == "relu":
        return np.maximum(z, 0.0)
    if activation == "tanh":
        return np.tanh(z)
    return sigmoid(z) if activation == "logistic" else z
