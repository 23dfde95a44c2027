"""The outcome of a training: a table for the terminal, a report, a manifest."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from rich.console import Console
from rich.markup import escape

from tacit.cli.comparison import Comparison
from tacit.cli.drift import (
    column_disclosures,
    drift_disclosures,
    drift_of,
    preparation_disclosures,
)
from tacit.cli.evaluations import base_rate, evaluated_on, evaluations
from tacit.cli.phase_costs import phases_of
from tacit.cli.privacy_options import privacy_facts
from tacit.cli.tables import cost_table, scores_table
from tacit.cli.terminal import literal
from tacit.ml.records import OwnerResult
from tacit.protocols import protocol_named
from tacit.reports import (
    Disclosure,
    IncidentRecord,
    Manifest,
    Owner,
    Report,
    Timeline,
    Topology,
    phase_records,
    write_manifest,
    write_report,
)

if TYPE_CHECKING:
    from tacit.cli.training import TrainingRequest

__all__ = ["Outcome", "outcome_of"]

_ACTIVATIONS = {"relu": "ReLU", "identity": "linear"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training gave, ready to be shown and saved.

    Attributes
    ----------
    report : Report
    manifest : Manifest
    results : dict of str to OwnerResult
        Each owner's own.
    comparison : Comparison or None
        With pooled and alone, if all data was at hand.
    """

    report: Report
    manifest: Manifest
    results: dict[str, OwnerResult]
    comparison: Comparison | None
    folder: Path

    def save(self, folder: Path) -> None:
        """Write the report, the manifest, and each owner's result and, if it learned it, model.

        ``index.html``, ``manifest.json``, ``OWNER/result.json``, ``OWNER/model.json``.
        """
        write_report(self.report, folder)
        write_manifest(self.manifest, folder / "manifest.json")
        gone = {name for incident in self.report.incidents for name in incident.dropped}
        for name in gone - self.results.keys():
            for stale in ("result.json", "model.json"):  # of a run before this one
                (folder / name / stale).unlink(missing_ok=True)
        for name, result in self.results.items():
            own = folder / name
            own.mkdir(parents=True, exist_ok=True)
            model = result.clear_model
            if model is not None:
                model.save(own / "model.json")
            (own / "result.json").write_bytes(
                msgspec.json.format(msgspec.json.encode(_own_file(result)), indent=2) + b"\n"
            )

    @property
    def kept(self) -> list[str]:
        """What became of the secret model, where one was to be kept."""
        name = self.report.parameters.get("kept as")
        found = next((r for r in self.results.values() if r.kept or r.kept_problem), None)
        if name is None or found is None:
            return []
        if not found.kept:
            return [f"[bold yellow]Warning:[/] The secret model was not kept. {found.kept_problem}"]
        return [f"Secret model: '{name}', version {found.kept}, in every party's store."]

    @property
    def evidence(self) -> list[Path]:
        """Folders with signed statements, of parties that no verdict names, the latest first."""
        named = {
            name
            for incident in self.report.incidents
            for name in (incident.party, *(incident.pair or ()), *incident.dropped)
        }
        return [
            Path(where).parent
            for incident in reversed(self.report.incidents)
            for name, where in incident.evidence.items()
            if name not in named
        ]

    def json(self) -> str:
        """The manifest, with the revealed results, as JSON."""
        return msgspec.json.encode(self.manifest).decode()

    def show(self, console: Console) -> None:
        """Print the tables."""
        if self.report.columns:
            for note in self.report.notes:
                console.print(f"[bold yellow]Note:[/] {escape(note)}", soft_wrap=True)
        if self.report.evaluations:
            console.print(scores_table(self.report))
        console.print(cost_table(self.report))
        if self.report.drift is not None:
            for line in self.report.drift.sentences:
                console.print(f"Drift: {escape(line)}", soft_wrap=True)
        for line in self.kept:
            console.print(line, soft_wrap=True)
        for where in self.evidence[:1]:
            console.print(f"Evidence: tacit blame verify {literal(where)}", soft_wrap=True)
        console.print(f"Report: {literal(self.folder / 'index.html')}")
        console.print(f"Manifest: {literal(self.folder / 'manifest.json')}")


