"""Card transactions of three banks and of nine rings of fraudsters who play them one by one.

The story
---------
About one transaction in a hundred is fraud. Most of it is the work of nine rings, each with a
method of its own: testing stolen numbers with tiny purchases, one device for dozens of cards,
taking over accounts, cloned cards far from home, goods sent to mules, bust-outs on fresh accounts,
shell merchants, refunds, gift cards. A ring works a bank until it is thrown out, then moves to the
next. So at any time each bank knows three of the nine methods well and has hardly met the
others: a model of its own does not recognise what will reach it next month. Together the banks
have met all nine.

The data
--------
``bank_a`` (38 % of the rows), ``bank_b`` (33 %) and ``bank_c`` (29 %) differ in customers: bank_b's
shop online, bank_c's live in the country. 22 columns, 14 numbers, 7 booleans and the merchant's
category in nine values, become 30 features. Every column is drawn from a distribution of ordinary
customers, amounts and counts heavy-tailed; for fraud of a ring, the columns that betray its method
are drawn from another one. Some ordinary customers look like one of the rings (they travel, share
a device, run up debts), and some fraud (6 %) looks like nothing. Everything is drawn from seeded
generators: the same seed and number of rows give the same files with the same NumPy.

No real transaction, person or bank is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from tacit.cli.demos.files import DemoFiles
from tacit.errors import UsageError
from tacit.tables.column import Column
from tacit.tables.schema import Schema

__all__ = ["BANKS", "LABEL", "RINGS", "SCHEMA", "generate"]

Draw: TypeAlias = Callable[[np.random.Generator, int], NDArray[Any]]

LABEL: Final = "is_fraud"
FRAUD_RATE: Final = 0.01

UNPATTERNED: Final = 0.06
"""Fraud that follows no ring's method."""

VISITS: Final = 0.002
"""Of a bank's fraud, the share of each ring that mainly works elsewhere."""

LOOKALIKES: Final = 0.01
"""Ordinary transactions that show one of the signs of a ring."""

SIGNS_SHOWN: Final = 0.95
"""How likely a ring's fraud shows each of its signs."""

CATEGORIES: Final = (
    "electronics",
    "fuel",
    "gaming",
    "gift_cards",
    "grocery",
    "luxury",
    "restaurant",
    "services",
    "travel",
)


# Distributions. Each returns n draws.


def lognormal(median: float, sigma: float, low: float, high: float) -> Draw:
    """Heavy-tailed positive numbers with two decimals."""
    return lambda rng, n: np.round(
        np.clip(median * np.exp(sigma * rng.standard_normal(n)), low, high), 2
    )


def normal(mean: float, sigma: float, low: float, high: float) -> Draw:
    """Numbers around a mean with two decimals."""
    return lambda rng, n: np.round(np.clip(mean + sigma * rng.standard_normal(n), low, high), 2)


def count(mean: float, spread: float, high: int, low: int = 0) -> Draw:
    """Counts: Poisson with a gamma-distributed rate (negative binomial)."""

    def draw(rng: np.random.Generator, n: int) -> NDArray[Any]:
        rate = rng.standard_gamma(1 / spread, n) * (mean * spread)
        return np.clip(low + rng.poisson(rate), low, high).astype(np.int32)

    return draw


def chance(probability: float) -> Draw:
    """True with a probability."""
    return lambda rng, n: rng.random(n) < probability


def choice(weights: Mapping[str, float]) -> Draw:
    """Positions in ``CATEGORIES``."""
    p = np.array([weights.get(name, 0.0) for name in CATEGORIES])
    edges = np.cumsum(p / p.sum())
    return lambda rng, n: np.minimum(
        np.searchsorted(edges, rng.random(n), side="right"), len(CATEGORIES) - 1
    ).astype(np.int8)


def _number(name: str, low: float, high: float) -> Column:
    return Column(name, "number", bounds=(low, high))


def _integer(name: str, high: int, low: int = 0) -> Column:
    return Column(name, "integer", bounds=(low, high))


