"""The arguments of a function: trees of what is secret, what is public, and what is neither."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from tacit.errors import ProgramError, TypeMismatchError
from tacit.frontends.spec import ArraySpec

__all__ = ["Described", "described", "places"]


@dataclass(frozen=True, slots=True)
class Described:
    """A function of its inputs alone.

    Attributes
    ----------
    function : callable
        Takes one array for each input.
    inputs : mapping of str to ArraySpec
    shapes : list of jax.ShapeDtypeStruct
    """

    function: Callable[..., Any]
    inputs: Mapping[str, ArraySpec]
    shapes: list[Any]


def described(function: Callable[..., Any], bound: inspect.BoundArguments | None) -> Described:
    """Tell the inputs among a function's arguments.

    Raises
    ------
    ProgramError
        Two inputs of one name (TC-1517).
    """
    assert bound is not None
    leaves, tree = jax.tree_util.tree_flatten_with_path(
        (bound.args, bound.kwargs), is_leaf=lambda leaf: isinstance(leaf, ArraySpec)
    )
    names = _argument_names(bound)
    inputs: dict[str, ArraySpec] = {}
    kept: list[Any] = []
    for path, leaf in leaves:
        if not isinstance(leaf, ArraySpec):
            kept.append(leaf)
            continue
        kept.append(None)
        key = leaf.name or _place(names, path)
        if key in inputs:
            raise ProgramError(
                f"Two inputs have the name {key!r}.",
                next_step="give one of them another: ArraySpec(…, name=…).",
                case=17,
            )
        inputs[key] = leaf
    which = [isinstance(leaf, ArraySpec) for _, leaf in leaves]

    def of_inputs(*arrays: Any) -> Any:
        remaining = iter(arrays)
        values = [
            next(remaining) if secret else known for secret, known in zip(which, kept, strict=True)
        ]
        positional, named = jax.tree_util.tree_unflatten(tree, values)
        return function(*positional, **named)

    shapes = [jax.ShapeDtypeStruct(s.shape, _type(key, s)) for key, s in inputs.items()]
    return Described(of_inputs, inputs, shapes)


def _argument_names(bound: inspect.BoundArguments) -> dict[tuple[int, Any], str]:
    """The name of each argument by its place in (args, kwargs)."""
    names: dict[tuple[int, Any], str] = {}
    place = 0
    for key, parameter in bound.signature.parameters.items():
        if key not in bound.arguments:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            for number in range(len(bound.arguments[key])):
                names[0, place + number] = f"{key}{number}"
            place += len(bound.arguments[key])
        elif parameter.kind is parameter.VAR_KEYWORD:
            names.update({(1, each): each for each in bound.arguments[key]})
        elif parameter.kind is parameter.KEYWORD_ONLY:
            names[1, key] = key
        else:
            names[0, place] = key
            place += 1
    return names


def _place(names: Mapping[tuple[int, Any], str], path: Sequence[Any]) -> str:
    which, argument, *rest = path
    first = names[which.idx, _step(argument)]
    return ".".join([first, *(str(_step(step)) for step in rest)])


def _step(step: Any) -> Any:
    for attribute in ("key", "idx", "name"):
        if hasattr(step, attribute):
            return getattr(step, attribute)
    return str(step)


def places(tree: Any) -> list[str]:
    """The names of a tree's leaves by their places."""
    numbered = jax.tree.unflatten(tree, list(range(tree.num_leaves)))
    leaves, _ = jax.tree_util.tree_flatten_with_path(numbered)
    found = []
    for path, _leaf in leaves:
        steps = [_step(step) for step in path]
        if not steps or isinstance(steps[0], int):
            steps = [f"output{steps[0]}" if steps else "output", *steps[1:]]
        found.append(".".join(map(str, steps)))
    return found


def _type(key: str, spec: ArraySpec) -> Any:
    """The type under which JAX sees an input."""
    dtype = spec.dtype
    if dtype.kind == "fixed":
        return np.dtype(np.float32)
    if dtype.bits > 64:
        raise TypeMismatchError(
            f"The input {key!r} is {dtype!r}, which JAX has no type for.",
            next_step="use tacit.int64.",
            case=75,
            stage="from_jax",
        )
    return jax.dtypes.canonicalize_dtype(dtype.numpy)
