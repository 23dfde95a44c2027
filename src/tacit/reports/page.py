"""The report's page: one self-contained HTML file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from tacit.errors import StorageError
from tacit.reports.content import Evaluation, Report
from tacit.reports.formats import count, digits, duration, in_words, percent, size
from tacit.reports.plots import (
    calibration_plot,
    coefficient_plot,
    cost_plot,
    loss_plot,
    precision_recall_plot,
    rare,
    roc_plot,
)
from tacit.reports.style import STYLE

__all__ = ["render", "write_report"]

_WORKING_PHASES = 2
"""Fewer phases than this make no plot."""


def write_report(report: Report, directory: str | Path) -> Path:
    """Write ``index.html`` into `directory`, which is made if absent, and return its path.

    Raises
    ------
    StorageError
        The disk is full or the directory cannot be written.
    """
    target = Path(directory) / "index.html"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(report), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The report cannot be written to {target}: {error.strerror}.",
            next_step="choose another directory with --out, or free some space.",
            case=2,
        ) from None
    return target


def render(report: Report) -> str:
    """The page as HTML text. It loads nothing: no script, font or image from elsewhere."""
    sections = [
        _notes(report),
        _summary(report),
        _scores(report),
        _curves(report),
        _weights(report),
        _cost(report),
        _incidents(report),
        _disclosures(report),
        _security(report),
        _parameters(report),
    ]
    owners = ", ".join(owner.name for owner in report.owners)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(report.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header><div>
<div class="kicker">tacit · joint training report</div>
<h1>{escape(report.title)}</h1>
<p>{escape(owners)} · {escape(report.created)} · protocol {escape(report.protocol)}</p>
</div></header>
<main>
{"".join(section for section in sections if section)}
<footer>Made by tacit. This file is complete in itself: it loads nothing from elsewhere.</footer>
</main>
</body>
</html>
"""


def _notes(report: Report) -> str:
    happened = [f"{i.title}. {i.afterwards}" for i in report.incidents]
    if not report.notes and not happened:
        return ""
    body = "".join(f"<p>{escape(note)}</p>" for note in (*happened, *report.notes))
    return f'<section class="notes">{body}</section>'


def _summary(report: Report) -> str:
    rows = sum(owner.train_rows + owner.test_rows for owner in report.owners)
    seconds = sum(phase.seconds for phase in report.phases)
    heaviest = max(_bytes_by_party(report).values(), default=0)
    joint = next(iter(report.of_kind("joint")), None)
    alone = [e.roc_auc for e in report.of_kind("alone") if not math.isnan(e.roc_auc)]
    tiles = []
    if joint is not None:
        against = f"best owner alone {digits(max(alone))}" if alone else "on held-out rows"
        tiles.append(("ROC AUC, joint model", digits(joint.roc_auc), against))
        recalls = [e.recall for e in report.of_kind("alone") if not math.isnan(e.recall)]
        against = f"best owner alone {percent(max(recalls))}" if recalls else "of all positives"
        tiles.append(("Found at 1 % false positives", percent(joint.recall), against))
    rounds = sum(phase.rounds for phase in report.phases)
    tiles.append(("Time", duration(seconds), f"{count(rounds)} rounds of messages"))
    tiles.append(("Sent per party", size(heaviest), f"for {count(rows)} rows, at most"))
    cells = "".join(
        f'<div><dt>{name}</dt><dd>{value}</dd><dd class="note">{note}</dd></div>'
        for name, value, note in tiles
    )
    return _section("Summary", f'<p class="lead">{_lead(report)}</p><dl class="tiles">{cells}</dl>')


def _lead(report: Report) -> str:
    rows = sum(owner.train_rows for owner in report.owners)
    owners = in_words(len(report.owners)).capitalize()
    text = (
        f"{owners} owners trained one model for <b>{escape(report.label)}</b> on"
        f" {count(rows)} rows. No owner, and nobody between them, saw another's rows."
    )
    if report.helpers:
        helpers = escape(" and ".join(report.helpers))
        text += f" {helpers} computed with them and held no data."
    joint = next(iter(report.of_kind("joint")), None)
    alone = [e for e in report.of_kind("alone") if not math.isnan(e.roc_auc)]
    if joint is not None and alone and not math.isnan(joint.roc_auc):
        low, high = min(e.roc_auc for e in alone), max(e.roc_auc for e in alone)
        span = digits(high) if len(alone) == 1 else f"{digits(low)} to {digits(high)}"
        text += f" It ranks with a ROC AUC of <b>{digits(joint.roc_auc)}</b>; alone: {span}."
    pooled = next(iter(report.of_kind("pooled")), None)
    if joint is not None and pooled is not None:
        gap = abs(joint.roc_auc - pooled.roc_auc)
        text += " Training on all rows in the clear, the same way, gives"
        text += " the same to four digits." if gap < 5e-5 else f" {digits(pooled.roc_auc, 4)}."
    return text


