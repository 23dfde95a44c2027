"""Machine learning on secret data: estimators with scikit-learn's face, and joint training.

Users call the estimators on secret arrays (``perceptron.py``, ``linear.py``, ``logistic.py``,
``preparation.py``, ``secret_metrics.py``); ``job.py`` is what every owner's process runs in
``tacit train``. May import ``arrays``, ``tables`` and below. Start with ``training.py``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.ml.linear import LinearRegression, Ridge
    from tacit.ml.logistic import LogisticRegression
    from tacit.ml.measures import evaluate_scores
    from tacit.ml.perceptron import MLPClassifier, MLPRegressor
    from tacit.ml.preparation import StandardScaler, train_test_split
    from tacit.ml.secret_metrics import (
        accuracy_score,
        brier_score_loss,
        calibration_curve,
        confusion_matrix,
        log_loss,
        mean_squared_error,
        r2_score,
        recall_at_fpr,
        roc_auc_score,
    )

__all__ = [
    "LinearRegression",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Ridge",
    "StandardScaler",
    "accuracy_score",
    "brier_score_loss",
    "calibration_curve",
    "confusion_matrix",
    "evaluate_scores",
    "log_loss",
    "mean_squared_error",
    "r2_score",
    "recall_at_fpr",
    "roc_auc_score",
    "train_test_split",
]

_MODULES = {
    "linear": ("LinearRegression", "Ridge"),
    "logistic": ("LogisticRegression",),
    "perceptron": ("MLPClassifier", "MLPRegressor"),
    "measures": ("evaluate_scores",),
    "preparation": ("StandardScaler", "train_test_split"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import estimators when asked for: scikit-learn takes a second, parties do without."""
    if name in __all__:
        module = import_module(f"tacit.ml.{_HOME.get(name, 'secret_metrics')}")
        return getattr(module, name)
    raise AttributeError(f"module 'tacit.ml' has no attribute {name!r}")
