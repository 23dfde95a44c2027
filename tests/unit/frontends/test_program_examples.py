"""The examples of programs give what NumPy gives."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans

import tacit

EXAMPLES = Path(__file__).parents[3] / "examples"


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_second_highest_bid_is_the_price() -> None:
    auction = load("vickrey_auction")
    rng = np.random.default_rng(5)
    bids = {firm: rng.integers(0, 9, auction.LOTS) for firm in auction.FIRMS}  # some are equal
    with tacit.local(parties=auction.FIRMS, seed=1) as mpc:
        found = mpc.run(auction.program(), bids)
    table = np.stack(list(bids.values()))
    np.testing.assert_array_equal(found["winner"], table.argmax(0))
    np.testing.assert_array_equal(found["price"], np.sort(table, 0)[-2])


def test_gaps_are_told_of_large_groups_alone() -> None:
    pay = load("pay_gap")
    tables = {key: v for name in pay.EMPLOYERS for key, v in pay.made_up(name).items()}
    with tacit.local(parties=pay.EMPLOYERS, seed=1) as mpc:
        found = mpc.run(pay.program(), tables)
    job, woman, wage = (
        np.concatenate([tables[f"{column}_{name}"] for name in pay.EMPLOYERS])
        for column in ("occupation", "woman", "wage")
    )
    small = 0
    for place in range(pay.OCCUPATIONS):
        groups = [wage[(job == place) & (woman == one)] for one in (True, False)]
        enough = min(map(len, groups)) >= pay.MINIMUM
        small += not enough
        assert found["shown"][place] == enough
        expected = [group.mean() if enough else 0.0 for group in groups]
        given = [found[key][place] for key in ("women", "men")]
        np.testing.assert_allclose(given, expected, atol=1e-2)
    assert small


def test_centres_are_those_of_scikit_learn() -> None:
    kmeans = load("kmeans")
    points = kmeans.made_up()
    with tacit.local(parties=kmeans.OWNERS, seed=1) as mpc:
        found = mpc.run(kmeans.program(), points)
    whole = np.concatenate(list(points.values()))
    plain = KMeans(3, init=kmeans.START, n_init=1, max_iter=kmeans.ROUNDS, tol=0).fit(whole)
    np.testing.assert_allclose(found["centres"], plain.cluster_centers_, atol=2e-3)
    np.testing.assert_allclose(found["points"], np.bincount(plain.labels_), atol=1e-3)


def test_the_page_s_code_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    page = (EXAMPLES.parent / "docs" / "programs.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```\s+```text\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == 3
    for code, printed in blocks:
        exec(code, {})  # noqa: S102  (the documentation of this repository)
        assert capsys.readouterr().out == printed


def test_a_notebook_s_function_is_private_in_three_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    load("from_a_notebook").main()
    plain, private = capsys.readouterr().out.splitlines()
    assert plain.removeprefix("plain").strip() == private.removeprefix("private").strip()
