"""Machine learning on secret data: estimators with scikit-learn's face, and joint training.

``logistic.py`` is what users call on secret arrays; ``job.py`` is what every owner's process runs
in ``tacit train``. May import ``arrays``, ``tables`` and below. Start with ``training.py``.
"""

from tacit.ml.logistic import LogisticRegression

__all__ = ["LogisticRegression"]
