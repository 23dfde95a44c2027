"""What classifiers of scikit-learn make of scores: probabilities, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.onnx.registry import Call

__all__ = ["classes_of", "labels_at", "transformed"]


def transformed(call: Call, scores: Any) -> Any:
    """Scores after the node's ``post_transform``."""
    match call.text("post_transform", "NONE"):
        case "NONE":
            return scores
        case "LOGISTIC":
            return tacit.sigmoid(scores)
        case "SOFTMAX":
            return tacit.softmax(scores, axis=-1)
        case "SOFTMAX_ZERO":
            # Scores of exactly zero stay out of it.
            held = (scores != 0).astype(scores.dtype)
            powers = tacit.exp(scores - tacit.max(scores, axis=-1, keepdims=True)) * held
            total = tacit.sum(powers, axis=-1, keepdims=True)
            return powers / (total + (total == 0).astype(scores.dtype))
        case other:
            raise call.refuse(f"its post_transform {other!r} is not supported")


def classes_of(call: Call) -> list[Any]:
    """The labels of a classifier, in the order of its scores."""
    for name in ("classlabels_int64s", "classlabels_ints"):
        if call.get(name):
            return [int(label) for label in call.get(name)]
    texts = call.get("classlabels_strings") or ()
    return [text.decode() if isinstance(text, bytes) else str(text) for text in texts]


def labels_at(labels: Sequence[Any], places: Any) -> Any:
    """The labels at secret places; texts come out as the places themselves."""
    if not labels or isinstance(labels[0], str) or list(labels) == list(range(len(labels))):
        return places
    return tacit.take(np.array(labels, np.int64), places, axis=0)
