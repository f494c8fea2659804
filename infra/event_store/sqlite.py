"""The event store in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)

from consumers.event_store import ConflictError, Held, StoredRecord
from infra.clock import wall_clock
from infra.databases import SQLiteDatabase, open_database
from infra.event_store.batch import check_size, prepare
from infra.event_store.meta import read_meta
from infra.event_store.recorder import LEDGER_URL, LedgerRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from consumers.event_store import Append, NewRecord
    from domain.values import Instant
    from infra.event_store.batch import Batch

POLL_SECONDS = 0.004

_COLUMNS = ", ".join(StoredRecord._fields)
_INSERT = f"INSERT INTO event VALUES ({', '.join('?' * len(StoredRecord._fields))})"  # noqa: S608 - constants
_VERSIONS = (
    "SELECT (SELECT max(stream_version) FROM event WHERE stream = value) FROM json_each(?)"
    " ORDER BY key"
)
_READ = f"SELECT {_COLUMNS} FROM event WHERE position > ? AND position <= ? LIMIT ?"  # noqa: S608 - constants
_READ_STREAM = f"SELECT {_COLUMNS} FROM event WHERE stream = ? AND position <= ? ORDER BY 6"  # noqa: S608 - constants
_READ_CUSTOMERS = (
    f"SELECT {_COLUMNS} FROM event WHERE customer_id IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants
    " AND position <= ? ORDER BY position"
)
_HELD = "SELECT key, position, content FROM claim WHERE key IN (SELECT value FROM json_each(?))"
_POSITION_MAX = (1 << 63) - 1


class SQLiteLedgerDatastore(SQLiteDatastore):
    """The library's datastore over our connections."""

    def __init__(self, database: SQLiteDatabase) -> None:
        super().__init__(str(database.path), originator_id_type="text")
        self.database = database

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """Lend a cursor whose rows have names, as the library expects."""
        lend = self.database.transaction if commit else self.database.connection
        with lend() as connection:
            cursor = connection.cursor()
            cursor.row_factory = sqlite3.Row
            yield SQLiteCursor(cursor)


class SQLiteEventStore(LedgerRecorder, SQLiteApplicationRecorder):
    """The `EventStore` port, and a recorder of the library, on tables of our own."""

    def __init__(
        self, database: SQLiteDatabase, clock: Callable[[], Instant] = wall_clock
    ) -> None:
        super().__init__(SQLiteLedgerDatastore(database))
        self.database = database
        self.meta = read_meta(database)
        self._clock = clock

    def construct_create_table_statements(self) -> list[str]:
        """Return none: the tables are made once, by `initialise`."""
        return []

    def append(self, batch: Append) -> range:
        """Record a batch whole: see `EventStore.append`."""
        if not batch.records:
            assert not batch.claims
            return range(0)
        prepared = prepare(batch)
        with self.database.transaction() as connection:
            versions = _check_versions(connection, prepared)
            before, recorded_before = _advance(connection, prepared, self._clock())
            _claim(connection, prepared, before)
            rows = _rows(batch.records, prepared, versions, before, recorded_before)
            if prepared.sizes:
                for size, row in zip(prepared.sizes, rows, strict=True):
                    check_size(size, position=row[0], stream_version=row[5], recorded_at=row[9])
            connection.executemany(_INSERT, rows)
        return range(before + 1, before + 1 + len(rows))

    def position(self) -> int:
        """Return the position of the last record, 0 where there is none."""
        with self.database.connection() as connection:
            position: int = connection.execute("SELECT position FROM counter").fetchone()[0]
        return position

    def recorded_at(self, position: int) -> Instant:
        """Return when the record at a position was recorded."""
        query = "SELECT recorded_at FROM event WHERE position = ?"
        with self.database.connection() as connection:
            instant: Instant = connection.execute(query, (position,)).fetchone()[0]
        return instant

    def read(self, after: int, limit: int, through: int | None = None) -> Sequence[StoredRecord]:
        """Return up to `limit` records after a position, in order, none above `through`."""
        return self._records(_READ, after, _through(through), limit)

    def read_streams(
        self, streams: Iterable[str], through: int | None = None
    ) -> Mapping[str, Sequence[StoredRecord]]:
        """Return the records of each stream, in order; an empty sequence for an empty one."""
        last = _through(through)
        with self.database.snapshot() as connection:
            return {
                stream: [
                    *map(StoredRecord._make, connection.execute(_READ_STREAM, (stream, last)))
                ]
                for stream in streams
            }

    def read_customers(
        self, customer_ids: Iterable[str], through: int | None = None
    ) -> Sequence[StoredRecord]:
        """Return all records of the customers, in position order."""
        return self._records(_READ_CUSTOMERS, json.dumps([*customer_ids]), _through(through))

    def held(self, keys: Iterable[str]) -> Mapping[str, Held]:
        """Return what is held under those keys that are claimed."""
        with self.database.connection() as connection:
            rows = connection.execute(_HELD, (json.dumps([*keys]),)).fetchall()
        return {key: Held(position, content) for key, position, content in rows}

    def latest_occurred_on(self) -> str | None:
        """Return the latest business date recorded (ISO), None on an empty ledger."""
        with self.database.connection() as connection:
            latest = connection.execute("SELECT latest_occurred_on FROM counter").fetchone()[0]
        return latest or None

    def wait(self, after: int, timeout_seconds: float) -> int:
        """Poll until something lies after the position, or the time is up; return position()."""
        deadline = time.monotonic() + timeout_seconds
        while (position := self.position()) <= after:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(POLL_SECONDS, left))
        return position

    def close(self) -> None:
        """Close the database."""
        self.datastore.close()
        self.database.close()

    def _records(self, query: str, *parameters: str | int) -> Sequence[StoredRecord]:
        with self.database.connection() as connection:
            return [*map(StoredRecord._make, connection.execute(query, parameters))]


