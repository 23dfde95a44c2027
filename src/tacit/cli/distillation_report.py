"""What the report of a distillation says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tacit.cli.phase_costs import phases_of
from tacit.protocols import protocol_named
from tacit.reports import Disclosure, Owner, Report
from tacit.reports.distillation_page import DistillationPage, StudentLine

if TYPE_CHECKING:
    from tacit.cli.distilling import DistillationOutcome

__all__ = ["page_of"]


def page_of(outcome: DistillationOutcome) -> DistillationPage:
    """The page of an outcome."""
    request, reader = outcome.request, outcome.reader
    parameters = {"teacher": reader.teacher, "features": str(len(reader.schema.features))}
    if request.pate is not None:
        pate = request.pate
        parameters |= {
            "privacy unit": pate.unit or "a row",
            "noise on each count": f"{pate.sigma:.3f} votes",
            "teachers' epochs": str(pate.epochs),
            "rows of an owner for each teacher": f"at most {pate.most_rows}",
            "labels balanced by the owners": "yes" if pate.balance else "no",
        }
    frame = Report(
        title="A public student of secret data",
        created=f"{outcome.created:%Y-%m-%d %H:%M %Z}",
        label=reader.schema.label,
        owners=[Owner(name, rows, 0) for name, rows in reader.rows.items()],
        evaluations=[],
        evaluated_on="",
        phases=phases_of(outcome.results),
        disclosures=_disclosures(outcome),
        protocol=request.protocol,
        security=protocol_named(request.protocol).security,
        parameters=parameters,
        digests={
            "session": reader.session_id.hex(),
            "schema": reader.schema.digest().hex(),
        },
        helpers=[name for name in request.parties if name not in request.owners],
        incidents=outcome.incidents,
        peak_memory={name: result.peak_memory for name, result in outcome.results.items()},
        notes=(outcome.guarantee,) if reader.spent is None else (),
    )
    students = [
        StudentLine(
            f"after {release.epochs} epochs" if release.epochs else "of the stored model",
            student.rows,
            student.held_out,
            student.positive,
            student.agreement if student.held_out else None,
        )
        for release, student in zip(reader.releases, outcome.students, strict=False)
    ]
    return DistillationPage(frame, reader.teacher, outcome.guarantee, students)


def _disclosures(outcome: DistillationOutcome) -> list[Disclosure]:
    request, to = outcome.request, ", ".join(outcome.recipients)
    what = "labels" if request.pate is not None else "probabilities"
    return [
        Disclosure(f"the {what} of the public rows", to, outcome.guarantee),
        Disclosure(
            "the schema, the public rows, how many rows each owner has, all settings",
            "all parties",
            "Public among the parties before anything is shared.",
        ),
        Disclosure(
            "rows, their labels, which shard they are in, the teachers, their votes, the noise",
            "nobody",
            "They exist as shares alone; which row is in which shard only its owner knows.",
        ),
    ]
