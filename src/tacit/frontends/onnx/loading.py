"""Models as they come: from a file, bytes or a message; read with limits, then checked.

Nothing in a model is executed. Weights beside the file are read only from its own folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from tacit.errors import ConfigurationError, ProgramError, TacitError
from tacit.frontends.onnx.publicity import subgraphs

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

__all__ = ["OLDEST", "array_of", "broken_models_refused", "checked", "loaded"]

OLDEST: Final = 1
"""The oldest version of ONNX's operator set that is read; most tests are of 13 and later."""

_MOST_BYTES: Final = 2 << 30
"""The most that a model may hold, weights beside its file included."""

_WHAT: Final = "give the path of an .onnx file, its bytes, or an onnx.ModelProto."
_BROKEN: Final = "export it again, and check it with onnx.checker.check_model."


def loaded(model: Any) -> ModelProto:
    """A model that was read, weights included; not yet checked.

    Parameters
    ----------
    model : path, bytes or ModelProto

    Raises
    ------
    ConfigurationError
        The package onnx is not installed (TC-2050).
    ProgramError
        It cannot be read, is too large, or keeps weights outside of its folder (TC-1536).
    """
    try:
        import onnx
    except ImportError:
        raise ConfigurationError(
            "A model can be read from ONNX only with the package onnx, which is not installed.",
            next_step="install it with: pip install 'tacit[onnx]'",
            case=50,
            stage="from_onnx",
        ) from None
    if isinstance(model, onnx.ModelProto):
        proto, folder = onnx.ModelProto(), None
        proto.CopyFrom(model)
    elif isinstance(model, bytes | bytearray | memoryview):
        proto, folder = _parsed(bytes(model)), None
    elif not isinstance(model, str | os.PathLike):
        raise _refused(f"A {type(model).__name__} is no ONNX model.", _WHAT)
    else:
        path = Path(model)
        proto, folder = _parsed(_read(path)), path.resolve().parent
    _require_inside(proto, folder)
    return proto


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _refused(f"The file {path} is larger than {_MOST_BYTES} bytes.", "split it.")
        return path.read_bytes()
    except OSError as error:
        raise _refused(
            f"The model cannot be read from {path}: {error.strerror}.",
            _WHAT,
        ) from None


def _parsed(data: bytes) -> ModelProto:
    import onnx

    proto = onnx.ModelProto()
    if len(data) > _MOST_BYTES:
        raise _refused(f"The model is larger than {_MOST_BYTES} bytes.", "split it.")
    try:
        proto.ParseFromString(data)
    except Exception as error:  # the decoder's own error, wherever protobuf keeps it
        raise _refused(
            f"These are not the bytes of an ONNX model: {type(error).__name__}.",
            _WHAT,
        ) from None
    if not proto.graph.node and not proto.graph.output:
        raise _refused("The model holds no graph.", _BROKEN)
    return proto


def _refused(message: str, next_step: str) -> ProgramError:
    return ProgramError(message, next_step=next_step, case=36, stage="from_onnx")


# Weights beside the file.


def _require_inside(proto: ModelProto, folder: Path | None) -> None:
    """Read what lies beside the file, and from nowhere else."""
    from onnx import TensorProto
    from onnx.external_data_helper import load_external_data_for_tensor

    outside = [t for t in _tensors(proto) if t.data_location == TensorProto.EXTERNAL]
    if outside and folder is None:
        raise _refused(
            "The model keeps weights in other files, and only the model itself was given.",
            "give the path of the file, beside which they lie, or load it with onnx.load first.",
        )
    total = 0
    for tensor in outside:
        assert folder is not None
        where = {entry.key: entry.value for entry in tensor.external_data}
        location = where.get("location", "")
        parts = PurePosixPath(location).parts
        path = (folder / location).resolve()
        inside = path.is_relative_to(folder) and location and "\\" not in location
        if not inside or ".." in parts or PurePosixPath(location).is_absolute():
            raise _refused(
                f"The weights {tensor.name!r} lie outside of the model's folder.",
                "keep the files of weights beside the model's file.",
            )
        if not path.is_file():
            raise _refused(
                f"The file of the weights {tensor.name!r} is missing: {location}.",
                "keep the files of weights beside the model's file.",
            )
        total += path.stat().st_size
        if total > _MOST_BYTES * 4:
            raise _refused("The model's weights are too large.", "use a smaller model.")
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except Exception as error:  # whatever reading and checking raise
            raise _refused(
                f"The weights {tensor.name!r} cannot be read: {type(error).__name__}.", _BROKEN
            ) from None
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _tensors(proto: ModelProto) -> Iterator[TensorProto]:
    yield from _tensors_of(proto.graph)
    for function in proto.functions:
        yield from _tensors_of_nodes(function.node)


def _tensors_of(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
        yield sparse.indices
    yield from _tensors_of_nodes(graph.node)


def _tensors_of_nodes(nodes: Any) -> Iterator[TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
        for inner in subgraphs(node):
            yield from _tensors_of(inner)


# Checks.


def checked(proto: ModelProto) -> ModelProto:
    """The model, if ONNX's own checker accepts it and its version is one of those that are read.

    Raises
    ------
    ProgramError
        It is broken, or too old or too new (TC-1537).
    """
    from onnx import checker, defs

    versions = {entry.domain: entry.version for entry in proto.opset_import}
    version = versions.get("", versions.get("ai.onnx", OLDEST))
    newest = defs.onnx_opset_version()
    if not OLDEST <= version <= newest:
        raise ProgramError(
            f"The model uses version {version} of ONNX's operators; {OLDEST} to {newest} are read.",
            next_step="export it for operator set 13 or later"
            + (", or install a newer package onnx." if version > newest else "."),
            case=37,
            stage="from_onnx",
        )
    try:
        checker.check_model(proto)
    except Exception as error:  # the checker's own errors, and those of its bindings
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ProgramError(
            f"ONNX's checker refuses the model: {lines[0][:300]}",
            next_step=_BROKEN,
            case=37,
            stage="from_onnx",
        ) from None
    if proto.graph.sparse_initializer:
        raise ProgramError(
            "The model keeps sparse weights, which are not supported.",
            next_step="export it with dense weights.",
            case=37,
            stage="from_onnx",
        )
    return proto


@contextmanager
def broken_models_refused() -> Iterator[None]:
    """What reading a model that nobody checked yet may raise becomes an error that says so.

    Raises
    ------
    ProgramError
        Names that are no text, attributes of other types, and the like (TC-1537).
    """
    try:
        yield
    except TacitError:
        raise
    except Exception as error:
        raise ProgramError(
            f"The model is broken: {type(error).__name__}.",
            next_step=_BROKEN,
            case=37,
            stage="from_onnx",
        ) from None


def array_of(tensor: TensorProto) -> NDArray[Any]:
    """The numbers of a tensor.

    Raises
    ------
    ProgramError
        Its bytes are not those of its shape and type (TC-1537).
    """
    from onnx import numpy_helper

    try:
        return numpy_helper.to_array(tensor)
    except Exception as error:  # whatever unpacking raises
        raise ProgramError(
            f"The numbers of the model's {tensor.name!r} do not fit its shape:"
            f" {type(error).__name__}.",
            next_step=_BROKEN,
            case=37,
            stage="from_onnx",
        ) from None
