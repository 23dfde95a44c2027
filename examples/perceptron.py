"""Three hospitals train a perceptron on all their patients' rows; only the model is revealed.

Run it with ``python examples/perceptron.py``. The rows are scikit-learn's breast cancer data, of
which every hospital holds a third. All parties run on this machine; between machines each one
runs the same steps with its own rows.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline

import tacit
from tacit.ml import (
    MLPClassifier,
    StandardScaler,
    accuracy_score,
    confusion_matrix,
    roc_auc_score,
    train_test_split,
)


def main() -> None:
    """Train, measure on rows that nobody shows, reveal the model."""
    rows, labels = load_breast_cancer(return_X_y=True)
    rows = np.log1p(rows)  # every hospital does this by itself
    with tacit.local("replicated3", parties=["north", "south", "west"]) as mpc:
        X = tacit.concat([mpc.share(rows[i::3], owner) for i, owner in enumerate(mpc.parties)])
        y = tacit.concat([mpc.share(labels[i::3], owner) for i, owner in enumerate(mpc.parties)])
        X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=1)

        model = make_pipeline(
            StandardScaler(),
            MLPClassifier((16,), solver="sgd", learning_rate_init=0.1, max_iter=8, batch_size=64),
        )
        model.fit(X, y)

        scores = model.predict_proba(X_test)[:, 1]
        predicted = model.predict(X_test)
        print("accuracy", round(accuracy_score(y_test, predicted, to="all"), 3))
        print("ROC AUC", round(roc_auc_score(y_test, scores, to="all"), 3))
        print(confusion_matrix(y_test, predicted, labels=[0, 1], to="all"))

        # A plain scikit-learn pipeline, for those who agreed to get it.
        scaler, network = (step.reveal(to="all") for _, step in model.steps)
        print("revealed:", type(make_pipeline(scaler, network)).__name__, network.coefs_[0].shape)


if __name__ == "__main__":
    main()
