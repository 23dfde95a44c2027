"""The Rust extension: kernels (defined by :mod:`tacit.kernels.reference`) and TLS links."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn, TypeAlias, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "LINK_ABORT_BYTES",
    "LINK_CONTROL_BYTES",
    "LINK_HEADER_BYTES",
    "LINK_VERSION",
    "FrameDecoder",
    "Identity",
    "Link",
    "LinkFailure",
    "Links",
    "StreamKey",
    "add",
    "add_zero_share",
    "and_share",
    "bits_combine",
    "bits_send",
    "carry_generate",
    "carry_level",
    "carry_monomials",
    "cross_terms",
    "fill",
    "from_planes",
    "inject_combine",
    "inject_send",
    "joint_bits",
    "joint_carry",
    "joint_halves",
    "joint_inject",
    "joint_leaves",
    "joint_placed",
    "joint_terms",
    "linear_combination",
    "lookup_combine",
    "lookup_send",
    "matmul",
    "multiply_share",
    "path",
    "permutation",
    "set_path",
    "to_planes",
    "truncation_carry_b",
    "truncation_carry_c",
    "truncation_finish",
    "truncation_mask",
    "truncation_open",
    "wide_add_zero_share",
    "wide_bits_combine",
    "wide_bits_send",
    "wide_carry_generate",
    "wide_carry_monomials",
    "wide_combine",
    "wide_cross_terms",
    "wide_cumulative_sum",
    "wide_from_floats",
    "wide_inject_combine",
    "wide_inject_send",
    "wide_joint_inject",
    "wide_joint_terms",
    "wide_matmul",
    "wide_multiply_share",
    "wide_shift_left",
    "wide_shift_right",
    "wide_sum",
    "wide_to_floats",
    "wide_truncation_carry_b",
    "wide_truncation_carry_c",
    "wide_truncation_finish",
    "wide_truncation_mask",
    "wide_truncation_open",
    "xor",
    "xor_zero_share",
]

_Ring: TypeAlias = npt.NDArray[np.uint64]
_Field: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]

# Kernels ---------------------------------------------------------------------------------------

@final
class StreamKey:
    def __new__(cls, key: bytes) -> StreamKey: ...
    def __reduce__(self) -> NoReturn: ...

def set_path(name: Literal["portable", "avx2", "avx512", "best"]) -> bool: ...
def path() -> Literal["portable", "avx2", "avx512"]: ...
def fill(
    key: StreamKey, nonce: int, lane: int, out: npt.NDArray[np.generic], start: int = 0
) -> None: ...
def permutation(key: StreamKey, nonce: int, lane: int, out: _Ring) -> None: ...
def matmul(
    a: _Ring, b: _Ring, *, out: _Ring | None = None, accumulate: bool = False, threads: int = 1
) -> _Ring: ...
def add(a: _Ring, b: _Ring, out: _Ring) -> None: ...
def xor(a: _Ring, b: _Ring, out: _Ring) -> None: ...
def linear_combination(
    terms: Sequence[_Ring], factors: Sequence[int], constant: int, out: _Ring
) -> None: ...
def cross_terms(
    x_own: _Ring,
    x_next: _Ring,
    y_own: _Ring,
    y_next: _Ring,
    out: _Ring,
    accumulate: bool = False,
) -> None: ...
def add_zero_share(
    z: _Ring, key_own: StreamKey, key_next: StreamKey, nonce: int, lane: int
) -> None: ...
def multiply_share(
    x_own: _Ring,
    x_next: _Ring,
    y_own: _Ring,
    y_next: _Ring,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    out: _Ring,
) -> None: ...
def xor_zero_share(
    z: _Ring, key_own: StreamKey, key_next: StreamKey, nonce: int, lane: int
) -> None: ...
def and_share(
    x_own: _Ring,
    x_next: _Ring,
    y_own: _Ring,
    y_next: _Ring,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    out: _Ring,
) -> None: ...
def joint_terms(
    party: int,
    factors: Sequence[_Ring],
    key_0: StreamKey,
    key_1: StreamKey,
    key_2: StreamKey,
    nonce: int,
    share_0: _Ring,
    share_1: _Ring,
    share_2: _Ring,
    term_0: _Ring,
    term_1: _Ring,
    term_2: _Ring,
) -> None: ...
def joint_halves(
    first: _Ring,
    second: _Ring | None,
    offset: int,
    m: int,
    key: StreamKey,
    nonce: int,
    lanes: tuple[int, int],
    mask: _Ring,
    rest: _Ring,
    field_mask: _Field,
    field_rest: _Field,
) -> None: ...
def joint_carry(
    a: _Field,
    b: _Field,
    key: StreamKey,
    nonce: int,
    lane: int,
    m: int,
    offset: int,
    share_mask: _Ring,
    share_rest: _Ring,
    rest: _Field,
) -> None: ...
def joint_placed(field: _Field, m: int, offset: int, share: _Ring) -> None: ...
def joint_bits(
    party: int,
    factors: Sequence[_Ring],
    key_0: StreamKey,
    key_1: StreamKey,
    key_2: StreamKey,
    nonce: int,
    share_0: _Ring,
    share_1: _Ring,
    share_2: _Ring,
    term_0: _Ring,
    term_1: _Ring,
    term_2: _Ring,
) -> None: ...
def joint_leaves(a: _Ring, b: _Ring, blocks: int, lowest: int, out: _Ring) -> None: ...
def joint_inject(
    product_s: _Ring,
    bit_s: _Ring,
    x_s: _Ring,
    product_t: _Ring,
    bit_t: _Ring,
    x_t: _Ring,
    with_one: bool,
    out: _Ring,
) -> None: ...
def truncation_mask(
    role: Literal["B", "C"],
    x_own: _Ring | None,
    x_next: _Ring | None,
    y_own: _Ring | None,
    y_next: _Ring | None,
    z: _Ring | None,
    key_bc: StreamKey,
    nonce: int,
    m: int,
    message: _Ring,
    r_share: _Ring,
) -> None: ...
def truncation_open(
    x_own: _Ring | None,
    x_next: _Ring | None,
    y_own: _Ring | None,
    y_next: _Ring | None,
    z: _Ring | None,
    from_b: _Ring,
    from_c: _Ring | None,
    key_ab: StreamKey,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    share_own: _Ring,
    share_next: _Ring,
    message: _Ring,
    field: _Field,
) -> None: ...
def truncation_carry_b(
    key_ab: StreamKey, nonce: int, m: int, r_share: _Ring, share_own: _Ring, field: _Field
) -> None: ...
def truncation_carry_c(
    message: _Ring,
    field_in: _Field,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    r_share: _Ring,
    share_next: _Ring,
    field: _Field,
) -> None: ...
def truncation_finish(field_1: _Field, field_2: _Field, m: int, r_share: _Ring) -> None: ...
def carry_monomials(
    x_own: _Ring,
    x_next: _Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    message: _Ring,
    level_own: _Ring,
    level_next: _Ring,
    top_own: _Ring,
    top_next: _Ring,
) -> None: ...
def carry_generate(
    role: Literal["B", "C"],
    t: _Ring,
    message: _Ring | None,
    key: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    out: _Ring,
    level: _Ring,
    top_t: _Ring,
    top_s: _Ring,
) -> None: ...
def carry_level(
    own: _Ring,
    next: _Ring,
    tail_own: _Ring | None,
    tail_next: _Ring | None,
    tail_plane: int,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    extra: _Ring | None,
    out: _Ring,
) -> None: ...
def to_planes(x: _Ring, out: _Ring) -> None: ...
def from_planes(planes: _Ring, out: _Ring) -> None: ...
def inject_send(
    x_own: _Ring,
    x_next: _Ring,
    b_own: _Ring,
    b_next: _Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: _Ring,
    y_own: _Ring,
    y_next: _Ring,
) -> None: ...
def inject_combine(
    role: Literal["B", "C"],
    t: _Ring,
    x_side: _Ring,
    q: _Ring,
    message: _Ring | None,
    key: StreamKey,
    nonce: int,
    out: _Ring,
    y: _Ring,
) -> None: ...
def bits_send(
    b_own: _Ring,
    b_next: _Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: _Ring,
    y_own: _Ring,
    y_next: _Ring,
) -> None: ...
def bits_combine(
    role: Literal["B", "C"],
    q: _Ring,
    message: _Ring | None,
    key: StreamKey,
    nonce: int,
    out: _Ring,
    y: _Ring,
) -> None: ...
def lookup_send(
    a_own: _Ring,
    a_next: _Ring,
    b_own: _Ring,
    b_next: _Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: _Ring,
    y_own: _Ring,
    y_next: _Ring,
) -> None: ...
def lookup_combine(
    role: Literal["B", "C"],
    p: _Ring,
    q: _Ring,
    message: _Ring | None,
    tables: _Ring,
    key: StreamKey,
    nonce: int,
    out: _Ring,
    y: _Ring,
) -> None: ...

# Over Z_2^128: elements are two words each, flat -------------------------------------------------

def wide_combine(
    operation: Literal["add", "subtract", "multiply"], a: _Ring, b: _Ring, out: _Ring
) -> None: ...
def wide_shift_left(a: _Ring, bits: int, out: _Ring) -> None: ...
def wide_shift_right(a: _Ring, bits: int, out: _Ring) -> None: ...
def wide_sum(a: _Ring, n: int, inner: int, out: _Ring) -> None: ...
def wide_cumulative_sum(a: _Ring, n: int, inner: int) -> None: ...
def wide_from_floats(values: _Ring, out: _Ring) -> None: ...
def wide_to_floats(a: _Ring, out: _Ring) -> None: ...
def wide_matmul(a: _Ring, b: _Ring, k: int, out: _Ring) -> None: ...
def wide_cross_terms(
    x_own: _Ring, x_next: _Ring, y_own: _Ring, y_next: _Ring, out: _Ring
) -> None: ...
def wide_joint_terms(
    party: int,
    factors: Sequence[_Ring],
    key_0: StreamKey,
    key_1: StreamKey,
    key_2: StreamKey,
    nonce: int,
    share_0: _Ring,
    share_1: _Ring,
    share_2: _Ring,
    term_0: _Ring,
    term_1: _Ring,
    term_2: _Ring,
) -> None: ...
def wide_joint_inject(
    product_s: _Ring,
    bit_s: _Ring,
    x_s: _Ring,
    product_t: _Ring,
    bit_t: _Ring,
    x_t: _Ring,
    with_one: bool,
    out: _Ring,
) -> None: ...
def wide_multiply_share(
    x_own: _Ring,
    x_next: _Ring,
    y_own: _Ring,
    y_next: _Ring,
    key_own: StreamKey,
    key_next: StreamKey,
    nonce: int,
    lane: int,
    out: _Ring,
) -> None: ...
def wide_add_zero_share(
    z: _Ring, key_own: StreamKey, key_next: StreamKey, nonce: int, lane: int
) -> None: ...
def wide_truncation_mask(
    role: Literal["B", "C"],
    x_own: _Ring | None,
    x_next: _Ring | None,
    y_own: _Ring | None,
    y_next: _Ring | None,
    z: _Ring | None,
    key_bc: StreamKey,
    nonce: int,
    m: int,
    message: _Ring,
    r_share: _Ring,
) -> None: ...
def wide_truncation_open(
    x_own: _Ring | None,
    x_next: _Ring | None,
    y_own: _Ring | None,
    y_next: _Ring | None,
    z: _Ring | None,
    from_b: _Ring,
    from_c: _Ring | None,
    key_ab: StreamKey,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    share_own: _Ring,
    share_next: _Ring,
    message: _Ring,
    field: _Field,
) -> None: ...
def wide_truncation_carry_b(
    key_ab: StreamKey, nonce: int, m: int, r_share: _Ring, share_own: _Ring, field: _Field
) -> None: ...
def wide_truncation_carry_c(
    message: _Ring,
    field_in: _Field,
    key_ca: StreamKey,
    nonce: int,
    m: int,
    r_share: _Ring,
    share_next: _Ring,
    field: _Field,
) -> None: ...
def wide_truncation_finish(field_1: _Field, field_2: _Field, m: int, r_share: _Ring) -> None: ...
def wide_carry_monomials(
    x_own: _Ring,
    x_next: _Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    message: _Ring,
    level_own: _Ring,
    level_next: _Ring,
    top_own: _Ring,
    top_next: _Ring,
) -> None: ...
def wide_carry_generate(
    role: Literal["B", "C"],
    t: _Ring,
    message: _Ring | None,
    key: StreamKey,
    nonce: int,
    width: int,
    with_top: bool,
    out: _Ring,
    level: _Ring,
    top_t: _Ring,
    top_s: _Ring,
) -> None: ...
def wide_inject_send(
    x_own: _Ring,
    x_next: _Ring,
    b_own: _Ring,
    b_next: _Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: _Ring,
    y_own: _Ring,
    y_next: _Ring,
) -> None: ...
def wide_inject_combine(
    role: Literal["B", "C"],
    t: _Ring,
    x_side: _Ring,
    q: _Ring,
    message: _Ring | None,
    key: StreamKey,
    nonce: int,
    out: _Ring,
    y: _Ring,
) -> None: ...
def wide_bits_send(
    b_own: _Ring,
    b_next: _Ring,
    key_ca: StreamKey,
    key_ab: StreamKey,
    nonce: int,
    message: _Ring,
    y_own: _Ring,
    y_next: _Ring,
) -> None: ...
def wide_bits_combine(
    role: Literal["B", "C"],
    q: _Ring,
    message: _Ring | None,
    key: StreamKey,
    nonce: int,
    out: _Ring,
    y: _Ring,
) -> None: ...

# Links -----------------------------------------------------------------------------------------

_Arrays: TypeAlias = Mapping[int, tuple[npt.NDArray[Any], ...]]

LINK_VERSION: int
LINK_HEADER_BYTES: int
LINK_CONTROL_BYTES: int
LINK_ABORT_BYTES: int

class LinkFailure(Exception):
    """A link cannot go on: word, peer or None, expected, received, detail."""

    args: tuple[str, int | None, int, int, bytes]

@final
class Identity:
    """A party's certificate chain, key and trusted root, all PEM; ValueError if unusable."""

    def __new__(cls, root: bytes, chain: bytes, key: bytes) -> Identity: ...

