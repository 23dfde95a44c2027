"""The kernels over Z_2^128 on every instruction set, beside their reference."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import NEXT, OWN, Key, nonces, sources

from tacit.kernels import StreamKey, reference, wide, wide_reference

lengths = st.one_of(
    st.sampled_from([0, 1, 2, 63, 64, 65, 127, 128, 255, 256, 257, 511, 513]), st.integers(0, 700)
)
roles = pytest.mark.parametrize("role", ["B", "C"])
fields = st.one_of(
    st.tuples(st.integers(1, 16), st.just(np.dtype(np.uint16))),
    st.tuples(st.integers(1, 32), st.just(np.dtype(np.uint32))),
    st.tuples(st.integers(1, 64), st.just(np.dtype(np.uint64))),
    st.tuples(st.integers(1, 126), st.just(wide.WIDE)),
)


@pytest.fixture(scope="module")
def agree(native: ModuleType) -> Callable[..., None]:
    """Run a kernel and its reference on the same arguments; all arrays must end up equal."""

    def run(name: str, *arguments: Any, **options: Any) -> None:
        def given_to(key: Any) -> list[Any]:
            copies = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
            return [key(a.bytes) if isinstance(a, Key) else a for a in copies]

        expected, actual = given_to(reference.StreamKey), given_to(StreamKey)
        wanted = getattr(wide_reference, name)(*expected, **options)
        found = getattr(wide, name)(*actual, **options)
        if wanted is not None:
            np.testing.assert_array_equal(found, wanted)
        for place, (a, b) in enumerate(zip(expected, actual, strict=True)):
            if isinstance(a, np.ndarray):
                np.testing.assert_array_equal(b, a, err_msg=f"argument {place}")

    return run


def elements(source: Any, *shape: int) -> Any:
    return source(*shape[:-1], 2 * shape[-1]).view(wide.WIDE)


def field_of(source: Any, n: int, dtype: Any) -> Any:
    return elements(source, n) if dtype == wide.WIDE else source(n, dtype=dtype)


def factors(source: Any, n: int, product: bool) -> list[Any]:
    if product:
        return [None] * 4 + [elements(source, n)]
    return [elements(source, n) for _ in range(4)] + [None]


def test_every_kernel_has_a_reference() -> None:
    local = {name for name in wide.__all__ if name.startswith("wide_")} | {"WIDE", "words"}
    assert set(wide.__all__) - local == set(wide_reference.__all__)


@given(source=sources, n=lengths, nonce=nonces)
def test_products(agree: Any, source: Any, n: int, nonce: int) -> None:
    shares = [elements(source, n) for _ in range(4)]
    agree("cross_terms", *shares, elements(source, n))
    agree("multiply_share", *shares, OWN, NEXT, nonce, 3, elements(source, n))
    agree("add_zero_share", elements(source, n), OWN, NEXT, nonce, 3)
    agree("add", *shares[:3])
    agree("fill", OWN, nonce, 5, elements(source, n), 7)


@given(
    source=sources, m=st.integers(1, 5), k=st.integers(0, 9), n=st.integers(1, 5),
    accumulate=st.booleans(),
)  # fmt: skip
def test_matrix_products(agree: Any, source: Any, m: int, k: int, n: int, accumulate: bool) -> None:
    a, b = elements(source, 2, m, k), elements(source, k, n)
    agree("matmul", a, b)
    agree("matmul", a[:, ::-1], b[:, ::-1], out=elements(source, 2, m, n), accumulate=False)
    out = elements(source, 2, m, n)
    found = wide.matmul(a, b, out=out.copy(), accumulate=accumulate)
    wanted = wide_reference.matmul(a, b, out=out.copy(), accumulate=accumulate)
    np.testing.assert_array_equal(found, wanted)


@roles
@given(source=sources, n=lengths, product=st.booleans(), nonce=nonces, m=st.integers(1, 126))
def test_truncation_mask(
    agree: Any, role: str, source: Any, n: int, product: bool, nonce: int, m: int
) -> None:
    out = elements(source, n), elements(source, n)
    agree("truncation_mask", role, *factors(source, n, product), OWN, nonce, m, *out)


@given(
    source=sources, n=lengths, product=st.booleans(), second=st.booleans(), nonce=nonces, f=fields
)
def test_truncation_steps(
    agree: Any, source: Any, n: int, product: bool, second: bool, nonce: int, f: Any
) -> None:
    m, dtype = f
    wides = [elements(source, n) for _ in range(6)]
    field = [field_of(source, n, dtype) for _ in range(2)]
    from_c = wides[1] if second else None
    sources_ = factors(source, n, product)
    agree(
        "truncation_open", *sources_, wides[0], from_c, OWN, NEXT, nonce, m, *wides[2:5], field[0]
    )
    agree("truncation_carry_b", OWN, nonce, m, *wides[:2], field[0])
    agree("truncation_carry_c", wides[0], field[0], OWN, nonce, m, *wides[1:3], field[1])
    agree("truncation_finish", *field, m, wides[0])


@given(source=sources, n=lengths, wide_block=st.booleans(), top=st.booleans(), nonce=nonces)
def test_carries(agree: Any, source: Any, n: int, wide_block: bool, top: bool, nonce: int) -> None:
    width = 8 if wide_block else 1
    blocks = -(-n // (64 * width))
    planes = lambda count: source(blocks, count, width)  # noqa: E731
    x = elements(source, n), elements(source, n)
    levels = planes(85), planes(85), planes(1), planes(1)
    agree("carry_monomials", *x, OWN, NEXT, nonce, width, top, planes(295 + top), *levels)
    for role, message in (("B", None), ("C", planes(295 + top))):
        agree("carry_generate", role, x[0], message, OWN, nonce, width, top, *levels)


@given(source=sources, n=lengths)
def test_planes(agree: Any, source: Any, n: int) -> None:
    planes = source(128, -(-n // 64))
    agree("to_planes", elements(source, n), planes)
    agree("from_planes", planes, elements(source, n))


@given(source=sources, n=lengths, nonce=nonces)
def test_bits_times_values(agree: Any, source: Any, n: int, nonce: int) -> None:
    packed = -(-n // 64)
    wides = [elements(source, n) for _ in range(4)]
    b = source(packed), source(packed)
    agree("inject_send", *wides[:2], *b, OWN, NEXT, nonce, elements(source, 2 * n), *wides[2:])
    agree("bits_send", *b, OWN, NEXT, nonce, *wides[:3])
    for role, message in (("B", None), ("C", elements(source, 2 * n))):
        agree("inject_combine", role, *wides[:2], b[0], message, OWN, nonce, *wides[2:])
    for role, message in (("B", None), ("C", elements(source, n))):
        agree("bits_combine", role, b[0], message, OWN, nonce, *wides[:2])


def zeros(n: int) -> Any:
    return np.zeros(n, wide.WIDE)


HALVES = np.zeros(2, np.uint16)


@pytest.mark.parametrize(
    "call",
    [
        lambda: wide.add(zeros(2), zeros(3), zeros(3)),
        lambda: wide.cross_terms(zeros(2), zeros(2), zeros(2), zeros(3), zeros(2)),
        lambda: wide.wide_combine("add", np.zeros(3, np.uint64), np.zeros(3, np.uint64),
                                  np.zeros(3, np.uint64)),
        lambda: wide.wide_combine("divide", *[np.zeros(2, np.uint64)] * 2, np.zeros(2, np.uint64)),
        lambda: wide.wide_shift_left(np.zeros(2, np.uint64), 128, np.zeros(2, np.uint64)),
        lambda: wide.wide_shift_right(np.zeros(2, np.uint64), 0, np.zeros(4, np.uint64)),
        lambda: wide.wide_sum(np.zeros(8, np.uint64), 3, 1, np.zeros(2, np.uint64)),
        lambda: wide.wide_cumulative_sum(np.zeros(8, np.uint64), 3, 1),
        lambda: wide.truncation_finish(HALVES, HALVES, 17, zeros(2)),
        lambda: wide.truncation_finish(HALVES, np.zeros(2, np.uint32), 3, zeros(2)),
        lambda: wide.truncation_finish(zeros(2), zeros(2), 127, zeros(2)),
        lambda: wide.truncation_finish(zeros(2), zeros(2), 0, zeros(2)),
        lambda: wide.bits_combine("B", np.zeros(1, np.uint64), zeros(2), StreamKey(bytes(16)), 1,
                                  zeros(2), zeros(2)),
        lambda: wide.to_planes(zeros(70), np.zeros((128, 1), np.uint64)),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(call: Callable[[], None]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        call()
