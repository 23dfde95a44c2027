"""The page's second half: who was there and what happened to parties, and what all of it cost."""

from __future__ import annotations

from html import escape
from pathlib import PurePath

from tacit.reports.bars import Bar, Part, bars, legend, tone
from tacit.reports.content import Report
from tacit.reports.elements import facts, heading_cells, section, sent, table
from tacit.reports.formats import count, duration, shortened, size
from tacit.reports.timeline import Moment, Span, Timeline

__all__ = ["bytes_by_party", "cost", "incidents", "parties"]

_PHASE_TONES = 6


def incidents(report: Report) -> str:
    """The security timeline, and every fault that was overcome."""
    line = report.timeline
    if line is None and not report.incidents:
        return ""
    body = "" if line is None else _timeline(report, line)
    for incident in report.incidents:
        known = {
            "When": incident.at + (f", during {incident.phase}" if incident.phase else ""),
            "What the parties saw": incident.reason,
            "Who took no part from then on": ", ".join(incident.dropped) or "nobody",
            "The others went on with": incident.protocol or "what was left needed no protocol",
            "What held from then on": incident.security,
            "Reported by": ", ".join(incident.reported_by) or "the process that started them",
            "Signed statements": ", ".join(
                f"{name}/evidence/{PurePath(where).name}"
                for name, where in incident.evidence.items()
            )
            or "none",
        }
        body += f"<h3>{escape(incident.title)}</h3>{facts(known)}"
    if report.incidents:
        sub = (
            "The model is that of all owners' training rows all the same: they were shared before."
        )
        return section("What happened to parties", body, sub)
    return section("Who was there, and what held", body, "Nothing happened to any party.")


def _timeline(report: Report, line: Timeline) -> str:
    total = max(line.seconds, 1e-9)
    phases = list(dict.fromkeys(span.phase for span in line.spans))
    tones = {name: f"p{place % _PHASE_TONES + 1}" for place, name in enumerate(phases)}
    numbers = {id(moment): place + 1 for place, moment in enumerate(line.moments)}

    def place(seconds: float) -> str:
        return f"{100 * min(max(seconds, 0.0), total) / total:.2f}%"

    def lane(party: str) -> str:
        pieces = "".join(
            f'<i class="{tones[s.phase]}" style="left:{place(s.begin)};width:{_width(s, total)}"'
            f' title="{escape(s.phase)}: {duration(s.end - s.begin)}"></i>'
            for s in line.spans
            if s.party == party
        )
        for moment in line.moments:
            if moment.party == party:
                pieces += _mark(moment, numbers[id(moment)], place(moment.at))
        return f"<div><dt>{escape(shortened(party, 20))}</dt><dd>{pieces}</dd></div>"

    held = ""
    for number, stage in enumerate(line.held):
        end = line.held[number + 1].begin if number + 1 < len(line.held) else total
        held += (
            f'<i class="{_held_tone(stage.protocol)}" style="left:{place(stage.begin)};'
            f'width:{place(end - stage.begin)}" title="{escape(stage.promise)}">'
            f"<span>{escape(stage.protocol)}</span></i>"
        )
    common = "".join(
        _mark(moment, numbers[id(moment)], place(moment.at))
        for moment in line.moments
        if not moment.party
    )
    seen = {span.party for span in line.spans} | {moment.party for moment in line.moments}
    named = [*(owner.name for owner in report.owners), *report.helpers]
    names = [name for name in dict.fromkeys([*named, *line.held[0].parties]) if name in seen]
    stages = "".join(
        f"<li><b>{escape(stage.protocol)}</b> from {_since(stage.begin)} with"
        f" {escape(', '.join(stage.parties))}: {escape(stage.promise)}</li>"
        for stage in line.held
    )
    happened = "".join(
        f'<li class="{moment.kind}"><b>{number}</b> at {duration(moment.at)}:'
        f" {escape(moment.text)}</li>"
        for number, moment in enumerate(line.moments, 1)
    )
    happened = f'<ol class="moments">{happened}</ol>' if happened else ""
    return (
        '<figure class="timeline"><dl>'
        f'<div class="held"><dt>protocol</dt><dd>{held}{common}</dd></div>'
        + "".join(lane(name) for name in names)
        + f'<div class="axis"><dt></dt><dd><span>0 s</span><span>{duration(total / 2)}</span>'
        f"<span>{duration(total)}</span></dd></div></dl>"
        f"{legend([(name, tones[name]) for name in phases])}</figure>"
        f'{happened}<h3>What held when</h3><ul class="stages">{stages}</ul>'
    )


