"""What each client may ask for at one party: who, how fast, how much, how much altogether.

Every party keeps count for itself and refuses by its own count; a request that too few parties
accept is not taken up (``agreement.py``). So a corrupt party can neither grant a client more, nor,
where output is guaranteed, take something from it. Rows that were computed count, whoever of the
parties its client heard of the score.

Limits make it dearer to rebuild a model from its scores, they do not prevent it: see
``docs/security/serving.md``.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tacit.errors import PolicyDeniedError, StorageError
from tacit.serving.settings import ServiceSettings

__all__ = ["Budget", "Limits"]


class Budget:
    """Rows that were computed for each client, on disk. For several threads.

    Parameters
    ----------
    path : Path or None
        An SQLite file, made if it is not there; None counts in memory.

    Raises
    ------
    StorageError
        The file cannot be used (TC-2302).
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._path = path
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = sqlite3.connect(path or ":memory:", check_same_thread=False)
            with self._file:
                self._file.execute("PRAGMA journal_mode=WAL")
                self._file.execute(
                    "CREATE TABLE IF NOT EXISTS spent"
                    " (model BLOB, client TEXT, rows INTEGER, PRIMARY KEY (model, client))"
                )
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from None

    def spent(self, model: bytes, client: str) -> int:
        """Rows of a client so far."""
        with self._lock:
            try:
                row = self._file.execute(
                    "SELECT rows FROM spent WHERE model = ? AND client = ?", (model, client)
                ).fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from None
        return 0 if row is None else int(row[0])

    def spend(self, model: bytes, rows: Mapping[str, int]) -> None:
        """Count more rows, for several clients at once; on disk when this returns.

        Raises
        ------
        StorageError
            It could not be written (TC-2302): nothing may be released then.
        """
        with self._lock:
            try:
                with self._file:
                    self._file.executemany(
                        "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (model, client)"
                        " DO UPDATE SET rows = rows + excluded.rows",
                        [(model, client, count) for client, count in rows.items()],
                    )
            except sqlite3.Error as error:
                raise self._failed(error) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _failed(self, error: Exception) -> StorageError:
        return StorageError(
            f"The query budget {self._path or 'in memory'} cannot be kept: {type(error).__name__}.",
            next_step="check the folder's permissions and the free space of the disk; without"
            " the count nothing is answered.",
            case=2,
        )


@dataclass(slots=True)
class _Bucket:
    rows: float
    at: float


class Limits:
    """What clients may ask for at this party. The desk calls it, one thread at a time.

    Parameters
    ----------
    settings : ServiceSettings
    model : bytes
        Digest of the model's form: budgets are for one model.
    budget : Budget, optional
        In memory by default.
    parties : sequence of str
        Parties are not clients.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        model: bytes,
        budget: Budget | None = None,
        parties: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        self._model = model
        self._budget = budget or Budget(None)
        self._parties = parties
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, client: str, rows: int, open_rows: int, now: float) -> None:
        """Let a client ask for so many rows, with `open_rows` under way.

        Raises
        ------
        PolicyDeniedError
            Not this client (TC-4010), too many at a time (TC-4011), too fast (TC-4012), or the
            budget is spent (TC-4013).
        """
        settings = self._settings
        allowed = settings.clients
        if client in self._parties or (allowed is not None and client not in allowed):
            raise PolicyDeniedError(
                f"{client} may not ask for scores of this model.",
                next_step="have the parties' operators name this client (--client), or use the"
                " certificate of a client that they named.",
                case=10,
                stage="serving",
            )
        if open_rows + rows > settings.open_rows:
            raise PolicyDeniedError(
                f"{client} has {open_rows} rows under way, and at most {settings.open_rows} are"
                " allowed at a time.",
                next_step="wait for the scores of earlier requests.",
                case=11,
                stage="serving",
            )
        if settings.budget is not None:
            left = self.left(client) or 0
            if rows + open_rows > left:
                raise PolicyDeniedError(
                    f"{client} has a budget of {settings.budget} rows for this model, and"
                    f" {max(0, left - open_rows)} are left.",
                    next_step="ask the parties' operators for more; the budget is there so that"
                    " nobody rebuilds the model from its scores.",
                    case=13,
                    stage="serving",
                )
        if settings.rate is not None:
            self._take(client, rows, now, settings.rate)

    def _take(self, client: str, rows: int, now: float, rate: float) -> None:
        most = float(self._settings.burst)
        bucket = self._buckets.setdefault(client, _Bucket(most, now))
        bucket.rows = min(most, bucket.rows + max(0.0, now - bucket.at) * rate)
        bucket.at = now
        if bucket.rows < rows:
            wait = (rows - bucket.rows) / rate
            raise PolicyDeniedError(
                f"{client} asks for more than {rate:g} rows a second.",
                next_step=f"try again in {wait:.1f} seconds.",
                case=12,
                stage="serving",
            )
        bucket.rows -= rows

    def left(self, client: str) -> int | None:
        """Rows of a client's budget that are left; None without a limit."""
        if self._settings.budget is None:
            return None
        return max(0, self._settings.budget - self._budget.spent(self._model, client))

    def spend(self, rows: Mapping[str, int]) -> None:
        """Count rows that are about to be computed. Raises StorageError (TC-2302)."""
        self._budget.spend(self._model, rows)
