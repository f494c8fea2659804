"""The event store in a PostgreSQL database: the append is one call of `append.sql`."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import psycopg
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresFactory,
)
from psycopg.rows import dict_row, tuple_row

from consumers.event_store import (
    RECORD_BYTES_MAX,
    ConflictError,
    Held,
    RecordTooLargeError,
    StoredRecord,
)
from infra.clock import wall_clock
from infra.databases import PostgreSQLDatabase, open_database
from infra.event_store.batch import prepare, rotated
from infra.event_store.meta import read_meta
from infra.event_store.recorder import LEDGER_URL, LedgerRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from psycopg.abc import Params

    from consumers.event_store import Append
    from domain.values import Instant
    from infra.event_store.batch import Batch

POLL_SECONDS = 0.25  # a notification that got lost delays a reader by this much
CONFLICT, TOO_LARGE = "GX001", "GX002"  # as raised in append.sql

_COLUMNS = ", ".join(StoredRecord._fields)
_APPEND = b"""SELECT append_events(
    %t::text[], %t::int[],
    %t::text[], %t::text[], %t::int[], %t::int[], %t::int[],
    %t::text[], %t::text[], %t::text[], %t::bigint[],
    %t::text[], %t::text[], %t::text[], %t::text[], %b::bytea[],
    %t::text[], %b::bytea[], %t::int[],
    %t::text[], %b::bytea[], %t::int[], %b::bytea[],
    %t::int[], %b::int, %b::text, %b::bigint
)"""
_READ = (
    f"SELECT {_COLUMNS} FROM event WHERE position > %b AND position <= %b"  # noqa: S608 - constants
    " ORDER BY position LIMIT %b"
).encode()
_READ_STREAMS = (
    f"SELECT {_COLUMNS} FROM event WHERE stream = any(%b) AND position <= %b ORDER BY position"  # noqa: S608 - constants
).encode()
_READ_CUSTOMERS = _READ_STREAMS.replace(b"WHERE stream", b"WHERE customer_id")
_HELD = b"SELECT key, position, content FROM claim WHERE key = any(%b)"
_COUNT_TYPES = (
    b"SELECT type, count(*) FROM event WHERE position > %b AND position <= %b GROUP BY type"
)
_POSITION_MAX = (1 << 63) - 1


class PostgreSQLLedgerDatastore(PostgresDatastore):
    """The library's datastore over our pool."""

    def __init__(self, database: PostgreSQLDatabase) -> None:
        super().__init__("", "", "", "", "", originator_id_type="text")  # its pool stays shut
        self.database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def register_type_adapters(self) -> None:
        """Do nothing: no composite types, for psycopg dumps them as text."""

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """Lend a connection whose rows have names, as the library expects."""
        with self.database.connection() as connection:
            connection.row_factory = dict_row  # type: ignore[assignment]  # for this loan only
            try:
                yield connection  # type: ignore[misc]  # its rows are dicts now
            finally:
                connection.row_factory = tuple_row


class PostgreSQLEventStore(LedgerRecorder, PostgresApplicationRecorder):
    """The `EventStore` port, and a recorder of the library, on tables of our own."""

    def __init__(
        self, database: PostgreSQLDatabase, clock: Callable[[], Instant] = wall_clock
    ) -> None:
        super().__init__(PostgreSQLLedgerDatastore(database))
        self.database = database
        self.meta = read_meta(database)
        self._clock = clock

    def create_table(self) -> None:
        """Do nothing: the tables are made once, by `initialise`."""

    def append(self, batch: Append) -> range:
        """Record a batch whole: see `EventStore.append`."""
        if not batch.records:
            assert not batch.claims
            return range(0)
        parameters = _parameters(batch, prepare(batch), self._clock())
        with self.database.connection() as connection, _refusals():
            found = connection.execute(_APPEND, parameters, prepare=True).fetchone()
        assert found is not None
        last: int = found[0]
        return range(last - len(batch.records) + 1, last + 1)

    def position(self) -> int:
        """Return the position of the last record, 0 where there is none."""
        [(position,)] = self._rows(b"SELECT position FROM counter")
        assert isinstance(position, int)
        return position

    def recorded_at(self, position: int) -> Instant:
        """Return when the record at a position was recorded."""
        [(instant,)] = self._rows(
            b"SELECT recorded_at FROM event WHERE position = %b", (position,)
        )
        assert isinstance(instant, int)
        return instant

    def read(self, after: int, limit: int, through: int | None = None) -> Sequence[StoredRecord]:
        """Return up to `limit` records after a position, in order, none above `through`."""
        return self._records(_READ, after, _through(through), limit)

    def read_streams(
        self, streams: Iterable[str], through: int | None = None
    ) -> Mapping[str, Sequence[StoredRecord]]:
        """Return the records of each stream, in order; an empty sequence for an empty one."""
        found: dict[str, list[StoredRecord]] = {stream: [] for stream in streams}
        for record in self._records(_READ_STREAMS, [*found], _through(through)):
            found[record.stream].append(record)
        return found

    def read_customers(
        self, customer_ids: Iterable[str], through: int | None = None
    ) -> Sequence[StoredRecord]:
        """Return all records of the customers, in position order."""
        return self._records(_READ_CUSTOMERS, [*customer_ids], _through(through))

    def held(self, keys: Iterable[str]) -> Mapping[str, Held]:
        """Return what is held under those keys that are claimed."""
        rows = self._rows(_HELD, ([*map(rotated, keys)],))
        return {rotated(key): Held(position, content) for key, position, content in rows}

    def count_types(self, after: int, through: int) -> Mapping[str, int]:
        """Return how many records of each type lie after a position, none above `through`."""
        return dict(self._rows(_COUNT_TYPES, (after, through)))

    def latest_occurred_on(self) -> str | None:
        """Return the latest business date recorded (ISO), None on an empty ledger."""
        [(latest,)] = self._rows(b"SELECT latest_occurred_on FROM counter")
        assert isinstance(latest, str)
        return latest or None

    def wait(self, after: int, timeout_seconds: float) -> int:
        """Wait until something lies after the position, or the time is up; return position().

        Notifications wake it early; should one get lost, it polls.
        """
        deadline = time.monotonic() + timeout_seconds
        with self.database.connection() as connection:
            connection.execute("LISTEN stored_events")
            try:
                while (position := _position(connection)) <= after:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        break
                    for _ in connection.notifies(timeout=min(POLL_SECONDS, left), stop_after=1):
                        pass
            finally:
                if not connection.closed:
                    connection.execute("UNLISTEN *")
        return position

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _rows(self, query: bytes, parameters: Params = ()) -> list[tuple[Any, ...]]:
        with self.database.connection() as connection:
            return (
                connection.cursor(binary=True).execute(query, parameters, prepare=True).fetchall()
            )

    def _records(self, query: bytes, *parameters: object) -> list[StoredRecord]:
        return [*map(StoredRecord._make, self._rows(query, parameters))]


