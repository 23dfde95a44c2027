"""Training steps, groups, eigenvectors, shuffles and chains of bits have right float64 meanings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

import tacit
from tacit import ArraySpec
from tacit.arrays.array import applied, applied_all
from tacit.frontends.comparing.orders import shuffled_alike
from tacit.operations.bit_chains import BitStep
from tacit.operations.table import OPERATIONS
from tacit.programs.meanings.operations import has_meaning

RNG = np.random.default_rng(11)
ROWS, INPUTS, HIDDEN, CLASSES = 12, 3, 4, 3
X = ArraySpec((ROWS, INPUTS), owner="a", bounds=(-1, 1))
Y = ArraySpec((ROWS, CLASSES), tacit.bool, owner="b")
SHAPES = [(INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)]
PARAMETERS = [ArraySpec(shape, owner="a", bounds=(-1, 1)) for shape in SHAPES]


def test_every_operation_has_a_meaning() -> None:
    assert [name for name in OPERATIONS if not has_meaning(name)] == []


def found(function: Any, *specs: ArraySpec, sample: Any = None, tolerance: float = 1e-3) -> Any:
    compared = tacit.compare_plaintext(tacit.trace(function, *specs), sample, tolerance=tolerance)
    assert compared.within, str(compared)
    return compared.outputs


@pytest.mark.parametrize("activation", ["identity", "relu", "logistic", "tanh"])
@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": 0.5},
        {"learning_rate": 0.5, "alpha": 0.25, "class_weights": (0.5, 1.0, 2.0)},
        {"learning_rate": 0.5, "momentum": 0.75},
        {"learning_rate": 0.5, "momentum": 0.75, "nesterov": True, "alpha": 0.25},
        {"learning_rate": 0.125, "solver": "adam", "alpha": 0.25, "step": 3},
    ],
)
def test_training_steps_give_what_the_formulas_give(activation: str, options: Any) -> None:
    slots = 2 if "solver" in options else 1 if "momentum" in options else 0
    state = [
        ArraySpec(shape, owner="a", bounds=(0.01, 0.5)) for _ in range(slots) for shape in SHAPES
    ]

    def step(x: Any, y: Any, *rest: Any) -> Any:
        return applied_all("mlp_step", x, y, *rest, activation=activation, **options)

    rng = np.random.default_rng(5)
    labels = np.eye(CLASSES)[rng.integers(0, CLASSES, ROWS)].astype(bool)
    specs = [X, Y, *PARAMETERS, *state]
    sample = {"x": rng.uniform(-1, 1, X.shape), "y": labels}
    for k, spec in enumerate(specs[2:]):
        low, high = spec.bounds or (0, 1)
        sample[f"rest{k}"] = rng.uniform(float(low), float(high), spec.shape)
    program = tacit.trace(step, *specs)
    # Adam's means are those of gradients times 256, and of their squares.
    compared = tacit.compare_plaintext(program, sample, tolerance=3e-2 if slots == 2 else 1e-3)
    assert compared.within, str(compared)
    moved = list(compared.protocols[0].outputs.values())[: len(SHAPES)]
    assert max(moved) < 1e-3


def test_one_step_is_scikit_learns() -> None:
    classifier = MLPClassifier(
        (HIDDEN,), activation="tanh", solver="sgd", learning_rate_init=0.5, alpha=0.25,
        momentum=0.0, nesterovs_momentum=False, max_iter=1, batch_size=ROWS, shuffle=False,
        random_state=1,
    )  # fmt: skip
    x = RNG.uniform(-1, 1, X.shape)
    labels = np.arange(ROWS) % CLASSES
    with pytest.warns(Warning, match="Maximum iterations"):
        classifier.fit(x, labels)
    started = MLPClassifier(**classifier.get_params())
    started.set_params(learning_rate_init=1e-12)
    with pytest.warns(Warning, match="Maximum iterations"):
        started.fit(x, labels)
    before = [a for pair in zip(started.coefs_, started.intercepts_, strict=True) for a in pair]
    after = [
        a for pair in zip(classifier.coefs_, classifier.intercepts_, strict=True) for a in pair
    ]
    free = [ArraySpec(array.shape, owner="a", bounds=(-4, 4)) for array in before]

    def step(x: Any, y: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return applied_all(
            "mlp_step", x, y, a, b, c, d, activation="tanh", learning_rate=0.5, alpha=0.25
        )

    sample = dict(zip("abcd", before, strict=True))
    outputs = found(step, X, Y, *free, sample=sample | {"x": x, "y": np.eye(CLASSES)[labels] > 0})
    for one, expected in zip(outputs.values(), after, strict=True):
        np.testing.assert_allclose(one, expected, atol=1e-9)


def test_forward_passes_and_logistic_steps() -> None:
    def forward(x: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return {
            f"{activation}_{output}": applied(
                "mlp_forward", x, a, b, c, d, activation=activation, output=output
            )
            for activation in ("identity", "relu", "logistic", "tanh")
            for output in ("identity", "logistic", "softmax")
        }

    found(forward, X, *PARAMETERS)
    w = ArraySpec((INPUTS,), owner="a", bounds=(-1, 1))
    y = ArraySpec((ROWS,), tacit.bool, owner="b")
    rows, labels, weights = RNG.uniform(-1, 1, X.shape), RNG.integers(0, 2, ROWS), np.ones(INPUTS)
    outputs = found(
        lambda x, y, w: applied("logistic_step", x, y, w, learning_rate=0.5, decay=0.1),
        X, y, w, sample={"x": rows, "y": labels.astype(bool), "w": weights},
    )  # fmt: skip
    p = 1 / (1 + np.exp(-rows @ weights))
    expected = weights - 0.5 * (rows.T @ (p - labels) / ROWS + 0.1 * weights)
    np.testing.assert_allclose(outputs["output"], expected)


def test_groups() -> None:
    keys = ArraySpec((7,), tacit.int64, owner="a", bounds=(0, 9))
    flags = ArraySpec((7,), tacit.bool, owner="b")
    values = ArraySpec((7,), owner="b", bounds=(-1, 1))
    k, f = np.array([3, 1, 3, 3, 1, 0, 9]), np.array([1, 0, 1, 0, 0, 1, 1], bool)
    v = np.arange(7) / 8

    def sums(k: Any, f: Any, v: Any) -> Any:
        groups = tacit.group_by([k, f], [v, f])
        return {
            "k": groups.keys[0], "f": groups.keys[1], "sums": groups.sums[0],
            "flags": groups.sums[1], "counts": groups.counts, "valid": groups.valid,
        }  # fmt: skip

    outputs = found(sums, keys, flags, values, sample={"k": k, "f": f, "v": v})
    np.testing.assert_array_equal(outputs["k"], [0, 1, 3, 3, 9, 0, 0])
    np.testing.assert_array_equal(outputs["counts"], [1, 2, 1, 2, 1, 0, 0])
    np.testing.assert_allclose(outputs["sums"], [5 / 8, 5 / 8, 3 / 8, 2 / 8, 6 / 8, 0, 0])
    np.testing.assert_array_equal(outputs["valid"], [1, 1, 1, 1, 1, 0, 0])


def test_eigenvectors_have_the_probes_sign() -> None:
    x = ArraySpec((5, 5), owner="a", bounds=(-4, 4))
    space = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
    matrix = space @ np.diag([3.0, 3.0, 1.0, 0.5, 0.25]) @ space.T
    outputs = found(
        lambda x: dict(zip("wv", tacit.linalg.leading_eigenvectors(x, 3), strict=True)),
        x, sample={"x": matrix},
    )  # fmt: skip
    np.testing.assert_allclose(outputs["w"], [3, 3, 1])
    np.testing.assert_allclose(matrix @ outputs["v"], outputs["v"] * outputs["w"], atol=1e-9)


def test_what_follows_a_shuffle_is_compared_too() -> None:
    x = ArraySpec((6, 2), owner="a", bounds=(-1, 1))
    b = ArraySpec((5,), tacit.bool, owner="b")
    sample = {"x": RNG.uniform(-1, 1, (6, 2)), "b": np.array([1, 0, 0, 1, 0], bool)}
    outputs = found(
        lambda x, b: {
            "rows": tacit.exp(tacit.shuffle(x)), "columns": tacit.shuffle(x, axis=1),
            "bits": tacit.shuffle(b),
        },
        x, b, sample=sample,
    )  # fmt: skip
    rows = np.exp(sample["x"])
    np.testing.assert_allclose(sorted(map(tuple, outputs["rows"])), sorted(map(tuple, rows)))
    assert not np.array_equal(outputs["rows"], rows)
    assert outputs["bits"].sum() == 2
    np.testing.assert_allclose(np.sort(outputs["columns"]), np.sort(sample["x"]))


def test_a_wrong_shuffle_would_be_seen() -> None:
    before, exact = np.array([1.0, 2.0, 2.0, 5.0]), np.array([1.1, 2.1, 2.2, 5.1])
    right = shuffled_alike(before, np.array([2.0, 5.0, 1.0, 2.0]), exact, 0)
    np.testing.assert_array_equal(right, [2.1, 5.1, 1.1, 2.2])
    wrong = np.array([2.0, 5.0, 1.0, 9.0])
    assert np.abs(shuffled_alike(before, wrong, before, 0) - wrong).max() > 3


@pytest.mark.parametrize("kind", [tacit.int64, tacit.int8, tacit.uint8, tacit.int32])
def test_chains_of_bits(kind: Any) -> None:
    steps = (
        BitStep("and", 0, 1), BitStep("not", 2), BitStep("left", 3, 3), BitStep("right", 4, 2),
        BitStep("xor", 5, 0), BitStep("or", 6, 1),
    )  # fmt: skip
    for last in ((), (BitStep("right", 7, 60),), (BitStep("left", 7, 8), BitStep("nonzero", 8))):
        specs = [ArraySpec((9,), kind, owner=owner) for owner in "ab"]
        sample = {
            name: RNG.integers(-100 if kind.signed else 0, 100, 9).astype(kind.numpy)
            for name in "xy"
        }
        chain = (*steps, *last)
        program = tacit.trace(lambda x, y, c=chain: applied("bit_chain", x, y, steps=c), *specs)
        compared = tacit.compare_plaintext(program, sample)
        assert compared.within, f"{last}\n{compared}"
        assert compared.protocols[0].outputs["output"] == 0
