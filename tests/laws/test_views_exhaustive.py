"""Every view of every party, enumerated over small rings: the privacy argument by counting.

A model of the protocols with short words: ring Z_2^k, all values of all streams that a party
does not know. For each party its received messages must be uniform, whatever the others hold;
then its view is independent of their inputs. Three items are run together with rotated roles,
exactly as on real arrays, because a stream used twice shows only between items: with one item
alone it would go unnoticed. The model is short enough to be read beside the paper and
``docs/decisions/0005`` to ``0007``; the real code is compared with it in distribution by
``test_views.py`` and its streams by ``tests/pitfalls/test_prss_counter_reuse.py``.

Names: item j has A = party j, B = j+1, C = j+2; keys AB = k_{j+1}, BC = k_{j+2}, CA = k_j;
party i holds k_i and k_{i+1}.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pytest

Symbol: TypeAlias = tuple[int, str, int]
Stream: TypeAlias = Callable[[int, str, int, int], Any]
Received: TypeAlias = dict[int, list[tuple[Any, int]]]
"""For each party what it receives: values and how many each can take."""


@dataclass
class Streams:
    """F(key, lane) for each item: known ones fixed, unknown ones enumerated.

    Attributes
    ----------
    unknown : int
        The key that the observer does not hold.
    shared : bool
        The planted error: items draw from the same range (no item in the symbol).
    """

    unknown: int
    shared: bool = False
    rng: Any = None

    def __post_init__(self) -> None:
        self.symbols: dict[Symbol, int] = {}
        self.values: Mapping[Symbol, Any] = {}
        self.fixed: dict[Symbol, int] = {}

    def __call__(self, key: int, lane: str, item: int, size: int) -> Any:
        symbol = (key, lane, -1 if self.shared else item)
        if key != self.unknown:
            return self.fixed.setdefault(symbol, int(self.rng.integers(size)))
        self.symbols.setdefault(symbol, size)
        return self.values.get(symbol, 0)

    def enumerate(self) -> int:
        """All values of all unknown symbols, as arrays; how many there are."""
        total = int(np.prod(list(self.symbols.values()), dtype=np.int64))
        index, values = np.arange(total), {}
        for symbol, size in self.symbols.items():
            values[symbol] = index % size
            index = index // size
        self.values = values
        return total


Protocol: TypeAlias = Callable[[Stream, int, Any], Received]


def keys(item: int) -> tuple[int, int, int]:
    """AB, BC, CA."""
    return (item + 1) % 3, (item + 2) % 3, item


def histogram(
    protocol: Protocol, secrets: Sequence[Any], observer: int, shared: bool = False, seed: int = 0
) -> tuple[Any, int]:
    """How often each view of the observer occurs over all unknown streams.

    The streams it knows are fixed by `seed`.
    """
    streams = Streams((observer + 2) % 3, shared, np.random.default_rng(seed))

    def received() -> list[tuple[Any, int]]:
        return [m for item in range(3) for m in protocol(streams, item, secrets[item])[observer]]

    received()
    total = streams.enumerate()
    code, views = np.zeros(total, np.int64), 1
    for value, size in received():
        code = code * size + np.asarray(value) % size
        views *= size
    return np.bincount(code, minlength=views), views


def with_piece(observer: int, fixed: Sequence[int], piece: int) -> tuple[int, int, int]:
    """Three shares: the observer's two as given, the third `piece`."""
    shares = [0, 0, 0]
    shares[observer], shares[(observer + 1) % 3] = fixed[0], fixed[1]
    shares[(observer + 2) % 3] = piece
    return shares[0], shares[1], shares[2]


# The protocols. `secret` holds the shares x_0, x_1, x_2 (and y or b) of one item.


def multiplication(k: int) -> Protocol:
    """Araki et al. 2016: z_i plus a share of zero goes to party i-1."""
    n = 1 << k

    def run(stream: Stream, item: int, secret: Any) -> Received:
        x, y = secret
        sent: Received = {0: [], 1: [], 2: []}
        for i in range(3):
            j = (i + 1) % 3
            z = x[i] * y[i] + x[i] * y[j] + x[j] * y[i]
            z = z + stream(i, "zero", item, n) - stream(j, "zero", item, n)
            sent[(i - 1) % 3].append((z, n))
        return sent

    return run


