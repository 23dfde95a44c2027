"""Good programs for ``fuzz_programs.py``: everything that programs have, and every operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np

import tacit
from tacit.encoding.types import DType
from tacit.operations.arity import ARITY
from tacit.operations.bit_chains import BitStep
from tacit.operations.manipulation import NewAxis, Positions, Rest, Slice
from tacit.operations.table import OPERATIONS
from tacit.programs.control import Call
from tacit.programs.form import ProgramForm
from tacit.programs.graph import Graph, Input, Node, Output, ValueType
from tacit.programs.program import Program

__all__ = ["corpus"]


def corpus() -> list[Program]:
    """All of them: each program of one operation, then those with much in them."""
    return [*_single(), _calls(), *_large()]


def _large() -> list[Program]:
    spec = tacit.ArraySpec((4, 3), owner="a", bounds=(-1, 1))
    flags = tacit.ArraySpec((4,), tacit.bool, owner="b")
    count = tacit.ArraySpec((), tacit.int64, public=True)

    def loops(x: Any, n: Any) -> Any:
        def body(i: Any, carry: list[Any]) -> list[Any]:
            row = tacit.dynamic_slice(x, [i, 0], (1, 3))
            (inner,) = tacit.fori_loop(0, n, lambda j, c: [c[0] * 0.5 + row], [carry[0]])
            return [inner]

        return tacit.fori_loop(0, 4, body, [x[:1]])[0]

    def branches(x: Any, n: Any) -> Any:
        def body(carry: list[Any]) -> list[Any]:
            i, value = carry
            (value,) = tacit.cond(i % 2 == 0, lambda v: [v + v], lambda v: [v - 0.25], value)
            return [i + 1, value]

        _, value = tacit.while_loop(lambda c: c[0] < n, body, [np.int64(0), x])
        _, (rows,) = tacit.scan(lambda c, r: ([c[0] + r[0]], [c[0]]), [np.zeros(3)], [value])
        return {"rows": rows, "value": value}

    def functions(x: Any, flags: Any) -> Any:
        y = tacit.exp(x) + tacit.sigmoid(x).sum(0)
        kept = tacit.where(flags[:, None], y, 0.0)
        return {
            "sorted": tacit.sort(kept, axis=0),
            "best": tacit.argmax(x, axis=1),
            "product": x @ np.ones((3, 2)),
            "part": tacit.concat([x[1:], x[:1]]).T.reshape(-1),
        }

    return [
        tacit.trace(loops, spec, count),
        tacit.trace(branches, spec, count, to={"rows": ("a", "c"), "value": None}),
        tacit.trace(functions, spec, flags),
        tacit.trace(lambda x: x.mean(), spec),
    ]


def _calls() -> Program:
    """A body that is called twice."""
    kind = ValueType("fixed", 18, 64, True, (3,))
    square = Node("multiply", (0, 0), _encoded("multiply"))
    body = Graph((Input("", kind),), (), (square,), (1,))
    code = msgspec.msgpack.encode(Call(0))
    main = Graph(
        (Input("x", kind, "a", (-1, 1)),),
        (),
        (Node("call", (0,), code), Node("call", (1,), code)),
        (2,),
    )
    return Program(ProgramForm(1, "", main, (Output("o"),), (body,)))


# One program for each operation.

F: Final = "fixed"
_KINDS: Final = {"fixed": tacit.fixed, "int": tacit.int64, "bool": tacit.bool}
_PERCEPTRON: Final = [(F, 3, 4), (F, 4), (F, 4, 2), (F, 2)]
_X: Final = (F, 2, 3)
_N: Final = ("int", 2, 3)
_B: Final = ("bool", 2, 3)
_PUBLIC: Final = "public "

_SPECIAL: Final[dict[str, list[tuple[list[Any], dict[str, Any]]]]] = {
    "convolution": [
        (
            [(F, 2, 4, 5), (F, 2, 4 // g, 3)],
            {"stride": (1,), "padding": (1,), "dilation": (1,), "groups": g},
        )
        for g in (1, 2)
    ]
    + [
        (
            [(F, 2, 3, 4, 4), (F, 2, 3, 2, 2)],
            {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 2)},
        )
    ],
    "max_pool": [([(F, 2, 3, 4, 4)], {"kernel": (2, 2), "stride": (1, 2), "padding": (1, 0)})],
    "avg_pool": [([(F, 2, 3, 4, 4)], {"kernel": (2, 2), "stride": (1, 2), "padding": (1, 0)})],
    "logistic_step": [([(F, 9, 3), ("int", 9), (F, 3)], {"learning_rate": 0.3, "decay": 0.01})],
    "mlp_forward": [([(F, 9, 3), *_PERCEPTRON], {"output": "softmax"})],
    "mlp_step": [
        ([(F, 9, 3), (F, 9, 2), *_PERCEPTRON], {"learning_rate": 0.3}),
        (
            [(F, 9, 3), (F, 9, 2), *_PERCEPTRON * 2],
            {"learning_rate": 0.3, "momentum": 0.9, "nesterov": True, "activation": "tanh"},
        ),
        (
            [(F, 9, 3), (F, 9, 2), *_PERCEPTRON * 3],
            {"learning_rate": 0.01, "solver": "adam", "activation": "logistic"},
        ),
    ],
    "topk": [([_X], {"k": 2}), ([_N], {"k": 1, "axis": 0, "largest": False})],
    "sort_by": [([_X, _B, ("int", 2)], {"descending": (False,)})],
    "class_of_largest": [([_X, (_PUBLIC + "int", 3)], {})],
    "inv": [([(F, 3, 3)], {"assume_a": a}) for a in ("gen", "pos")],
    "solve": [([(F, 3, 3), (F, 3)], {"assume_a": a}) for a in ("gen", "pos")],
    "cholesky": [([(F, 3, 3)], {})],
    "det": [([(F, 3, 3)], {})],
    "lstsq": [([(F, 9, 3), (F, 9, 2)], {"penalty": 0.5})],
    "leading_eigenvectors": [([(F, 3, 3)], {"count": 2, "squarings": 3})],
    "group_by": [([("int", 3), (F, 3), (_PUBLIC + "bool", 3)], {})],
    "lexsort": [([(F, 3), (_PUBLIC + "int", 3)], {"descending": (True, False)})],
    "totals_between": [([("int", 4), (_PUBLIC + "int", 3)], {"single": False})],
    "take_secret": [([_X, _N], {"axis": 1})],
    "one_hot": [([_N], {"classes": 4})],
    "searchsorted": [([(F, 3), _N], {"right": True})],
    "isin": [([_X, (_PUBLIC + F, 2, 1)], {})],
    "quantile": [([_X], {}), ([_X], {"q": (0.2, 0.7), "single": False})],
    "interp": [([_X], {"xp": (0.0, 1.0, 2.5), "fp": (1.0, -1.0, 0.25)})],
    "piecewise": [([_X], {"breakpoints": (0.0, 2.0), "pieces": ((0.0,), (0.5, 1.0), (2.0,))})],
    "polyval": [([_X], {"coefficients": (0.5, 1.5)})],
    "pad": [([_X], {"widths": ((1, 0), (2, 3)), "mode": m}) for m in ("constant", "edge", "wrap")],
    "tile": [([_X], {"repetitions": (2, 1, 3)})],
    "repeat": [([_X], {"repeats": 2, "axis": -1}), ([_X], {"repeats": (0, 3, 1), "axis": -1})],
    "roll": [([_X], {"shift": (1, -1), "axis": (0, 1)})],
    "reshape": [([_X], {"shape": (3, -1)})],
    "broadcast_to": [([_X], {"shape": (4, 2, 3)})],
    "transpose": [([_X], {"axes": (1, 0)})],
    "diagonal": [([_X], {"offset": 1})],
    "dynamic_slice": [([_X, *[(_PUBLIC + "int",)] * 2], {"sizes": (1, 2)})],
    "dynamic_update_slice": [([_X, (F, 1, 2), *[(_PUBLIC + "int",)] * 2], {})],
    "take": [([_X, (_PUBLIC + "int", 2)], {"axis": 1})],
    "getitem": [
        ([_X], {"items": items})
        for items in (
            (Slice(0, 1), Rest()),
            (NewAxis(), Rest()),
            (Positions((3,), np.array([1, 0, 1]).tobytes()),),
        )
    ],
    "bit_chain": [([_N, _N], {"steps": (BitStep("and", 0, 1), BitStep("left", 2, 2))})],
    "sum_of_products": [([_X] * 4, {})],
    "matmul": [([_X, (F, 3, 2)], {}), ([_X, (_PUBLIC + F, 3)], {})],
    "clip": [([_X], {"low": -1, "high": 2})],
    "elu": [([_X], {"slope": 0.25})],
    "leaky_relu": [([_X], {"slope": 0.25})],
    "astype": [([_X], {"kind": "int", "bits": 32}), ([_N], {"kind": "fixed", "fraction_bits": 20})],
    "constant": [([(_PUBLIC + F, 2, 3)], {})],
    "stack": [([_X, _X], {"axis": 1})],
    "concatenate": [([_X, _X], {"axis": -1})],
    "diff": [([_X], {"axis": 0, "n": 1})],
    "where": [([_B, _X, _X], {})],
    "shuffle": [([_X], {"axis": 1})],
}


def _single() -> Iterator[Program]:
    for name in OPERATIONS:
        least, _ = ARITY[name]
        for operands, attributes in _SPECIAL.get(name, ()) or _usual(max(least, 1)):
            try:
                yield _program(name, operands, attributes)
            except (tacit.errors.TacitError, TypeError):
                if name in _SPECIAL:
                    raise


def _usual(count: int) -> list[tuple[list[Any], dict[str, Any]]]:
    return [([one] * count, {}) for one in (_X, _N, _B)]


def _program(name: str, operands: list[Any], attributes: dict[str, Any]) -> Program:
    inputs = []
    for place, (kind, *shape) in enumerate(operands):
        public = kind.startswith(_PUBLIC)
        dtype: DType = _KINDS[kind.removeprefix(_PUBLIC)]
        value = ValueType(**dtype.parameters, shape=tuple(shape), public=public)
        bounds = (-2, 2) if dtype.kind == "fixed" and not public else None
        inputs.append(Input(f"x{place}", value, "" if public else "a", bounds))
    node = Node(name, tuple(range(len(inputs))), _encoded(name, **attributes))
    main = Graph(tuple(inputs), (), (node,), (len(inputs),))
    return Program(ProgramForm(1, "", main, (Output("o"),)))


def _encoded(name: str, **attributes: Any) -> bytes:
    return msgspec.msgpack.encode(OPERATIONS[name].attributes(**attributes))