class Factory(SQLiteFactory):
    """What the library's `Application` looks for: `PERSISTENCE_MODULE` is this module.

    The environment names an initialised ledger: `GUANXI_LEDGER=sqlite:PATH`.
    """

    def __init__(self, env: Any) -> None:  # noqa: ANN401 - the library's own union
        InfrastructureFactory.__init__(self, env)
        database = open_database(self.env.get(LEDGER_URL) or "")
        assert isinstance(database, SQLiteDatabase)
        self.store = SQLiteEventStore(database)

    def application_recorder(self) -> SQLiteEventStore:
        """Return the store."""
        return self.store

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def _through(through: int | None) -> int:
    return _POSITION_MAX if through is None else through


def _check_versions(connection: sqlite3.Connection, batch: Batch) -> list[int]:
    """Return the version of each stream. Raises `ConflictError` where another was required."""
    found = connection.execute(_VERSIONS, (json.dumps(batch.streams),))
    versions = [version or 0 for (version,) in found]
    for stream, required, version in zip(batch.streams, batch.required, versions, strict=True):
        if required not in (None, version):
            message = f"{stream} is at version {version}, not {required}"
            raise ConflictError(message)
    return versions


def _advance(connection: sqlite3.Connection, batch: Batch, now: Instant) -> tuple[int, Instant]:
    """Move the counter over the batch; return the position and the instant before its first."""
    count = len(batch.nth)
    query = "SELECT position, recorded_at, latest_occurred_on FROM counter"
    position, last_recorded_at, latest = connection.execute(query).fetchone()
    recorded_before = max(now, last_recorded_at + 1) - 1
    connection.execute(
        "UPDATE counter SET position = ?, recorded_at = ?, latest_occurred_on = ?",
        (position + count, recorded_before + count, max(latest, batch.latest_occurred_on)),
    )
    return position, recorded_before


def _claim(connection: sqlite3.Connection, batch: Batch, before: int) -> None:
    first = before + 1
    replaced = connection.executemany(
        "UPDATE claim SET content = ?, position = ? WHERE key = ? AND content = ?",
        [(c.content, first + c.record, c.key, c.replaces) for c in batch.replacing],
    )
    if batch.replacing and replaced.rowcount != len(batch.replacing):
        message = "a claim to replace holds something else"
        raise ConflictError(message)
    try:
        connection.executemany(
            "INSERT INTO claim VALUES (?, ?, ?)",
            [(c.key, first + c.record, c.content) for c in batch.free],
        )
    except sqlite3.IntegrityError as error:
        message = "a claim is held already"
        raise ConflictError(message) from error


def _rows(
    records: Sequence[NewRecord],
    batch: Batch,
    versions: Sequence[int],
    before: int,
    recorded_before: Instant,
) -> list[tuple[Any, ...]]:
    places = zip(records, batch.stream_index, batch.nth, strict=True)
    return [
        (
            before + n,
            record.id,
            record.type,
            record.version,
            record.stream,
            versions[index] + nth,
            record.customer_id,
            record.occurred_on,
            record.occurred_at,
            recorded_before + n,
            record.actor,
            record.source,
            record.correlation_id,
            record.causation_id,
            record.data,
        )
        for n, (record, index, nth) in enumerate(places, start=1)
    ]