def _scores(report: Report) -> str:
    difference = any(e.coefficient_difference is not None for e in report.evaluations)
    head = ["Model", "ROC AUC", "PR AUC", "Recall at 1 % FP", "Brier score"]
    if difference:
        head.append("Largest coefficient difference")
    body = "".join(_score_row(e, difference) for e in report.evaluations)
    table = (
        f'<table class="scores"><thead><tr>{_head(head)}</tr></thead><tbody>{body}</tbody></table>'
    )
    sub = (
        f"Measured on {escape(report.evaluated_on)}. Higher is better, for the Brier score lower;"
        " FP: false positives."
    )
    return _section("Joint, alone, pooled" if len(report.evaluations) > 1 else "Result", table, sub)


def _score_row(e: Evaluation, difference: bool) -> str:
    cells = [digits(e.roc_auc, 4), digits(e.pr_auc, 4), percent(e.recall), digits(e.brier, 5)]
    if difference:
        cells.append(digits(e.coefficient_difference, 4))
    values = "".join(f'<td class="n">{cell}</td>' for cell in cells)
    return f'<tr class="{e.kind}"><th scope="row">{escape(e.title)}</th>{values}</tr>'


def _curves(report: Report) -> str:
    figures = []
    if any(e.roc is not None for e in report.evaluations):
        figures.append(
            (
                "ROC",
                roc_plot(report),
                "How many positives are found for each share of false alarms. Further up and to"
                " the left is better.",
            )
        )
    if any(e.precision_recall is not None for e in report.evaluations):
        figures.append(
            (
                "Precision and recall",
                precision_recall_plot(report),
                "Of the rows that the model flags, how many are positive, for each share of"
                " positives found.",
            )
        )
    if any(e.calibration is not None for e in report.evaluations):
        figures.append(
            (
                "Calibration",
                calibration_plot(report),
                "Where a point lies on the diagonal, the predicted probability is what happens."
                + (" Groups without any positive row are left out." if rare(report) else ""),
            )
        )
    if report.losses:
        figures.append(
            (
                "Loss during training",
                loss_plot(report),
                f"The {escape(report.loss_name)} of training batches, revealed by agreement.",
            )
        )
    if not figures:
        return ""
    body = "".join(
        f"<figure><h3>{name}</h3>{svg}<figcaption>{caption}</figcaption></figure>"
        for name, svg, caption in figures
    )
    sub = f"On {escape(report.evaluated_on)}."
    return _section("How well it separates", f'<div class="plots">{body}</div>', sub)


def _weights(report: Report) -> str:
    if not report.coefficients:
        return ""
    shown = min(15, len(report.coefficients))
    sub = (
        f"The {shown} largest of {len(report.coefficients)} coefficients of the joint model:"
        f" to the right speaks for {escape(report.label)}, to the left against it."
    )
    figure = f'<figure class="wide">{coefficient_plot(report.coefficients, shown)}</figure>'
    return _section("What the model weighs", figure, sub)


def _cost(report: Report) -> str:
    parties = _parties(report)
    head = ["Phase", "Seconds", "Rounds", *(f"{party} sent" for party in parties)]
    rows = ""
    for phase in report.phases:
        sent = "".join(_sent(phase.bytes_sent.get(party, 0)) for party in parties)
        rows += (
            f'<tr><th scope="row">{escape(phase.name)}</th>'
            f'<td class="n">{phase.seconds:.2f}</td>'
            f'<td class="n">{count(phase.rounds) if phase.rounds else "–"}</td>{sent}</tr>'
        )
    totals = _bytes_by_party(report)
    foot = (
        f'<tr><th scope="row">Total</th>'
        f'<td class="n">{sum(p.seconds for p in report.phases):.2f}</td>'
        f'<td class="n">{count(sum(p.rounds for p in report.phases))}</td>'
        + "".join(_sent(totals[party]) for party in parties)
        + "</tr>"
    )
    if report.peak_memory:
        memory = "".join(
            f'<td class="n">{size(report.peak_memory[p]) if p in report.peak_memory else "–"}</td>'
            for p in parties
        )
        foot += f'<tr><th scope="row">Peak memory</th><td></td><td></td>{memory}</tr>'
    table = (
        f"<table><thead><tr>{_head(head)}</tr></thead><tbody>{rows}</tbody>"
        f"<tfoot>{foot}</tfoot></table>"
    )
    figure = ""
    if len(report.phases) >= _WORKING_PHASES:
        figure = f'<figure class="wide">{cost_plot(report.phases, parties)}</figure>'
    sub = (
        "Payload as counted by the protocol driver, check values included; frames and TLS come on"
        " top. A round is one exchange of messages among the parties."
    )
    return _section("Cost", figure + table, sub)


