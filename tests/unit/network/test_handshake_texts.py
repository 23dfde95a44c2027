"""The agreement, the session id and the comparison of hellos, without links."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tacit.errors import HandshakeError, UsageError
from tacit.network.handshake import Agreement, Hello, compare, derive_session_id

HELLO = Hello(
    release="0.1.0",
    name="alice",
    participants=["alice", "bob"],
    protocol="replicated3",
    parameters={"fraction": "18", "mode": "exact"},
    job=bytes(32),
    nonce=bytes(range(32)),
)
NONCES = [bytes(32), bytes(range(32))]


def changed(**changes: Any) -> Hello:
    return msgspec.structs.replace(HELLO, **changes)


CHANGES: list[tuple[dict[str, Any], int]] = [
    ({"release": "0.2.0"}, 2),
    ({"participants": ["bob", "alice"]}, 4),
    ({"protocol": "shamir"}, 5),
    ({"parameters": {"fraction": "18", "mode": "nearest"}}, 6),
    ({"parameters": {"fraction": "18"}}, 6),
    ({"job": bytes(range(32))}, 7),
]


@pytest.mark.parametrize(("changes", "case"), CHANGES)
def test_every_field_counts_in_comparison_and_session_id(
    changes: dict[str, Any], case: int
) -> None:
    other = changed(name="bob", **changes)
    with pytest.raises(HandshakeError) as caught:
        compare(HELLO, other, "bob")
    assert caught.value.case == case
    assert caught.value.parties == ("alice", "bob")
    assert derive_session_id(HELLO, NONCES) != derive_session_id(changed(**changes), NONCES)


def test_equal_hellos_pass_and_give_the_same_session_id_at_both_ends() -> None:
    other = changed(name="bob", nonce=bytes(32))
    compare(HELLO, other, "bob")
    assert derive_session_id(HELLO, NONCES) == derive_session_id(other, NONCES)


def test_every_nonce_counts_and_so_does_its_place() -> None:
    session = derive_session_id(HELLO, NONCES)
    assert session != derive_session_id(HELLO, NONCES[::-1])
    assert session != derive_session_id(HELLO, [NONCES[0], bytes(range(1, 33))])
    assert len(session) == 32


def test_fields_cannot_flow_into_each_other() -> None:
    one = changed(protocol="ab", participants=["c", "d"])
    other = changed(protocol="b", participants=["c", "da"])
    assert derive_session_id(one, NONCES) != derive_session_id(other, NONCES)
    one = changed(parameters={"a": "b", "c": "d"})
    other = changed(parameters={"a": "d", "c": "b"})
    assert derive_session_id(one, NONCES) != derive_session_id(other, NONCES)


def test_a_name_that_the_certificate_does_not_have() -> None:
    with pytest.raises(HandshakeError) as caught:
        compare(HELLO, changed(name="carol"), "bob")
    assert caught.value.case == 3
    assert caught.value.parties == ("bob",)


def test_texts_are_short_and_printable() -> None:
    with pytest.raises(HandshakeError) as caught:
        compare(HELLO, changed(name="bob", protocol="\x1b[31m" + "x" * 4000), "bob")
    assert len(caught.value.message) < 600
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize(
    "fields",
    [
        {"participants": ("alice",)},
        {"participants": ("alice", "alice")},
        {"participants": ("alice", "")},
        {"participants": tuple(f"p{i}" for i in range(65))},
        {"protocol": "x" * 5000},
        {"parameters": {str(i): "" for i in range(257)}},
        {"job": b"short"},
    ],
)
def test_agreements_that_cannot_be(fields: dict[str, Any]) -> None:
    good: dict[str, Any] = {"participants": ("a", "b"), "protocol": "p", "job": bytes(32)}
    Agreement(**good)
    with pytest.raises(UsageError):
        Agreement(**{**good, **fields})
