"""The cases of the test-suite: models, inputs, expected outputs, and what they are made of."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["KINDS", "Case", "cases"]

KINDS: Final = ("node", "simple", "pytorch-operator", "pytorch-converted", "light")

_NUMBERS: Final = frozenset(
    {"FLOAT", "FLOAT16", "DOUBLE", "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16",
     "UINT32", "UINT64"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes
    ----------
    name, kind : str
    model : ModelProto
    sets : sequence of (inputs, outputs)
    """

    name: str
    kind: str
    model: Any
    sets: Sequence[tuple[Sequence[Any], Sequence[Any]]]

    @property
    def operator(self) -> str:
        """What it is about: of models with several nodes the first that names the case."""
        nodes = list(self.model.graph.node)
        if len(nodes) == 1:
            return _title(nodes[0])
        return "functions" if self.name.endswith("_expanded") else "several operators"

    @property
    def numeric(self) -> bool:
        """Whether inputs and outputs are arrays of floats of 16 to 64 bits, integers, booleans."""
        return all(kind in _NUMBERS for kind in self.types)

    @property
    def types(self) -> set[str]:
        """The element types of inputs and outputs; the kind of what is no array."""
        from onnx import TensorProto

        found = set()
        for value in (*self.model.graph.input, *self.model.graph.output):
            kind = value.type.WhichOneof("value")
            element = value.type.tensor_type.elem_type
            found.add(TensorProto.DataType.Name(element) if kind == "tensor_type" else str(kind))
        return found

    @property
    def finite(self) -> bool:
        """Whether no array holds NaN or infinity."""
        return all(_finite(x) for arrays in self.sets for part in arrays for x in part)


def _title(node: Any) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain else str(node.op_type)


def _finite(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_finite, value))
    if not isinstance(value, np.ndarray) or value.dtype.kind in "OSUbiu":
        return True
    return bool(np.isfinite(value.astype(np.complex128)).all())


def cases(kind: str, modules: Sequence[str] = ()) -> Iterator[Case]:
    """The cases of a kind, in order of their names.

    Node cases are made when the test-suite's modules are imported, which takes seconds for all of
    them; `modules` names some, such as ``"conv"``.
    """
    import onnx
    from onnx.backend.test.case import node

    if kind == "light":
        yield from _light()
        return
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if modules:
            for name in modules:
                importlib.import_module(f"{node.__name__}.{name}")
            found = list(node._NodeTestCases)
        else:
            found = load_model_tests(kind=kind)
    for case in sorted(found, key=lambda each: each.name):
        if case.model is not None:
            sets = [([*map(_array, a)], [*map(_array, b)]) for a, b in case.data_sets]
            yield Case(case.name, kind, case.model, sets)
        elif case.model_dir is not None and (Path(case.model_dir) / "model.onnx").exists():
            folder = Path(case.model_dir)
            yield Case(case.name, kind, onnx.load(folder / "model.onnx"), list(_stored(folder)))


_LEFT_OUT: Final = ("bvlc_alexnet", "inception_v1", "vgg19", "zfnet512")
"""Networks of 61 to 144 million weights, as constants of a program more than half a gigabyte; and
one that computes with numbers of 10^15 for equal weights, which fixed point does not hold."""


def _light() -> Iterator[Case]:
    """The real networks, with the weights that the package itself holds: all of them equal."""
    import onnx

    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    for path in sorted(folder.glob("light_*.onnx")):
        name = path.stem.removeprefix("light_")
        if name in _LEFT_OUT:
            continue
        model = onnx.load(path)
        weights = {tensor.name for tensor in model.graph.initializer}
        (given,) = (each for each in model.graph.input if each.name not in weights)
        shape = [each.dim_value for each in given.type.tensor_type.shape.dim]
        image = (np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32)
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.with_name(f"{path.stem}_output_0.pb").read_bytes())
        yield Case(f"test_{name}", "light", model, [([image], [_array(tensor)])])


def _array(value: Any) -> Any:
    from onnx import TensorProto, numpy_helper

    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, list | tuple):
        return [*map(_array, value)]
    return None if value is None else np.asarray(value)


def _stored(folder: Path) -> Iterator[tuple[list[Any], list[Any]]]:
    for data in sorted(folder.glob("test_data_set*")):
        yield _read(data, "input"), _read(data, "output")


def _read(folder: Path, prefix: str) -> list[Any]:
    from onnx import TensorProto

    found = []
    for place in range(len(list(folder.glob(f"{prefix}_*.pb")))):
        tensor = TensorProto()
        tensor.ParseFromString((folder / f"{prefix}_{place}.pb").read_bytes())
        found.append(_array(tensor))
    return found
