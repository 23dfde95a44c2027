"""Three banks' CSV files as people send them: for trying `tacit schema` and `tacit train`.

    python examples/messy_files.py FOLDER [ROWS]

Each bank exported from another program. bank_a: commas, ISO dates, a byte order mark and CRLF.
bank_b: semicolons, decimal commas, dates as 31.12.2024. bank_c: tabs, dates as 12/31/2024, and a
wrong column: `merchant` is called `Merchant`. Categories have spaces, quotes and letters beyond
ASCII; some cells are missing. `mended=True` writes bank_c's column under its right name.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

COLUMNS = ("customer", "opened", "amount", "age", "merchant", "online", "is_fraud")
MERCHANTS = ("Café & Bar", "fuel", "grocery, large", "Läden «Süd»", 'hotel "Sol"', "online shop")
RISK = (0.05, 0.1, 0.08, 0.35, 0.2, 0.55)


def write(folder: Path, rows: int = 600, *, seed: int = 7, mended: bool = False) -> dict[str, Path]:
    """Write the three files; their paths by owner."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    last = "merchant" if mended else "Merchant"
    paths = {}
    for name, separator, style, header in (
        ("bank_a", ",", "iso", COLUMNS),
        ("bank_b", ";", "dotted", COLUMNS),
        ("bank_c", "\t", "american", tuple(last if c == "merchant" else c for c in COLUMNS)),
    ):
        path = paths[name] = folder / f"{name}.csv"
        encoding = "utf-8-sig" if name == "bank_a" else "utf-8"
        end = "\r\n" if name == "bank_a" else "\n"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=separator, lineterminator=end)
            writer.writerow(header)
            writer.writerows(_rows(rng, name, rows, style))
    return paths


def _rows(rng: np.random.Generator, bank: str, rows: int, style: str) -> list[list[str]]:
    found = []
    for number in range(rows):
        day = np.datetime64("2019-01-01") + int(rng.integers(0, 2190))
        merchant = int(rng.integers(0, len(MERCHANTS)))
        amount = float(np.exp(rng.normal(3.5, 1.4)))
        fraud = rng.random() < RISK[merchant] * (1.5 if amount > 100 else 0.7)
        age = "" if rng.random() < 0.04 else str(int(rng.integers(18, 90)))
        shop = "" if rng.random() < 0.03 else MERCHANTS[merchant]
        text = f"{amount:.2f}"
        found.append(
            [
                f"{bank[-1].upper()}{number:06}",
                _date(day, style),
                text.replace(".", ",") if style == "dotted" else text,
                "NA" if style == "american" and not age else age,
                shop,
                str(bool(rng.integers(0, 2))).lower(),
                str(int(fraud)),
            ]
        )
    return found


def _date(day: np.datetime64, style: str) -> str:
    year, month, date = str(day).split("-")
    if style == "iso":
        return str(day)
    return f"{date}.{month}.{year}" if style == "dotted" else f"{month}/{date}/{year}"


if __name__ == "__main__":
    for owner, target in write(Path(sys.argv[1]), *map(int, sys.argv[2:3])).items():
        print(f"{owner}={target}")
