"""The cursor in SQLite: a lock of the operating system on a file beside the ledger's."""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from consumers.event_store import NotInitialisedError
from consumers.relay_cursor import RelayStatus
from infra.relay_cursor.row import LEAD, READ, STORE, dump, load, require_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.relay_cursor import Cursor
    from infra.databases import SQLiteDatabase

_LEAD = LEAD.format("?")
_STORE = STORE.format("?")


class SQLiteRelayCursor:
    """The cursor of a ledger in one SQLite file. The lock file is never removed."""

    def __init__(self, database: SQLiteDatabase) -> None:
        self._database = database
        self._lock_path = Path(f"{database.path}.relay-lock")
        self._lock: IO[bytes] | None = None
        self._epoch = 0

    def lead(self, name: str) -> Cursor | None:
        """Try to take the lock; then raise the epoch and return the cursor."""
        self._lock = self._try_lock()
        if self._lock is None:
            return None
        with _initialised(), self._database.transaction() as connection:
            row = connection.execute(_LEAD, (name,)).fetchone()
        self._epoch, complete_through, last = row
        return load(complete_through, last)

    def store(self, cursor: Cursor) -> None:
        """Store the cursor, unless another relay has raised the epoch."""
        with self._database.transaction() as connection:
            stored = connection.execute(_STORE, dump(cursor, self._epoch))
        require_stored(stored.rowcount)

    def resign(self) -> None:
        """Close the lock file, and so free the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def status(self) -> RelayStatus:
        """Return the cursor's position, and the leader's name while the lock is held."""
        with _initialised(), self._database.connection() as connection:
            position, leader = connection.execute(READ).fetchone()
        probe = self._try_lock() if self._lock is None else None
        if probe is not None:
            probe.close()
            return RelayStatus(position, None)
        return RelayStatus(position, leader)

    def _try_lock(self) -> IO[bytes] | None:
        lock = self._lock_path.open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock


@contextmanager
def _initialised() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        message = "no relay cursor: run guanxi init"
        raise NotInitialisedError(message) from error
