"""Metrics on shares against scikit-learn's, and groups that must stay hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

import tacit
from tacit import ml
from tacit.errors import ShapeError, UsageError
from tacit.ml.measures import Findings, evaluate_scores, parse_measures
from tacit.ml.measures.quotients import quotients
from tacit.ml.measures.suppression import disjoint, shown

RNG = np.random.default_rng(61)
EVERY = (
    "auc,recall@1%,recall@10%,precision@10%,fpr@10%,precision@0.5,accuracy@0.5,selected@0.5,"
    "brier,log_loss,rate,predicted,rows"
)


def evaluated(
    y: Any, z: Any, groups: Any = None, protocol: str = "replicated3", **options: Any
) -> Findings:
    with tacit.local(protocol) as mpc:
        label, score = mpc.share(y, owner="alice"), mpc.share(z, owner="bob")
        hot = None if groups is None else mpc.share(groups, owner="alice")
        names = [] if groups is None else [f"g{i}" for i in range(groups.shape[1])]
        found = evaluate_scores(
            label, score, groups=hot, group_names=names, to="all", **{"metrics": EVERY, **options}
        )
        assert isinstance(found, Findings)
        return found


def in_the_clear(y: Any, z: Any, threshold: float) -> dict[str, float]:
    """The same from scikit-learn; rows above `threshold` pass the cut at 10 %."""
    p = 1 / (1 + np.exp(-z))
    above, half = z > threshold, p >= 0.5
    return {
        "auc": metrics.roc_auc_score(y, z),
        "recall@10%": metrics.recall_score(y, above),
        "precision@10%": metrics.precision_score(y, above),
        "fpr@10%": above[~y].mean(),
        "precision@0.5": metrics.precision_score(y, half),
        "accuracy@0.5": metrics.accuracy_score(y, half),
        "selected@0.5": half.mean(),
        "brier": metrics.brier_score_loss(y, p),
        "log_loss": metrics.log_loss(y, p),
        "rate": y.mean(),
        "predicted": p.mean(),
        "rows": len(y),
    }


def sample(n: int = 300) -> tuple[Any, Any, Any]:
    z = np.round(2 * RNG.normal(size=n) - 1, 1)  # many ties
    y = RNG.random(n) < 1 / (1 + np.exp(-z))
    return y, z, np.eye(3, dtype=bool)[RNG.choice(3, n, p=[0.5, 0.4, 0.1])]


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_metrics_are_scikit_learn_s(protocol: str) -> None:
    y, z, hot = sample()
    found = evaluated(y, z, hot, protocol, digits=5, min_group_size=5)
    rates, recalls, thresholds = metrics.roc_curve(y, z, drop_intermediate=False)
    assert found.overall["recall@1%"] == pytest.approx(recalls[rates <= 0.01].max(), abs=1e-5)
    # Rows pass that reach the last threshold of at most 10 % false positives.
    threshold = thresholds[rates <= 0.1].min() - 0.05
    for members, values in ((slice(None), found.overall), *zip(hot.T, found.groups.values())):  # noqa: B905
        for name, expected in in_the_clear(y[members], z[members], threshold).items():
            assert values[name] == pytest.approx(expected, abs=1e-4), name
    assert found.hidden == []


def test_calibration_bins() -> None:
    z = 2 * RNG.normal(size=200)  # no ties: the bins are scikit-learn's
    p = 1 / (1 + np.exp(-z))
    y = RNG.random(200) < p
    truth, predicted = calibration_curve(y, p, n_bins=8, strategy="quantile")
    with tacit.local() as mpc:
        label, probability = mpc.share(y, owner="alice"), mpc.share(p, owner="bob")
        found = ml.calibration_curve(label, probability, n_bins=8, to="all")
        brier = ml.brier_score_loss(label, probability, to="all")
        recall = ml.recall_at_fpr(label, probability, rate=0.05, to=["bob"])["bob"]
    np.testing.assert_allclose(found[0], truth, atol=1e-9)
    np.testing.assert_allclose(found[1], predicted, atol=1e-4)
    assert brier == pytest.approx(metrics.brier_score_loss(y, p), abs=1e-4)
    rates, recalls, _ = metrics.roc_curve(y, p, drop_intermediate=False)
    assert recall == pytest.approx(recalls[rates <= 0.05].max(), abs=1e-8)
    bins = evaluated(y, z, metrics="calibration", min_group_size=30).calibration
    assert [b.rows for b in bins] == [33, 33, 34, 33, 33, 34]
    assert sum(b.observed * b.rows for b in bins) == pytest.approx(y.sum())


@pytest.mark.parametrize("same", [False, True])
def test_labels_of_one_class(same: bool) -> None:
    found = evaluated(np.full(30, same), RNG.normal(size=30), metrics="auc,recall@5%,brier")
    assert found.overall["auc"] is None
    assert found.overall["recall@5%"] is None
    assert found.overall["brier"] is not None


def test_scores_that_are_all_equal() -> None:
    y = np.arange(40) % 2 == 0
    found = evaluated(y, np.zeros(40), metrics="auc,recall@1%,fpr@1%,selected@0.5")
    assert found.overall == {"auc": 0.5, "recall@1%": 0.0, "fpr@1%": 0.0, "selected@0.5": 1.0}


def test_huge_scores() -> None:
    z = np.concatenate([np.full(20, 5_000.0), np.full(20, -5_000.0)])
    found = evaluated(z > 0, z, metrics="auc,log_loss,brier,recall@1%")
    assert found.overall == {"auc": 1.0, "log_loss": 0.0, "brier": 0.0, "recall@1%": 1.0}
    found = evaluated(z < 0, z, metrics="auc,log_loss,brier,recall@1%")
    assert found.overall["auc"] == 0.0
    assert found.overall["log_loss"] == pytest.approx(8.318, abs=1e-2)


def shown_groups(sizes: list[int], minimum: int = 10, outside: int = 0) -> list[bool]:
    """Which of the groups of so many rows are shown; all rows are of one kind."""
    with tacit.local() as mpc:
        counts = mpc.share(np.array([[sum(sizes) + outside, *sizes]]), owner="alice")
        return shown(counts, minimum).reveal(to="all").tolist()[1:]


@pytest.mark.parametrize(
    ("sizes", "outside", "expected"),
    [
        ([50, 40, 30], 0, [True, True, True]),
        ([50, 40, 10], 0, [True, True, True]),
        ([50, 40, 9], 0, [True, False, False]),  # the whole less the others would be the third
        ([50, 9, 40, 5], 0, [True, False, True, False]),  # 14 rows: two groups hide each other
        ([50, 5, 40, 4], 0, [True, False, False, False]),  # 9 rows would be 9 rows
        ([50, 0, 40], 0, [True, False, True]),  # nobody is in the empty one
        ([50, 40], 3, [True, False]),  # three rows in no group
        ([9, 4], 0, [False, False]),
        ([40, 9], 0, [False, False]),
    ],
)
def test_which_groups_are_shown(sizes: list[int], outside: int, expected: list[bool]) -> None:
    assert shown_groups(sizes, outside=outside) == expected


def test_a_hidden_group_is_not_the_difference_of_what_is_shown() -> None:
    """The attack: the whole less the shown groups is the hidden one."""
    y, z, _ = sample(120)
    hot = np.eye(3, dtype=bool)[np.repeat([0, 1, 2], [70, 44, 6])]
    found = evaluated(y, z, hot, metrics="rate,rows", digits=6)
    positives = _by_difference(found)
    assert positives is None
    # Without secondary suppression it works: the sixth decimal tells the six rows' labels.
    weakened = {**found.groups, "g1": {"rate": float(y[70:114].mean()), "rows": 44.0}}
    exposed = _by_difference(Findings(**{**_fields(found), "groups": weakened}))
    assert exposed == pytest.approx(y[114:].sum())


def _fields(found: Findings) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__struct_fields__}


def test_groups_that_differ_in_one_row_do_not_tell_its_label() -> None:
    """The attack of who has the groups and not the labels, and the remedy."""
    y, z, _ = sample(120)
    first = np.arange(120) < 50
    for label in (False, True):
        y[49] = label
        hot = np.stack([first, np.arange(120) < 49], axis=1)
        found = evaluated(y, z, hot, metrics="rate", digits=6)
        of_50, of_49 = (found.groups[name]["rate"] for name in ("g0", "g1"))
        assert of_50 is not None
        assert of_49 is not None
        assert round(50 * of_50 - 49 * of_49) == label  # without the remedy it works
        with tacit.local() as mpc:
            apart = disjoint(mpc.share(hot, owner="alice")).reveal(to="all")
        np.testing.assert_array_equal(apart, np.stack([first, np.zeros(120)], axis=1))
        assert evaluated(y, z, apart, metrics="rate").groups["g1"]["rate"] is None


def test_disjoint_groups_stay_as_they_are() -> None:
    rng = np.random.default_rng(3)
    hot = rng.integers(0, 2, (50, 4)).astype(bool)
    with tacit.local() as mpc:
        for groups in (hot, hot[:, :1]):
            apart = disjoint(mpc.share(groups, owner="alice")).reveal(to="all")
            assert apart.sum(axis=1).max() <= 1
            np.testing.assert_array_equal(apart.any(axis=1), groups.any(axis=1))
            again = disjoint(mpc.share(apart, owner="alice")).reveal(to="all")
            np.testing.assert_array_equal(again, apart)


def _by_difference(found: Findings) -> float | None:
    """How many of the rows of the only hidden group are positive, if that can be computed."""
    hidden = [name for name, values in found.groups.items() if values["rows"] is None]
    if len(hidden) != 1:
        return None
    whole = found.overall["rate"] * found.overall["rows"]  # type: ignore[operator]
    return float(
        round(whole - sum(v["rate"] * v["rows"] for v in found.groups.values() if v["rows"]))  # type: ignore[operator]
    )


def test_one_class_in_a_group() -> None:
    y = np.arange(90) % 2 == 0
    hot = np.eye(3, dtype=bool)[np.repeat([0, 1, 2], 30)]
    y[60:] = False
    found = evaluated(y, RNG.normal(size=90), hot, metrics="auc,brier")
    assert found.groups["g2"]["auc"] is None
    assert [values["auc"] is None for values in found.groups.values()].count(True) == 2
    assert None not in [values["brier"] for values in found.groups.values()]


def test_only_flags_and_rounded_numbers_are_opened() -> None:
    y, z, hot = sample(100)
    opened: list[Any] = []
    with tacit.local() as mpc:
        original = type(mpc.session).open

        def watched(session: Any, reference: Any, *rest: Any) -> Any:
            values = original(session, reference, *rest)
            opened.append(next(iter(values.values())))
            return values

        arguments = [mpc.share(x, owner="alice") for x in (y, z, hot)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(mpc.session), "open", watched)
            evaluate_scores(
                arguments[0],
                arguments[1],
                groups=arguments[2],
                group_names=["a", "b", "c"],
                metrics="auc,rows",
                min_group_size=20,
                to=["alice", "bob"],
            )
    (vector,) = opened
    flags, values = vector.reshape(2, 8)
    assert set(flags.tolist()) == {0, 1}
    assert not values[flags == 0].any()
    assert vector[8:12].max() <= 10**4


def test_quotients_are_exact() -> None:
    bottom = RNG.integers(1, 1 << 57, 60)
    top = np.minimum(RNG.integers(0, 1 << 57, 60), bottom * 9)
    bottom[:3], top[:3] = (7, 3, 1 << 57), (7, 2, (1 << 57) - 1)
    with tacit.local() as mpc:
        found = quotients(mpc.share(top, owner="alice"), mpc.share(bottom, owner="bob"), 6).reveal(
            to="all"
        )
    expected = [(2 * int(a) * 10**6 + int(b)) // (2 * int(b)) for a, b in zip(top, bottom)]  # noqa: B905
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "auk",
        "recall",
        "auc@1%",
        "recall@0%",
        "recall@100%",
        "recall@1.00000001%",
        "precision@x",
    ],
)
def test_metrics_that_there_are_not(text: str) -> None:
    with pytest.raises(UsageError) as found:
        parse_measures(text)
    assert found.value.code == "TC-1072"


def test_names_of_metrics() -> None:
    found = parse_measures("auc, recall@1%,recall@0.01%,precision@.5,auc,logloss")
    assert [str(m) for m in found] == [
        "auc",
        "recall@1%",
        "recall@0.01%",
        "precision@0.5",
        "log_loss",
    ]
    assert found[1].title == "Recall at 1% FP"


def test_shapes_that_do_not_fit() -> None:
    with tacit.local() as mpc:
        y, z = mpc.share(np.zeros(20, bool), owner="alice"), mpc.share(np.zeros(19), owner="bob")
        with pytest.raises(ShapeError):
            evaluate_scores(y, z, to="all")
        with pytest.raises(ShapeError):
            evaluate_scores(y[:19], z, group_names=["a"], to="all")
        with pytest.raises(UsageError) as few:
            evaluate_scores(y[:4], z[:4], to="all")
    assert few.value.code == "TC-1073"
