"""Machine learning on secret data: estimators with scikit-learn's face, and joint training.

``logistic.py`` is what users call on secret arrays; ``job.py`` is what every owner's process runs
in ``tacit train``. May import ``arrays``, ``tables`` and below. Start with ``training.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tacit.ml.logistic import LogisticRegression

__all__ = ["LogisticRegression"]


def __getattr__(name: str) -> Any:
    """Import estimators when asked for: scikit-learn takes a second, parties do without."""
    if name in __all__:
        from tacit.ml import logistic

        return getattr(logistic, name)
    raise AttributeError(f"module 'tacit.ml' has no attribute {name!r}")
