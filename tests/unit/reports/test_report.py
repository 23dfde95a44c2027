"""The report: self-contained, complete, safe against hostile names; the manifest."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tacit.errors import StorageError
from tacit.protocols.security import SecurityModel
from tacit.reports import (
    Disclosure,
    Evaluation,
    Held,
    IncidentRecord,
    Manifest,
    Moment,
    Owner,
    Phase,
    Report,
    Span,
    Timeline,
    Topology,
    phase_records,
    render,
    write_manifest,
    write_report,
)
from tacit.reports.formats import count, digits, duration, in_words, percent, size

LINE = (np.linspace(0, 1, 20), np.linspace(0, 1, 20) ** 0.3)
SECURITY = SecurityModel(
    parties=3,
    threshold=1,
    adversary="passive",
    outcome="none",
    statistical_bits=None,
    computational_bits=128,
    assumptions=("at most one party is corrupted",),
    leakage=("the number of rows",),
    papers=("AFLNO16",),
)
PHASES = (
    Phase("reading", 1.25),
    Phase("training", 9.5, 7_038, {"bank_a": 312_000_000, "bank_b": 1_000}),
)


def evaluation(name: str, kind: str, auc: float) -> Evaluation:
    return Evaluation(name, kind, auc, 0.4, 0.55, 0.007, None, LINE, LINE, LINE)  # type: ignore[arg-type]


def report() -> Report:
    return Report(
        title="Joint fraud model",
        created="20 November 2026",
        label="is_fraud",
        owners=[Owner("bank_a", 1_000, 200), Owner("bank_b", 500, 100)],
        evaluations=[
            evaluation("joint", "joint", 0.93412),
            evaluation("bank_a", "alone", 0.81),
            replace(evaluation("pooled plaintext", "pooled", 0.9342), coefficient_difference=0.001),
        ],
        evaluated_on="the held-out rows of all owners",
        phases=PHASES,
        disclosures=[Disclosure("the model", "all owners", "Opened at the end.")],
        protocol="replicated3",
        security=SECURITY,
        parameters={"Epochs": "3"},
        digests={"Schema": "ab" * 32},
        coefficients={"amount": 0.5, "is_night": -1.25},
        base_rate=0.01,
        losses=[0.25, 0.1, 0.05],
        peak_memory={"bank_a": 412_000_000},
        notes=["Compared with pooled plaintext: for tests only."],
    )


class Outline(HTMLParser):
    """Collects headings, ids, and everything that would be loaded; checks that tags nest."""

    VOID = frozenset({"meta", "br", "img", "path", "use", "rect", "line", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "data") and not (value or "").startswith("#"):
                self.loaded.append(value or "")
        if tag in ("script", "link", "iframe", "object"):
            self.loaded.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    assert found.open == []
    return found


def test_the_page_holds_everything_and_loads_nothing() -> None:
    page = render(report())
    found = outline(page)
    assert found.loaded == []
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert len(found.ids) == len(set(found.ids))
    assert found.headings == [
        "Joint fraud model",
        "Summary",
        "The data",
        "Rows",
        "Alone against together",
        "ROC AUC, from 0.5 (guessing) to 1",
        "Found at 1 % false alarms",
        "How well it separates",
        "ROC",
        "Precision and recall",
        "Calibration",
        "Loss during training",
        "What the model weighs",
        "Change of log-odds over half the column's bounds (numbers), or where it holds (others)",
        "Cost",
        "Time, at the slowest party",
        "Sent, all parties",
        "Who learned what",
        "Security model",
        "It rests on",
        "What is known to leak beyond the result",
        "Parameters and digests",
        "Digests",
    ]
    assert page.count("<svg") == 4
    for text in (
        "0.9341",
        "55.0 %",
        "7,038",
        "312 MB",
        "ab" * 32,
        "Two owners",
        "bank_a alone",
        "for tests only",
    ):
        assert text in page


def test_what_was_not_revealed_is_not_shown() -> None:
    bare = replace(
        report(),
        evaluations=[Evaluation("joint", "joint", 0.9, 0.4, 0.5, 0.01)],
        coefficients=None,
        losses=None,
        base_rate=None,
        notes=(),
        peak_memory={},
        phases=PHASES[:1],
    )
    page = render(bare)
    assert outline(page).headings[:6] == [
        "Joint fraud model",
        "Summary",
        "The data",
        "Rows",
        "Result",
        "Cost",
    ]
    for text in ("Loss during", "weighs", "<svg", "Peak memory", " alone", "in the clear"):
        assert text not in page


def test_numbers_that_do_not_exist_are_dashes() -> None:
    nan = float("nan")
    empty = replace(report(), evaluations=[Evaluation("joint", "joint", nan, nan, nan, nan)])
    page = render(empty)
    assert "nan" not in page.replace("finance", "")
    assert "–" in page


def test_hostile_names_stay_text() -> None:
    evil = '<script>alert("1")</script>$\\frac{1}{$&amp;'
    hostile = replace(
        report(),
        title=evil,
        label=evil,
        owners=[Owner(evil, 1, 1)],
        evaluations=[evaluation(evil, "alone", 0.5), evaluation("joint", "joint", 0.6)],
        evaluated_on=evil,
        phases=[Phase(evil, 1.0, 1, {evil: 1}), Phase("b", 1.0)],
        disclosures=[Disclosure(evil, evil, evil)],
        parameters={evil: evil},
        coefficients={evil: 1.0, "b": 2.0},
        notes=[evil],
        loss_name=evil,
    )
    found = outline(render(hostile))
    assert found.loaded == []
    assert found.headings[0] == evil


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render(report()) == render(report())


def test_writing(tmp_path: Path) -> None:
    path = write_report(report(), tmp_path / "new" / "report")
    assert path == tmp_path / "new" / "report" / "index.html"
    assert path.read_text(encoding="utf-8") == render(report())
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_report(report(), tmp_path / "file")


def test_manifest(tmp_path: Path) -> None:
    manifest = Manifest(
        created="2026-11-20T14:52:00+00:00",
        command="train",
        parties=("bank_a", "bank_b"),
        protocol="replicated3",
        digests={"schema": "ab" * 32},
        parameters={"epochs": 3, "learning_rate": 0.5, "reveal_loss": False},
        costs=phase_records(PHASES),
        results={"joint": {"roc_auc": 0.93, "recall": None}},
    )
    path = write_manifest(manifest, tmp_path / "report" / "manifest.json")
    assert msgspec.json.decode(path.read_bytes(), type=Manifest) == manifest
    assert set(manifest.software) >= {"python", "tacit", "numpy"}
    assert manifest.costs[1].bytes_sent["bank_a"] == 312_000_000
    with pytest.raises(StorageError, match="manifest cannot be written"):
        write_manifest(manifest, path / "below" / "a.json")


def test_numbers_as_people_read_them() -> None:
    assert [size(v) for v in (0, 999, 1_000, 12_345, 99_600, 312e6, 5.5e9)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "12.3 kB",
        "100 kB",
        "312 MB",
        "5.5 GB",
    ]
    assert [duration(v) for v in (0.421, 12.34, 59.96, 185)] == [
        "0.42 s",
        "12.3 s",
        "1 min 00 s",
        "3 min 05 s",
    ]
    assert (count(12345), in_words(3), in_words(40)) == ("12,345", "three", "40")
    assert (digits(-0.12345), digits(float("nan")), digits(None)) == ("−0.123", "–", "–")
    assert (percent(0.5921), percent(float("nan"))) == ("59.2 %", "–")


def incident(**what: Any) -> IncidentRecord:
    facts: dict[str, Any] = {
        "kind": "lost",
        "party": "bank_b",
        "pair": None,
        "dropped": ("bank_b",),
        "at": "2026-11-20T10:00:00+00:00",
        "phase": "training",
        "reason": "bank_a says that bank_b was silent",
        "protocol": "replicated3_active",
        "security": "3 parties; deviation ends in abort.",
        "reported_by": ("bank_a",),
        **what,
    }
    return IncidentRecord(**facts)


def test_a_report_says_who_was_lost_when_and_what_held_then() -> None:
    page = render(replace(report(), incidents=[incident()], helpers=["dave"]))
    assert "bank_b was lost at 10:00:00, during training" in page
    assert "without bank_b: any one of them may deviate and learns nothing; a further" in page
    assert "3 parties; deviation ends in abort.<" in page
    assert "bank_a says that bank_b was silent" in page
    assert "dave computed with them and held no data" in page
    assert "What happened to parties" not in render(report())


@pytest.mark.parametrize(
    ("what", "title", "afterwards"),
    [
        ({"kind": "convicted"}, "bank_b deviated", "replicated3_active, without bank_b"),
        (
            {"kind": "pair", "party": None, "pair": ("bank_a", "dave"), "dropped": ("dave",)},
            "One of bank_a and dave deviated or was lost",
            "without dave",
        ),
        (
            {"kind": "unclear", "party": None, "dropped": (), "protocol": "fantastic4"},
            "nobody could be named",
            "All went on under fantastic4, with more to compare",
        ),
        ({"protocol": ""}, "bank_b was lost", "From then on: "),
    ],
)
def test_incidents_in_words(what: dict[str, Any], title: str, afterwards: str) -> None:
    found = incident(**what)
    assert title in found.title
    assert afterwards in found.afterwards
    assert not found.afterwards.endswith("..")


def timeline(name: str = "bank_b") -> Timeline:
    return Timeline(
        seconds=40.0,
        spans=(
            Span("bank_a", "sharing", 0.0, 10.0),
            Span("bank_a", "training", 10.0, 40.0),
            Span(name, "training", 10.0, 20.0),
            Span("dave", "training", 10.0, 40.0),
        ),
        held=(
            Held(0.0, "fantastic4", ("bank_a", name, "dave"), "a fault is survived"),
            Held(20.5, "replicated3_active", ("bank_a", "dave"), "a fault ends the run"),
        ),
        moments=(
            Moment(20.0, name, "staged", "the demo killed it"),
            Moment(20.5, name, "noticed", f"{name} was lost"),
        ),
    )


def test_the_timeline_shows_who_was_there_what_happened_and_what_held() -> None:
    shown = replace(report(), timeline=timeline(), incidents=[incident()], helpers=["dave"])
    page = render(shown)
    assert "What happened to parties" in outline(page).headings
    for text in (
        "<dt>dave</dt>",
        'title="training: 30.0 s"',
        'style="left:25.00%;width:75.00%"',
        '<b class="mark staged" style="left:50.00%"',
        '<b class="mark noticed" style="left:51.25%"',
        "at 20.5 s: bank_b was lost",
        "from the start with bank_a, bank_b, dave: a fault is survived",
        "from 20.5 s with bank_a, dave: a fault ends the run",
    ):
        assert text in page, text
    calm = render(replace(report(), timeline=msgspec.structs.replace(timeline(), moments=())))
    assert "Who was there, and what held" in outline(calm).headings
    assert 'class="mark' not in calm


def test_a_network_is_shown_by_its_layers_and_not_by_weights() -> None:
    page = render(replace(report(), network=Topology((30, 32, 16, 1), "ReLU")))
    found = outline(page)
    assert "The model" in found.headings
    assert "What the model weighs" not in found.headings
    assert "one neural network for <b>is_fraud</b>" in page
    assert "A neural network of 1,537 numbers" in page
    assert re.findall(r"<li><b>(\d+)</b>", page) == ["30", "32", "16", "1"]


def test_base_rates_are_shown_where_they_are_known() -> None:
    assert "The share at each owner was not revealed." in render(report())
    owners = [Owner("bank_a", 1_000, 200, 0.0123), Owner("bank_b", 500, 100, 0.0456)]
    page = render(replace(report(), owners=owners))
    assert "1.23 %" in page
    assert "4.56 %" in page
    assert "because this run owned all data" in page


def test_long_and_hostile_names_stay_text_in_bars_and_lanes() -> None:
    evil = '<img src=x onerror="alert(1)">' * 4
    hostile = replace(
        report(),
        owners=[Owner(evil, 3, 1), Owner("b", 1, 1)],
        helpers=[evil + "2"],
        timeline=timeline(evil),
        network=Topology((3, 2, 1), evil),
    )
    page = render(hostile)
    assert outline(page).loaded == []
    assert "<img" not in page


def test_colours_of_drawings_are_those_of_the_style_sheet() -> None:
    page = render(report())
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert re.findall(r"#[0-9a-f]{6}", drawings) == []
    used = set(re.findall(r"var\((--[\w-]+)\)", page))
    light, dark = page.split("prefers-color-scheme: dark")
    for name in used:
        assert f"{name}: " in light
        assert f"{name}: " in dark, f"{name} has no colour in the dark"


def test_a_report_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(report(), tmp_path)
    before = path.read_bytes()

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match="No space left"):
        write_report(replace(report(), title="another"), tmp_path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]