def outcome_of(
    request: TrainingRequest,
    results: Mapping[str, OwnerResult],
    comparison: Comparison | None,
    incidents: tuple[IncidentRecord, ...] = (),
    timeline: Timeline | None = None,
) -> Outcome:
    """Put an outcome together from what the parties' processes returned.

    `results` lacks the parties that were lost; `incidents` say why.
    """
    owners = request.owners
    recipients = [name for name in results if results[name].model is not None]
    reader = results[recipients[0]] if recipients else next(iter(results.values()))
    evaluated = tuple(owners[index] for index in reader.evaluated)
    phases = phases_of(results)
    digests = {"session": reader.session_id.hex(), "schema": reader.schema.digest().hex()}
    parameters: dict[str, str | int | float | bool] = {
        "label": request.label,
        "model": _model_title(reader),
        "epochs": request.epochs,
        "batch size": request.batch_size,
        **_learning(request),
        **privacy_facts(reader),
        "test size": request.test_size,
        "seed": request.seed,
        "fractional bits": reader.plan.fraction_bits,
        "features": reader.plan.columns,
    }
    created = datetime.datetime.now(datetime.UTC).astimezone()
    memory = {name: result.peak_memory for name, result in results.items()}
    measured = evaluations(results, comparison)
    report = Report(
        title=request.title,
        created=f"{created:%Y-%m-%d %H:%M %Z}",
        label=request.label,
        columns=reader.columns,
        owners=[
            Owner(
                name,
                reader.rows[i],
                reader.test_rows[i],
                None if comparison is None else comparison.base_rates.get(name),
            )
            for i, name in enumerate(owners)
        ],
        evaluations=measured,
        evaluated_on=evaluated_on(request, evaluated, recipients, incidents, comparison),
        phases=phases,
        disclosures=_disclosures(request, reader),
        protocol=request.protocol,
        security=protocol_named(request.protocol).security,
        parameters={name: str(value) for name, value in parameters.items()},
        digests=digests,
        coefficients=_coefficients(reader),
        base_rate=base_rate(reader),
        losses=reader.losses or None,
        notes=_notes(request),
        helpers=request.parties[len(owners) :],
        incidents=incidents,
        peak_memory=memory,
        network=_network(reader),
        timeline=timeline,
        drift=drift_of(results),
    )
    manifest = Manifest(
        created=created.isoformat(timespec="seconds"),
        command=request.command,
        parties=request.parties,
        protocol=request.protocol,
        digests=digests,
        parameters=parameters,
        costs=phase_records(phases),
        peak_memory=memory,
        results={
            e.name: {
                "roc_auc": _number(e.roc_auc),
                "pr_auc": _number(e.pr_auc),
                "recall_at_1_percent": _number(e.recall),
                "brier": _number(e.brier),
                "coefficient_difference": _number(e.coefficient_difference),
            }
            for e in measured
        },
        incidents=incidents,
        evaluated=evaluated,
    )
    return Outcome(report, manifest, dict(results), comparison, request.out)


def _notes(request: TrainingRequest) -> tuple[str, ...]:
    found = list(request.notes)
    if request.privacy is not None:
        found.append(
            "Models trained in the clear to compare with (alone, pooled) have no noise, and"
            " standardised columns: their learning rate is at most the usual one for these."
        )
    if request.kit is not None:
        found.append(
            f"This is the report of {request.kit.name}: what the other parties spent and sent is in"
            " theirs."
        )
    return tuple(found)


def _learning(request: TrainingRequest) -> dict[str, str | int | float | bool]:
    """What the model's options say, without what was left as it is."""
    choice, how = request.model, request.model.optimiser
    found: dict[str, str | int | float | bool] = {
        "optimiser": how.solver,
        "learning rate": choice.learning_rate,
        "L2 penalty": choice.l2,
    }
    if how.momentum:
        found["momentum"] = f"{how.momentum:g}" + (" (Nesterov)" if how.nesterov else "")
    if how.schedule != "constant":
        found["schedule"] = how.schedule
    if how.warm_up:
        found["warm-up steps"] = how.warm_up
    if choice.dropout:
        found["dropout"] = choice.dropout
    if choice.class_weights is not None:
        found["class weights"] = "{:g}, {:g}".format(*choice.class_weights)
    if choice.stopping is not None:
        found["early stopping"] = (
            f"on {choice.stopping.fraction:.0%} of rows, patience {choice.stopping.patience}"
        )
    if choice.start is not None:
        found["started from"] = choice.start.name or "a public model"
    if choice.keep:
        found["kept as"] = choice.keep
    return found


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def _coefficients(reader: OwnerResult) -> dict[str, float] | None:
    model = reader.clear_model
    if model is None or model.form.kind != "logistic":
        return None
    return dict(zip(reader.schema.features, model.coefficients.tolist(), strict=True))


