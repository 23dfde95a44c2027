"""Owners' encoded rows in memory, with a column of every kind of preparation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tacit.tables import Column, Layout, Schema, Summaries, normalise, summaries

SCHEMA = Schema(
    label="y",
    columns=(
        Column("amount", "number", bounds=(0, 8192), clip=(0.02, 0.95)),
        Column("shop", "category", categories=("a", "b", "c", "d"), encode="target"),
        Column("age", "integer", bounds=(0, 128)),
        Column("y", "boolean"),
        Column("opened", "date", bounds=("2020-01-01", "2024-12-31"), clip=(0, 0.9)),
        Column("online", "boolean"),
        Column("plan", "category", categories=("x", "z"), missing="category", encode="target"),
    ),
)
LAYOUT = Layout.of(SCHEMA)


class Rows:
    """One owner's rows."""

    def __init__(self, rng: np.random.Generator, count: int, shift: float) -> None:
        self.names = SCHEMA.features
        shop = rng.integers(0, 5, count)  # 4 is none of the categories
        plan = rng.integers(0, 3, count)
        amount = np.minimum(np.exp(rng.normal(4 + shift, 1.5, count)), 8192)
        self.labels = (rng.random(count) < np.array([0.1, 0.5, 0.2, 0.9, 0.3])[shop]).astype(
            np.uint8
        )
        self.features: NDArray[np.float64] = np.column_stack(
            [
                normalise(amount, (0, 8192)),
                np.eye(5)[shop][:, :4],
                rng.uniform(-0.5, 0.1 + shift / 10, count),
                rng.beta(2, 5, count) * 2 - 1,
                rng.integers(0, 2, count),
                np.eye(3)[plan],
            ]
        )

    def take(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return self.features[indices], self.labels[indices]

    def chunks(
        self, indices: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
        for start in range(0, len(indices), 100):
            yield self.take(indices[start : start + 100])

    def summaries(self) -> Summaries:
        return summaries(self, np.arange(len(self.labels)), LAYOUT)  # type: ignore[arg-type]


def owners_of(counts: tuple[int, ...]) -> list[Rows]:
    rng = np.random.default_rng(11)
    return [Rows(rng, count, shift) for shift, count in enumerate(counts)]