def cross_terms(item: int, i: int, x: Sequence[Any], y: Sequence[Any]) -> Any:
    """Party i's additive part of x·y: its terms of the nine."""
    j = (i + 1) % 3
    return x[i] * y[i] + x[i] * y[j] + x[j] * y[i]


def doubled_terms(item: int, i: int, x: Sequence[Any], y: Sequence[Any]) -> Any:
    """Party i's additive part of 2 x·y in one product (decision 0010); A is party `item`."""
    j = (i + 1) % 3
    if i == item:
        return -2 * (x[i] - x[j]) * (y[i] - y[j])
    if i == (item + 1) % 3:
        return (2 * x[i] + x[j]) * (2 * y[i] + y[j])
    return (x[i] + 2 * x[j]) * (y[i] + 2 * y[j])


def truncated_product(
    k: int, m: int, weakness: str = "", terms: Callable[..., Any] = cross_terms
) -> Protocol:
    """The product with truncation: steps (1), (2), (3) of decision 0005, in Z_2^k."""
    n, f = 1 << k, 1 << m

    def run(stream: Stream, item: int, secret: Any) -> Received:
        x, y = secret
        ab, bc, ca = keys(item)
        a, b, c_ = item, (item + 1) % 3, (item + 2) % 3

        def cross(i: int) -> int:
            return int(terms(item, i, x, y))

        s, r = stream(bc, "s", item, n), stream(bc, "r", item, n)
        from_b = cross(b) - s
        from_c = cross(c_) + s - (0 if weakness == "r" else r)
        c = (cross(a) + from_b + from_c + (n >> 2)) % n
        c_1, u_1 = stream(ab, "c_1", item, n), stream(ab, "u_1", item, f)
        w_1, w_0 = stream(ab, "w_1", item, f), stream(ca, "w_0", item, f)
        if weakness == "w_1":
            w_1 = 0
        if weakness == "u_1 is w_1":
            w_1 = u_1
        c_top, r_top = c >> (k - 1), (r % n) >> (k - 1)
        shifted = (c >> m) - c_top * (1 << (k - m))
        return {
            a: [(from_b, n), (from_c, n)],
            b: [((c_top - u_1) * r_top - w_0, f)],
            c_: [(shifted - c_1, n), (c_top - u_1, f), (u_1 * r_top - w_1, f)],
        }

    return run


def bit_to_arithmetic(k: int, one_lane: bool = False) -> Protocol:
    """b = beta ^ q as an integer: A inputs beta, B and C exchange masked parts."""
    n = 1 << k

    def run(stream: Stream, item: int, secret: Any) -> Received:
        (bits,) = secret
        ab, _, ca = keys(item)
        a, b, c = item, (item + 1) % 3, (item + 2) % 3
        beta, q = bits[a] ^ bits[b], bits[c]
        message = beta - stream(ab, "0", item, n)
        part_b = stream(ab, "0", item, n) * (1 - 2 * q) - stream(ab, "1", item, n)
        part_c = message * (1 - 2 * q) + q - stream(ca, "1" if one_lane else "2", item, n)
        return {a: [], b: [(part_c, n)], c: [(message, n), (part_b, n)]}

    return run


def table_at_two_bits(k: int, tables: Sequence[Sequence[int]], weakness: str = "") -> Protocol:
    """f(a + 2b): A inputs alpha, beta and alpha·beta (decision 0012)."""
    n = 1 << k

    def run(stream: Stream, item: int, secret: Any) -> Received:
        a_bits, b_bits = secret
        ab, _, ca = keys(item)
        a, b, c = item, (item + 1) % 3, (item + 2) % 3
        alpha, beta = a_bits[a] ^ a_bits[b], b_bits[a] ^ b_bits[b]
        p, q = a_bits[c], b_bits[c]
        lanes = ["0", "1", "0" if weakness == "two of one mask" else "2"]
        masks = [stream(ab, lane, item, n) for lane in lanes]
        sent = [v - m for v, m in zip((alpha, beta, alpha * beta), masks, strict=True)]
        parts_b, parts_c = [], []
        for o, f in enumerate(tables):
            at = [[f[(p ^ x) + 2 * (q ^ y)] for y in (0, 1)] for x in (0, 1)]
            c_1, c_2 = at[1][0] - at[0][0], at[0][1] - at[0][0]
            c_3 = at[1][1] - at[0][0] - c_1 - c_2
            v_b, v_c = (c_1 * m[0] + c_2 * m[1] + c_3 * m[2] for m in (masks, sent))
            lane_b, lane_c = f"{3 + o}", f"{3 + o if weakness == 'one lane' else 8 + o}"
            hidden = 0 if weakness == "no mask" else stream(ab, lane_b, item, n)
            parts_b.append((v_b - hidden, n))
            parts_c.append((v_c + at[0][0] - stream(ca, lane_c, item, n), n))
        return {a: [], b: parts_c, c: [*((m, n) for m in sent), *parts_b]}

    return run