class Factory(PostgresFactory):
    """What the library's `Application` takes as its `PERSISTENCE_MODULE`: this class's topic.

    The environment names an initialised ledger: `GUANXI_LEDGER=postgresql://…`.
    """

    def __init__(self, env: Any) -> None:  # noqa: ANN401 - the library's own union
        InfrastructureFactory.__init__(self, env)
        database = open_database(self.env.get(LEDGER_URL) or "")
        assert isinstance(database, PostgreSQLDatabase)
        self.store = PostgreSQLEventStore(database)
        self.datastore = self.store.datastore

    def application_recorder(self) -> PostgreSQLEventStore:
        """Return the store."""
        return self.store

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def _through(through: int | None) -> int:
    return _POSITION_MAX if through is None else through


def _position(connection: psycopg.Connection) -> int:
    found = connection.execute("SELECT position FROM counter", prepare=True).fetchone()
    assert found is not None
    position: int = found[0]
    return position


def _parameters(append: Append, batch: Batch, now: Instant) -> tuple[object, ...]:
    """Return the arguments of `append_events`, in its order; no claims, no array to send."""
    records, free, replacing = append.records, batch.free, batch.replacing
    return (
        _texts(batch.streams),
        _integers(batch.required),
        _texts([r.id for r in records]),
        _texts([r.type for r in records]),
        _integers([r.version for r in records]),
        _integers(batch.stream_index),
        _integers(batch.nth),
        _texts([r.stream for r in records]),
        _texts([r.customer_id for r in records]),
        _texts([r.occurred_on for r in records]),
        _integers([r.occurred_at for r in records]),
        _texts([r.actor for r in records]),
        _texts([r.source for r in records]),
        _texts([r.correlation_id for r in records]),
        _texts([r.causation_id for r in records]),
        [r.data for r in records],
        _texts([rotated(c.key) for c in free]),
        [c.content for c in free] or None,
        _integers([c.record for c in free]),
        _texts([rotated(c.key) for c in replacing]),
        [c.content for c in replacing] or None,
        _integers([c.record for c in replacing]),
        [c.replaces for c in replacing] or None,
        _integers(batch.sizes),
        RECORD_BYTES_MAX,
        batch.latest_occurred_on,
        now,
    )


def _integers(values: Sequence[int | None]) -> str | None:
    """Return an array as PostgreSQL reads it, None for an empty one.

    Given a list, psycopg looks at each value: with 16 lists most of an append's time went there.
    """
    if not values:
        return None
    return "{" + ",".join("NULL" if v is None else str(v) for v in values) + "}"


def _texts(values: Sequence[str | None]) -> str | None:
    """Return an array as PostgreSQL reads it, None for an empty one."""
    if not values:
        return None
    return "{" + ",".join("NULL" if v is None else _quoted(v) for v in values) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        message = "a claim is held already"
        raise ConflictError(message) from error
    except psycopg.DatabaseError as error:
        primary = error.diag.message_primary
        if error.sqlstate == CONFLICT:
            raise ConflictError(primary) from error
        if error.sqlstate == TOO_LARGE:
            raise RecordTooLargeError(primary) from error
        raise
