"""`tacit.from_onnx`: an ONNX model becomes a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import DType, fixed
from tacit.errors import ProgramError
from tacit.frontends.onnx.interpreting import Interpreter
from tacit.frontends.onnx.loading import broken_models_refused, checked, loaded
from tacit.frontends.onnx.publicity import required_public
from tacit.frontends.onnx.refusals import unsupported
from tacit.frontends.onnx.support import problems
from tacit.frontends.onnx.values import is_secret, secret_type
from tacit.frontends.onnx.weights import private_names, with_weights_apart
from tacit.frontends.spec import ArraySpec
from tacit.frontends.trace import To, trace
from tacit.programs.program import Program

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

__all__ = ["Model", "from_onnx", "onnx_weights"]

Model: TypeAlias = "str | PathLike[str] | bytes | ModelProto"
"""The path of a file, its bytes, or the message itself."""


def from_onnx(
    model: Model,
    *,
    inputs: Mapping[str, ArraySpec | NDArray[Any]] | None = None,
    owner: str | None = None,
    to: To = "all",
    dimensions: Mapping[str, int] | None = None,
    private_weights: str | None = None,
    name: str | None = None,
    fractions: DType = fixed,
    ring: int = 64,
) -> Program:
    """Make a program from an ONNX model, without any data.

    Parameters
    ----------
    model : path, bytes or ModelProto
        Operator set 13 or later of ONNX, of ai.onnx.ml any version.
    inputs : mapping of str to ArraySpec or ndarray, optional
        By the model's names. What is given as a NumPy array is public and becomes part of the
        program: shapes, axes and positions must be.
    owner : str, optional
        Who gives the inputs that `inputs` does not name; their shapes are then the model's.
    to : str, sequence of str, None, or mapping of output names to those
        Who learns the outputs; None leaves them secret, in the session.
    dimensions : mapping of str to int, optional
        Extents for the names that stand in the model's shapes, such as ``{"batch": 8}``.
    private_weights : str, optional
        The weights become inputs of this party, and are no part of the program:
        :func:`onnx_weights` gives their values. By default they are public constants, which all
        parties see.
    name : str, optional
        The graph's name by default.
    fractions : DType
        The fixed point that the model's floats become.
    ring : {64, 128}
        The ring whose limits the declared bounds are held against.

    Returns
    -------
    Program
        Its inputs and outputs have the model's names. Labels that are texts come out as their
        places among the model's labels.

    Raises
    ------
    ProgramError
        Nodes cannot run on secrets: all are named, with what to do (TC-1535). The model cannot be
        read (TC-1536), is broken, too old or too new (TC-1537), or `inputs` does not fit it
        (TC-1538). An input decides a shape and must be public (TC-1539). Weights cannot be private
        because they are attributes of nodes (TC-1540).
    ConfigurationError
        The package onnx is not installed (TC-2050).
    RangeError
        An operation could wrap within the declared bounds; the message names it.

    Notes
    -----
    Shapes are computed here and are no part of the program. ``docs/onnx.md`` lists every operator.

    Examples
    --------
    >>> program = tacit.from_onnx("cnn.onnx", owner="hospital", to="hospital")  # doctest: +SKIP
    """
    proto = loaded(model)
    with broken_models_refused():
        if private_weights is not None:
            proto = with_weights_apart(proto)
        specs, public = _inputs(proto, inputs or {}, owner, dimensions or {})
        private = private_names(proto) if private_weights is not None else {}
        found = problems(proto, {*specs, *private})
    if found:
        raise unsupported(found)
    checked(proto)
    _require_public(proto, specs)
    for key, array in private.items():
        dtype = secret_type(_element(array)) or fixed
        kept = fractions if dtype.kind == "fixed" else dtype
        specs[key] = ArraySpec(array.shape, kept, owner=private_weights or "", name=key)
    interpreter = Interpreter(proto)
    names = list(specs)

    def run(*arrays: Any) -> dict[str, Any]:
        values = {**public, **dict(zip(names, arrays, strict=True))}
        return {key: _output(key, value) for key, value in interpreter.run(values).items()}

    title = proto.graph.name if name is None else name
    return trace(run, *specs.values(), to=to, name=title, fractions=fractions, ring=ring)


def onnx_weights(model: Model) -> dict[str, NDArray[Any]]:
    """The weights of a model by name: what their owner gives where they are private.

    Parameters
    ----------
    model : path, bytes or ModelProto

    Returns
    -------
    dict of str to ndarray
        What ``from_onnx(model, private_weights=…)`` makes inputs of.
    """
    proto = loaded(model)
    with broken_models_refused():
        return private_names(with_weights_apart(proto))


def _element(array: NDArray[Any]) -> int:
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(array.dtype))


def _output(name: str, value: Any) -> Any:
    if isinstance(value, list) or value is None:
        raise ProgramError(
            f"The model's output {name!r} is a sequence, or missing.",
            next_step="take the arrays out in the model, each as an output of its own.",
            case=38,
            stage="from_onnx",
        )
    if not is_secret(value) and value.dtype.kind in "OSU":
        raise ProgramError(
            f"The model's output {name!r} is text.",
            next_step="leave it out, or give out numbers that stand for it.",
            case=38,
            stage="from_onnx",
        )
    return value


# Inputs.


def _inputs(
    proto: ModelProto,
    given: Mapping[str, ArraySpec | NDArray[Any]],
    owner: str | None,
    dimensions: Mapping[str, int],
) -> tuple[dict[str, ArraySpec], dict[str, NDArray[Any]]]:
    """The secret inputs and the public ones, by name."""
    weights = {tensor.name for tensor in proto.graph.initializer}
    declared = {each.name: each for each in proto.graph.input if each.name not in weights}
    unknown = [key for key in given if key not in declared]
    if unknown:
        raise _wrong(
            f"The model has no input {unknown[0]!r}.", f"name some of: {', '.join(declared)}."
        )
    specs, public = {}, {}
    for key, info in declared.items():
        spec = given.get(key)
        if spec is None:
            if owner is None:
                raise _wrong(
                    f"Nothing says who gives the model's input {key!r}.",
                    f'pass owner="…", or inputs={{"{key}": tacit.ArraySpec(shape, owner="…")}}.',
                )
            specs[key] = ArraySpec(
                _shape(info, dimensions), _dtype(info, None), owner=owner, name=key
            )
        elif isinstance(spec, ArraySpec) and spec.public:
            raise _wrong(
                f"The model's input {key!r} is public, and its values are not given.",
                f'give them now, as a NumPy array: inputs={{"{key}": np.array(…)}}.',
            )
        elif isinstance(spec, ArraySpec):
            _require_fit(info, spec.shape, dimensions)
            specs[key] = ArraySpec(
                spec.shape, _dtype(info, spec.dtype), spec.owner, spec.bounds, name=key
            )
        else:
            public[key] = np.asarray(spec)
            _require_fit(info, public[key].shape, dimensions)
    return specs, public


def _wrong(message: str, next_step: str) -> ProgramError:
    return ProgramError(message, next_step=next_step, case=38, stage="from_onnx")


def _dtype(info: ValueInfoProto, given: DType | None) -> DType:
    """The type of an input: what is given where the model has floats, else the model's."""
    from onnx import TensorProto

    if info.type.WhichOneof("value") != "tensor_type":
        raise _wrong(
            f"The model's input {info.name!r} is no array.",
            "make arrays inputs of the model, not sequences or mappings.",
        )
    element = info.type.tensor_type.elem_type
    own = secret_type(element)
    if own is None:
        raise _wrong(
            f"The model's input {info.name!r} is of type"
            f" {TensorProto.DataType.Name(element)}, which no secret type stands for.",
            "encode it as integers before the model, or pass it as a public NumPy array.",
        )
    if given is None or own.kind != "fixed":
        return own
    if given.kind != "fixed":
        raise _wrong(
            f"The model's input {info.name!r} holds floats, and its ArraySpec says {given!r}.",
            "leave the type out, or give tacit.fixed.",
        )
    return given


