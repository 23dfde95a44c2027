"""A delay line between network namespaces: the kernel's own TCP over slow, long lines.

Each party has a network namespace with a tunnel device (TUN) as its only way out. A thread here
reads the packets of each tunnel and writes them into the other's, late. The kernel hands over
large segments that it has not cut yet (TSO), with the size to cut them to, so that a gigabit is
some thousand packets a second and TCP behaves as with packets of 1,500 bytes.

Needs root, ``ip`` and ``/dev/net/tun``.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import struct
import subprocess
import threading
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

from bench.networks.line import Line
from tacit.network import Address
from tacit.rounds import Network

__all__ = ["Tunnels"]

_TUNSETIFF, _TUNSETOFFLOAD = 0x400454CA, 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_TUN_F_CSUM, _TUN_F_TSO4 = 0x01, 0x02
_HEADER = 10
"""Bytes before a packet: how large the segments are into which it is to be cut."""

_LARGEST = _HEADER + 65_536
_TCP_AND_IP = 52
_SUBNET = "10.203.7"


class Tunnels:
    """Namespaces and their delay line, whose thread runs inside the context.

    Parameters
    ----------
    network : Network
        What the parties are to see.
    parties : sequence of str
        Their names, by index.
    congestion : str
        TCP's congestion control in the namespaces; ``reno`` is allowed on every system.
    """

    def __init__(self, network: Network, parties: Sequence[str], congestion: str = "reno") -> None:
        self.parties = tuple(parties)
        self.congestion = congestion
        self._line = Line(network)
        self._selector = selectors.SelectSelector()  # the others wait in whole milliseconds
        self._devices: list[int] = []
        self._bell = os.pipe()
        self._selector.register(self._bell[0], selectors.EVENT_READ, None)
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    @staticmethod
    def available() -> bool:
        """Whether this process may make namespaces and tunnels here."""
        if os.geteuid() != 0 or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            return False
        name = f"tacit-probe-{os.getpid()}"
        try:
            _ip("netns", "add", name)
            _ip("netns", "del", name)
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def command(self, party: str) -> list[str]:
        """What to put before a command so that it runs in a party's namespace."""
        return ["ip", "netns", "exec", self._namespace(self.parties.index(party))]

    def host(self, party: str) -> str:
        """A party's address."""
        return f"{_SUBNET}.{self.parties.index(party) + 1}"

    def addresses(self, ports: dict[str, int]) -> dict[str, dict[str, Address]]:
        """For each party, where it finds the others."""
        book = {name: Address(self.host(name), port) for name, port in ports.items()}
        return dict.fromkeys(self.parties, book)

    def __enter__(self) -> Self:
        try:
            for place in range(len(self.parties)):
                self._make(place)
        except BaseException:
            self._unmake()
            raise
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        os.write(self._bell[1], b".")
        self._thread.join()
        self._unmake()

    def _namespace(self, place: int) -> str:
        return f"tacit-{os.getpid()}-{place}"

    def _make(self, place: int) -> None:
        name, device = self._namespace(place), f"tt{os.getpid() % 100_000}x{place}"
        opened = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        self._devices.append(opened)
        flags = _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR
        fcntl.ioctl(opened, _TUNSETIFF, struct.pack("16sH22x", device.encode(), flags))
        fcntl.ioctl(opened, _TUNSETOFFLOAD, _TUN_F_CSUM | _TUN_F_TSO4)
        _ip("netns", "add", name)
        _ip("link", "set", device, "netns", name)
        inside = ("-n", name)
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "address", "add", f"{_SUBNET}.{place + 1}/24", "dev", device)
        _ip(*inside, "link", "set", device, "txqueuelen", "10000", "up")
        control = f"net.ipv4.tcp_congestion_control={self.congestion}"
        subprocess.run(
            ["ip", "netns", "exec", name, "sysctl", "-qw", control], check=True, capture_output=True
        )
        self._selector.register(opened, selectors.EVENT_READ, place)

    def _unmake(self) -> None:
        self._selector.close()
        for opened in (*self._devices, *self._bell):
            os.close(opened)
        for place in range(len(self._devices)):
            subprocess.run(
                ["ip", "netns", "del", self._namespace(place)], check=False, capture_output=True
            )

    def _run(self) -> None:
        wait: float | None = None
        while not self._over:
            for key, _ in self._selector.select(wait):
                if key.data is not None:
                    self._read(key.data)
            wait = self._line.deliver()

    def _read(self, sender: int) -> None:
        device = self._devices[sender]
        for _ in range(16):
            try:
                packet = os.read(device, _LARGEST)
            except BlockingIOError:
                return
            receiver = packet[_HEADER + 19] - 1  # the last byte of the IPv4 destination
            if packet[_HEADER] >> 4 != 4 or not 0 <= receiver < len(self._devices):
                continue  # IPv6 looking for neighbours
            size = len(packet) - _HEADER
            cut_to = int.from_bytes(packet[4:6], "little")
            if cut_to:
                size += (size // (cut_to + _TCP_AND_IP)) * _TCP_AND_IP
            deliver = partial(_put, self._devices[receiver], packet)
            self._line.send(sender, receiver, size, deliver)


def _put(device: int, packet: bytes) -> None:
    try:
        os.write(device, packet)
    except OSError:
        return  # lost, as packets are


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
