"""Print the README's table of protocols, from their security models and what was measured.

Run `python scripts/protocol_table.py` and put its output between the markers in README.md;
`tests/unit/test_readme.py` compares the two. Times are those of `docs/performance.md`, divided by
`replicated3`'s in the same rows.
"""

from __future__ import annotations

import re
from pathlib import Path

from tacit.protocols import PROTOCOLS

PERFORMANCE = Path(__file__).parents[1] / "docs" / "performance.md"
HEADER = (
    "| protocol | parties | corrupted | adversary | on a fault | time: sort, training"
    " | security | papers |"
)
WORKLOADS = ("sort_1e4", "logistic_epoch")
UNITS = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}


def seconds(text: str) -> float:
    """A duration as the tables print it."""
    number, unit = text.split()
    return float(number.replace(",", "")) * UNITS[unit]


def ratios(protocol: str) -> list[float]:
    """Times of the workloads, as multiples of `replicated3`'s; 1 for itself."""
    if protocol == "replicated3":
        return [1.0 for _ in WORKLOADS]
    page = PERFORMANCE.read_text()
    section = page[page.index(f"\n`{protocol}`, ") :]
    header = re.search(r"^\| workload .*$", section, re.MULTILINE)
    assert header is not None
    names = [cell.strip() for cell in header[0].split("|")]
    own, passive = names.index("time"), names.index("`replicated3`")
    found = []
    for workload in WORKLOADS:
        row = re.search(rf"^\| `{workload}` .*$", section, re.MULTILINE)
        assert row is not None
        cells = [cell.strip() for cell in row[0].split("|")]
        found.append(seconds(cells[own]) / seconds(cells[passive]))
    return found


def table() -> str:
    """The table in Markdown."""
    lines = [HEADER, "|---" * HEADER.count("|", 1) + "|"]
    for protocol in PROTOCOLS.values():
        model = protocol.security
        statistical = (
            "" if model.statistical_bits is None else f", {model.statistical_bits} bits statistical"
        )
        times = ", ".join(f"{ratio:.1f} ×" for ratio in ratios(protocol.name))
        lines.append(
            f"| [`{protocol.name}`](docs/security/{protocol.name}.md) | {model.parties}"
            f" | at most {model.threshold} | {model.adversary}"
            f" | {'no promise' if model.outcome == 'none' else model.outcome} | {times}"
            f" | {model.computational_bits} bits{statistical} | {', '.join(model.papers)} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