SCHEMA: Final = Schema(
    label=LABEL,
    columns=(
        _number("amount", 0, 8_192),
        _number("amount_vs_usual", -8, 8),
        _number("km_from_home", 0, 16_384),
        _number("credit_used", 0, 1),
        _integer("account_age_days", 8_192),
        _integer("merchant_complaints", 64),
        _integer("purchases_last_hour", 64),
        _integer("purchases_last_day", 128),
        _integer("small_purchases_last_day", 64),
        _integer("declined_last_day", 64),
        _integer("cards_on_device", 64, 1),
        _integer("cards_at_address", 64, 1),
        _integer("refunds_last_month", 64),
        _integer("gift_cards_last_week", 64),
        Column("merchant_category", "category", categories=CATEGORIES),
        Column("is_online", "boolean"),
        Column("is_night", "boolean"),
        Column("is_foreign", "boolean"),
        Column("chip_read", "boolean"),
        Column("new_device", "boolean"),
        Column("address_mismatch", "boolean"),
        Column("password_reset", "boolean"),
        Column(LABEL, "boolean"),
    ),
)

_ORDINARY_CATEGORIES: Final = {
    "electronics": 0.07,
    "fuel": 0.12,
    "gaming": 0.05,
    "gift_cards": 0.02,
    "grocery": 0.34,
    "luxury": 0.02,
    "restaurant": 0.19,
    "services": 0.13,
    "travel": 0.06,
}

ORDINARY: Final[dict[str, Draw]] = {
    "amount": lognormal(28, 1.1, 0.5, 8_192),
    "amount_vs_usual": normal(0, 1.2, -8, 8),
    "km_from_home": lognormal(6, 1.5, 0, 16_384),
    "credit_used": normal(0.3, 0.18, 0, 1),
    "account_age_days": lognormal(1_300, 0.8, 1, 8_192),
    "merchant_complaints": count(0.3, 1.2, 64),
    "purchases_last_hour": count(0.4, 0.8, 64),
    "purchases_last_day": count(2.5, 0.6, 128),
    "small_purchases_last_day": count(0.6, 1.0, 64),
    "declined_last_day": count(0.15, 1.5, 64),
    "cards_on_device": count(0.5, 1.0, 64, 1),
    "cards_at_address": count(1.2, 0.6, 64, 1),
    "refunds_last_month": count(0.4, 1.2, 64),
    "gift_cards_last_week": count(0.15, 1.5, 64),
    "merchant_category": choice(_ORDINARY_CATEGORIES),
    "is_online": chance(0.35),
    "is_night": chance(0.08),
    "is_foreign": chance(0.06),
    "chip_read": chance(0.60),
    "new_device": chance(0.05),
    "address_mismatch": chance(0.06),
    "password_reset": chance(0.02),
}
"""What ordinary customers do."""

RINGS: Final[dict[str, dict[str, Draw]]] = {
    "card testing": {
        "small_purchases_last_day": count(9, 0.3, 64),
        "purchases_last_hour": count(6, 0.3, 64),
    },
    "device farm": {
        "cards_on_device": count(9, 0.3, 64, 1),
        "new_device": chance(0.9),
    },
    "account takeover": {
        "password_reset": chance(0.95),
        "amount_vs_usual": normal(3.8, 1.0, -8, 8),
    },
    "cloned cards": {
        "is_foreign": chance(0.95),
        "km_from_home": lognormal(4_000, 0.7, 0, 16_384),
    },
    "mule addresses": {
        "cards_at_address": count(12, 0.3, 64, 1),
        "address_mismatch": chance(0.95),
    },
    "bust-out": {
        "account_age_days": lognormal(40, 0.7, 1, 8_192),
        "credit_used": normal(0.93, 0.06, 0, 1),
        "declined_last_day": count(5, 0.4, 64),
        "merchant_category": choice({"luxury": 0.7, "electronics": 0.2, "travel": 0.1}),
    },
    "shell merchants": {
        "merchant_complaints": count(8, 0.3, 64),
        "merchant_category": choice({"services": 0.8, "gaming": 0.2}),
        "is_night": chance(0.9),
    },
    "refund abuse": {
        "refunds_last_month": count(9, 0.3, 64),
        "purchases_last_day": count(12, 0.3, 128),
    },
    "gift cards": {
        "gift_cards_last_week": count(6, 0.4, 64),
        "merchant_category": choice({"gift_cards": 0.85, "gaming": 0.15}),
    },
}
"""Each ring's method: the columns that betray it and how they are distributed then."""