def injection(k: int, one_lane: bool = False) -> Protocol:
    """b · x: A inputs beta s and beta, B and C exchange masked parts (decision 0007)."""
    n = 1 << k

    def run(stream: Stream, item: int, secret: Any) -> Received:
        bits, x = secret
        ab, _, ca = keys(item)
        a, b, c = item, (item + 1) % 3, (item + 2) % 3
        beta, q, s, t = bits[a] ^ bits[b], bits[c], x[a] + x[b], x[c]
        f_0, f_1 = stream(ab, "0", item, n), stream(ab, "1", item, n)
        m_0, m_1 = beta * s - f_0, beta - f_1
        v_b, v_c = f_0 + f_1 * t, m_0 + m_1 * t
        if q:
            v_b, v_c = x[b] + t - v_b, x[a] - v_c
        part_b = v_b - stream(ab, "2", item, n)
        part_c = v_c - stream(ca, "2" if one_lane else "3", item, n)
        return {a: [], b: [(part_c, n)], c: [(m_0, n), (m_1, n), (part_b, n)]}

    return run


def generate_3(m: Sequence[Any], t: Sequence[int], with_constant: bool) -> list[Any]:
    """Share of (g, p) of a block of three bits, from shares of its seven monomials."""
    m0, m1, m2, m10, m20, m21, m210 = m
    t0, t1, t2 = t
    g = (m2 & t2) ^ (m21 & t1) ^ (t0 & (m210 ^ (t1 & m20)))
    g = g ^ (t2 & ((m1 & t1) ^ (t0 & (m10 ^ (t1 & m0)))))
    p = m210 ^ (t0 & m21) ^ (t1 & (m20 ^ (t0 & m2)))
    p = p ^ (t2 & (m10 ^ (t0 & m1) ^ (t1 & (m0 ^ t0 if with_constant else m0))))
    return [g, p]


def generate_1(m: Sequence[Any], t: Sequence[int], with_constant: bool) -> list[Any]:
    """The same for a block of one bit."""
    return [m[0] & t[0], m[0] ^ t[0] if with_constant else m[0]]


def sign(blocks: int, width: int, weakness: str = "") -> Protocol:
    """The sign bit in Z_2^(blocks · width + 1): monomials, generate, one AND level with the top."""
    top = blocks * width
    generate = generate_3 if width == 3 else generate_1

    def run(stream: Stream, item: int, secret: Any) -> Received:
        (x,) = secret
        ab, _, ca = keys(item)
        a, b, c = item, (item + 1) % 3, (item + 2) % 3
        s, t = x[a] + x[b], x[c]
        monomials = []
        for q in range(blocks):
            bits = [s >> (q * width + i) & 1 for i in range(width)]
            chosen = [[0], [1], [2], [1, 0], [2, 0], [2, 1], [2, 1, 0]] if width == 3 else [[0]]
            monomials += [int(all(bits[i] for i in subset)) for subset in chosen]
        monomials.append(s >> top & 1)
        masks = [stream(ab, f"0.{i}", item, 2) for i in range(len(monomials))]
        message = [m ^ mask for m, mask in zip(monomials, masks, strict=True)]
        each = (len(monomials) - 1) // blocks

        def level(share: Sequence[Any], with_constant: bool) -> list[Any]:
            planes = []
            for q in range(blocks):
                t_bits = [t >> (q * width + i) & 1 for i in range(width)]
                pair = generate(share[q * each : (q + 1) * each], t_bits, with_constant)
                planes += pair[: 1 if q == 0 else 2]
            return planes

        g_b, g_c = level(masks, True), level(message, False)
        f_ab = [stream(ab, f"1.{i}", item, 2) for i in range(len(g_b))]
        lane = "1" if weakness == "one lane" else "2"
        f_ca = [stream(ca, f"{lane}.{i}", item, 2) for i in range(len(g_b))]
        from_b = [u ^ f for u, f in zip(g_b, f_ab, strict=True)]
        from_c = [u ^ f for u, f in zip(g_c, f_ca, strict=True)]
        # Shares of the pairs: (CA, AB, both messages); of the top bit: (s ^ mask, mask, t).
        shares = {a: f_ca, b: f_ab, c: [u ^ v for u, v in zip(from_b, from_c, strict=True)]}
        tops = {a: message[-1], b: masks[-1], c: t >> top & 1}
        received: Received = {a: [], b: [(v, 2) for v in from_c], c: []}
        received[c] = [(v, 2) for v in (*message, *from_b)]
        for i in range(3):
            own, following = shares[i], shares[(i + 1) % 3]
            z = own[1 if blocks > 1 else 0] ^ tops[i]
            if blocks > 1:
                z = z ^ (own[2] & (own[0] ^ following[0])) ^ (following[2] & own[0])
            if weakness != "no mask":
                # One range over all items: the level works on the whole array.
                lane_16 = f"16 at {item}"
                z = z ^ stream(i, lane_16, item, 2) ^ stream((i + 1) % 3, lane_16, item, 2)
            received[(i - 1) % 3].append((z, 2))
        return received

    return run


