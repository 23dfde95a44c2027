"""What the owners learned of differences between their data, for terminal and report."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.ml.records import OwnerResult
from tacit.reports import Disclosure
from tacit.reports.drift import DriftTable
from tacit.tables import Layout, Schema, private_columns

__all__ = ["column_disclosures", "drift_disclosures", "drift_of", "preparation_disclosures"]


def drift_of(results: Mapping[str, OwnerResult]) -> DriftTable | None:
    """The same at every owner; None where nothing was compared."""
    for result in results.values():
        found = result.drift
        if found is not None:
            private = private_columns(result.schema)
            return DriftTable(
                found.threshold, found.minimum, found.columns, found.above, found.too_few, private
            )
    return None


def drift_disclosures(found: DriftTable | None) -> list[Disclosure]:
    """Who learned what by the comparison."""
    if found is None or not found.above:
        return []
    return [
        Disclosure(
            f"whether data differ: {len(found.above)} × {len(found.columns)} bits",
            "all owners",
            "For each owner and column, whether its distribution is further than"
            f" {found.threshold:g} from that of the others together; agreed with --drift.",
        )
    ]


def column_disclosures(schema: Schema) -> list[Disclosure]:
    """What nobody learned of columns that the schema marks private."""
    names = private_columns(schema)
    if not names:
        return []
    return [
        Disclosure(
            f"statistics of {', '.join(names)}",
            "nobody",
            "Private by the schema: not compared between owners, no groups, no quantiles. A model"
            " is computed from all columns.",
        )
    ]


def preparation_disclosures(reader: OwnerResult, revealed_to: str) -> list[Disclosure]:
    """Who learned the limits and codes of prepared columns."""
    layout = Layout.of(reader.schema)
    what = []
    if layout.clipped:
        what.append(f"joint quantiles of {', '.join(c.name for c in layout.clipped)}")
    if layout.targets:
        what.append(f"joint label means by {', '.join(t.name for t in layout.targets)}")
    if not what:
        return []
    if not revealed_to:
        return [Disclosure(" and ".join(what), "nobody", "Part of the secret model.")]
    return [
        Disclosure(
            " and ".join(what),
            revealed_to,
            "Part of the revealed model: limits stand in its first layer, label means, up to a"
            " factor, in its weights. Computed on shares and shown to nobody else.",
        )
    ]
