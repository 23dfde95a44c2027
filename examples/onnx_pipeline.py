"""A bank scores its customers with a partner's model of scikit-learn, and shows nobody the rows.

Run it with ``python examples/onnx_pipeline.py``. The partner's pipeline becomes an ONNX file by
skl2onnx; all parties see the file, and only the bank learns the scores.
"""

from __future__ import annotations

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tacit


def main(count: int = 40) -> None:
    """Train in the clear, score in secret, compare."""
    rows, labels = load_breast_cancer(return_X_y=True)
    rows = rows.astype(np.float32)
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=20))
    model.fit(rows[:400], labels[:400])
    proto = to_onnx(model, rows[:1], options={"zipmap": False}, target_opset=17)

    own = rows[-count:]
    program = tacit.from_onnx(
        proto, inputs={"X": tacit.ArraySpec(own.shape, owner="bank")}, to="bank"
    )
    with tacit.local("replicated3", parties=["bank", "partner", "helper"]) as mpc:
        found = mpc.run(program, {"X": own})["probabilities"]["bank"]
    largest = np.abs(found - model.predict_proba(own)).max()
    print(f"accuracy {np.mean(found.argmax(1) == labels[-count:]):.3f} on {count} rows")
    print(f"largest difference of a probability from scikit-learn's {largest:.5f}")


if __name__ == "__main__":
    main()
