"""Kernels on one core, beside NumPy and pyca/cryptography where they have an equal.

A kernel and its rival are timed in turn, so that what else runs on the machine strikes both;
seconds are medians of one call. Run alone: ``python -m bench.kernels [--quick]``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from rich.console import Console
from threadpoolctl import threadpool_limits

from tacit import kernels

__all__ = ["run"]

N = 1_000_000
"""Elements of the long vectors."""
M = 18
"""Bits truncated."""
WIDTH = 8
"""Words of a plane in a block."""

KEY_AB, KEY_BC, KEY_CA = (kernels.StreamKey(bytes([i]) * 16) for i in (1, 2, 3))

Call = Callable[[], object]


class _Case(NamedTuple):
    name: str
    items: int
    """What the throughput counts: elements, bytes of a stream, multiplications of a product."""
    call: Call
    rival_name: str = ""
    rival: Call | None = None


def _words(*shape: int, dtype: Any = np.uint64) -> Any:
    rng = np.random.default_rng(sum(shape))
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def _streams() -> Iterator[_Case]:
    for size in (1 << 10, 1 << 20):
        out, plain = np.empty(size, np.uint8), bytes(size)
        buffer = bytearray(size + 16)

        def rival(plain: bytes = plain, buffer: bytearray = buffer) -> None:
            cipher = Cipher(algorithms.AES128(bytes(16)), modes.CTR(bytes(16)))
            cipher.encryptor().update_into(plain, buffer)

        yield _Case(
            f"stream, {size >> 10} KiB", size, lambda out=out: kernels.fill(KEY_AB, 1, 0, out),
            "pyca AES-128-CTR", rival,
        )  # fmt: skip


def _products() -> Iterator[_Case]:
    shapes = [(1024, 1024, 1024), (256, 256, 256), (64, 64, 64), (128, 30, 10), (128, 30, 1),
              (1024, 1024, 1)]  # fmt: skip
    for m, k, n in shapes:
        a, b, out = _words(m, k), _words(k, n), np.empty((m, n), np.uint64)
        x, y, z = (array.astype(np.float64) for array in (a, b, out))
        yield _Case(
            f"matmul {m} x {k} x {n}", m * k * n,
            lambda a=a, b=b, out=out: kernels.matmul(a, b, out=out),
            "NumPy float64", lambda x=x, y=y, z=z: np.matmul(x, y, out=z),
        )  # fmt: skip


def _elements(n: int) -> Iterator[_Case]:
    x, x_next, y, y_next, z = (_words(n) for _ in range(5))
    out, share_own, share_next = (np.empty(n, np.uint64) for _ in range(3))
    field, field_in, field_out = (np.zeros(n, np.uint32) for _ in range(3))
    shares = (x, x_next, y, y_next)

    def cross_terms() -> None:
        np.multiply(x, y, out=out)
        np.add(out, x * y_next, out=out)
        np.add(out, x_next * y, out=out)

    k = kernels

    def combination() -> None:
        np.multiply(x, 3, out=out)
        np.add(out, x_next * np.uint64(5), out=out)
        np.add(out, y * np.uint64(7), out=out)
        np.add(out, 9, out=out)

    yield _Case("cross_terms", n, lambda: k.cross_terms(*shares, out), "NumPy uint64", cross_terms)
    yield _Case(
        "linear_combination, three terms", n,
        lambda: k.linear_combination([x, x_next, y], [3, 5, 7], 9, out),
        "NumPy uint64", combination,
    )  # fmt: skip
    cases: dict[str, Call] = {
        "add": lambda: k.add(x, y, out),
        "multiply_share": lambda: k.multiply_share(*shares, KEY_CA, KEY_AB, 1, 0, out),
        "and_share": lambda: k.and_share(*shares, KEY_CA, KEY_AB, 1, 0, out),
        "add_zero_share": lambda: k.add_zero_share(out, KEY_CA, KEY_AB, 1, 0),
        "truncation_mask B": lambda: k.truncation_mask(
            "B", *shares, None, KEY_BC, 1, M, out, share_own
        ),
        "truncation_mask C": lambda: k.truncation_mask(
            "C", *shares, None, KEY_BC, 1, M, out, share_own
        ),
        "truncation_open": lambda: k.truncation_open(
            *shares, None, z, z, KEY_AB, KEY_CA, 1, M, share_own, share_next, out, field
        ),
        "truncation_carry_b": lambda: k.truncation_carry_b(KEY_AB, 1, M, z, share_own, field),
        "truncation_carry_c": lambda: k.truncation_carry_c(
            x, field_in, KEY_CA, 1, M, z, share_own, field
        ),
        "truncation_finish": lambda: k.truncation_finish(field_in, field_out, M, share_own),
    }
    for name, call in cases.items():
        yield _Case(name, n, call)


def _bits(n: int) -> Iterator[_Case]:
    blocks = -(-n // (64 * WIDTH))

    def planes(count: int) -> Any:
        return np.zeros((blocks, count, WIDTH), np.uint64)

    x, x_next, out, y = (_words(n) for _ in range(4))
    message, level, level_next, pairs = planes(148), planes(41), planes(41), planes(41)
    tops = [planes(1), planes(1)]
    states = [planes(count) for count in (19, 9, 5, 1, 1)]
    k = kernels
    yield _Case(
        "carry_monomials", n,
        lambda: k.carry_monomials(
            x, x_next, KEY_CA, KEY_AB, 1, WIDTH, True, message, level, level_next, *tops
        ),
    )  # fmt: skip
    for role, key, sent in (("B", KEY_AB, None), ("C", KEY_CA, message)):
        yield _Case(
            f"carry_generate {role}", n,
            lambda role=role, key=key, sent=sent: k.carry_generate(
                role, x, sent, key, 1, WIDTH, True, pairs, level, *tops
            ),
        )  # fmt: skip

    def levels() -> None:
        keys = (KEY_CA, KEY_AB, 1)
        none = (None, None, 0)
        k.carry_level(level, level_next, *none, *keys, 0, None, states[0])
        k.carry_level(states[0], states[0], *none, *keys, 1, None, states[1])
        k.carry_level(states[1], states[1], level, level_next, 39, *keys, 2, None, states[2])
        k.carry_level(states[2], states[2], *none, *keys, 3, None, states[3])
        tail = (states[2], states[2], 3)
        k.carry_level(states[3], states[3], *tail, *keys, 4, tops[0], states[4])

    yield _Case("carry_level, five levels", n, levels)
    rows, words, sent = np.empty((64, -(-n // 64)), np.uint64), _words(-(-n // 64)), _words(2 * n)
    three, table = _words(3 * n), _words(4)
    cases: dict[str, Call] = {
        "to_planes": lambda: k.to_planes(x, rows),
        "from_planes": lambda: k.from_planes(rows, out),
        "inject_send": lambda: k.inject_send(
            x, x_next, words, words, KEY_CA, KEY_AB, 1, sent, out, y
        ),
        "inject_combine B": lambda: k.inject_combine(
            "B", x, x_next, words, None, KEY_AB, 1, out, y
        ),
        "inject_combine C": lambda: k.inject_combine(
            "C", x, x_next, words, sent, KEY_CA, 1, out, y
        ),
        "bits_send": lambda: k.bits_send(words, words, KEY_CA, KEY_AB, 1, x_next, out, y),
        "bits_combine B": lambda: k.bits_combine("B", words, None, KEY_AB, 1, out, y),
        "lookup_send": lambda: k.lookup_send(
            words, words, words, words, KEY_CA, KEY_AB, 1, three, out, y
        ),
        "lookup_combine C": lambda: k.lookup_combine(
            "C", words, words, three, table, KEY_CA, 1, out, y
        ),
    }
    for name, call in cases.items():
        yield _Case(name, n, call)


def _small() -> Iterator[_Case]:
    """One call on few elements: what a call costs."""
    x, out = _words(8), np.empty(8, np.uint64)
    yield _Case(
        "add, 8 elements", 8, lambda: kernels.add(x, x, out), "NumPy", lambda: np.add(x, x, out=out)
    )
    yield _Case(
        "multiply_share, 8 elements", 8,
        lambda: kernels.multiply_share(x, x, x, x, KEY_CA, KEY_AB, 1, 0, out),
    )  # fmt: skip
    share, following, message, z = (np.empty(8, np.uint64) for _ in range(4))
    field = np.empty(8, np.uint32)
    yield _Case(
        "truncation_open, 8 elements", 8,
        lambda: kernels.truncation_open(
            x, x, x, x, None, x, z, KEY_AB, KEY_CA, 1, M, share, following, message, field
        ),
    )  # fmt: skip


def _time(call: Call, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def _measure(case: _Case, budget: float) -> dict[str, Any]:
    contestants = [case.call] if case.rival is None else [case.call, case.rival]
    once = [min(_time(call, 1) for _ in range(3)) for call in contestants]
    calls = [max(1, int(1e-3 / max(seconds, 1e-9))) for seconds in once]
    spent = sum(seconds * count for seconds, count in zip(once, calls, strict=True))
    repeats = min(101, max(5, int(budget / spent)))
    times: list[list[float]] = [[] for _ in contestants]
    for _ in range(repeats):
        for call, count, found in zip(contestants, calls, times, strict=True):
            found.append(_time(call, count))
    seconds = statistics.median(times[0])
    row: dict[str, Any] = {
        "name": case.name,
        "seconds": seconds,
        "fastest": min(times[0]),
        "giga_items_per_second": case.items / seconds / 1e9,
    }
    if case.rival is not None:
        row["rival"] = case.rival_name
        row["rival_seconds"] = statistics.median(times[1])
        row["times_the_rivals_speed"] = row["rival_seconds"] / seconds
    return row


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Measure; one row a kernel.

    Parameters
    ----------
    quick : bool
        Fewer repeats.

    Returns
    -------
    list of dict
        ``name``, ``seconds`` (median), ``fastest``, ``giga_items_per_second`` (elements; bytes
        of a stream; multiplications of a matrix product) and, where there is a rival, ``rival``,
        ``rival_seconds`` and ``times_the_rivals_speed``.
    """
    budget = 0.1 if quick else 0.5
    with threadpool_limits(1):
        cases = (_streams, _products, lambda: _elements(N), lambda: _bits(N), _small)
        return [_measure(case, budget) for group in cases for case in group()]


def main() -> None:
    """Print the table."""
    from bench.tables import tables

    rows = run("--quick" in sys.argv)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    for table in tables({"kernels": rows}):
        console.print(table)
    rivals = [f"{row['name']}: {row['rival']}" for row in rows if "rival" in row]
    console.print(f"Rivals: {'; '.join(rivals)}.")


if __name__ == "__main__":
    main()
