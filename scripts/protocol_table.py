"""Print the README's table of protocols from their security models.

Run `python scripts/protocol_table.py` and put its output between the markers in README.md;
`tests/unit/test_readme.py` compares the two.
"""

from __future__ import annotations

from tacit.protocols import PROTOCOLS

HEADER = "| protocol | parties | corrupted | adversary | on deviation | security | papers |"


def table() -> str:
    """The table in Markdown."""
    lines = [HEADER, "|---" * HEADER.count("|", 1) + "|"]
    for protocol in PROTOCOLS.values():
        model = protocol.security
        statistical = (
            "" if model.statistical_bits is None else f", {model.statistical_bits} bits statistical"
        )
        lines.append(
            f"| `{protocol.name}` | {model.parties} | at most {model.threshold} | {model.adversary}"
            f" | {'no promise' if model.outcome == 'none' else model.outcome}"
            f" | {model.computational_bits} bits{statistical} | {', '.join(model.papers)} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
