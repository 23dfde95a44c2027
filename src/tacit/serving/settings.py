"""How a service is set up: the same at all parties, and what is each party's own affair."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from tacit.encoding.digest import tagged_hash
from tacit.errors import UsageError
from tacit.serving.messages import MOST_ROWS

__all__ = ["MOST_DIGITS", "ServiceSettings"]

MOST_DIGITS: Final = 4
"""Decimal places that scores can be rounded to: the sigmoid on shares is right to 1.6e-4."""


class ServiceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a service answers. All parties compare these, but for `tick`.

    Attributes
    ----------
    digits : int or None
        Decimal places that probabilities are rounded to on shares; None: log-odds are released.
    request_rows, batch_rows : int
        The most rows of one request, and of what is computed together.
    open_rows : int
        The most rows for which a client may hold masks at a time.
    keep_seconds : float
        How long a mask waits for its row, and a score for its client.
    rate : float or None
        Rows a second that a client may ask for, over time; None without a limit.
    burst : int
        Rows that it may ask for at once after a pause.
    budget : int or None
        Rows that a client may ask for altogether, as long as the parties keep count.
    clients : tuple of str or None
        Who may ask; None for everybody whom the authority calls a client.
    tick : float
        Seconds that a party without anything to do waits before it asks the others.

    Raises
    ------
    UsageError
        A number out of range (TC-1095).
    """

    digits: int | None = None
    request_rows: int = 256
    batch_rows: int = 1_024
    open_rows: int = 1_024
    keep_seconds: float = 60.0
    rate: float | None = None
    burst: int = 256
    budget: int | None = None
    clients: tuple[str, ...] | None = None
    tick: float = 0.05

    def __post_init__(self) -> None:
        right = {
            "digits": self.digits is None or 1 <= self.digits <= MOST_DIGITS,
            "request_rows": 1 <= self.request_rows <= MOST_ROWS,
            "batch_rows": self.request_rows <= self.batch_rows <= 16 * MOST_ROWS,
            "open_rows": self.open_rows >= self.request_rows,
            "keep_seconds": 1 <= self.keep_seconds <= 3_600,
            "rate": self.rate is None or 0 < self.rate <= 1e9,
            "burst": self.burst >= self.request_rows or self.rate is None,
            "budget": self.budget is None or self.budget >= 0,
            "tick": 0.001 <= self.tick <= 1,
        }
        wrong = [name for name, fine in right.items() if not fine]
        if wrong:
            raise UsageError(
                f"The service's {wrong[0]} is {getattr(self, wrong[0])}, which cannot work.",
                next_step=f"round to 1 to {MOST_DIGITS} decimal places; let a request have 1 to"
                f" {MOST_ROWS} rows, and batch, open rows and burst at least as many; keep masks"
                " for 1 to 3600 seconds.",
                case=95,
                stage="serving",
            )

    def digest(self) -> bytes:
        """32 bytes that parties compare."""
        common = msgspec.structs.replace(self, tick=0.05)
        return tagged_hash("service settings", msgspec.json.encode(common, order="deterministic"))
