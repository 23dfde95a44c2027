"""NumPy's names for functions that are methods of its arrays: ``x.var()``, ``x.ravel()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from tacit.errors import SecretMisuseError

if TYPE_CHECKING:
    from tacit.arrays.array import Axis, SecretArray

__all__ = ["ArrayMethods"]


class ArrayMethods:
    """What secret arrays have beside the attributes of the array API standard.

    Each is the function of the same name in ``tacit``.
    """

    __slots__ = ()

    def prod(self, axis: Axis = None, keepdims: bool = False) -> SecretArray:
        """The product over axes, all of them by default."""
        return _call("prod", self, axis=axis, keepdims=keepdims)

    def var(
        self, axis: Axis = None, keepdims: bool = False, *, correction: float = 0.0
    ) -> SecretArray:
        """The mean of squared deviations from the mean."""
        return _call("var", self, axis=axis, keepdims=keepdims, correction=correction)

    def std(
        self, axis: Axis = None, keepdims: bool = False, *, correction: float = 0.0
    ) -> SecretArray:
        """The square root of the variance."""
        return _call("std", self, axis=axis, keepdims=keepdims, correction=correction)

    def max(self, axis: Axis = None, keepdims: bool = False) -> SecretArray:
        """The largest over axes, all of them by default."""
        return _call("max", self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> SecretArray:
        """The least over axes, all of them by default."""
        return _call("min", self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> SecretArray:
        """Whether any is true, over axes, all of them by default."""
        return _call("any", self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> SecretArray:
        """Whether all are true, over axes, all of them by default."""
        return _call("all", self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None) -> SecretArray:
        """The position of the largest along an axis, in the flattened array by default."""
        return _call("argmax", self, axis=axis)

    def argmin(self, axis: int | None = None) -> SecretArray:
        """The position of the least along an axis, in the flattened array by default."""
        return _call("argmin", self, axis=axis)

    def argsort(self, axis: int = -1) -> SecretArray:
        """The positions that sort along an axis."""
        return _call("argsort", self, axis=axis)

    def cumsum(self, axis: int | None = None) -> SecretArray:
        """Running sums along an axis, along the flattened array by default."""
        return _call("cumulative_sum", self if axis is not None else self.ravel(), axis=axis)

    def cumprod(self, axis: int | None = None) -> SecretArray:
        """Running products along an axis, along the flattened array by default."""
        return _call("cumulative_prod", self if axis is not None else self.ravel(), axis=axis)

    def dot(self, other: Any) -> SecretArray:
        """The product of vectors or matrices."""
        return _call("dot", self, other)

    def trace(self, offset: int = 0) -> SecretArray:
        """The sum of a diagonal of every matrix."""
        return _call("trace", self, offset=offset)

    def diagonal(self, offset: int = 0) -> SecretArray:
        """A diagonal of the last two axes."""
        return _call("diagonal", self, offset=offset)

    def clip(self, min: Any = None, max: Any = None) -> SecretArray:
        """Limited to [min, max]."""
        return _call("clip", self, min, max)

    def squeeze(self, axis: Axis = None) -> SecretArray:
        """Without axes of length one."""
        return _call("squeeze", self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> SecretArray:
        """Two axes exchanged."""
        return _call("swapaxes", self, axis1, axis2)

    def ravel(self) -> SecretArray:
        """All elements along one axis."""
        return _call("reshape", self, -1)

    flatten = ravel

    def repeat(self, repeats: Any, axis: int | None = None) -> SecretArray:
        """Every element several times in a row, by public counts."""
        return _call("repeat", self, repeats, axis=axis)

    def take(self, indices: Any, axis: int | None = None) -> SecretArray:
        """Elements at positions."""
        return _call("take", self, indices, axis=axis)

    def item(self, *_: Any) -> NoReturn:
        """Refused: a secret does not turn into a Python number."""
        raise SecretMisuseError(
            "A secret does not turn into Python numbers.",
            next_step='compute with it as it is, or reveal it: x.reveal(to="all").',
            case=3,
        )

    tolist = item


def _call(name: str, *operands: Any, **options: Any) -> SecretArray:
    from tacit.arrays import functions

    result: SecretArray = getattr(functions, name)(*operands, **options)
    return result
