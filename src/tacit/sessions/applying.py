"""One operation of the table in a session: what its operands must be, and what is known after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tacit.encoding.types import DType, int64, promoted_integer
from tacit.errors import RangeError, UsageError
from tacit.operations.bounds import BOUNDING, operand_bounds
from tacit.operations.fractions import becoming_fractions
from tacit.operations.operation import Attributes, Operation
from tacit.operations.overflow import bounds_within, refuse_overflow
from tacit.operations.promotion import public_array
from tacit.operations.settling import settled_bounds
from tacit.operations.table import operation_named
from tacit.operations.types import ArrayType, Bounds, PublicArray, public_type
from tacit.sessions.executing import Executing
from tacit.sessions.handles import Handle, Reference, operand_type
from tacit.sessions.storing import permitted
from tacit.sessions.turns import in_turn

if TYPE_CHECKING:
    pass

__all__ = ["Applying", "weak_integer"]


class Applying(Executing):
    """The part of a session that computes single operations."""

    fractions: DType

    @in_turn
    def apply(
        self, name: str, operands: Sequence[Handle | ArrayLike], **attributes: Any
    ) -> Reference | tuple[Reference, ...]:
        """Compute one operation of the operation table.

        Parameters
        ----------
        name : str
            The operation's name.
        operands : sequence
            References of this session, or public arrays that every party gets to know.
        **attributes
            The operation's public parameters.

        Returns
        -------
        Reference or tuple of Reference

        Raises
        ------
        ShapeError, TypeMismatchError, RangeError, UsageError
            Before anything is computed.
        PolicyDeniedError
            A stored operand may not be used in this operation (TC-4001).
        """
        return self._applied(name, operands, attributes)

    def _applied(
        self,
        name: str,
        operands: Sequence[Handle | ArrayLike],
        attributes: dict[str, Any],
        purpose: str | None = None,
    ) -> Reference | tuple[Reference, ...]:
        """`apply`, as a part of the operation `purpose` where it is one."""
        operation = operation_named(name)
        handles: list[Handle] = []
        types: list[ArrayType] = []
        for operand in operands:
            if isinstance(operand, Reference):
                handles.append(operand)
                types.append(operand_type(operand))
            else:
                if isinstance(operand, int) and not isinstance(operand, bool):
                    public = weak_integer(name, operand, operands)
                else:
                    public = public_array(operand)
                handles.append(public)
                types.append(public_type(public))
        parameters = _attributes(operation, attributes)
        result = operation.rule(types, parameters)
        results = result if isinstance(result, tuple) else (result,)
        places = becoming_fractions(name, types, results, self.fractions)
        if places:
            return self._applied(name, self._as_fractions(name, handles, places), attributes)
        if operation.check is not None:
            public_values = [None if isinstance(h, Reference) else h for h in handles]
            operation.check(types, public_values, parameters, self.ring)
        for result_type in results:
            self.check_room(result_type.dtype)
        known = _known_operands(operation, types, handles, results)
        declared = any(h.declared for h in handles if isinstance(h, Reference))
        bounds: Sequence[Bounds | None] = ()
        if known is not None:
            # Where bounds are declared, what could wrap within them is refused here.
            values = [None if isinstance(h, Reference) else h for h in handles]
            track = refuse_overflow if declared else bounds_within
            arguments = (name, types, values, known, parameters, results, self.ring)
            bounds = self.tracked(track, arguments)
        uses = permitted([h for h in handles if isinstance(h, Reference)], purpose or name)
        references = self.execute(operation, handles, parameters, results)
        for reference in references:
            reference.uses = uses
        for reference, interval in zip(references, bounds, strict=False):
            reference.bounds = interval
            reference.declared = interval is not None and (declared or name == "clip")
        return references if isinstance(result, tuple) else references[0]

    def tracked(
        self, track: Callable[..., list[Bounds | None]], arguments: tuple[Any, ...]
    ) -> Sequence[Bounds | None]:
        """The bounds of an operation's results; where it could wrap it is refused."""
        return track(*arguments)

    def _as_fractions(
        self, purpose: str, handles: Sequence[Handle], places: Sequence[int]
    ) -> list[Handle]:
        """Operands of an operation, some of them converted to the session's fixed point."""
        converted = list(handles)
        for place in places:
            handle = handles[place]
            secret = isinstance(handle, Reference) and not handle.public
            name = "astype" if secret else "constant"
            fractions = self.fractions.parameters
            reference = self._applied(name, [handles[place]], fractions, purpose)
            assert isinstance(reference, Reference)
            converted[place] = reference
        return converted


def _known_operands(
    operation: Operation,
    types: Sequence[ArrayType],
    handles: Sequence[Handle],
    results: Sequence[ArrayType],
) -> list[Bounds | None] | None:
    """What is known of each operand; None where nothing is known of the secret ones."""
    for array_type in types:
        if not array_type.public and (array_type.bounds or array_type.dtype.range_is_narrow):
            break
    else:
        if operation.name not in BOUNDING:
            return None
    known = [
        operand_bounds(t, None if isinstance(h, Reference) else h)
        for t, h in zip(types, handles, strict=True)
    ]
    return settled_bounds(types, known, operation.integers, results)


def weak_integer(name: str, value: int, operands: Sequence[Any]) -> PublicArray:
    """A Python integer as a public operand: it takes the type of the integers that it meets.

    As in NumPy and the array API standard. Without integer arrays, or with fixed point among
    them, it is ``tacit.int64``; so it is in comparisons with what its type cannot hold.

    Raises
    ------
    RangeError
        The type that it meets cannot hold it (TC-1371).
    """
    met = [o.dtype for o in operands if isinstance(o, Reference)]
    met += [public_type(public_array(o)).dtype for o in operands if isinstance(o, np.ndarray)]
    integers = [dtype for dtype in met if dtype.kind == "int"]
    if len(integers) < len([dtype for dtype in met if dtype.kind != "bool"]) or not integers:
        return public_array(value)
    dtype = reduce(promoted_integer, integers)
    if dtype.bits > 64:
        return public_array(value)
    low, high = dtype.range or (0, 0)
    if low <= value <= high:
        return np.asarray(value, dtype.numpy)
    if dtype == int64 or name in _COMPARISONS:
        return public_array(value)
    raise RangeError(
        f"{name}: the number {value} is outside the range of {dtype!r}, {low} to {high}.",
        next_step=f"convert the array first, for instance with x.astype(tacit.int64), or give a"
        f" number from {low} to {high}.",
        case=71,
        stage=name,
    )


_COMPARISONS = frozenset({"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"})


def _attributes(operation: Operation, given: dict[str, Any]) -> Attributes:
    try:
        return operation.attributes(**given)
    except TypeError:
        names = ", ".join(operation.attributes.__struct_fields__) or "none"
        raise UsageError(
            f"{operation.name} does not take the parameters {', '.join(given) or 'none'}.",
            next_step=f"its parameters are: {names}.",
            case=28,
            stage=operation.name,
        ) from None
