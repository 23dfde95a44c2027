"""Mutual TLS links between the parties, and the driver that moves rounds over them.

One listening port a party; who is who comes from the TLS certificates alone; a handshake compares
everything the parties must agree on before a share moves. May import ``rounds``, ``encoding``,
``errors`` and the native extension. Start with ``mesh.py``, then ``handshake.py``, ``driver.py``.
"""

from tacit.network.addresses import Address, Listener
from tacit.network.certificates import Credentials
from tacit.network.driver import LinkDriver
from tacit.network.evidence import evidence_key, evidence_signer
from tacit.network.ground import Conference, Ground
from tacit.network.handshake import WIRE_VERSION, Agreement
from tacit.network.interruptions import interruptible, was_dropped
from tacit.network.issuing import Authority
from tacit.network.mesh import Mesh, connect
from tacit.network.settings import NetworkSettings
from tacit.network.trust import Trust
from tacit.network.waiting import Awaited, OnWait

__all__ = [
    "WIRE_VERSION",
    "Address",
    "Agreement",
    "Authority",
    "Awaited",
    "Conference",
    "Credentials",
    "Ground",
    "LinkDriver",
    "Listener",
    "Mesh",
    "NetworkSettings",
    "OnWait",
    "Trust",
    "connect",
    "evidence_key",
    "evidence_signer",
    "interruptible",
    "was_dropped",
]
