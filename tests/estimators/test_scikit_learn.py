"""scikit-learn's own checks of estimators, through adapters that share and reveal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from revealing import (
    RevealingLinearRegression,
    RevealingLogisticRegression,
    RevealingMLPClassifier,
    RevealingMLPRegressor,
    RevealingRidge,
    RevealingStandardScaler,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

REFUSED = {
    "check_estimators_pickle": "a fitted estimator belongs to a live session of secrets, which"
    " nothing may copy to a file; reveal it and pickle the scikit-learn estimator"
}
"""The checks that fail, and why; ``docs/estimators.md`` lists the same."""

ADAPTERS = [
    RevealingLinearRegression(),
    RevealingRidge(),
    RevealingStandardScaler(),
    RevealingLogisticRegression(),
    RevealingMLPClassifier(),
    RevealingMLPRegressor(),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    ADAPTERS, expected_failed_checks=lambda estimator: REFUSED, xfail_strict=True
)
def test_scikit_learn_s_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_page_lists_what_fails() -> None:
    page = (Path(__file__).parents[2] / "docs" / "estimators.md").read_text()
    assert set(re.findall(r"`(check_\w+)`", page)) == set(REFUSED)
