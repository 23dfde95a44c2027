"""Programs as text and pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import ProgramError
from tacit.operations.table import OPERATIONS
from tacit.programs.building import GraphBuilder
from tacit.programs.explaining.words import WORDS
from tacit.programs.showing.layout import layered

MARKUP = '[red]a[/red]"><script>=1'


def nested(x: Any, y: Any) -> dict[str, Any]:
    def outer(i: Any, carry: list[Any]) -> list[Any]:
        (s,), _ = tacit.scan(lambda c, r: ([c[0] * 0.5 + r[0].sum()], []), [carry[0]], [x])
        (s,) = tacit.cond(i % 2 == 0, lambda v: [v * 0.5], lambda v: [v - 1], s)
        return [tacit.clip(s, -1, 1)]

    (s,) = tacit.fori_loop(0, 9, outer, [x[0, :2].sum() * 0.1])
    return {"s": s, "z": (x @ np.arange(6.0).reshape(3, 2) + y).mean(axis=0)}


@pytest.fixture(scope="module")
def program() -> Program:
    return tacit.trace(
        nested,
        ArraySpec((4, 3), owner="alice", bounds=(-1, 1)),
        ArraySpec((4, 2), owner="bob", bounds=(-1, 1)),
        to={"s": "carol", "z": ("alice", "bob")},
    )


def test_the_text_has_every_value_and_indents_bodies(program: Program) -> None:
    lines = str(program).splitlines()
    assert lines[0] == f"program nested  {program.digest}"
    assert "  input x: fixed[4, 3] from alice within [-1, 1]" in lines
    assert any(re.fullmatch(r"  %\d+ = x\[0, :2\]: fixed\[2\]", line) for line in lines)
    assert lines[-2].startswith("  output s = %")
    assert lines[-2].endswith(" to carol")
    indents = [len(line) - len(line.lstrip()) for line in lines]
    assert max(indents) >= 10  # a branch in a loop
    count = sum(len(graph.nodes) for graph in program.graphs())
    assert sum(" = " in line and "output" not in line and "]: " not in line.split(" = ")[0]
               for line in lines) >= count  # fmt: skip
    assert program.text(most=3).splitlines()[-1].startswith("… cut after 3 lines")


def test_the_picture_holds_everything_and_nothing_that_runs(program: Program) -> None:
    picture = program.draw()
    root = ElementTree.fromstring(picture.svg)
    text = " ".join(root.itertext())
    for part in (
        "for i from 0 to before 9",
        "for each of 4 rows",
        "branch 1",
        "to carol",
        "from bob",
    ):
        assert part in text
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "defs", "marker", "path", "rect", "text", "g"}
    assert not re.search(r"\b(href|onload|url\(http)", picture.svg)
    assert picture._repr_svg_() == picture.svg
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        right = float(box.get("x", 0)) + float(box.get("width", 0))
        bottom = float(box.get("y", 0)) + float(box.get("height", 0))
        assert right <= width + 1
        assert bottom <= height + 1


def _named(program: Program, name: str, where: str) -> Program:
    """The program with a name of somebody else's in one place."""
    form, replace = program.form, msgspec.structs.replace
    main, first = form.main, form.main.inputs[0]
    match where:
        case "program":
            return Program(replace(form, name=name))
        case "input" | "owner":
            field = {"name": name} if where == "input" else {"owner": name}
            inputs = (replace(first, **field), *main.inputs[1:])
            return Program(replace(form, main=replace(main, inputs=inputs)))
        case "output" | "recipient":
            field = {"name": name} if where == "output" else {"to": (name,)}
            outputs = (replace(form.outputs[0], **field), *form.outputs[1:])
            return Program(replace(form, outputs=outputs))
        case "note" | "operation":
            node = replace(main.nodes[0], **{where: name})
            return Program(replace(form, main=replace(main, nodes=(node, *main.nodes[1:]))))
    graph = form.bodies[0]
    node = replace(graph.nodes[0], note=name)
    body = replace(graph, nodes=(node, *graph.nodes[1:]))
    return Program(replace(form, bodies=(body, *form.bodies[1:])))


