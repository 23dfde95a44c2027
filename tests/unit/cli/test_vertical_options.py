"""What ``tacit train --vertical`` asks for, and what it refuses before any process starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tacit.cli.training import TrainingRequest
from tacit.errors import UsageError
from tacit.ml.drift import Drift

REQUEST = TrainingRequest(
    files={name: Path(f"{name}.csv") for name in ("bank", "telco", "insurer")},
    label="y",
    reveal_to=("bank",),
    vertical=True,
    key="customer",
    metrics="auc",
)


def test_every_party_is_told() -> None:
    REQUEST.check()
    settings = REQUEST.settings("telco")
    assert (settings.vertical, settings.key, settings.metrics) == (True, "customer", "auc")
    others = REQUEST.settings("bank")
    assert others.public() == settings.public()
    assert replace(REQUEST, key="other").settings("bank").public() != settings.public()


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, compare_pooled=True),
        replace(REQUEST, drift=Drift()),
        replace(REQUEST, vertical=False),  # a key and nothing to compare
    ],
)
def test_options_that_do_not_go_together(request_: TrainingRequest) -> None:
    with pytest.raises(UsageError) as found:
        request_.check()
    assert found.value.code == "TC-1047"
