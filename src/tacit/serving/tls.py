"""TLS of a service's endpoint and of its clients: version 1.3, certificates on both sides."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile

from tacit.errors import CertificateError
from tacit.network import Credentials

__all__ = ["client_context", "server_context"]


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """Of a party: whoever connects shows a certificate of the consortium's authority."""
    return _context(credentials, ssl.PROTOCOL_TLS_SERVER)


def client_context(credentials: Credentials) -> ssl.SSLContext:
    """Of a client: the other end has the name that was dialled, from the same authority."""
    context = _context(credentials, ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = True
    return context


def _context(credentials: Credentials, purpose: int) -> ssl.SSLContext:
    context = ssl.SSLContext(purpose)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cadata=credentials.authority.decode("ascii"))
        _load_chain(context, credentials.certificate + b"\n" + credentials.key)
    except (ssl.SSLError, ValueError):
        raise CertificateError(
            f"the certificate and the private key of {credentials.name} do not belong together.",
            next_step="use the files that the authority issued together.",
            case=4,
        ) from None
    return context


def _load_chain(context: ssl.SSLContext, pem: bytes) -> None:
    """Load certificate and key, which OpenSSL takes from files alone, from memory."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("tacit")
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(pem)
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:  # for its owner alone
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
