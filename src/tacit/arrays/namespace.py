"""What the array API standard asks of a namespace beside functions: versions and capabilities."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from tacit.encoding.types import INTEGERS, DType, bool_, fixed, int64
from tacit.errors import UsageError

__all__ = ["API_VERSION", "NamespaceInfo", "__array_namespace_info__", "namespace"]

API_VERSION = "2024.12"
"""The version of the Python array API standard that is followed."""

_VERSIONS = ("2021.12", "2022.12", "2023.12", API_VERSION)


def namespace(api_version: str | None = None) -> ModuleType:
    """The module ``tacit``.

    Raises
    ------
    UsageError
        Another version than 2024.12 or an earlier one is asked for (TC-1061).
    """
    if api_version is not None and api_version not in _VERSIONS:
        raise UsageError(
            f"The array API standard {api_version} is not the one that tacit follows.",
            next_step=f"ask for api_version={API_VERSION!r} or leave it away.",
            case=61,
        )
    return sys.modules["tacit"]


class NamespaceInfo:
    """The answers of ``tacit.__array_namespace_info__()``."""

    def capabilities(self) -> dict[str, Any]:
        """What programs may rely on.

        Public boolean masks index; secret ones do not, and no shape depends on a secret.
        """
        return {"boolean indexing": True, "data-dependent shapes": False, "max dimensions": 64}

    def default_device(self) -> None:
        """None: a secret array needs a computation to live in."""
        return

    def devices(self) -> list[Any]:
        """Empty: devices are computations, which users open."""
        return []

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The types of numbers by their kind."""
        return {"real floating": fixed, "integral": int64, "indexing": int64}

    def dtypes(
        self, *, device: Any = None, kind: str | Sequence[str] | None = None
    ) -> dict[str, DType]:
        """The types by name, of all kinds or of some."""
        from tacit.arrays.functions import isdtype

        every = {"bool": bool_, **INTEGERS, "fixed": fixed}
        if kind is None:
            return every
        kinds = (kind,) if isinstance(kind, str) else tuple(kind)
        return {name: dtype for name, dtype in every.items() if isdtype(dtype, kinds)}


def __array_namespace_info__() -> NamespaceInfo:
    """What the namespace can do, as the array API standard has it."""
    return NamespaceInfo()
