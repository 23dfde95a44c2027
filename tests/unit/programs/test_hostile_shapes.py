"""Shapes and parameters that ask for more than anybody has are refused when a program is made.

Each case is one operation on small arrays whose parameters make a long axis, a large array beside
an empty one, or much in between. Nothing here may need memory: the process has a limit.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tacit.errors import ProgramError
from tacit.operations.manipulation import Positions, Rest, Slice
from tacit.operations.table import OPERATIONS
from tacit.programs.form import ProgramForm
from tacit.programs.graph import Graph, Input, Node, Output, ValueType
from tacit.programs.inference import LARGEST_EMPTY
from tacit.programs.program import Program

HUGE, LONG = 1 << 62, 1 << 31
EMPTY = (0, 3)
X = (2, 3)

CASES: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    *(("reshape", [EMPTY], {"shape": shape}) for shape in ((0, LONG), (LONG, 0, 2), (0, HUGE, 2))),
    ("reshape", [X], {"shape": (HUGE, 6)}),
    *(("broadcast_to", [X], {"shape": (n, 2, 3)}) for n in (1 << 34, HUGE, 1 << 63)),
    ("broadcast_to", [(1, 3)], {"shape": (0, LONG, 1, 3)}),
    *(("repeat", [x], {"repeats": n, "axis": 1}) for x in (X, EMPTY) for n in (1 << 36, HUGE)),
    ("repeat", [(0, 2)], {"repeats": (LONG, LONG), "axis": 1}),
    *(("tile", [x], {"repetitions": (1, n)}) for x in (X, EMPTY) for n in (1 << 36, HUGE)),
    ("tile", [EMPTY], {"repetitions": (LONG, 1, 1)}),
    *(("pad", [x], {"widths": ((0, 0), (0, n))}) for x in (X, EMPTY) for n in (1 << 36, HUGE)),
    ("pad", [EMPTY], {"widths": ((0, 0), (LONG, 0)), "mode": "edge"}),
    ("one_hot", [X], {"classes": 1 << 36}),
    ("one_hot", [EMPTY], {"classes": LONG}),
    ("matmul", [(1 << 20, 0), (0, 1 << 20)], {}),
    ("matmul", [(LONG, 0), (0, 2)], {}),
    ("stack", [(0, 1 << 22)] * 3, {"axis": 2}),
    ("concatenate", [(0, 1 << 22)] * 3, {"axis": 1}),
    ("getitem", [(0, LONG)], {"items": (Rest(), Slice(0, 1))}),
    ("getitem", [EMPTY], {"items": (Rest(), Positions((LONG,), b""))}),
    ("dynamic_slice", [EMPTY], {"sizes": (0, LONG)}),
    *(
        (name, [(1, 1, 4)], {"kernel": (k,), "stride": (LONG,), "padding": (k // 2,)})
        for name in ("max_pool", "avg_pool")
        for k in (1 << 25, LONG, 1 << 40, HUGE)
    ),
    *(
        (
            name,
            [(1,) * 32],
            {"kernel": (2,) * 30, "stride": (2,) * 30, "padding": (1,) * 30},
        )
        for name in ("max_pool", "avg_pool")
    ),
    (
        "convolution",
        [(1, 1, 4), (1, 1, 3)],
        {"stride": (LONG,), "padding": (LONG,), "dilation": (1,)},
    ),
    (
        "convolution",
        [(1, 1, 4), (1, 1, 3)],
        {"stride": (1,), "padding": (LONG,), "dilation": (LONG,)},
    ),
    ("convolution", [(0, 1, LONG), (1, 1, 3)], {"stride": (1,), "padding": (0,), "dilation": (1,)}),
    ("cumulative_sum", [(0, LARGEST_EMPTY)], {"axis": 1, "include_initial": True}),
    ("diff", [(1 << 20,)], {"n": 1 << 19}),
    ("diff", [X], {"n": HUGE}),
    ("topk", [X], {"k": HUGE}),
    ("topk", [EMPTY], {"k": LONG}),
    ("leading_eigenvectors", [(3, 3)], {"count": HUGE, "squarings": 3}),
    ("leading_eigenvectors", [(3, 3)], {"count": 1, "squarings": HUGE}),
    ("sum_of_products", [(1 << 18, 1), (1, 1 << 19)], {}),
    ("add", [(1 << 18, 1), (1, 1 << 19)], {}),
    ("add", [(0, 1 << 12, 1), (1, 1 << 12)], {}),
    ("negative", [(0, LONG)], {}),
    ("negative", [(LONG, 0)], {}),
    ("negative", [(0, HUGE)], {}),
]


@pytest.fixture(autouse=True)
def _little_memory() -> Iterator[None]:
    """What takes half a GiB fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (512 << 20), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def made(name: str, shapes: list[tuple[int, ...]], attributes: dict[str, Any]) -> Program:
    kind = "int" if name == "one_hot" else "fixed"
    bits = 0 if kind == "int" else 18
    inputs = [
        Input(f"x{place}", ValueType(kind, bits, 64, True, shape), "a")  # type: ignore[arg-type]
        for place, shape in enumerate(shapes)
    ]
    if name == "dynamic_slice":
        starts = ValueType("int", 0, 64, True, (), public=True)
        inputs += [Input(f"start{k}", starts) for k in range(2)]
    code = msgspec.msgpack.encode(OPERATIONS[name].attributes(**attributes))
    node = Node(name, tuple(range(len(inputs))), code)
    main = Graph(tuple(inputs), (), (node,), (len(inputs),))
    return Program(ProgramForm(1, "", main, (Output("o"),)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_nobody_has_room_for_is_refused(case: Any) -> None:
    with pytest.raises(ProgramError) as caught:
        made(*case)
    assert caught.value.code in ("TC-1505", "TC-1506")


@pytest.mark.parametrize(
    "case",
    [
        ("reshape", [EMPTY], {"shape": (0, 7)}),
        ("pad", [EMPTY], {"widths": ((0, 0), (0, 4))}),
        ("matmul", [(1000, 0), (0, 1000)], {}),
        ("one_hot", [EMPTY], {"classes": 1000}),
        ("max_pool", [(1, 1, 4)], {"kernel": (5,), "stride": (1,), "padding": (2,)}),
        (
            "convolution",
            [(2, 3, 64, 64), (8, 3, 31, 31)],
            {"stride": (1, 1), "padding": (15, 15), "dilation": (1, 1)},
        ),
    ],
    ids=lambda case: case[0],
)
def test_what_people_need_is_accepted(case: Any) -> None:
    assert made(*case).operations == {case[0]}


def test_a_plan_of_arrays_that_do_not_fit_is_refused() -> None:
    program = made("topk", [(1 << 31,)], {"k": 2})
    with pytest.raises(ProgramError, match="TC-1567"):
        program.plan("replicated3", seconds=False)
