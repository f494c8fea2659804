"""The cursor in PostgreSQL: an advisory lock, held by a connection of its own, elects the leader.

The same connection stores the cursor: where it is lost, so is the lock, and nothing can be
stored any more.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from consumers.event_store import NotInitialisedError
from consumers.relay_cursor import LeadershipLostError, RelayStatus
from infra.databases import failure_of
from infra.relay_cursor.row import LEAD, READ, STORE, dump, load, require_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.relay_cursor import Cursor
    from infra.databases import PostgreSQLDatabase

# The two halves of the advisory lock's key, "GUAN" and "RELA" in ASCII. It is held per database.
_LOCK = (0x4755414E, 0x52454C41)
# A dead network is noticed within about ten seconds on both sides.
_CONNECTION = (
    "connect_timeout=5 keepalives_idle=3 keepalives_interval=2 keepalives_count=3 "
    "tcp_user_timeout=10000 application_name=guanxi-relay"
)
_LEAD = LEAD.format("%s").encode()
_STORE = STORE.format("%s").encode()
_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted
    AND datname = current_database()
)
"""


class PostgreSQLRelayCursor:
    """The cursor of a ledger in PostgreSQL."""

    def __init__(self, database: PostgreSQLDatabase) -> None:
        self._database = database
        self._connection: psycopg.Connection | None = None
        self._epoch = 0

    def lead(self, name: str) -> Cursor | None:
        """Try to take the lock; then raise the epoch and return the cursor."""
        with _outages():
            self._connection = self._connection or self._connect()
            held = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", _LOCK)
            if held.fetchone() != (True,):
                return None
            row = self._connection.execute(_LEAD, (name,)).fetchone()
        if row is None:
            message = "no relay cursor: run guanxi init"
            raise NotInitialisedError(message)
        self._epoch, complete_through, last = row
        return load(complete_through, last)

    def store(self, cursor: Cursor) -> None:
        """Store the cursor over the connection that holds the lock."""
        assert self._connection is not None, "only a leader stores"
        try:
            stored = self._connection.execute(_STORE, dump(cursor, self._epoch))
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            message = f"the connection that held the relay's lock is lost: {error}".strip()
            raise LeadershipLostError(message) from error
        require_stored(stored.rowcount)

    def resign(self) -> None:
        """Close the connection, and so free the lock."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def status(self) -> RelayStatus:
        """Return the cursor's position, and the leader's name while the lock is held."""
        with _outages(), self._database.connection() as connection:
            position, leader = connection.execute(READ).fetchone() or (0, "")
            (held,) = connection.execute(_HELD, _LOCK).fetchone() or (False,)
        return RelayStatus(position, leader if held else None)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(_with_options(self._database.url), autocommit=True)


def _with_options(url: str) -> str:
    return make_conninfo(url, **conninfo_to_dict(_CONNECTION))


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UndefinedTable as error:
        message = "no relay cursor: run guanxi init"
        raise NotInitialisedError(message) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise failure_of(error) from error