def _incidents(report: Report) -> str:
    if not report.incidents:
        return ""
    body = ""
    for incident in report.incidents:
        facts = {
            "When": incident.at + (f", during {incident.phase}" if incident.phase else ""),
            "What the parties saw": incident.reason,
            "Who took no part from then on": ", ".join(incident.dropped) or "nobody",
            "The others went on with": incident.protocol or "what was left needed no protocol",
            "What held from then on": incident.security,
            "Reported by": ", ".join(incident.reported_by) or "the process that started them",
            "Signed statements": ", ".join(incident.evidence.values()) or "none",
        }
        body += f"<h3>{escape(incident.title)}</h3>{_facts(facts)}"
    sub = "The model is that of all owners' training rows all the same: they were shared before."
    return _section("What happened to parties", body, sub)


def _disclosures(report: Report) -> str:
    rows = ""
    for item in report.disclosures:
        kind = "badge none" if item.who == "nobody" else "badge"
        rows += (
            f'<tr><th scope="row">{escape(item.what)}</th>'
            f'<td><span class="{kind}">{escape(item.who)}</span></td>'
            f"<td>{escape(item.how)}</td></tr>"
        )
    table = (
        f"<table><thead><tr>{_head(['What', 'Who learned it', 'How'], numbers=False)}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
    return _section("Who learned what", table, "Everything else stayed secret-shared throughout.")


def _security(report: Report) -> str:
    model = report.security
    adversary = {
        "passive": "passive: follows the protocol and tries to learn more",
        "active": "active: deviates in any way",
    }[model.adversary]
    facts = {
        "Protocol": report.protocol,
        "Parties": f"{model.parties}, of which at most {model.threshold} corrupted",
        "Adversary": adversary,
        "If somebody deviates": "not covered" if model.outcome == "none" else model.outcome,
        "Computational security": f"{model.computational_bits} bits",
        "Statistical security": "perfect given the keys"
        if model.statistical_bits is None
        else f"{model.statistical_bits} bits",
        "Papers": ", ".join(model.papers),
    }
    lists = (
        f"<div><h3>It rests on</h3>{_list(model.assumptions)}</div>"
        f"<div><h3>What is known to leak beyond the result</h3>{_list(model.leakage)}</div>"
    )
    body = f'{_facts(facts)}<div class="two">{lists}</div>'
    return _section("Security model", body, escape(model.describe()))


def _parameters(report: Report) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(o.name)}</th><td class="n">{count(o.train_rows)}</td>'
        f'<td class="n">{count(o.test_rows)}</td></tr>'
        for o in report.owners
    )
    owners = (
        f"<table><thead><tr>{_head(['Owner', 'Training rows', 'Held out'])}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
    digests = _facts(report.digests, code=True)
    body = (
        f'<div class="two"><div>{_facts(report.parameters)}</div><div>{owners}</div></div>'
        f"<h3>Digests</h3>{digests}"
    )
    return _section("Parameters and digests", body)


def _section(title: str, body: str, sub: str = "") -> str:
    under = f'<p class="sub">{sub}</p>' if sub else ""
    return f"<section><h2>{title}</h2>{under}{body}</section>\n"


def _head(names: Sequence[str], numbers: bool = True) -> str:
    first = f'<th scope="col">{escape(names[0])}</th>'
    kind = ' class="n"' if numbers else ""
    return first + "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name in names[1:])


def _sent(value: int) -> str:
    return f'<td class="n">{size(value) if value else "–"}</td>'


def _facts(facts: Mapping[str, str], code: bool = False) -> str:
    tag = "code" if code else "span"
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd><{tag}>{escape(value)}</{tag}></dd>"
        for name, value in facts.items()
    )
    return f'<dl class="facts">{rows}</dl>'


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _parties(report: Report) -> list[str]:
    names = [*(owner.name for owner in report.owners), *report.helpers]
    for phase in report.phases:
        names += [name for name in phase.bytes_sent if name not in names]
    return names


def _bytes_by_party(report: Report) -> dict[str, int]:
    return {
        party: sum(phase.bytes_sent.get(party, 0) for phase in report.phases)
        for party in _parties(report)
    }
