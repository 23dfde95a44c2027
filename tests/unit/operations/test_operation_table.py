"""Every operation: what its type rule says is what its meaning gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tacit.encoding import RING64, DType, bool_, fixed, fixed_point, int8, int64
from tacit.errors import RangeError, TacitError, UsageError
from tacit.operations import OPERATIONS, operation_named
from tacit.operations.bit_chains import BitStep
from tacit.operations.manipulation import NewAxis, Positions, Rest, Slice
from tacit.operations.types import ArrayType, public_type
from tacit.protocols import protocol_named
from tacit.rounds.randomness import SeededRandomness
from tacit.rounds.virtual import WAN, VirtualTime
from tacit.sessions import LocalSession
from tacit.sessions.handles import Reference

FINE = fixed_point(22)


@pytest.fixture(scope="module")
def session() -> Iterator[LocalSession]:
    with LocalSession(protocol_named("replicated3"), ("a", "b", "c")) as opened:
        yield opened


def numbers(*shape: int) -> NDArray[np.float64]:
    return np.linspace(0.5, 2.0, int(np.prod(shape))).reshape(shape)


Case = tuple[str, list[tuple[NDArray[Any], DType | None]], dict[str, Any]]
"""A name, operands (their type, or None for public ones) and attributes."""

X: tuple[NDArray[Any], DType | None] = (numbers(2, 3), fixed)
N: tuple[NDArray[Any], DType | None] = (np.arange(6).reshape(2, 3), int64)
B: tuple[NDArray[Any], DType | None] = (np.arange(6).reshape(2, 3) % 2 == 0, bool_)
Y: tuple[NDArray[Any], DType | None] = (numbers(1, 3), FINE)
P: tuple[NDArray[Any], DType | None] = (numbers(2, 1), None)
Q: tuple[NDArray[Any], DType | None] = (np.arange(3), None)
S: tuple[NDArray[Any], DType | None] = (np.arange(6).reshape(2, 3), int8)
U: tuple[NDArray[Any], DType | None] = (np.arange(3, dtype=np.uint16), None)
M: tuple[NDArray[Any], DType | None] = (np.array([True, False, True]), None)
Z: tuple[NDArray[Any], DType | None] = (np.array(1.5), fixed)
ROWS = np.array([1, 0, 1]).tobytes()
CHAIN = (BitStep("and", 0, 1), BitStep("xor", 3, 2), BitStep("left", 4, 2), BitStep("not", 5))
STARTS = [(np.array(1), None), (np.array(9), None)]

CASES: list[Case] = [
    *((name, [a, b], {}) for name in ("add", "subtract", "multiply", "maximum", "minimum")
      for a, b in ((X, X), (X, Y), (X, N), (N, N), (X, P), (Q, X), (N, P), (N, Q), (Z, Z), (Z, X),
                   (S, S), (S, U), (S, X), (N, S), (P, S))),
    *((name, [a, b], {}) for name in ("equal", "not_equal", "less", "less_equal", "greater",
                                      "greater_equal")
      for a, b in ((X, Y), (N, N), (X, P), (Q, X), (N, P), (Z, Z), (S, U), (S, X))),
    *((name, [a, b], {}) for name in ("equal", "not_equal") for a, b in ((B, B), (M, B))),
    *(("multiply", [a, b], {}) for a, b in ((B, X), (N, B), (B, P), (Q, B), (B, S), (U, B))),
    *(("divide", [a, b], {}) for a, b in ((X, P), (N, P), (Z, P), (X, (np.array(3), None)))),
    ("matmul", [X, (numbers(3, 2), fixed)], {}),
    ("matmul", [X, (numbers(3), FINE)], {}),
    ("matmul", [(numbers(3), fixed), (numbers(3), fixed)], {}),
    ("matmul", [(numbers(2), None), X], {}),
    ("matmul", [N, (np.arange(3), None)], {}),
    ("matmul", [N, (np.arange(3), int64)], {}),
    ("matmul", [(numbers(5, 1, 2, 3), fixed), (numbers(4, 3, 2), None)], {}),
    *(("sum_of_products", several, {}) for several in ([X, X], [Z, X, X, Z], [Y, Y, Y, Y, Y, Y])),
    *((name, [a, b], {}) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
      for a, b in ((B, B), (B, M), (M, B), ((np.array(True), bool_), B))),
    *(("bit_chain", [a, b, S], {"steps": CHAIN}) for a, b in ((N, Q), (S, S), (Q, N))),
    ("bit_chain", [N], {"steps": (BitStep("right", 0, 1), BitStep("nonzero", 1))}),
    ("bitwise_invert", [B], {}), ("bitwise_invert", [N], {}), ("bitwise_invert", [S], {}),
    *((name, [a, b], {}) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
      for a, b in ((N, N), (S, U), (Q, N), (S, S))),
    *((name, [a, b], {}) for name in ("floor_divide", "remainder", "divmod")
      for a, b in ((X, X), (N, X), (X, P), (S, S), (N, (np.array(-3), None)))),
    *((name, [a, b], {}) for name in ("bitwise_left_shift", "bitwise_right_shift")
      for a, b in ((N, Q), (S, Q), (S, U))),
    ("bitwise_left_shift", [N, S], {}), ("bitwise_left_shift", [Q, S], {}),
    *((name, [a], {}) for name in ("floor", "ceil", "trunc", "round") for a in (X, N, S, Z)),
    *(("where", [c, a, b], {}) for c in (B, M)
      for a, b in ((X, Y), (X, Q), (P, X), (N, Q), (B, B), (B, M))),
    ("where", [B, Q, P], {}),
    *((name, [a], {}) for name in ("negative", "abs", "relu") for a in (X, N, S, Z)),
    *((name, [a], {}) for name in ("sigmoid", "tanh") for a in (X, Y, N, Z)),
    *((name, [a], attributes) for name in ("sum", "mean") for a in (X, N, S, B)
      for attributes in ({}, {"axis": 0}, {"axis": (0, -1)}, {"axis": 1, "keepdims": True})),
    ("sum", [Z], {}), ("mean", [Z], {}), ("mean", [Z], {"keepdims": True}),
    ("sum", [(np.empty((0, 3)), fixed)], {"axis": 0}),
    *(("reshape", [a], {"shape": (3, -1)}) for a in (X, N, B)),
    ("reshape", [Z], {"shape": (1, 1)}), ("reshape", [(numbers(1), fixed)], {"shape": ()}),
    *(("transpose", [a], attributes) for a in (X, B) for attributes in ({}, {"axes": (1, 0)})),
    ("transpose", [Z], {}),
    *(("broadcast_to", [a], {"shape": (4, 2, 3)}) for a in (X, B, Z)),
    *(("getitem", [a], {"items": items}) for a in (X, B)
      for items in ((Slice(0, 1), Rest()), (NewAxis(), Rest()), (Positions((3,), ROWS),))),
    ("getitem", [Z], {"items": (NewAxis(),)}),
    *(("dynamic_slice", [a, *STARTS], {"sizes": (1, 2)}) for a in (X, B)),
    *(("dynamic_update_slice", [a, b, *STARTS], {})
      for a, b in ((X, (numbers(1, 2), None)), ((numbers(2, 3), None), (numbers(1, 2), fixed)),
                   (B, (np.array([[True, False]]), None)))),
    *(("take", [a, (np.array([[2, 0], [9, -1]]), None)], {"axis": 1}) for a in (X, B)),
    *(("roll", [a], attributes) for a in (X, B)
      for attributes in ({"shift": (2,)}, {"shift": (1, -1), "axis": (0, 1)})),
    ("roll", [Z], {"shift": (1,)}),
    *(("unbounded", [a], {}) for a in (X, N, B, Z)),
    *(("repeat", [a], {"repeats": r, "axis": -1}) for a in (X, B) for r in (2, (0, 3, 1))),
    *(("tile", [a], {"repetitions": r}) for a in (X, B, Z) for r in ((2,), (2, 1, 3))),
    *(("pad", [a], {"widths": ((1, 0), (2, 3)), "mode": m}) for a in (X, B)
      for m in ("constant", "edge", "wrap")),
    ("pad", [Z], {"widths": ()}),
    *((name, [a], {"k": k}) for name in ("tril", "triu") for a in (X, B) for k in (0, -1)),
    *(("diagonal", [a], {"offset": k}) for a in (X, B) for k in (0, 2, -5)),
    ("diagonal", [X], {"axis1": 1, "axis2": 0}),
    *((name, [a], attributes) for name in ("cumulative_sum", "cumulative_prod") for a in (X, N, B)
      for attributes in ({}, {"axis": 0, "include_initial": True})),
    *(("diff", [a], attributes) for a in (X, N) for attributes in ({}, {"axis": 0, "n": 5})),
    *(("prod", [a], attributes) for a in (X, N, B)
      for attributes in ({}, {"axis": 0}, {"axis": (0, -1), "keepdims": True})),
    ("prod", [Z], {}), ("prod", [(np.empty((0, 3)), fixed)], {"axis": 0}),
    *(("var", [a], attributes) for a in (X, Y, N)
      for attributes in ({}, {"axis": 1, "correction": 1}, {"axis": (0, -1), "keepdims": True})),
    ("var", [Z], {}),
    *(("sign", [a], {}) for a in (X, Y, N, Z)),
    *(("clip", [a], {"low": -1, "high": 2}) for a in (X, Y, N, Z)),
    *(("copysign", [a, b], {}) for a, b in ((X, Y), (N, X), (P, X), (X, P), (N, N), (Z, X))),
    ("broadcast_to", [Z], {"shape": ()}),
    *(("concatenate", [a, b], {"axis": -1}) for a, b in ((X, N), (X, P), (B, B))),
    *(("stack", [a, b], {"axis": 1}) for a, b in ((X, X), (B, B), (N, (numbers(2, 3), None)))),
    ("stack", [Z, Z], {}),
    ("astype", [B], {"kind": "int"}), ("astype", [B], {"kind": "fixed", "fraction_bits": 18}),
    ("astype", [N], {"kind": "fixed", "fraction_bits": 20}),
    ("astype", [X], {"kind": "fixed", "fraction_bits": 9}),
    ("astype", [X], {"kind": "fixed", "fraction_bits": 30}),
    *(("astype", [a], {"kind": "bool"}) for a in (X, N, S, Z)),
    *(("astype", [a], {"kind": "int", "bits": bits, "signed": False}) for a in (X, N, S, B)
      for bits in (8, 32)),
    *(("constant", [a], {}) for a in (P, Q, M, (np.array(2.5), None))),
    ("constant", [Q], {"kind": "fixed", "fraction_bits": 12}),
    *((name, [a], {}) for name in ("expm1", "log1p", "log2", "log10", "rsqrt", "sinh", "cosh",
                                   "square", "sin", "cos", "tan", "asin", "acos", "atan", "erf",
                                   "softplus", "silu", "gelu")
      for a in (X, Y, N, Z)),
    *((name, [a, b], {}) for name in ("atan2", "logaddexp") for a, b in ((X, Y), (P, X), (N, Z))),
    *((name, [a], {"axis": axis}) for name in ("softmax", "log_softmax") for a in (X, Y, N)
      for axis in (0, -1)),
    *(("logsumexp", [a], attributes) for a in (X, N)
      for attributes in ({}, {"axis": 0}, {"axis": (1, 0), "keepdims": True})),
    ("logsumexp", [Z], {}),
    *(("polyval", [a], {"coefficients": c}) for a in (X, Y, N, Z)
      for c in ((2,), (3, -1, 2), (0.5, 1.5))),
    *(("interp", [a], {"xp": (0.0, 1.0, 2.5), "fp": (1.0, -1.0, 0.25)}) for a in (X, N, Z)),
    *(("piecewise", [a], {"breakpoints": (0.0, 2.0), "pieces": ((0.0,), (0.5, 1.0), (2.0,))})
      for a in (X, Y, N)),
    *(("convolution", [a, b], {"stride": (1,), "padding": (1,), "dilation": (1,), "groups": g})
      for g in (1, 2)
      for a in ((numbers(2, 4, 5), fixed), (numbers(2, 4, 5), None),
                (np.ones((2, 4, 5), int), int64))
      for b in ((numbers(2, 4 // g, 3), fixed), (np.ones((2, 4 // g, 3), int), int64))),
    ("convolution", [(numbers(2, 3, 4, 4), FINE), (numbers(2, 3, 2, 2), None)],
     {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 2)}),
    *((name, [a], {"kernel": (2, 2), "stride": (1, 2), "padding": (1, 0)})
      for name in ("max_pool", "avg_pool")
      for a in ((numbers(2, 3, 4, 4), fixed), (np.ones((1, 1, 3, 3), int), int64))),
    *((name, [a], {"slope": 0.25}) for name in ("elu", "leaky_relu") for a in (X, N, Z)),
    *(("hypot", [a, b], {}) for a, b in ((X, Y), (P, X), (N, Z))),
    *((name, [a], attributes) for name in ("sort", "argsort") for a in (X, N, B)
      for attributes in ({}, {"axis": 0, "descending": True})),
    *((name, [a], attributes) for name in ("max", "min", "argmax", "argmin") for a in (X, N, B)
      for attributes in ({}, {"axis": 0, "keepdims": True})),
    *((name, [B], {"axis": -1}) for name in ("any", "all")),
    *((name, [a], attributes) for name in ("median", "quantile") for a in (X, N)
      for attributes in ({}, {"axis": 0}, {"q": (0.2, 0.7), "single": False})),
    *(("searchsorted", [a, b], {"right": True}) for a, b in (((numbers(3), fixed), N), (Q, X))),
    *(("isin", [a, b], {}) for a, b in ((X, P), (N, Q))),
    ("one_hot", [N], {"classes": 4}),
    *(("totals_between", [(np.arange(4), int64), (np.arange(3), None), *w], {"single": s})
      for s in (False, True)
      for w in ([], [(numbers(4), fixed)], [(numbers(4, 2), None)], [(np.ones(4, bool), bool_)])),
    *(("take_secret", [a, N], {"axis": 1}) for a in (X, B, (numbers(2, 3), None))),
    ("lexsort", [(numbers(3), fixed), Q, M], {"descending": (True, False, True)}),
    *(("shuffle", [(np.ones((2, 3), kind), dtype)], {"axis": 1})
      for kind, dtype in ((float, fixed), (bool, bool_))),
    *(("pow", [a, b], {}) for a, b in ((X, Y), (N, Q), (X, Q), (P, X), (N, P), (N, N), (X, P))),
]  # fmt: skip


def case_name(case: Case) -> str:
    return case[0]


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_meaning_gives_what_the_rule_says(session: LocalSession, case: Case) -> None:
    name, operands, attributes = case
    operation = operation_named(name)
    handles: list[Any] = []
    types: list[ArrayType] = []
    for values, dtype in operands:
        if dtype is None:
            handles.append(values)
            types.append(public_type(values))
        else:
            handles.append(session.share(values, "a", dtype=dtype))
            types.append(ArrayType(dtype, values.shape))
    parameters = operation.attributes(**attributes)
    sent = msgspec.msgpack.encode(parameters)
    assert msgspec.msgpack.decode(sent, type=operation.attributes) == parameters
    expected = operation.result_types(types, parameters)
    found = session.apply(name, handles, **attributes)
    results = found if isinstance(found, tuple) else (found,)
    assert [ArrayType(result.dtype, result.shape) for result in results] == list(expected)
    for result in results:
        assert isinstance(result, Reference)
        assert session.reveal_to_all(result).shape == result.shape


RNG = np.random.default_rng(5)
DEFINITE = np.array([[2.0, 0.5, 0.25], [0.5, 1.0, -0.25], [0.25, -0.25, 1.5]])
PERCEPTRON = [(numbers(*shape), fixed) for shape in ((3, 4), (4,), (4, 2), (2,))]

ROUNDED: list[Case] = [
    *CASES,
    *((name, [a], {}) for name in ("exp", "log", "sqrt", "reciprocal") for a in (X, Y, N, Z)),
    *(("divide", [a, b], {}) for a, b in ((X, Y), (P, X), (N, X))),
    ("logistic_step", [(numbers(9, 3), fixed), (np.arange(9) % 2, int64), (numbers(3), fixed)],
     {"learning_rate": 0.3, "decay": 0.01}),
    ("group_by", [(np.array([2, 1, 2]), int64), (numbers(3), fixed), M], {}),
    ("topk", [X], {"k": 2}), ("topk", [N], {"k": 1, "axis": 0, "largest": False}),
    ("sort_by", [X, B, P, (np.array([2, 1]), int64), (np.array([True, False]), None)],
     {"descending": (False, True)}),
    *(("class_of_largest", [X, (labels, None)], {})
      for labels in (np.array([3, 5, 7]), np.array([0.5, 1.5, -2.0]))),
    *(("inv", [(DEFINITE, fixed)], {"assume_a": a}) for a in ("gen", "pos")),
    *((name, [(DEFINITE, fixed)], {}) for name in ("cholesky", "det")),
    *(("solve", [(DEFINITE, fixed), (numbers(3), t)], {"assume_a": a})
      for a in ("gen", "pos") for t in (fixed, None)),
    ("lstsq", [(RNG.normal(size=(9, 3)), fixed), (numbers(9, 2), fixed)], {"penalty": 0.5}),
    ("leading_eigenvectors", [(DEFINITE, fixed)], {"count": 2, "squarings": 3}),
    ("mlp_forward", [(numbers(9, 3), fixed), *PERCEPTRON], {"output": "softmax"}),
    ("mlp_step", [(numbers(9, 3), fixed), (np.eye(2)[np.arange(9) % 2], int64), *PERCEPTRON],
     {"learning_rate": 0.3}),
    ("mlp_step", [(numbers(9, 3), fixed), (numbers(9, 2), fixed), *PERCEPTRON, *PERCEPTRON],
     {"learning_rate": 0.3, "momentum": 0.9, "nesterov": True, "activation": "tanh"}),
    ("mlp_step", [(numbers(9, 3), fixed), (numbers(9, 2), fixed), *PERCEPTRON, *PERCEPTRON,
                  *((v**2, t) for v, t in PERCEPTRON)],
     {"learning_rate": 0.01, "solver": "adam", "activation": "logistic"}),
]  # fmt: skip


def computed(opened: LocalSession, case: Case) -> list[Any]:
    """What an operation gives, revealed."""
    name, operands, attributes = case
    handles = [v if t is None else opened.share(v, "a", dtype=t) for v, t in operands]
    found = opened.apply(name, handles, **attributes)
    results = found if isinstance(found, tuple) else (found,)
    return [opened.reveal_to_all(result) for result in results]


@pytest.mark.parametrize("rounding", ["exact", "nearest"])
def test_every_operation_gives_the_same_bits_in_every_run(rounding: Any) -> None:
    """Whatever the shares are: three sessions with keys of their own, one in virtual time."""
    protocol, names = protocol_named("replicated3"), ("a", "b", "c")
    runs = [
        LocalSession(protocol, names, rounding=rounding),
        LocalSession(protocol, names, SeededRandomness(8), rounding=rounding),
        LocalSession(protocol, names, driver=VirtualTime(names, WAN), rounding=rounding),
    ]
    for case in ROUNDED:
        first, *others = [computed(opened, case) for opened in runs]
        for other in others:
            for one, two in zip(first, other, strict=True):
                assert one.dtype == two.dtype
                assert one.tobytes() == two.tobytes(), case[0]
    assert {case[0] for case in ROUNDED} == set(OPERATIONS)


def test_probabilistic_rounding_is_why_there_are_other_modes() -> None:
    protocol, names = protocol_named("replicated3"), ("a", "b", "c")
    case: Case = ("sigmoid", [(numbers(20, 20), fixed)], {})
    with LocalSession(protocol, names) as one, LocalSession(protocol, names) as two:
        assert computed(one, case)[0].tobytes() != computed(two, case)[0].tobytes()


def test_every_operation_is_covered() -> None:
    elsewhere = (
        {"exp", "log", "sqrt", "reciprocal"}
        | {"logistic_step"}
        | {"mlp_forward", "mlp_step", "class_of_largest"}
        | {"cholesky", "det", "inv", "leading_eigenvectors", "lstsq", "solve"}
        | {"sort_by", "topk", "group_by"}
    )
    assert {case[0] for case in CASES} | elsewhere == set(OPERATIONS)


LAYER = [ArrayType(fixed, shape) for shape in ((2, 3), (3, 4), (4,))]


@pytest.mark.parametrize(
    ("name", "types", "attributes", "code"),
    [
        ("add", [ArrayType(fixed, (2,)), ArrayType(fixed, (3,))], {}, "TC-1110"),
        ("add", [ArrayType(fixed, (2,)), ArrayType(bool_, (2,))], {}, "TC-1210"),
        ("matmul", [ArrayType(fixed, (2, 3)), ArrayType(fixed, (2, 3))], {}, "TC-1111"),
        ("matmul", [ArrayType(fixed, ()), ArrayType(fixed, (2,))], {}, "TC-1111"),
        *(
            ("sum_of_products", types, {}, "TC-1276")
            for types in (
                [ArrayType(fixed, (2,))] * 3,
                [ArrayType(int64, (2,))] * 2,
                [ArrayType(fixed, (2,)), ArrayType(FINE, (2,))],
                [ArrayType(fixed, (2,)), ArrayType(fixed, (2,), public=True)],
            )
        ),
        ("matmul", [ArrayType(bool_, (2, 2)), ArrayType(fixed, (2,))], {}, "TC-1210"),
        ("sum", [ArrayType(fixed, (2,))], {"axis": 1}, "TC-1112"),
        ("sum", [ArrayType(fixed, (2, 2))], {"axis": (0, 0)}, "TC-1114"),
        ("mean", [ArrayType(fixed, (0, 2))], {"axis": 0}, "TC-1118"),
        ("reshape", [ArrayType(fixed, (2, 3))], {"shape": (4, -1)}, "TC-1113"),
        ("reshape", [ArrayType(fixed, (2, 3))], {"shape": (-1, -1)}, "TC-1113"),
        ("reshape", [ArrayType(fixed, (0,))], {"shape": (0, -1)}, "TC-1113"),
        ("transpose", [ArrayType(fixed, (2, 3))], {"axes": (0, 0)}, "TC-1114"),
        ("broadcast_to", [ArrayType(fixed, (2, 3))], {"shape": (3,)}, "TC-1110"),
        ("concatenate", [], {}, "TC-1116"),
        ("concatenate", [ArrayType(fixed, (2, 3)), ArrayType(fixed, (2,))], {}, "TC-1117"),
        ("concatenate", [ArrayType(fixed, ())], {}, "TC-1112"),
        ("stack", [ArrayType(fixed, (2,)), ArrayType(fixed, (3,))], {}, "TC-1117"),
        ("concatenate", [ArrayType(fixed, (2,)), ArrayType(bool_, (2,))], {}, "TC-1210"),
        ("bitwise_and", [ArrayType(bool_, (2,)), ArrayType(int64, (2,))], {}, "TC-1212"),
        ("where", [ArrayType(fixed, (2,))] * 3, {}, "TC-1212"),
        ("less", [ArrayType(bool_, (2,))] * 2, {}, "TC-1210"),
        ("negative", [ArrayType(bool_, (2,))], {}, "TC-1210"),
        ("exp", [ArrayType(bool_, (2,))], {}, "TC-1210"),
        ("roll", [ArrayType(fixed, (2,))], {"shift": (1, 2)}, "TC-1160"),
        ("roll", [ArrayType(fixed, (2,))], {"shift": (1,), "axis": (1,)}, "TC-1112"),
        ("repeat", [ArrayType(fixed, (2,))], {"repeats": (1, 2, 3), "axis": 0}, "TC-1160"),
        ("repeat", [ArrayType(fixed, (2,))], {"repeats": -1, "axis": 0}, "TC-1160"),
        ("tile", [ArrayType(fixed, (2,))], {"repetitions": (-1,)}, "TC-1160"),
        ("pad", [ArrayType(fixed, (2,))], {"widths": ((1, 1), (1, 1))}, "TC-1160"),
        ("pad", [ArrayType(fixed, (0,))], {"widths": ((1, 0),), "mode": "edge"}, "TC-1160"),
        ("tril", [ArrayType(fixed, (2,))], {}, "TC-1160"),
        ("diagonal", [ArrayType(fixed, (2, 2))], {"axis1": 0, "axis2": -2}, "TC-1160"),
        ("diff", [ArrayType(fixed, (2,))], {"n": -1}, "TC-1160"),
        ("diff", [ArrayType(bool_, (2,))], {}, "TC-1210"),
        ("cumulative_sum", [ArrayType(fixed, (2,))], {"axis": 1}, "TC-1112"),
        ("var", [ArrayType(fixed, (2,))], {"correction": 2.0}, "TC-1360"),
        ("var", [ArrayType(fixed, (0,))], {}, "TC-1118"),
        ("var", [ArrayType(bool_, (2,))], {}, "TC-1210"),
        ("clip", [ArrayType(fixed, (2,))], {"low": 0, "high": 2.0**50}, "TC-1300"),
        ("clip", [ArrayType(int64, (2,))], {"low": 0, "high": 1.5}, "TC-1202"),
        ("class_of_largest", [ArrayType(fixed, (2, 3))] * 2, {}, "TC-1281"),
        (
            "class_of_largest",
            [ArrayType(fixed, (2, 3)), ArrayType(int64, (2,), public=True)],
            {},
            "TC-1186",
        ),
        ("inv", [ArrayType(fixed, (2, 3))], {}, "TC-1183"),
        ("inv", [ArrayType(fixed, (2, 2))], {"assume_a": "sym"}, "TC-1080"),
        ("cholesky", [ArrayType(fixed, (2, 2, 2))], {}, "TC-1183"),
        ("solve", [ArrayType(fixed, (2, 2)), ArrayType(fixed, (3,))], {}, "TC-1184"),
        ("solve", [ArrayType(fixed, (2, 3)), ArrayType(fixed, (2,))], {}, "TC-1183"),
        ("lstsq", [ArrayType(fixed, (0, 3)), ArrayType(fixed, (0,))], {}, "TC-1185"),
        ("lstsq", [ArrayType(fixed, (4, 3))] * 2, {"penalty": (1.0,)}, "TC-1185"),
        ("lstsq", [ArrayType(fixed, (4, 3))] * 2, {"penalty": -1.0}, "TC-1381"),
        ("leading_eigenvectors", [ArrayType(fixed, (3, 3))], {"count": 4}, "TC-1081"),
        ("softmax", [ArrayType(fixed, (2,))], {"axis": 1}, "TC-1112"),
        ("log_softmax", [ArrayType(fixed, ())], {}, "TC-1112"),
        ("softmax", [ArrayType(bool_, (2,))], {}, "TC-1210"),
        ("logsumexp", [ArrayType(fixed, (2, 0))], {"axis": 1}, "TC-1140"),
        ("polyval", [ArrayType(fixed, (2,))], {"coefficients": ()}, "TC-1141"),
        ("interp", [ArrayType(fixed, (2,))], {"xp": (0.0, 1.0), "fp": (1.0,)}, "TC-1142"),
        ("interp", [ArrayType(fixed, (2,))], {"xp": (), "fp": ()}, "TC-1344"),
        ("interp", [ArrayType(fixed, (2,))], {"xp": (1.0, 1.0), "fp": (1.0, 2.0)}, "TC-1344"),
        (
            "piecewise",
            [ArrayType(fixed, (2,))],
            {"breakpoints": (0.0,), "pieces": ((1.0,),)},
            "TC-1345",
        ),
        (
            "piecewise",
            [ArrayType(fixed, (2,))],
            {"breakpoints": (0.0,), "pieces": ((1.0,), (1.0, 0.0))},
            "TC-1345",
        ),
        ("interp", [ArrayType(fixed, (2,))], {"xp": (0.0, 1.0), "fp": (0.0, 1e6)}, "TC-1346"),
        (
            "convolution",
            [ArrayType(fixed, (1, 2, 5)), ArrayType(fixed, (1, 3, 2))],
            {"stride": (1,), "padding": (0,), "dilation": (1,)},
            "TC-1144",
        ),
        (
            "convolution",
            [ArrayType(fixed, (1, 2)), ArrayType(fixed, (1, 2))],
            {"stride": (), "padding": (), "dilation": ()},
            "TC-1144",
        ),
        (
            "convolution",
            [ArrayType(fixed, (1, 2, 5)), ArrayType(fixed, (1, 2, 7))],
            {"stride": (1,), "padding": (0,), "dilation": (1,)},
            "TC-1143",
        ),
        (
            "convolution",
            [ArrayType(fixed, (1, 2, 5)), ArrayType(fixed, (1, 2, 3))],
            {"stride": (0,), "padding": (0,), "dilation": (1,)},
            "TC-1143",
        ),
        (
            "max_pool",
            [ArrayType(fixed, (1, 2, 5))],
            {"kernel": (2,), "stride": (1,), "padding": (2,)},
            "TC-1145",
        ),
        (
            "avg_pool",
            [ArrayType(fixed, (2, 5))],
            {"kernel": (2, 2), "stride": (1, 1), "padding": (0, 0)},
            "TC-1145",
        ),
        (
            "max_pool",
            [ArrayType(fixed, (1, 2, 5))],
            {"kernel": (6,), "stride": (1,), "padding": (0,)},
            "TC-1143",
        ),
        ("elu", [ArrayType(fixed, (2,))], {"slope": 65.0}, "TC-1343"),
        ("leaky_relu", [ArrayType(fixed, (2,))], {"slope": float("nan")}, "TC-1343"),
        ("mlp_forward", [ArrayType(fixed, (2, 3))] * 2, {}, "TC-1180"),
        ("mlp_forward", [ArrayType(fixed, (2, 3)), ArrayType(fixed, (3, 4))], {}, "TC-1180"),
        ("mlp_forward", [*LAYER[:2], ArrayType(fixed, (4,), public=True)], {}, "TC-1280"),
        ("mlp_forward", [*LAYER[:2], ArrayType(int64, (4,))], {}, "TC-1280"),
        ("mlp_step", [LAYER[0], LAYER[0], *LAYER[1:]], {"learning_rate": 1.0}, "TC-1182"),
        (
            "mlp_step",
            [LAYER[0], ArrayType(int64, (2, 4)), *LAYER[1:]],
            {"learning_rate": 1e-15},
            "TC-1380",
        ),
        (
            "mlp_step",
            [LAYER[0], ArrayType(int64, (2, 4)), *LAYER[1:], *LAYER[:0:-1]],
            {"learning_rate": 1.0, "momentum": 0.5},
            "TC-1181",
        ),
    ],
)
def test_rules_refuse(name: str, types: list[ArrayType], attributes: Any, code: str) -> None:
    operation = operation_named(name)
    parameters = operation.attributes(**attributes)
    with pytest.raises(TacitError) as caught:
        operation.rule(types, parameters)
        if operation.check is not None:
            operation.check(types, [None] * len(types), parameters, RING64)
    assert caught.value.code == code
    assert caught.value.next_step


def test_an_unknown_operation_lists_what_exists() -> None:
    with pytest.raises(UsageError, match=r"multiply, negative"):
        operation_named("fourier")


BAD = np.array([0.5, np.nan, 1.0])
HUGE = np.array([0.5, -(2.0**45), 1.0])


@pytest.mark.parametrize(
    "name",
    ["add", "subtract", "multiply", "divide", "maximum", "less", "equal", "concatenate", "stack"],
)
@pytest.mark.parametrize("values", [BAD, HUGE], ids=["nan", "huge"])
@pytest.mark.parametrize("public_first", [False, True])
def test_public_operands_are_checked_before_any_party_hears_of_them(
    session: LocalSession, name: str, values: NDArray[Any], public_first: bool
) -> None:
    x = session.share(np.ones(3), "a")
    if name == "divide" and not public_first and values is HUGE:
        values = np.array([1.0, 2.0**-45, 1.0])
    rounds = session.driver.round_number
    with pytest.raises(RangeError):
        session.apply(name, [values, x] if public_first else [x, values])
    assert session.driver.round_number == rounds


def test_other_public_operands_that_are_refused(session: LocalSession) -> None:
    x, b = session.share(np.ones(3), "a"), session.share(np.ones(3, bool), "b")
    n = session.share(np.ones(3, int), "b")
    refused: list[tuple[str, list[Any]]] = [
        ("divide", [x, np.zeros(3)]), ("matmul", [x, BAD]), ("matmul", [HUGE, x]),
        ("where", [b, x, BAD]), ("where", [b, BAD, 1.0]), ("multiply", [b, BAD]),
        ("less", [n, BAD]), ("less", [np.inf, n]), ("constant", [BAD]),
    ]  # fmt: skip
    for name, operands in refused:
        with pytest.raises(RangeError):
            session.apply(name, operands)
    assert session.apply("less", [n, np.array(2**63 - 1)])
    assert session.apply("where", [BAD > 0, x, x])
