"""The page's end: who learned what, what the protocol promises, with which parameters it ran."""

from __future__ import annotations

from html import escape

from tacit.reports.content import Report
from tacit.reports.elements import facts, heading_cells, items, section, table

__all__ = ["disclosures", "parameters", "security"]


def disclosures(report: Report) -> str:
    """What was revealed to whom."""
    rows = ""
    for item in report.disclosures:
        kind = "badge none" if item.who == "nobody" else "badge"
        rows += (
            f'<tr><th scope="row">{escape(item.what)}</th>'
            f'<td><span class="{kind}">{escape(item.who)}</span></td>'
            f"<td>{escape(item.how)}</td></tr>"
        )
    head = heading_cells(["What", "Who learned it", "How"], numbers=False)
    sub = "Everything else stayed secret-shared throughout."
    return section("Who learned what", table(head, rows, kind="prose"), sub)


def security(report: Report) -> str:
    """The protocol's promise and what it rests on."""
    promise = report.security
    adversary = {
        "passive": "passive: follows the protocol and tries to learn more",
        "active": "active: deviates in any way",
    }[promise.adversary]
    known = {
        "Protocol": report.protocol,
        "Parties": f"{promise.parties}, of which at most {promise.threshold} corrupted",
        "Adversary": adversary,
        "If somebody deviates": "not covered" if promise.outcome == "none" else promise.outcome,
        "Computational security": f"{promise.computational_bits} bits",
        "Statistical security": "perfect given the keys"
        if promise.statistical_bits is None
        else f"{promise.statistical_bits} bits",
        "Papers": ", ".join(promise.papers),
    }
    lists = (
        f"<div><h3>It rests on</h3>{items(promise.assumptions)}</div>"
        f"<div><h3>What is known to leak beyond the result</h3>{items(promise.leakage)}</div>"
    )
    body = f'{facts(known)}<div class="two">{lists}</div>'
    return section("Security model", body, escape(promise.describe()))


def parameters(report: Report) -> str:
    """Settings and digests, with which the run can be told from another one."""
    body = f"{facts(report.parameters)}<h3>Digests</h3>{facts(report.digests, code=True)}"
    return section("Parameters and digests", body)
