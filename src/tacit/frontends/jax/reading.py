"""Jaxprs read into bodies: the only module that knows how versions of JAX write them.

Calls are inlined, and equations that change nothing for a secret (copies, ``stop_gradient``,
placements on devices) vanish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from tacit.frontends.jax.body import (
    Atom,
    Body,
    Equation,
    Evaluate,
    Literal,
    Variable,
    atom_shape,
)
from tacit.frontends.jax.public import from_jax_value

__all__ = ["CALLS", "UNCHANGED", "loop_counts", "read", "traced"]

CALLS = frozenset(
    {
        "call",
        "call_hi_primitive",
        "checkpoint",
        "closed_call",
        "core_call",
        "custom_jvp_call",
        "custom_jvp_call_jaxpr",
        "custom_vjp_call",
        "custom_vjp_call_jaxpr",
        "jit",
        "pjit",
        "remat",
        "remat2",
    }
)
"""Primitives that call a function, which is put in their place."""

UNCHANGED = frozenset(
    {
        "copy",
        "copy_p",
        "device_put",
        "name",
        "optimization_barrier",
        "reduce_precision",
        "sharding_constraint",
        "stop_gradient",
    }
)
"""Primitives whose results are their operands."""

_BODIES: dict[str, tuple[str, ...]] = {
    "scan": ("jaxpr",),
    "while": ("cond_jaxpr", "body_jaxpr"),
    "cond": ("branches",),
}


def traced(function: Callable[..., Any], specs: Sequence[Any]) -> tuple[Any, Any]:
    """The jaxpr of a function, and the tree of its results.

    `specs` are trees of ``jax.ShapeDtypeStruct``.
    """
    closed, shape = jax.make_jaxpr(function, return_shape=True)(*specs)
    return closed, shape


def read(closed: Any) -> Body:
    """A jaxpr with its constants, as a body."""
    jaxpr, constants = _opened(closed)
    values: dict[Any, Atom] = {}
    inputs = [_variable(v) for v in jaxpr.invars]
    values.update(zip(jaxpr.invars, inputs, strict=True))
    body = Body(inputs, {}, [], [])
    _constants(jaxpr, constants, values, body)
    _equations(jaxpr, values, body)
    body.outputs = [_atom(values, v) for v in jaxpr.outvars]
    body.index()
    return body


def loop_counts(equation: Equation) -> tuple[int, int]:
    """How many operands of a scan are constants, and how many are carried along."""
    parameters = equation.parameters
    if "num_consts" in parameters:
        return parameters["num_consts"], parameters["num_carry"]
    consts, carry, _ = parameters["ft_in"].unpack()
    return len(consts), len(carry)


def _opened(closed: Any) -> tuple[Any, Sequence[Any]]:
    """A jaxpr and the values of its constants, in the forms of all versions."""
    inner = getattr(closed, "jaxpr", closed)
    return inner, getattr(closed, "consts", ()) or ()


def _variable(variable: Any) -> Variable:
    aval = variable.aval
    return Variable(tuple(getattr(aval, "shape", ())), getattr(aval, "dtype", None))


def _atom(values: dict[Any, Atom], variable: Any) -> Atom:
    if hasattr(variable, "val"):
        return Literal(_public(variable.val, variable.aval))
    return values[variable]


def _public(value: Any, aval: Any) -> Any:
    """A value that everybody knows."""
    if jax.dtypes.issubdtype(aval.dtype, jax.dtypes.extended):
        return from_jax_value(value)
    return np.asarray(value, aval.dtype)


def _constants(jaxpr: Any, constants: Sequence[Any], values: dict[Any, Atom], body: Body) -> None:
    for variable, value in zip(jaxpr.constvars, constants, strict=True):
        known = _variable(variable)
        values[variable] = known
        body.constants[known] = _public(value, variable.aval)


def _equations(jaxpr: Any, values: dict[Any, Atom], body: Body) -> None:
    for eqn in jaxpr.eqns:
        name = eqn.primitive.name
        operands = [_atom(values, v) for v in eqn.invars]
        if name in CALLS:
            inner, constants = _opened(_called(eqn))
            scope: dict[Any, Atom] = dict(zip(inner.invars, operands, strict=True))
            _constants(inner, constants, scope, body)
            _equations(inner, scope, body)
            found = [_atom(scope, v) for v in inner.outvars]
            values.update(zip(eqn.outvars, found, strict=True))
            continue
        if name == "custom_linear_solve":
            _linear_solve(eqn, operands, values, body)
            continue
        if name in UNCHANGED:
            values.update(zip(eqn.outvars, operands, strict=True))
            continue
        results = [_variable(v) for v in eqn.outvars]
        values.update(zip(eqn.outvars, results, strict=True))
        bodies = [
            read(each)
            for key in _BODIES.get(name, ())
            for each in (eqn.params[key] if key == "branches" else (eqn.params[key],))
        ]
        body.equations.append(
            Equation(
                name, operands, results, eqn.params, tuple(bodies), _evaluator(eqn), *_source(eqn)
            )
        )


def _linear_solve(eqn: Any, operands: list[Atom], values: dict[Any, Atom], body: Body) -> None:
    """A system of equations, which JAX gives with several functions: how it is solved.

    Where that begins with the factor of Cholesky of the matrix, the matrix is positive definite:
    then one equation of its own says so.
    """
    functions, counts = eqn.params["jaxprs"], eqn.params["const_lengths"]
    before = counts.matvec + counts.vecmat
    given = operands[before : before + counts.solve]
    sides = operands[sum(counts) :]
    rows = None
    if counts.matvec == 1 and len(sides) == 1 and any(_is_factor(body, atom) for atom in given):
        rows = _side_in_rows(functions.matvec, operands[0], sides[0])
    if rows is not None:
        results = [_variable(v) for v in eqn.outvars]
        values.update(zip(eqn.outvars, results, strict=True))
        body.equations.append(
            Equation("positive_solve", [operands[0], sides[0]], results, {"rows": rows}, (),
                     lambda pair: [_solved(pair[0], pair[1], rows)], *_source(eqn))
        )  # fmt: skip
        return
    inner, constants = _opened(functions.solve)
    scope: dict[Any, Atom] = dict(zip(inner.invars, [*given, *sides], strict=True))
    _constants(inner, constants, scope, body)
    _equations(inner, scope, body)
    values.update(zip(eqn.outvars, [_atom(scope, v) for v in inner.outvars], strict=True))


def _is_factor(body: Body, atom: Atom) -> bool:
    """Whether a value is a factor of Cholesky, turned or with zeros for the other triangle."""
    for equation in reversed(body.equations):
        if atom in equation.results:
            if equation.primitive in ("transpose", "select_n"):
                return any(_is_factor(body, one) for one in equation.operands)
            return equation.primitive == "cholesky"
    return False


def _side_in_rows(matvec: Any, matrix: Atom, side: Atom) -> bool | None:
    """Whether the right-hand sides are rows, not columns; None if it is no product at all.

    Found by trying it on numbers.
    """
    shape, size = atom_shape(side), atom_shape(matrix)
    if len(size) != 2 or len(shape) not in (1, 2):
        return None
    rng = np.random.default_rng(0)
    a, x = (rng.uniform(-1, 1, one).astype(np.float32) for one in (size, shape))
    (found,) = jax.core.eval_jaxpr(matvec.jaxpr, matvec.consts, a, x)
    for rows in (False, True):
        if (x.shape[-1] if rows else x.shape[0]) != size[1]:
            continue
        expected = x @ a.T if rows else a @ x
        if expected.shape == found.shape and np.allclose(found, expected, atol=1e-4):
            return rows
    return None


def _solved(a: Any, b: Any, rows: bool) -> Any:
    return jax.numpy.linalg.solve(a, b.T).T if rows else jax.numpy.linalg.solve(a, b)


def _evaluator(eqn: Any) -> Evaluate:
    """What computes an equation on public values, as JAX does."""

    def evaluate(operands: Sequence[Any]) -> Sequence[Any]:
        given = eqn.primitive.get_bind_params(eqn.params)
        functions, parameters = given if isinstance(given, tuple) else ((), given)
        found = eqn.primitive.bind(*functions, *operands, **parameters)
        return found if eqn.primitive.multiple_results else [found]

    return evaluate


def _called(eqn: Any) -> Any:
    if eqn.primitive.name == "call_hi_primitive":  # of JAX 0.12: a class that knows its function
        shapes = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in eqn.invars]
        return jax.make_jaxpr(eqn.params["_prim"].expand)(*shapes)
    for key in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        if key in eqn.params:
            return eqn.params[key]
    raise AssertionError(f"{eqn.primitive.name} calls nothing")


def _source(eqn: Any) -> tuple[str, str]:
    """The line of the user's text, and the function around it, where JAX tells them."""
    try:
        from jax._src import source_info_util

        found = str(source_info_util.summarize(eqn.source_info))
    except Exception:  # JAX's own insides, which may move
        return "", ""
    line, _, function = found.partition(" (")
    return line, function.removesuffix(")").rpartition(".")[2]
