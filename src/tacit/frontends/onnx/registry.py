"""Which rule computes which operator, from which version of its operator set on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tacit.frontends.onnx.refusals import Refused

__all__ = ["ML", "RULES", "Call", "Rule", "operator", "rule_for"]

ML: Final = "ai.onnx.ml"
"""The domain of scikit-learn's models."""


@dataclass(frozen=True, slots=True)
class Call:
    """One node under way.

    Attributes
    ----------
    operator : str
    version : int
        Of the operator set that the model imports.
    attributes : mapping
        By name, as Python values; subgraphs as ``GraphProto``.
    outputs : sequence of str
        The names of its results, empty where one is not used.
    raw : sequence
        The inputs as they came: public arrays in their own types, infinity included.
    run : callable
        ``run(graph, inputs)`` gives the outputs of a subgraph, which sees the names around it.
        With ``trial=True`` nodes that cannot run are not noted, only refused.
    outer : callable
        ``outer(name)`` gives what a name around its subgraphs stands for.
    """

    operator: str
    version: int
    attributes: Mapping[str, Any]
    outputs: Sequence[str]
    raw: Sequence[Any]
    run: Callable[..., list[Any]] = field(repr=False)
    outer: Callable[[str], Any] = field(repr=False)

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or what the operator takes for it where it is missing."""
        return self.attributes.get(name, default)

    def text(self, name: str, default: str) -> str:
        """An attribute that is a word."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)

    def aligned(self, a: Any, b: Any) -> Any:
        """The second of two operands, as its axes stand below the first's before version 7."""
        axis = self.get("axis")
        if self.version >= 7 or axis is None or not self.get("broadcast", 0):
            return b
        behind = a.ndim - axis % a.ndim - b.ndim
        return b.reshape((*b.shape, *[1] * max(0, behind)))

    def wants(self, place: int) -> bool:
        """Whether a result is used."""
        return place < len(self.outputs) and bool(self.outputs[place])

    def refuse(self, reason: str) -> Refused:
        """The refusal of this node, to be raised."""
        return Refused(reason)


Apply: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """How an operator is computed where one of its inputs is secret.

    Attributes
    ----------
    operator, domain : str
    since : int
        The first version of the operator set that it covers; the newest known one is the last.
    apply : callable
        ``apply(call, *inputs)`` gives the result, or a tuple of several. Inputs that are left out
        are None.
    public : collection of int
        The places of inputs that must be public, such as shapes.
    always : bool
        Whether it also computes where all inputs are public.
    """

    operator: str
    domain: str
    since: int
    apply: Apply
    public: Collection[int] = ()
    always: bool = False


RULES: Final[dict[tuple[str, str], Rule]] = {}
"""All of them, by domain and operator."""


def operator(
    *names: str,
    since: int = 1,
    domain: str = "",
    public: Collection[int] = (),
    always: bool = False,
) -> Callable[[Apply], Apply]:
    """Enter a function as the rule of operators."""

    def entered(apply: Apply) -> Apply:
        for name in names:
            RULES[domain, name] = Rule(name, domain, since, apply, public, always)
        return apply

    return entered


def rule_for(domain: str, name: str, version: int) -> Rule | None:
    """The rule of an operator in a version of its operator set, if there is one."""
    from tacit.frontends.onnx import rules  # noqa: F401 (enters them all)

    rule = RULES.get((domain, name))
    return rule if rule is not None and version >= rule.since else None