ANY_FRAUD: Final[dict[str, Draw]] = {
    "is_online": chance(0.66),
    "is_night": chance(0.20),
    "amount_vs_usual": normal(0.7, 1.3, -8, 8),
    "amount": lognormal(45, 1.2, 0.5, 8_192),
}
"""What all fraud has in common: little."""


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank: its share of the rows, what its customers do differently, its rings."""

    share: float
    customers: Mapping[str, Draw]
    rings: tuple[str, str, str]


BANKS: Final[dict[str, Bank]] = {
    "bank_a": Bank(0.38, {}, ("card testing", "cloned cards", "refund abuse")),
    "bank_b": Bank(
        0.33,
        {
            "is_online": chance(0.65),
            "chip_read": chance(0.3),
            "account_age_days": lognormal(600, 0.8, 1, 8_192),
            "amount": lognormal(22, 1.1, 0.5, 8_192),
        },
        ("device farm", "account takeover", "gift cards"),
    ),
    "bank_c": Bank(
        0.29,
        {
            "is_online": chance(0.2),
            "km_from_home": lognormal(11, 1.5, 0, 16_384),
            "cards_at_address": count(1.8, 0.6, 64, 1),
            "amount": lognormal(34, 1.1, 0.5, 8_192),
        },
        ("mule addresses", "bust-out", "shell merchants"),
    ),
}


def generate(directory: str | Path, rows: int = 500_000, seed: int = 2026) -> DemoFiles:
    """Write ``bank_a.parquet``, ``bank_b.parquet``, ``bank_c.parquet`` and ``schema.json``.

    Parameters
    ----------
    directory : path
        Where to; made if absent.
    rows : int
        Transactions of the three banks together, at least 3,000.
    seed : int
        The same seed gives the same data.
    """
    if rows < 3_000:
        raise UsageError(
            f"{rows} transactions hold too little fraud for three banks.",
            next_step="ask for 3,000 or more.",
            case=46,
        )
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    files, sizes = {}, {}
    for index, (name, bank) in enumerate(BANKS.items()):
        rng = np.random.Generator(np.random.PCG64([seed, index]))
        size = round(rows * bank.share)
        table = _transactions(rng, bank, size)
        files[name] = target / f"{name}.parquet"
        sizes[name] = size
        pa.parquet.write_table(table, files[name], compression="zstd", row_group_size=1 << 17)
    return DemoFiles(files, SCHEMA.save(target / "schema.json"), LABEL, sizes)


def _transactions(rng: np.random.Generator, bank: Bank, n: int) -> pa.Table:
    """One bank's transactions in random order."""
    fraud = rng.random(n) < FRAUD_RATE
    names = list(RINGS)
    # -1: no ring. Fraud draws its ring; some ordinary rows show a ring's sign.
    home = (1 - UNPATTERNED - 6 * VISITS) / 3
    weights = np.array([home if name in bank.rings else VISITS for name in names])
    ring = np.full(n, -1, np.int8)
    drawn = np.searchsorted(np.cumsum(weights), rng.random(n), side="right")
    ring[fraud] = np.where(drawn < len(names), drawn, -1)[fraud]
    lookalike = ~fraud & (rng.random(n) < LOOKALIKES)
    ring[lookalike] = rng.integers(0, len(names), int(lookalike.sum()))
    members = [np.flatnonzero(ring == index) for index in range(len(names))]

    columns = {}
    for column in SCHEMA.inputs:
        name = column.name
        values = bank.customers.get(name, ORDINARY[name])(rng, n)
        if name in ANY_FRAUD:
            values[fraud] = ANY_FRAUD[name](rng, int(fraud.sum()))
        for index, method in enumerate(RINGS.values()):
            if name in method:
                shown = np.where(fraud[members[index]], SIGNS_SHOWN, 1 / len(method))
                hit = members[index][rng.random(len(shown)) < shown]
                values[hit] = method[name](rng, len(hit))
        columns[name] = values
    # What cannot be: a chip is not read online.
    columns["chip_read"] &= ~columns["is_online"]
    return _table(columns, fraud)


def _table(columns: Mapping[str, NDArray[Any]], fraud: NDArray[np.bool_]) -> pa.Table:
    arrays = {}
    for column in SCHEMA.inputs:
        values = columns[column.name]
        if column.type == "category":
            codes = pa.array(values.astype(np.int8))
            arrays[column.name] = pa.DictionaryArray.from_arrays(codes, pa.array(CATEGORIES))
        elif column.type == "integer":
            arrays[column.name] = pa.array(values.astype(np.int32))
        else:
            arrays[column.name] = pa.array(values)
    arrays[LABEL] = pa.array(fraud)
    return pa.table(arrays)