@final
class Link:
    """One TLS connection during its handshake; afterwards it goes into `Links`.

    `descriptor` is a connected socket's, from ``socket.detach()``: it is taken over.
    """

    @staticmethod
    def dial(descriptor: int, identity: Identity, name: str) -> Link: ...
    @staticmethod
    def accept(descriptor: int, identity: Identity) -> Link: ...
    def handshake(self) -> bool: ...
    def wants_write(self) -> bool: ...
    def fileno(self) -> int: ...
    def peer_certificate(self) -> bytes | None: ...
    def close(self) -> None: ...

@final
class Links:
    """A party's links to all others."""

    def __new__(cls, index: int, links: dict[int, Link], heartbeat: float) -> Links: ...
    def add(self, peer: int, link: Link) -> None: ...
    def set_tag(self, tag: int) -> None: ...
    def export(self, peer: int, label: bytes, context: bytes, length: int) -> bytes: ...
    def exchange(
        self,
        send: _Arrays,
        check: _Arrays,
        receive: _Arrays,
        check_receive: _Arrays,
        round: int,
        deadline: float | None,
        patience: float | None = None,
    ) -> tuple[int, int]: ...
    def control(
        self,
        messages: dict[int, bytes],
        peers: list[int],
        limit: int,
        deadline: float | None,
        patience: float | None = None,
    ) -> dict[int, bytes]: ...
    def standing(self) -> tuple[int, int, bool] | None: ...
    def settled(self) -> dict[int, tuple[int, int]]: ...
    def abort(self, cause: bytes, patience: float) -> None: ...
    def close(self, patience: float) -> None: ...

@final
class FrameDecoder:
    """The frame decoder alone, for fuzzing from Python."""

    def __new__(cls, tag: int) -> FrameDecoder: ...
    def read(
        self, data: bytes, piece: int, payload: int, check: int
    ) -> tuple[bytes | None, list[str], int]: ...
