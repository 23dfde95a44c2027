"""``docs/onnx.md``: what is written by hand, and the tables from the outcomes and the rules."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.onnx_backend.judging import CLASSES, PASSED, TOLERANCE

__all__ = ["OUTCOMES", "PAGE", "Outcome", "kept_version", "page"]

_ROOT: Final = Path(__file__).parents[2]
OUTCOMES: Final = Path(__file__).with_name("outcomes.json")
PAGE: Final = _ROOT / "docs" / "onnx.md"
_HAND: Final = Path(__file__).with_name("introduction.md")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case.

    Attributes
    ----------
    name, kind, operator : str
    numeric : bool
        Whether it is about floats of 16 to 64 bits, integers and booleans only.
    reason : str
        ``"passed"``, or the class of the reason.
    detail : str
    """

    name: str
    kind: str
    operator: str
    numeric: bool
    reason: str
    detail: str = ""

    @property
    def kept_as(self) -> list[Any]:
        """The outcome as plain data."""
        return [self.name, self.kind, self.operator, self.numeric, self.reason, self.detail]

    @staticmethod
    def kept() -> list[Outcome]:
        """The outcomes of the last whole run."""
        return [Outcome(*each) for each in json.loads(OUTCOMES.read_text())["cases"]]


def kept_version() -> str:
    """The version of onnx whose test-suite is kept."""
    return str(json.loads(OUTCOMES.read_text())["onnx"])


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole page."""
    parts = [
        _HAND.read_text().rstrip(),
        "\n".join(_totals(outcomes)),
        "\n".join(_operators(outcomes)),
        "\n".join(_failing(outcomes)),
    ]
    return "\n\n".join(parts) + "\n"


def _passed(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.reason == PASSED for outcome in outcomes)


def _totals(outcomes: Sequence[Outcome]) -> Iterator[str]:
    import onnx

    numeric = [o for o in outcomes if o.numeric and o.kind == "node"]
    share = 100 * _passed(numeric) / len(numeric)
    yield "## ONNX's own test-suite"
    yield ""
    yield (
        f"`python -m bench.onnx_backend` runs the backend test-suite of onnx {onnx.__version__}"
        " against `tacit.from_onnx`: each case becomes a program that three parties run, its data"
        " inputs secret, its shapes, axes, positions and scales public. Floats pass within"
        f" {TOLERANCE:g} of what is expected, absolutely or relatively; integers and booleans are"
        " exact. ONNX's own tolerance of 1e-7 is below one unit in the last place (3.8e-6)."
    )
    yield ""
    yield (
        "Of the node cases of floats (16 to 64 bits), integers and booleans"
        f" **{_passed(numeric)} of {len(numeric)} pass ({share:.1f} %)**."
    )
    yield ""
    yield "| cases | pass | of | of floats, integers, booleans | of |"
    yield "|---|---|---|---|---|"
    for kind in dict.fromkeys(o.kind for o in outcomes):
        own = [o for o in outcomes if o.kind == kind]
        some = [o for o in own if o.numeric]
        yield f"| {kind} | {_passed(own)} | {len(own)} | {_passed(some)} | {len(some)} |"
    yield ""
    yield (
        "*light* are the suite's real networks on images of 224 by 224 pixels (SqueezeNet,"
        " ShuffleNet, Inception v2, ResNet-50, DenseNet-121), with the equal weights that the"
        " package holds; the weights that were trained would be downloaded. Their probabilities"
        " pass within 1e-5 and a thousandth. Inception v1 is left out, because it computes with"
        " numbers of 10^15 there, which fixed point does not hold; AlexNet, ZFNet and VGG-19,"
        " because as constants their weights are half a gigabyte and more."
    )
    yield ""
    yield "Why others do not:"
    yield ""
    yield "| reason | cases | of floats, integers, booleans |"
    yield "|---|---|---|"
    counts = Counter(o.reason for o in outcomes)
    fitting = Counter(o.reason for o in outcomes if o.numeric)
    for key, text in CLASSES.items():
        if counts[key]:
            yield f"| *{key}*: {text} | {counts[key]} | {fitting[key]} |"


def _operators(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## Operators"
    yield ""
    yield (
        "*From* is the first version of the operator set that is covered. Inputs are counted from"
        " 0; those that are not named as public may be secret. *Function* operators are computed as"
        " ONNX defines them, from the others; *in the clear* ones take public inputs only. Cases"
        " are the node cases of the test-suite that are about this operator alone."
    )
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.kind == "node":
            found.setdefault(outcome.operator, []).append(outcome)
    for domain, title in (
        ("", "Main operators"),
        ("ai.onnx.ml", "ai.onnx.ml"),
        ("ai.onnx.preview.training", "ai.onnx.preview.training"),
        ("ai.onnx.preview", "ai.onnx.preview"),
    ):
        yield ""
        yield f"### {title}"
        yield ""
        yield "| operator | computed | from | public inputs | cases pass | of |"
        yield "|---|---|---|---|---|---|"
        for name, how, since, public in _listed(domain):
            own = found.get(f"{domain}.{name}" if domain else name, [])
            counts = f"{_passed(own)} | {len(own)}" if own else " | "
            yield f"| {name} | {how} | {since} | {public} | {counts} |"
    for title in ("functions", "several operators"):
        own = found.get(title, [])
        yield ""
        yield (
            f"Cases of {'whole functions, written out' if title == 'functions' else title}:"
            f" {_passed(own)} of {len(own)} pass."
        )


def _listed(domain: str) -> Iterator[tuple[str, str, str, str]]:
    from onnx import defs

    from tacit.frontends.onnx.clear import RANDOM
    from tacit.frontends.onnx.functions import has_function
    from tacit.frontends.onnx.publicity import PUBLIC_ONLY
    from tacit.frontends.onnx.registry import RULES, rule_for

    rule_for(domain, "", 1)
    names = {schema.name for schema in defs.get_all_schemas() if schema.domain == domain}
    for name in sorted(names):
        rule = RULES.get((domain, name))
        if rule is not None:
            places = ", ".join(map(str, sorted(rule.public)))
            yield name, "yes", str(rule.since), places
        elif name in RANDOM:
            yield name, "no: it draws random numbers", "", ""
        elif name in PUBLIC_ONLY:
            yield name, "in the clear", "1", "all"
        elif has_function(domain, name, defs.onnx_opset_version()):
            yield name, "function", "1", ""
        else:
            yield name, "no", "", ""


def _failing(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## Cases that do not pass"
    yield ""
    yield "Those of floats, integers and booleans, by reason."
    for key in CLASSES:
        own = [o for o in outcomes if o.reason == key and o.numeric]
        if not own:
            continue
        yield ""
        yield f"### {key.capitalize()}"
        yield ""
        for outcome in own:
            yield f"- `{outcome.name}` ({outcome.operator})"