def shuffle(k: int, inverse: bool = False, weakness: str = "") -> Protocol:
    """Two elements in the order of a secret permutation (decision 0020), and what is opened.

    `secret` holds the shares of both elements; None leaves the item out. The last value of each
    view is whether the opened order is the old one: it must be even, given all the rest.
    """
    n = 1 << k

    def run(stream: Stream, item: int, secret: Any) -> Received:
        if secret is None:
            return {0: [], 1: [], 2: []}
        s, t, u = (2, 1, 0) if inverse else (0, 1, 2)
        key = {(s, t): 2 if inverse else 1, (s, u): 0, (t, u): 1 if inverse else 2}

        def move(pair: tuple[int, int], values: Sequence[Any]) -> list[Any]:
            swap = stream(key[pair], "pi", item, 2)
            return [np.where(swap, values[1 - i], values[i]) for i in range(2)]

        def mask(pair: tuple[int, int], lane: str) -> list[Any]:
            if weakness == f"{lane} of {pair[0] == s}{pair[1] == u}":
                return [0, 0]
            return [stream(key[pair], f"{lane}{i}", item, n) for i in range(2)]

        def plus(x: Sequence[Any], y: Sequence[Any], sign: int = 1) -> list[Any]:
            return [(v + sign * w) % n for v, w in zip(x, y, strict=True)]

        x = [list(elements) for elements in zip(*secret, strict=True)]
        s_t, s_u, t_u = (s, t), (s, u), (t, u)
        total = plus(x[key[s_t]], x[key[s_u]])
        x_2 = move(s_u, plus(move(s_t, plus(total, mask(s_t, "Z"))), mask(s_u, "Z")))
        y_1 = move(s_t, plus(x[key[t_u]], mask(s_t, "Z"), -1))
        c_1 = plus(move(t_u, x_2), mask(s_t, "new"), -1)
        y_3 = move(t_u, move(s_u, plus(y_1, mask(s_u, "Z"), -1)))
        c_2 = plus(y_3, mask(s_u, "new"), -1)
        opened = plus(plus(c_1, c_2), plus(mask(s_t, "new"), mask(s_u, "new")))
        values = [sum(elements) % n for elements in secret]
        assert values[0] != values[1]
        order = (np.asarray(opened[0]) == values[0]).astype(np.int64)
        views: Received = {s: [], t: [*x_2, *c_2], u: [*y_1, *c_1]}  # type: ignore[list-item]
        return {i: [*((v, n) for v in heard), (order, 2)] for i, heard in views.items()}

    return run


# The checks.


def pairs_of(observer: int, ring: int, rng: np.random.Generator, exhaustive: bool) -> list[Any]:
    """Secrets (x, y) with the observer's shares fixed and the others' third shares varied."""
    x_fixed, y_fixed = rng.integers(ring, size=2), rng.integers(ring, size=2)
    pieces = itertools.product(range(ring), repeat=2)
    chosen = list(pieces) if exhaustive else [tuple(rng.integers(ring, size=2)) for _ in range(6)]
    return [
        (
            with_piece(observer, [int(v) for v in x_fixed], int(px)),
            with_piece(observer, [int(v) for v in y_fixed], int(py)),
        )
        for px, py in chosen
    ]


