"""The secret array: NumPy's face on values that nobody sees."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Literal, NoReturn, TypeAlias, overload

from numpy.typing import ArrayLike, NDArray

from tacit.arrays.methods import ArrayMethods
from tacit.encoding.types import DType
from tacit.errors import SecretMisuseError, ShapeError, TypeMismatchError, UsageError
from tacit.operations.manipulation import index_of
from tacit.sessions.handles import Reference
from tacit.sessions.session import Session

__all__ = ["Axis", "SecretArray", "applied", "applied_all", "plain_axis", "secret_operand"]

Axis: TypeAlias = int | Sequence[int] | None

_REVEAL = 'or reveal it to those who may see it: x.reveal(to="all") or x.reveal(to="alice")'


class SecretArray(ArrayMethods):
    """An array that is shared among the parties of a computation; no party sees its values.

    Made by :meth:`Computation.share` and by operations; follows the Python array API standard
    as far as secrets allow. Immutable.

    Attributes
    ----------
    dtype : DType
        ``tacit.fixed``, ``tacit.int64`` or ``tacit.bool``.
    shape : tuple of int
        Its shape, which is public.
    """

    __slots__ = ("__weakref__", "_reference", "_session")
    __array_priority__ = 1000

    def __init__(self, session: Session, reference: Reference) -> None:
        self._session = session
        self._reference = reference

    # What is public about it.

    @property
    def dtype(self) -> DType:
        """The type of its numbers."""
        return self._reference.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents of its axes."""
        return self._reference.shape

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(self.shape)

    @property
    def device(self) -> Session:
        """The session that it belongs to: where the array API standard has a device."""
        return self._session

    def to_device(self, device: Any, /, *, stream: None = None) -> SecretArray:
        """Itself, if it is there already.

        Raises
        ------
        SecretMisuseError
            It belongs to another session, whose parties hold no part of it (TC-1462).
        """
        if getattr(device, "session", device) is self._session:
            return self
        raise SecretMisuseError(
            "A secret array cannot move to another session: its parts lie with its parties.",
            next_step="share the data again in the other session, or reveal it first.",
            case=62,
        )

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The module with the functions of the array API standard, which is ``tacit``.

        Raises
        ------
        UsageError
            Another version than 2024.12 or an earlier one is asked for (TC-1061).
        """
        from tacit.arrays.namespace import namespace

        return namespace(api_version)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """A public interval that holds its numbers, where one is known.

        From bounds declared in ``share``, from the range of booleans and small integers, and
        from operations on such arrays. An operation that could wrap within the bounds of its
        operands is refused.
        """
        bounds, limits = self._reference.bounds, self.dtype.range
        if limits is None or not self.dtype.range_is_narrow:
            return bounds
        if bounds is None or bounds[0] < limits[0] or bounds[1] > limits[1]:
            return limits
        return bounds

    @property
    def public(self) -> bool:
        """Whether all parties will know it: a loop's counter while a function is traced."""
        return self._reference.public

    @property
    def session(self) -> Session:
        """The session that it belongs to."""
        return self._session

    @property
    def reference(self) -> Reference:
        """What the session knows it by."""
        return self._reference

    def __repr__(self) -> str:
        session = self._session
        return (
            f"SecretArray({self.dtype!r}, shape={self.shape},"
            f" session={session.protocol.name}[{', '.join(session.parties)}])"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    # The only exit.

    @overload
    def reveal(self, *, to: Literal["all"]) -> NDArray[Any]: ...  # type: ignore[overload-overlap]

    @overload
    def reveal(self, *, to: str | Sequence[str]) -> dict[str, NDArray[Any]]: ...

    def reveal(self, *, to: str | Sequence[str]) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """Open the values to some parties, and to nobody else.

        Parameters
        ----------
        to : str or sequence of str
            ``"all"``, or the names of the parties that get to know the values.

        Returns
        -------
        ndarray or dict of str to ndarray
            The plain array for ``"all"``; else the plain array by recipient (inside a party,
            an empty mapping at all others). float64, int64 or bool.

        Notes
        -----
        1 round; 8 bytes an element and recipient, for booleans 1 bit.
        """
        if isinstance(to, str) and to == "all":
            return self._session.reveal_to_all(self._reference)
        return self._session.reveal(self._reference, to)

    # Arithmetic.

    def __add__(self, other: Any) -> SecretArray:
        return applied("add", self, other)

    def __radd__(self, other: Any) -> SecretArray:
        return applied("add", other, self)

    def __sub__(self, other: Any) -> SecretArray:
        return applied("subtract", self, other)

    def __rsub__(self, other: Any) -> SecretArray:
        return applied("subtract", other, self)

    def __mul__(self, other: Any) -> SecretArray:
        return applied("multiply", self, other)

    def __rmul__(self, other: Any) -> SecretArray:
        return applied("multiply", other, self)

    def __truediv__(self, other: Any) -> SecretArray:
        return applied("divide", self, other)

    def __rtruediv__(self, other: Any) -> SecretArray:
        return applied("divide", other, self)

    def __floordiv__(self, other: Any) -> SecretArray:
        return applied("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> SecretArray:
        return applied("floor_divide", other, self)

    def __mod__(self, other: Any) -> SecretArray:
        return applied("remainder", self, other)

    def __rmod__(self, other: Any) -> SecretArray:
        return applied("remainder", other, self)

    def __divmod__(self, other: Any) -> tuple[SecretArray, SecretArray]:
        return _pair(self, other)

    def __rdivmod__(self, other: Any) -> tuple[SecretArray, SecretArray]:
        return _pair(other, self)

    def __lshift__(self, other: Any) -> SecretArray:
        return applied("bitwise_left_shift", self, other)

    def __rlshift__(self, other: Any) -> SecretArray:
        return applied("bitwise_left_shift", other, self)

    def __rshift__(self, other: Any) -> SecretArray:
        return applied("bitwise_right_shift", self, other)

    def __rrshift__(self, other: Any) -> SecretArray:
        return applied("bitwise_right_shift", other, self)

    def __matmul__(self, other: Any) -> SecretArray:
        return applied("matmul", self, other)

    def __rmatmul__(self, other: Any) -> SecretArray:
        return applied("matmul", other, self)

    def __pow__(self, other: Any) -> SecretArray:
        return applied("pow", self, other)

    def __rpow__(self, other: Any) -> SecretArray:
        return applied("pow", other, self)

    def __neg__(self) -> SecretArray:
        return applied("negative", self)

    def __pos__(self) -> SecretArray:
        return self

    def __abs__(self) -> SecretArray:
        return applied("abs", self)

    # Comparisons: secret booleans.

    def __eq__(self, other: Any) -> SecretArray:  # type: ignore[override]
        return applied("equal", self, other)

    def __ne__(self, other: Any) -> SecretArray:  # type: ignore[override]
        return applied("not_equal", self, other)

    def __lt__(self, other: Any) -> SecretArray:
        return applied("less", self, other)

    def __le__(self, other: Any) -> SecretArray:
        return applied("less_equal", self, other)

    def __gt__(self, other: Any) -> SecretArray:
        return applied("greater", self, other)

    def __ge__(self, other: Any) -> SecretArray:
        return applied("greater_equal", self, other)

    __hash__ = None  # type: ignore[assignment]

    # Booleans.

    def __and__(self, other: Any) -> SecretArray:
        return applied("bitwise_and", self, other)

    def __rand__(self, other: Any) -> SecretArray:
        return applied("bitwise_and", other, self)

    def __or__(self, other: Any) -> SecretArray:
        return applied("bitwise_or", self, other)

    def __ror__(self, other: Any) -> SecretArray:
        return applied("bitwise_or", other, self)

    def __xor__(self, other: Any) -> SecretArray:
        return applied("bitwise_xor", self, other)

    def __rxor__(self, other: Any) -> SecretArray:
        return applied("bitwise_xor", other, self)

    def __invert__(self) -> SecretArray:
        return applied("bitwise_invert", self)

    # Rearranging.

    def __getitem__(self, key: Any) -> SecretArray:
        try:
            items = index_of(key, self.shape)
        except TypeMismatchError:
            if any(
                isinstance(item, SecretArray) for item in (key if type(key) is tuple else [key])
            ):
                raise _secret_index() from None
            raise
        return applied("getitem", self, items=items)

    @property
    def T(self) -> SecretArray:
        """The axes in reverse order."""
        return applied("transpose", self)

    @property
    def mT(self) -> SecretArray:
        """The last two axes exchanged."""
        if self.ndim < 2:
            raise ShapeError(
                f"mT: an array of shape {self.shape} holds no matrices.",
                next_step="give it two axes first, for instance x[None, :].",
                case=60,
                stage="mT",
            )
        axes = tuple(range(self.ndim))
        return applied("transpose", self, axes=(*axes[:-2], *axes[:-3:-1]))

    def transpose(self, *axes: Any) -> SecretArray:
        """The axes in another order, reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return applied("transpose", self, axes=tuple(map(operator.index, order)) or None)

    def reshape(self, *shape: Any) -> SecretArray:
        """The same elements under another shape; one extent may be -1."""
        extents = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
        return applied("reshape", self, shape=tuple(map(operator.index, extents)))

    def astype(self, dtype: DType) -> SecretArray:
        """The same numbers in another type."""
        return applied("astype", self, **dtype.parameters)

    # Reductions.

    def sum(self, axis: Axis = None, keepdims: bool = False) -> SecretArray:
        """The sum over axes, all of them by default. Local; booleans are counted."""
        return applied("sum", self, axis=plain_axis(axis), keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> SecretArray:
        """The mean over axes, all of them by default."""
        return applied("mean", self, axis=plain_axis(axis), keepdims=keepdims)

    # NumPy's own functions on secret arrays.

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from tacit.arrays.numpy_face import call_ufunc

        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tacit.arrays.numpy_face import call_function

        return call_function(function, args, kwargs)

    # What a secret cannot do.

    def __bool__(self) -> NoReturn:
        raise SecretMisuseError(
            "A secret cannot decide an if, while, and, or, not or assert.",
            next_step="choose with tacit.where(condition, x, y) and combine booleans with"
            f" & | ~; {_REVEAL}.",
            case=0,
        )

    def __iter__(self) -> Iterator[SecretArray]:
        if self.ndim < 2:
            raise SecretMisuseError(
                "A secret array does not turn into Python numbers one by one.",
                next_step=f"use operations on whole arrays (x.sum(), tacit.where, …); {_REVEAL}.",
                case=1,
            )
        return (self[row] for row in range(len(self)))

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SecretMisuseError(
            "A secret array does not turn into a NumPy array.",
            next_step=f"use tacit's functions on it, such as tacit.exp(x); {_REVEAL}.",
            case=2,
        )

    def _number(self, *_: Any) -> NoReturn:
        raise SecretMisuseError(
            "A secret does not turn into a Python number.",
            next_step=f"compute with it as it is; {_REVEAL}.",
            case=3,
        )

    __float__ = __int__ = __complex__ = __index__ = __round__ = _number
    __trunc__ = __floor__ = __ceil__ = _number

    def __contains__(self, item: object) -> NoReturn:
        raise SecretMisuseError(
            "Whether a secret array contains something is a secret.",
            next_step=f"count matches with (x == item).sum(); {_REVEAL}.",
            case=4,
        )

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise SecretMisuseError(
            "Secret arrays are immutable.",
            next_step="build a new one: x = tacit.where(mask, new, x), which is local for a public"
            " mask, or tacit.concat of the parts; x += y binds x to a new array.",
            case=5,
        )

    def __reduce__(self) -> NoReturn:
        raise SecretMisuseError(
            "A secret array cannot be pickled: its parts belong to its parties.",
            next_step=f"keep it inside its session; {_REVEAL}.",
            case=6,
        )

    def __copy__(self) -> SecretArray:
        return self

    def __deepcopy__(self, memo: Any) -> SecretArray:
        return self


def _secret_index() -> SecretMisuseError:
    return SecretMisuseError(
        "A secret cannot be an index: what is looked at, and how much, would show.",
        next_step="to choose by a secret condition use tacit.where(condition, x, 0), which keeps"
        f" the shape; count with condition.sum(); {_REVEAL}.",
        case=60,
        stage="getitem",
    )


def plain_axis(axis: Axis) -> int | tuple[int, ...] | None:
    """An axis argument as Python integers."""
    if axis is None:
        return None
    if isinstance(axis, Sequence):
        return tuple(map(operator.index, axis))
    return operator.index(axis)


def applied(name: str, *operands: Any, **attributes: Any) -> SecretArray:
    """Apply an operation with one result to arrays of which at least one is secret.

    Raises
    ------
    UsageError
        None is secret (TC-1030), or they belong to different sessions (TC-1031).
    """
    (result,) = applied_all(name, *operands, **attributes)
    return result


def applied_all(name: str, *operands: Any, **attributes: Any) -> tuple[SecretArray, ...]:
    """Apply an operation to arrays of which at least one is secret; all its results.

    Raises
    ------
    UsageError
        None is secret (TC-1030), or they belong to different sessions (TC-1031).
    """
    session: Session | None = None
    handles: list[Reference | ArrayLike] = []
    for operand in operands:
        if isinstance(operand, SecretArray):
            if session is None:
                session = operand._session
            elif operand._session is not session:
                raise UsageError(
                    "These secret arrays belong to different sessions.",
                    next_step="share the data in one session.",
                    case=31,
                    stage=name,
                )
            handles.append(operand._reference)
        else:
            handles.append(operand)
    if session is None:
        raise UsageError(
            f"{name}: none of the arrays is secret.",
            next_step=f"use NumPy for plain arrays, such as np.{name}.",
            case=30,
            stage=name,
        )
    found = session.apply(name, handles, **attributes)
    references = found if isinstance(found, tuple) else (found,)
    return tuple(SecretArray(session, reference) for reference in references)


def _pair(x1: Any, x2: Any) -> tuple[SecretArray, SecretArray]:
    quotient, remainder = applied_all("divmod", x1, x2)
    return quotient, remainder


def secret_operand(name: str, x: Any) -> SecretArray:
    """The operand, which must be secret.

    Raises
    ------
    UsageError
        It is not (TC-1030).
    """
    if not isinstance(x, SecretArray):
        return applied(name, x)  # raises
    return x
