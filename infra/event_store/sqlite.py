"""The event store in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)

from consumers.event_store import ConflictError, Held, StoredRecord
from infra.clock import wall_clock
from infra.databases import SQLiteDatabase, open_database
from infra.event_store.batch import check_size, prepare, rotated
from infra.event_store.meta import read_meta
from infra.event_store.recorder import LEDGER_URL, LedgerRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from consumers.event_store import Append, NewRecord
    from domain.values import Instant
    from infra.event_store.batch import Batch

POLL_SECONDS = 0.004

_COLUMNS = ", ".join(StoredRecord._fields)
_INSERT = f"INSERT INTO event VALUES ({', '.join('?' * (len(StoredRecord._fields) + 2))})"  # noqa: S608 - constants
_READ = f"SELECT {_COLUMNS} FROM event WHERE position > ? AND position <= ? LIMIT ?"  # noqa: S608 - constants
# From the last event of a stream, or of customers, back to the first.
_CHAIN = f"""
WITH RECURSIVE chain (at) AS (
    SELECT position FROM {{heads}}
    UNION ALL SELECT {{previous}} FROM chain JOIN event ON position = at WHERE {{previous}} > 0
)
SELECT {_COLUMNS} FROM chain CROSS JOIN event ON position = at
WHERE position <= ? ORDER BY position
"""  # noqa: S608 - constants
_READ_STREAM = _CHAIN.format(heads="stream WHERE name = ?", previous="stream_previous")
_READ_CUSTOMERS = _CHAIN.format(
    heads="customer WHERE customer_id IN (SELECT value FROM json_each(?))",
    previous="customer_previous",
)
_STREAMS = (
    "SELECT name, version, position FROM stream WHERE name IN (SELECT value FROM json_each(?))"
)
_CUSTOMERS = (
    "SELECT customer_id, position FROM customer"
    " WHERE customer_id IN (SELECT value FROM json_each(?))"
)
_HELD = "SELECT key, position, content FROM claim WHERE key IN (SELECT value FROM json_each(?))"
_COUNT_TYPES = (
    "SELECT type, count(*) FROM event WHERE position > ? AND position <= ? GROUP BY type"
)
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
            streams = _streams(connection, prepared)
            before, recorded_before = _advance(connection, prepared, self._clock())
            _claim(connection, prepared, before)
            customers = _customers(connection, batch.records)
            rows = _rows(batch.records, (before, recorded_before), streams, customers)
            for size, row in zip(prepared.sizes, rows, strict=False):  # no sizes: all are small
                check_size(size, position=row[0], stream_version=row[5], recorded_at=row[9])
            connection.executemany(_INSERT, rows)
            _move_heads(connection, streams, customers, before)
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
            rows = connection.execute(_HELD, (json.dumps([*map(rotated, keys)]),)).fetchall()
        return {rotated(key): Held(position, content) for key, position, content in rows}

    def count_types(self, after: int, through: int) -> Mapping[str, int]:
        """Return how many records of each type lie after a position, none above `through`."""
        with self.database.connection() as connection:
            return dict(connection.execute(_COUNT_TYPES, (after, through)).fetchall())

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

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the library's form of a stream's events, those of the versions in (gt, lte]."""
        first, last = gt or 0, _through(lte)
        records = self.read_streams([str(originator_id)])[str(originator_id)]
        chosen = [
            StoredEvent(record.stream, record.stream_version, record.type, record.data)
            for record in records
            if first < record.stream_version <= last
        ]
        return chosen[:: -1 if desc else 1][:limit]

    def close(self) -> None:
        """Close the database."""
        self.datastore.close()
        self.database.close()

    def _records(self, query: str, *parameters: str | int) -> Sequence[StoredRecord]:
        with self.database.connection() as connection:
            return [*map(StoredRecord._make, connection.execute(query, parameters))]


class Factory(SQLiteFactory):
    """What the library's `Application` takes as its `PERSISTENCE_MODULE`: this class's topic.

    The environment names an initialised ledger: `GUANXI_LEDGER=sqlite:PATH`.
    """

    def __init__(self, env: Any) -> None:  # noqa: ANN401 - the library's own union
        InfrastructureFactory.__init__(self, env)
        database = open_database(self.env.get(LEDGER_URL) or "")
        assert isinstance(database, SQLiteDatabase)
        self.store = SQLiteEventStore(database)
        self.datastore = self.store.datastore

    def application_recorder(self) -> SQLiteEventStore:
        """Return the store."""
        return self.store

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def _through(through: int | None) -> int:
    return _POSITION_MAX if through is None else through


def _streams(connection: sqlite3.Connection, batch: Batch) -> dict[str, tuple[int, int]]:
    """Return version and last position of each stream. Raises `ConflictError`."""
    heads = dict.fromkeys(batch.streams, (0, 0))
    for name, version, position in connection.execute(_STREAMS, (json.dumps(batch.streams),)):
        heads[name] = version, position
    for stream, required in zip(batch.streams, batch.required, strict=True):
        version, _ = heads[stream]
        if required not in (None, version):
            message = f"{stream} is at version {version}, not {required}"
            raise ConflictError(message)
    return heads


def _customers(connection: sqlite3.Connection, records: Sequence[NewRecord]) -> dict[str, int]:
    """Return the last position of each customer."""
    heads = dict.fromkeys((record.customer_id for record in records), 0)
    heads.update(connection.execute(_CUSTOMERS, (json.dumps([*heads]),)))
    return heads


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
        [(c.content, first + c.record, rotated(c.key), c.replaces) for c in batch.replacing],
    )
    if batch.replacing and replaced.rowcount != len(batch.replacing):
        message = "a claim to replace holds something else"
        raise ConflictError(message)
    try:
        connection.executemany(
            "INSERT INTO claim VALUES (?, ?, ?)",
            [(rotated(c.key), first + c.record, c.content) for c in batch.free],
        )
    except sqlite3.IntegrityError as error:
        message = "a claim is held already"
        raise ConflictError(message) from error


def _rows(
    records: Sequence[NewRecord],
    before: tuple[int, Instant],
    streams: dict[str, tuple[int, int]],
    customers: dict[str, int],
) -> list[tuple[Any, ...]]:
    """Return the rows to insert, and move the heads in the two dicts on to them."""
    rows = []
    position, recorded_at = before
    for record in records:
        position += 1
        recorded_at += 1
        version, stream_previous = streams[record.stream]
        streams[record.stream] = version + 1, position
        customer_previous = customers[record.customer_id]
        customers[record.customer_id] = position
        rows.append(
            (
                position,
                record.id,
                record.type,
                record.version,
                record.stream,
                version + 1,
                record.customer_id,
                record.occurred_on,
                record.occurred_at,
                recorded_at,
                record.actor,
                record.source,
                record.correlation_id,
                record.causation_id,
                record.data,
                stream_previous,
                customer_previous,
            )
        )
    return rows


def _move_heads(
    connection: sqlite3.Connection,
    streams: dict[str, tuple[int, int]],
    customers: dict[str, int],
    before: int,
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO stream VALUES (?, ?, ?)",
        [(name, *head) for name, head in streams.items() if head[1] > before],
    )
    connection.executemany("INSERT OR REPLACE INTO customer VALUES (?, ?)", customers.items())
