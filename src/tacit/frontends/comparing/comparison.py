"""What a comparison with plaintext found: errors by layer, the first that is off, advice."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from math import ceil, log2
from typing import Any, Final

from tacit.frontends.comparing.errors import NodeErrors

__all__ = ["Comparison", "ProtocolErrors"]

_SHOWN: Final = 40
_HEADINGS: Final = ("layer", "shape", "runs", "largest error", "relative", "of its own", "")


@dataclass(frozen=True, slots=True)
class ProtocolErrors:
    """What one protocol's arithmetic gave.

    Attributes
    ----------
    protocol : str
    layers : tuple of NodeErrors
        Of every operation on secrets, in the order in which they first ran.
    outputs : dict of str to float
        The largest absolute error of each output.
    most_fraction_bits : int
        What the ring has room for.
    ring : int
    """

    protocol: str
    layers: tuple[NodeErrors, ...]
    outputs: dict[str, float]
    most_fraction_bits: int
    ring: int
    tolerance: float

    @property
    def first(self) -> NodeErrors | None:
        """The first layer with an error above the tolerance."""
        return next((layer for layer in self.layers if layer.above), None)

    @property
    def suggestion(self) -> str:
        """What to do about it; empty if nothing is above the tolerance."""
        layer = self.first
        if layer is None:
            return ""
        if layer.undefined:
            return (
                f"{layer.name} is not defined for {layer.undefined} of its numbers (float64 gives"
                " NaN or infinity): clip its operand into the domain, for instance with tacit.clip."
            )
        wide = "" if self.ring == 128 else ", or use the 128-bit ring (ring=128)"
        if layer.beyond:
            return (
                f"{layer.name} reaches {layer.magnitude:.3g}, which the ring cannot hold: scale the"
                f" inputs down{wide}."
            )
        if layer.dtype.kind != "fixed":
            return (
                f"{layer.name} decides otherwise for numbers that lie closer together than their"
                " errors: compare with a margin, or use more fraction bits before it."
            )
        return self._more_bits(layer)

    def _more_bits(self, layer: NodeErrors) -> str:
        bits = layer.dtype.fraction_bits
        allowed = self.tolerance * max(1.0, layer.magnitude)
        needed = bits + ceil(log2(max(layer.largest_absolute / allowed, 1.0))) + 1
        if layer.own < layer.largest_absolute / 4:
            what = f"{layer.name} makes earlier errors larger"
        else:
            what = f"{layer.name} is off by up to {layer.own:.3g} by itself"
        if needed <= self.most_fraction_bits:
            return f"{what}: use more fraction bits, fractions=tacit.fixed_point({needed})."
        if self.ring == 64:
            return (
                f"{what}: use the 128-bit ring with fractions=tacit.fixed_point({needed}), or clip"
                " its operand to where the function is steady."
            )
        return f"{what}: clip or scale its operand to where the function is steady."

    def rows(self) -> list[tuple[str, ...]]:
        """The table's cells."""
        first = self.first
        found = []
        for layer in self.layers:
            shape = "×".join(map(str, layer.node.results[0].shape)) or "one"
            mark = "← first above tolerance" if layer is first else "above" if layer.above else ""
            numbers = tuple(
                f"{x:.2g}" for x in (layer.largest_absolute, layer.largest_relative, layer.own)
            )
            runs = str(layer.runs or "")
            found.append((layer.name, shape, runs, *numbers, mark))
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        first = self.first
        return {
            "protocol": self.protocol,
            "outputs": dict(self.outputs),
            "first_above": None if first is None else first.order,
            "suggestion": self.suggestion,
            "layers": [
                {
                    "operation": layer.node.node.operation,
                    "note": layer.node.node.note,
                    "shape": list(layer.node.results[0].shape),
                    "absolute": layer.largest_absolute,
                    "relative": layer.largest_relative,
                    "own": layer.own,
                    "undefined": layer.undefined,
                    "above": layer.above,
                }
                for layer in self.layers
            ],
        }


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """A program in float64 and under protocols' exact arithmetic, layer by layer.

    Attributes
    ----------
    name : str
        The program's.
    tolerance : float
        An error is above it where it is larger than ``tolerance * max(1, |float64|)``.
    protocols : tuple of ProtocolErrors
    outputs : dict of str to ndarray
        What float64 gives.
    """

    name: str
    tolerance: float
    protocols: tuple[ProtocolErrors, ...]
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def within(self) -> bool:
        """Whether every layer is within the tolerance under every protocol."""
        return all(one.first is None for one in self.protocols)

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "program": self.name,
            "tolerance": self.tolerance,
            "within": self.within,
            "protocols": [one.as_dict() for one in self.protocols],
        }

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = []
        for one in self.protocols:
            lines += [f"{self.name or 'program'} under {one.protocol} against float64"]
            lines += _aligned([_HEADINGS, *_shortened(one)])
            lines += [f"output {name}: off by up to {e:.2g}" for name, e in one.outputs.items()]
            verdict = f"No layer is above the tolerance {self.tolerance:g}."
            lines += [one.suggestion or verdict, ""]
        return "\n".join(lines).rstrip()

    def _repr_html_(self) -> str:
        parts = []
        for one in self.protocols:
            head = "".join(f"<th>{escape(h)}</th>" for h in _HEADINGS)
            body = "".join(
                f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
                for row in _shortened(one)
            )
            verdict = one.suggestion or f"No layer is above the tolerance {self.tolerance:g}."
            parts.append(
                f"<h4>{escape(self.name or 'program')} under {escape(one.protocol)}</h4>"
                f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
                f"<p>{escape(verdict)}</p>"
            )
        return "".join(parts)


def _shortened(one: ProtocolErrors) -> list[tuple[str, ...]]:
    """All rows of a short program, and of a long one those around the first above."""
    rows = one.rows()
    if len(rows) <= _SHOWN:
        return rows
    place = 0 if one.first is None else one.layers.index(one.first)
    start = min(max(0, place - _SHOWN // 2), len(rows) - _SHOWN)
    left = len(rows) - _SHOWN
    return [*rows[start : start + _SHOWN], (f"… and {left} more", "", "", "", "", "", "")]


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(_HEADINGS))]
    return [
        "  ".join(
            cell.ljust(width) if k in (0, 6) else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