PLACES = ("program", "input", "owner", "output", "recipient", "note", "operation", "body")


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(
    "name", ["a\x1b[2J", "a\nResults: fine", "\u202eb", "a\rb", "\u2028", "\x9b"]
)
def test_names_that_do_not_print_are_refused(program: Program, where: str, name: str) -> None:
    """A line's end in a name would write lines of its own into what people approve."""
    with pytest.raises(ProgramError, match="TC-1500") as caught:
        _named(program, name, where)
    assert name not in str(caught.value)


def test_notes_of_models_print() -> None:
    builder = GraphBuilder()
    x = builder.constant(np.zeros(3))
    row = OPERATIONS["negative"]
    (y,) = builder.node("negative", [x], row.attributes(), [x.type], "layer\n\x1b[2J")
    assert builder.graph([y]).nodes[0].note == "layer\\u000a\\u001b[2J"


def test_markup_in_names_is_shown_and_not_obeyed(program: Program, tmp_path: Path) -> None:
    hostile = program
    for where in PLACES:
        if where != "operation":
            hostile = _named(hostile, MARKUP, where)
    explanation = hostile.explain()
    hostile.draw(tmp_path / "one.svg")
    drawn = (tmp_path / "one.svg").read_text("utf-8")
    for shown in (str(hostile), str(explanation)):
        assert MARKUP in shown
    for markup in (explanation._repr_html_(), drawn):
        assert "<script" not in markup
        assert "&lt;script" in markup
    ElementTree.fromstring(drawn)


def test_boxes_do_not_overlap() -> None:
    generator = np.random.default_rng(3)
    for _ in range(20):
        count = int(generator.integers(1, 40))
        sizes = [(float(w), float(h)) for w, h in generator.uniform(10, 120, (count, 2))]
        edges = [
            (int(generator.integers(end)), end)
            for end in range(1, count)
            if generator.random() < 0.9
        ]
        layout = layered(sizes, edges)
        for a, one in enumerate(layout.boxes):
            assert one.x >= -1e-6
            assert one.x + one.width <= layout.width + 1e-6
            for other in layout.boxes[:a]:
                apart = (
                    one.x >= other.x + other.width or other.x >= one.x + one.width
                    or one.y >= other.y + other.height or other.y >= one.y + one.height
                )  # fmt: skip
                assert apart
        for (start, end), line in zip(edges, layout.lines, strict=True):
            assert line[0][1] >= layout.boxes[start].y
            assert [y for _, y in line] == sorted(y for _, y in line)
            assert layout.boxes[end].y >= layout.boxes[start].y + layout.boxes[start].height


def test_three_hundred_operations_are_still_a_picture() -> None:
    def deep(x: Any) -> Any:
        for k in range(150):
            x = tacit.clip(x * 0.5 + k % 3, -1, 1)
        return x.sum()

    program = tacit.trace(deep, ArraySpec((4,), owner="alice", bounds=(-1, 1)))
    root = ElementTree.fromstring(program.draw().svg)
    assert float(root.attrib["height"]) < 12_000
    assert float(root.attrib["width"]) < 900


def test_every_operation_has_words() -> None:
    assert set(OPERATIONS) - set(WORDS) == set()
    assert set(WORDS) - set(OPERATIONS) == set()


def test_bits_of_whole_numbers_are_not_called_yes_or_no() -> None:
    spec = tacit.ArraySpec((3,), tacit.int64, owner="alice", bounds=(0, 255))
    whole = tacit.trace(lambda x: x & 12, spec).explain().steps[0].what
    assert whole == "keep the bits that x and 12 both have"
    both = tacit.trace(lambda x: (x > 1) & (x < 9), spec).explain().steps[-1].what
    assert both == "see where (1) and (2) both hold"