def bits_and_values(observer: int, ring: int, rng: np.random.Generator) -> list[Any]:
    b_fixed, x_fixed = rng.integers(2, size=2), rng.integers(ring, size=2)
    return [
        (
            with_piece(observer, [int(v) for v in b_fixed], b),
            with_piece(observer, [int(v) for v in x_fixed], x),
        )
        for b in range(2)
        for x in range(ring)
    ]


def assert_uniform(protocol: Protocol, choices: Sequence[Sequence[Any]], observer: int) -> None:
    """The observer's view is uniform over all its values for every choice of secrets."""
    for seed, secrets in enumerate(choices):
        counts, views = histogram(protocol, secrets, observer, seed=seed)
        assert counts.sum() % views == 0
        assert (counts == counts.sum() // views).all()


def moves(
    protocol: Protocol, choices: Sequence[Sequence[Any]], observer: int, shared: bool = False
) -> bool:
    """Whether the view's distribution depends on the others' inputs, for some known streams."""
    for seed in range(8):
        first, _ = histogram(protocol, choices[0], observer, shared, seed)
        for secrets in choices[1:]:
            if not np.array_equal(first, histogram(protocol, secrets, observer, shared, seed)[0]):
                return True
    return False


def triples(options: Sequence[Any], rng: np.random.Generator, count: int) -> list[list[Any]]:
    """Secrets of three items: the extremes and random combinations."""
    picks = rng.integers(len(options), size=(count, 3))
    return [[options[0]] * 3, [options[-1]] * 3] + [[options[i] for i in row] for row in picks]


OBSERVERS = pytest.mark.parametrize("observer", [0, 1, 2])


@OBSERVERS
def test_multiplication(observer: int) -> None:
    rng = np.random.default_rng(1)
    options = pairs_of(observer, 8, rng, exhaustive=True)
    assert_uniform(multiplication(3), [[o] * 3 for o in options], observer)
    assert_uniform(multiplication(3), triples(options, rng, 50), observer)


@OBSERVERS
@pytest.mark.parametrize(("k", "m"), [(4, 1), (4, 2), (5, 1)])
def test_truncated_product(observer: int, k: int, m: int) -> None:
    rng = np.random.default_rng(2)
    options = pairs_of(observer, 1 << k, rng, exhaustive=False)
    assert_uniform(truncated_product(k, m), triples(options, rng, 8), observer)


@pytest.mark.parametrize("item", [0, 1, 2])
def test_three_products_add_up(item: int) -> None:
    """2xy for all shares of x and y in Z_2^3; by bilinearity so for matrices in every Z_2^N."""
    x_0, x_1, x_2, y_0, y_1, y_2 = np.indices((8,) * 6)
    x, y = (x_0, x_1, x_2), (y_0, y_1, y_2)
    parts = sum(doubled_terms(item, i, x, y) for i in range(3))
    assert ((parts - 2 * sum(x) * sum(y)) % 8 == 0).all()
    for factor in range(3):
        wrong = parts + (x[factor] - x[factor - 1]) * y[factor]
        assert ((wrong - 2 * sum(x) * sum(y)) % 8 != 0).any()


@OBSERVERS
@pytest.mark.parametrize(("k", "m"), [(4, 2), (5, 2)])
def test_three_products(observer: int, k: int, m: int) -> None:
    """The views of the truncation are as uniform over these parts as over the others."""
    rng = np.random.default_rng(2)
    options = pairs_of(observer, 1 << k, rng, exhaustive=False)
    assert_uniform(truncated_product(k, m, terms=doubled_terms), triples(options, rng, 8), observer)


@OBSERVERS
@pytest.mark.parametrize("k", [2, 3])
def test_bit_to_arithmetic(observer: int, k: int) -> None:
    rng = np.random.default_rng(3)
    options = [(bits,) for bits, _ in bits_and_values(observer, 1, rng)]
    every = [list(t) for t in itertools.product(options, repeat=3)]
    assert_uniform(bit_to_arithmetic(k), every, observer)


def two_bits(observer: int, rng: np.random.Generator) -> list[Any]:
    """Two bits, the observer's shares of them fixed."""
    fixed = rng.integers(2, size=(2, 2))
    a, b = (
        [with_piece(observer, [int(v) for v in row], piece) for piece in (0, 1)] for row in fixed
    )
    return list(itertools.product(a, b))


TABLES = [[0, 1, 2, 3], [1, 3, 2, 0]]


@OBSERVERS
@pytest.mark.parametrize(("k", "count"), [(1, 2), (2, 1), (2, 2)])
def test_tables_at_two_bits(observer: int, k: int, count: int) -> None:
    rng = np.random.default_rng(12)
    three = triples(two_bits(observer, rng), rng, 20)
    assert_uniform(table_at_two_bits(k, TABLES[:count]), three, observer)


@OBSERVERS
@pytest.mark.parametrize("weakness", ["two of one mask", "no mask"])
def test_weak_tables_are_caught(observer: int, weakness: str) -> None:
    rng = np.random.default_rng(13)
    three = triples(two_bits(observer, rng), rng, 30)
    assert moves(table_at_two_bits(2, TABLES[:1], weakness), three, observer)


@OBSERVERS
def test_tables_whose_items_share_a_lane_are_caught(observer: int) -> None:
    rng = np.random.default_rng(14)
    three = triples(two_bits(observer, rng), rng, 30)
    assert moves(table_at_two_bits(2, TABLES[:1], "one lane"), three, observer, shared=True)
    assert not moves(table_at_two_bits(2, TABLES[:1]), three[:20], observer, shared=True)


@OBSERVERS
@pytest.mark.parametrize("k", [2, 3])
def test_injection(observer: int, k: int) -> None:
    rng = np.random.default_rng(4)
    options = bits_and_values(observer, 1 << k, rng)
    assert_uniform(injection(k), triples(options, rng, 40), observer)


def sign_options(observer: int, bits: int, rng: np.random.Generator) -> list[Any]:
    fixed = [int(v) for v in rng.integers(1 << bits, size=2)]
    return [(with_piece(observer, fixed, piece),) for piece in range(1 << bits)]


@OBSERVERS
@pytest.mark.parametrize(("blocks", "width"), [(1, 3), (2, 1)])
def test_sign(observer: int, blocks: int, width: int) -> None:
    rng = np.random.default_rng(5)
    options = sign_options(observer, blocks * width + 1, rng)
    choices = [*[[o] * 3 for o in options], *triples(options, rng, 40)]
    assert_uniform(sign(blocks, width), choices, observer)


def pairs_to_shuffle(observer: int, n: int, rng: np.random.Generator) -> list[Any]:
    """Two different elements, the observer's shares of them fixed."""
    fixed = rng.integers(n, size=(2, 2))
    pieces = [
        [with_piece(observer, [int(v) for v in fixed[i]], piece) for piece in range(n)]
        for i in range(2)
    ]
    return [(a, b) for a in pieces[0] for b in pieces[1] if (sum(a) - sum(b)) % n]


@OBSERVERS
@pytest.mark.parametrize("inverse", [False, True])
def test_shuffle(observer: int, inverse: bool) -> None:
    """What arrives is uniform and says nothing about the order, even once values are opened."""
    rng = np.random.default_rng(10)
    three = triples(pairs_to_shuffle(observer, 2, rng), rng, 6)
    assert_uniform(shuffle(1, inverse), three, observer)
    alone = [[option, None, None] for option in pairs_to_shuffle(observer, 4, rng)]
    assert_uniform(shuffle(2, inverse), alone, observer)


# The same checks on weakened protocols: each must fail.


@OBSERVERS
@pytest.mark.parametrize("weakness", ["r", "w_1", "u_1 is w_1"])
def test_a_weak_truncation_is_caught(observer: int, weakness: str) -> None:
    rng = np.random.default_rng(6)
    options = pairs_of(observer, 16, rng, exhaustive=True)
    assert moves(truncated_product(4, 1, weakness), triples(options, rng, 30), observer)


@OBSERVERS
def test_streams_shared_between_rotated_items_are_caught(observer: int) -> None:
    """AB of one item is CA of the next: one lane for both is a mask used twice.

    Found in an early version of this code by the second reader; each item's own messages are
    uniform, and only the three together give the difference of two items' values away.
    """
    rng = np.random.default_rng(7)
    values = bits_and_values(observer, 4, rng)
    bits = [(b,) for b, _ in values]
    for weak, options in (
        (injection(2, one_lane=True), values),
        (bit_to_arithmetic(2, one_lane=True), bits),
    ):
        assert moves(weak, triples(options, rng, 30), observer, shared=True)
    for blocks, width in ((1, 3), (2, 1)):
        options = sign_options(observer, blocks * width + 1, rng)
        weak = sign(blocks, width, "one lane")
        assert moves(weak, triples(options, rng, 30), observer, shared=True)


@OBSERVERS
def test_separate_lanes_make_a_shared_range_safe(observer: int) -> None:
    """With a lane for each use, items may even share a nonce: both remedies work alone."""
    rng = np.random.default_rng(8)
    values = bits_and_values(observer, 4, rng)
    bits = [(b,) for b, _ in values]
    assert not moves(injection(2), triples(values, rng, 20), observer, shared=True)
    assert not moves(bit_to_arithmetic(2), triples(bits, rng, 20), observer, shared=True)
    options = sign_options(observer, 3, rng)
    assert not moves(sign(2, 1), triples(options, rng, 20), observer, shared=True)
    options = pairs_of(observer, 16, rng, exhaustive=False)
    assert not moves(truncated_product(4, 1), triples(options, rng, 2), observer, shared=True)


@pytest.mark.parametrize("weakness", ["Z of TrueFalse", "Z of TrueTrue"])
@pytest.mark.parametrize("inverse", [False, True])
def test_a_weak_shuffle_is_caught(weakness: str, inverse: bool) -> None:
    """Without Z_ST what T sends U shows the first permutation of t, which U knows; without Z_SU
    what S sends T shows the second."""
    rng = np.random.default_rng(11)
    uneven = []
    for observer in range(3):
        option = pairs_to_shuffle(observer, 4, rng)[0]
        counts, _ = histogram(shuffle(2, inverse, weakness), [option, None, None], observer)
        uneven.append(bool((counts != counts[0]).any()))
    assert any(uneven)


@OBSERVERS
def test_an_unmasked_last_level_is_caught(observer: int) -> None:
    """The sharing of the top bits is not re-randomised: sent without the level's mask it leaks."""
    rng = np.random.default_rng(9)
    assert moves(sign(2, 1, "no mask"), triples(sign_options(observer, 3, rng), rng, 30), observer)


# Correctness of the truncation's arithmetic, for every c and every r.


@pytest.mark.parametrize(("k", "m"), [(k, m) for k in (5, 6, 8, 10) for m in range(1, k - 1)])
def test_shifted_halves_add_up(k: int, m: int) -> None:
    """(c >> m) + (r >> m) + c_m r_m 2^(k-m) - 2^(k-2-m) + 1 = floor + 1 - [x mod 2^m < rho].

    For all x in [-2^(k-2), 2^(k-2)) and all r, with rho = r mod 2^m and equally with
    rho = c mod 2^m: what a party holding r, or c, can say about the rounding.
    """
    n = 1 << k
    x = np.arange(-(n >> 2), n >> 2)[:, None]
    r = np.arange(n)[None, :]
    c = (x + (n >> 2) - r) % n

    def shift(v: Any) -> Any:
        return (v - n * (v >= n >> 1)) >> m

    carry = (c >= n >> 1).astype(int) * (r >= n >> 1)
    got = (shift(c) + shift(r) + carry * (1 << (k - m)) - (n >> 2 >> m) + 1) % n
    got = got - n * (got >= n >> 1)
    low = x % (1 << m)
    for rho in (r % (1 << m), c % (1 << m)):
        np.testing.assert_array_equal(got, (x >> m) + 1 - (low < rho))


@pytest.mark.parametrize("m", [1, 2, 3])
def test_after_an_opening_a_party_knows_the_result_and_rho_alone(m: int) -> None:
    """Given (result, rho), A's c is spread over x as if x were drawn given (result, rho) only.

    The share that A receives when the result is opened is the result minus its own two shares,
    so (c, result) is all it learns; c's high part is independent of x given c mod 2^m = rho.
    """
    k = 7
    n = 1 << k
    x = np.arange(-(n >> 2), n >> 2)[:, None]
    c = np.arange(n)[None, :]
    rho = c % (1 << m)
    result = (x >> m) + 1 - ((x % (1 << m)) < rho)
    for value in (-3, 0, 4):
        for low in range(1 << m):
            mask = (result == value) & (rho == low)
            rows = mask.sum(axis=1)
            assert set(rows.tolist()) <= {0, n >> m}