def _since(seconds: float) -> str:
    return duration(seconds) if seconds > 0 else "the start"


def _held_tone(protocol: str) -> str:
    """The style sheet's name for what a protocol promises."""
    return {"fantastic4": "h1", "replicated3_active": "h2"}.get(protocol, "h3")


def _width(span: Span, total: float) -> str:
    return f"{max(100 * (span.end - span.begin) / total, 0.15):.2f}%"


def _mark(moment: Moment, number: int, left: str) -> str:
    return (
        f'<b class="mark {moment.kind}" style="left:{left}" title="{escape(moment.text)}">'
        f"{number}</b>"
    )


def cost(report: Report) -> str:
    """Seconds, rounds, bytes and memory."""
    names = parties(report)
    head = ["Phase", "Seconds", "Rounds", *(f"{shortened(party)} sent" for party in names)]
    rows = ""
    for phase in report.phases:
        cells = "".join(sent(phase.bytes_sent.get(party, 0)) for party in names)
        rows += (
            f'<tr><th scope="row">{escape(phase.name)}</th>'
            f'<td class="n">{phase.seconds:.2f}</td>'
            f'<td class="n">{count(phase.rounds) if phase.rounds else "–"}</td>{cells}</tr>'
        )
    totals = bytes_by_party(report)
    foot = (
        f'<tr><th scope="row">Total</th>'
        f'<td class="n">{sum(p.seconds for p in report.phases):.2f}</td>'
        f'<td class="n">{count(sum(p.rounds for p in report.phases))}</td>'
        + "".join(sent(totals[party]) for party in names)
        + "</tr>"
    )
    if report.peak_memory:
        memory = "".join(
            f'<td class="n">{size(report.peak_memory[p]) if p in report.peak_memory else "–"}</td>'
            for p in names
        )
        foot += f'<tr><th scope="row">Peak memory</th><td></td><td></td>{memory}</tr>'
    sub = (
        "Payload as counted by the protocol driver, check values included; frames and TLS come on"
        " top. A round is one exchange of messages among the parties."
    )
    return section(
        "Cost", _cost_bars(report) + table(heading_cells(head), rows, foot, kind="cost"), sub
    )


def _cost_bars(report: Report) -> str:
    if len(report.phases) < 2:
        return ""
    names = parties(report)
    seconds = [
        Bar(phase.name, [Part(phase.seconds, "joint")], duration(phase.seconds))
        for phase in report.phases
    ]
    traffic = [
        Bar(
            phase.name,
            [
                Part(
                    phase.bytes_sent.get(name, 0),
                    tone(place),
                    f"{name}: {size(phase.bytes_sent.get(name, 0))}",
                )
                for place, name in enumerate(names)
            ],
            size(phase.total_bytes) if phase.total_bytes else "–",
        )
        for phase in report.phases
    ]
    longest = max(phase.seconds for phase in report.phases)
    heaviest = max(phase.total_bytes for phase in report.phases)
    parts = [bars("Time, at the slowest party", seconds, longest)]
    if heaviest:
        colours = legend([(shortened(name), tone(place)) for place, name in enumerate(names)])
        parts.append(f"<div>{bars('Sent, all parties', traffic, heaviest)}{colours}</div>")
    return f'<div class="two">{"".join(parts)}</div>'


def parties(report: Report) -> list[str]:
    """Owners, helpers, and whoever else sent something, as far as this report knows of it.

    Where each party runs on its own machine, a report has its own party's costs alone.
    """
    names = [*(owner.name for owner in report.owners), *report.helpers]
    for phase in report.phases:
        names += [name for name in phase.bytes_sent if name not in names]
    known = {name for phase in report.phases for name in phase.bytes_sent}
    return [name for name in names if name in known] if known else names


def bytes_by_party(report: Report) -> dict[str, int]:
    """What each party sent in all phases."""
    return {
        party: sum(phase.bytes_sent.get(party, 0) for phase in report.phases)
        for party in parties(report)
    }