def _network(reader: OwnerResult) -> Topology | None:
    """The form of a perceptron: that of the model as it is used, where somebody learned it."""
    model, plan = reader.clear_model, reader.plan
    widths = plan.widths if model is None else model.form.widths
    if len(widths) < 3:
        return None
    activation = plan.activation if model is None else model.form.activation
    return Topology(tuple(widths), _ACTIVATIONS.get(activation, activation))


def _model_title(reader: OwnerResult) -> str:
    plan = reader.plan
    if plan.kind == "logistic":
        return "logistic regression"
    return f"perceptron {'-'.join(map(str, plan.widths))} ({plan.activation})"


def _disclosures(request: TrainingRequest, reader: OwnerResult) -> list[Disclosure]:
    owners, helpers = set(request.owners), set(request.parties) - set(request.owners)
    everyone, all_parties = "all owners", "all parties" if helpers else "all owners"
    to = everyone if set(request.reveal_to) == owners else ", ".join(request.reveal_to)
    losses_to = owners | set(request.reveal_to)
    found = [*_model_disclosures(request, reader, to), *_stopping_disclosures(reader, all_parties)]
    found += preparation_disclosures(reader, to if request.reveal_to else "")
    found += drift_disclosures(drift_of({"": reader}))
    found += column_disclosures(reader.schema)
    found += [
        Disclosure(
            "column names and types, number of rows of each owner",
            all_parties,
            "Public among the parties before anything is shared.",
        ),
    ]
    if request.schema is None:
        found.append(
            Disclosure(
                "the order of magnitude of each column"
                + (", and each owner's categories" if request.share_categories else ""),
                all_parties,
                "From the drafted schema, since no schema was given.",
            )
        )
    if reader.losses:
        found.append(
            Disclosure(
                f"{len(reader.losses)} loss values",
                everyone if losses_to == owners else all_parties,
                "Mean squared residuals of groups of batches, agreed with --reveal-loss.",
            )
        )
    found.append(
        Disclosure(
            "rows, labels, gradients, means, deviations", "nobody", "They exist as shares alone."
        )
    )
    return found


def _model_disclosures(request: TrainingRequest, reader: OwnerResult, to: str) -> list[Disclosure]:
    """What becomes of the model: opened, kept secret, or both."""
    numbers = sum(int(np.prod(shape)) for shape in reader.plan.shapes)
    what = f"the model: {numbers - 1:,} coefficients and an intercept"
    if reader.plan.kind == "mlp":
        what = f"the model: {numbers:,} weights and biases"
    found = []
    if request.reveal_to:
        found += [
            Disclosure(
                what,
                to,
                "Opened once, after the last step; joint means and deviations are folded in and"
                " stay secret."
                if reader.plan.privacy is None
                else "Opened once, after the last step; differentially private:"
                f" ({reader.plan.privacy.training.epsilon:.3g},"
                f" {reader.plan.privacy.training.delta:g}) for each training row.",
            ),
            Disclosure(
                "held-out rows counted by score and label",
                to,
                "Summed over the owners on shares; no owner's counts are shown. Taking one's own"
                " away gives the other owners' together."
                if reader.plan.privacy is None
                else "Summed over the owners on shares, with noise that nobody knows, in 64 bins.",
            )
            if not request.vertical
            else Disclosure(
                f"of the held-out rows: {request.metrics.replace(',', ', ')}",
                to,
                "Scored and measured on shares, since no owner has all columns of a row.",
            ),
        ]
    if request.model.keep:
        kept = f"as version {reader.kept}" if reader.kept else f"not: {reader.kept_problem}"
        found.append(
            Disclosure(
                f"the secret model '{request.model.keep}'",
                "nobody",
                f"Kept {kept}; sealed shares in every party's store, of which no one alone, nor"
                " its party, tells anything."
                if reader.kept
                else f"Kept {kept}",
            )
        )
    return found


def _stopping_disclosures(reader: OwnerResult, all_parties: str) -> list[Disclosure]:
    if reader.plan.stopping is None:
        return []
    return [
        Disclosure(
            f"{len(reader.metrics)} validation losses, and when training ended",
            all_parties,
            "The mean log-loss of rows set apart, one number an epoch, computed on shares: all"
            " parties must know whether to go on.",
        )
    ]


def _own_file(result: OwnerResult) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(result)
    for name in ("session_id", "joint", "alone", "joint_on_own", "model", "alone_model"):
        plain.pop(name, None)
    for prefix, record in (("", result.model), ("alone_", result.alone_model)):
        linear = record is not None and record.form.kind == "logistic"
        weights, bias = record.parameters if record is not None and linear else (None, [None])
        plain[f"{prefix}coefficients"] = weights
        plain[f"{prefix}intercept"] = bias[0]
    return plain