def _extents(info: ValueInfoProto, dimensions: Mapping[str, int]) -> list[int | str] | None:
    kind = info.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return [
        each.dim_value
        if each.HasField("dim_value")
        else dimensions.get(each.dim_param, each.dim_param or "?")
        for each in kind.shape.dim
    ]


def _shape(info: ValueInfoProto, dimensions: Mapping[str, int]) -> tuple[int, ...]:
    extents = _extents(info, dimensions)
    open_names = [each for each in extents or () if isinstance(each, str)]
    if extents is None or open_names:
        known = "unknown" if extents is None else f"{tuple(extents)}"
        raise _wrong(
            f"The shape of the model's input {info.name!r} is {known}.",
            f'say it: inputs={{"{info.name}": tacit.ArraySpec(shape, owner="…")}}'
            + (f', or dimensions={{"{open_names[0]}": …}}.' if open_names else "."),
        )
    return tuple(int(each) for each in extents)


def _require_fit(info: ValueInfoProto, shape: Sequence[int], dimensions: Mapping[str, int]) -> None:
    extents = _extents(info, dimensions)
    if extents is None:
        return
    fits = len(extents) == len(shape) and all(
        isinstance(own, str) or own == given for own, given in zip(extents, shape, strict=True)
    )
    if not fits:
        raise _wrong(
            f"The model's input {info.name!r} has the shape {tuple(extents)}, not {tuple(shape)}.",
            "give it the model's shape; names in it may be any extent.",
        )


def _require_public(proto: ModelProto, specs: Mapping[str, ArraySpec]) -> None:
    needed = required_public(proto)
    for key in specs:
        if key in needed:
            raise ProgramError(
                f"The model's input {key!r} decides a shape or a position in the node"
                f" {needed[key]}, and cannot be secret.",
                next_step=f'give its values now: inputs={{"{key}": np.array(…)}}.',
                case=39,
                stage="from_onnx",
            )
