"""What programs compute in the clear is what the same operation gives on secrets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_operation_table import CASES, Case, computed

from tacit.encoding.ring import RING64
from tacit.encoding.types import fixed
from tacit.errors import ProgramError
from tacit.operations import OPERATIONS
from tacit.operations.promotion import public_array
from tacit.operations.types import public_type
from tacit.programs import public
from tacit.programs.inference import result_types
from tacit.protocols import protocol_named
from tacit.sessions import LocalSession

CLEAR = [case for case in CASES if case[0] in public.PUBLIC and case[1]]


def _plain(value: Any, dtype: Any) -> Any:
    array = np.asarray(value)
    return array if dtype is None or dtype.kind == "fixed" else array.astype(dtype.numpy)


def _in_clear(case: Case) -> tuple[Any, ...]:
    name, operands, attributes = case
    arrays = [public_array(_plain(*one)) for one in operands]
    operation = OPERATIONS[name]
    parameters = operation.attributes(**attributes)
    types = result_types(name, operation, [public_type(a) for a in arrays], parameters)
    found = public.computed(name, arrays, parameters, types)
    for array, result in zip(found, types, strict=True):
        assert result.public
        assert array.shape == result.shape
        assert array.dtype == result.dtype.numpy
    return found


def test_public_arrays_give_what_secret_ones_give() -> None:
    tried = set()
    with LocalSession(protocol_named("replicated3"), ("a", "b", "c"), ring=RING64) as session:
        for case in CLEAR:
            fine = [t for _, t in case[1] if t is not None and t.kind == "fixed" and t != fixed]
            if case[0] == "astype" and case[2].get("fraction_bits", 18) < 18:
                continue  # public floats have no resolution
            if case[0] in ("sqrt", "pow") or (case[0] == "divide" and fine):
                continue  # outside of a domain, where secrets give something else
            try:
                clear = _in_clear(case)
            except ProgramError as error:
                if error.code != "TC-1510":
                    raise
                continue  # outside of a function's domain
            secret = computed(session, case)
            for one, two in zip(secret, clear, strict=True):
                np.testing.assert_allclose(
                    one.astype(float), two.astype(float), atol=2e-3, rtol=2e-3, err_msg=case[0]
                )
            tried.add(case[0])
    assert len(tried) > 40


@pytest.mark.parametrize("name", ["exp", "log", "log2", "log10", "log1p", "expm1", "sin", "cos",
                                  "tanh", "sigmoid"])  # fmt: skip
def test_functions_of_public_numbers_are_rounded_once(name: str) -> None:
    x = np.array([0.0, 1e-9, 0.3, 1.0, 2.5, 31.7]) + (1e-3 if name.startswith("log") else 0)
    operation = OPERATIONS[name]
    types = result_types(name, operation, [public_type(x)], operation.attributes())
    (found,) = public.computed(name, [x], operation.attributes(), types)
    exact = 1 / (1 + np.exp(-x)) if name == "sigmoid" else getattr(np, name)(x)
    np.testing.assert_allclose(found, exact, rtol=4e-16, atol=1e-17)


def test_powers_of_public_numbers() -> None:
    operation = OPERATIONS["pow"]
    x, y = np.array([0.9, 2.0, 0.0, 10.0]), np.array([100.0, -3.0, 2.0, 0.5])
    types = result_types("pow", operation, [public_type(x), public_type(y)], operation.attributes())
    (found,) = public.computed("pow", [x, y], operation.attributes(), types)
    np.testing.assert_allclose(found, x**y, rtol=4e-16)


def test_what_machines_differ_about_is_refused_or_has_no_sign() -> None:
    """A float beyond 64 bits as an integer; the sign of an extreme of zeros."""
    astype, largest = OPERATIONS["astype"], OPERATIONS["maximum"]
    whole = astype.attributes(kind="int")
    for x in ([2.0**63], [-1e300]):
        array = np.array(x)
        types = result_types("astype", astype, [public_type(array)], whole)
        with pytest.raises(ProgramError, match="TC-1510"):
            public.computed("astype", [array], whole, types)
    zeros = [np.array([-0.0, 0.0, -0.0]), np.array([0.0, -0.0, -0.0])]
    types = result_types("maximum", largest, [public_type(z) for z in zeros], largest.attributes())
    (found,) = public.computed("maximum", zeros, largest.attributes(), types)
    assert not np.signbit(found).any()
    powers = OPERATIONS["pow"]
    pair = [np.array([2]), np.array([-1])]
    types = result_types("pow", powers, [public_type(z) for z in pair], powers.attributes())
    with pytest.raises(ProgramError, match="TC-1508"):
        public.computed("pow", pair, powers.attributes(), types)
