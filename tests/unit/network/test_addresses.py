"""Addresses and listening ports."""

from __future__ import annotations

import socket

import pytest

from tacit.errors import AddressError, UsageError
from tacit.network import Address, Listener


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:7600", Address("127.0.0.1", 7600)),
        ("bank-a.example:1", Address("bank-a.example", 1)),
        ("[::1]:65535", Address("::1", 65535)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_parse_and_print(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":7600", "host:port", "host:65536", "::1:7600", "host:-1", "h:٣"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse(text)
    assert "host:port" in caught.value.next_step


def test_port_zero_finds_a_free_port() -> None:
    with Listener(Address("127.0.0.1", 0)) as one, Listener(Address("127.0.0.1", 0)) as two:
        assert one.address.port != two.address.port
        assert str(one.address) in repr(one)
        socket.create_connection(("127.0.0.1", one.address.port)).close()


def test_a_port_is_free_again_after_closing() -> None:
    listener = Listener(Address("127.0.0.1", 0))
    listener.close()
    listener.close()
    Listener(listener.address).close()


def test_a_busy_port() -> None:
    with Listener(Address("127.0.0.1", 0)) as listener:
        with pytest.raises(AddressError) as caught:
            Listener(listener.address)
        assert caught.value.code == "TC-3101"
        assert str(listener.address.port) in caught.value.message
        assert "another port" in caught.value.next_step


def test_an_unknown_host() -> None:
    with pytest.raises(AddressError) as caught:
        Listener(Address("no-such-host.invalid", 0))
    assert caught.value.case == 3


def test_an_address_of_another_machine() -> None:
    with pytest.raises(AddressError) as caught:
        Listener(Address("192.0.2.1", 0))  # RFC 5737: documentation only
    assert caught.value.case == 4
