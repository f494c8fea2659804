"""The peer of a rebuild: the library's `ProjectionRunner` over its own PostgreSQL recorders.

It reads the same canonical bytes and keeps the last row of each key, a single upsert: less than
our folds do.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, StoredEvent, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Composed

from benchmarks import library
from infra.codec import canonical, decode
from projections.folding import key_of

if TYPE_CHECKING:
    from benchmarks.figures import Rate
    from consumers.event_store import EventStore
    from domain.record import Recorded
    from tests.servers.postgresql import PostgresqlServer

TIMEOUT_SECONDS = 300.0
_TABLE = SQL("""CREATE TABLE IF NOT EXISTS relationship_row (
    customer_id text, kind text, id text, value text, PRIMARY KEY (customer_id, kind, id))""")
_PUT = b"""INSERT INTO relationship_row VALUES (%b, %b, %b, %b)
    ON CONFLICT (customer_id, kind, id) DO UPDATE SET value = excluded.value"""


class Rows(PostgresTrackingRecorder):
    """The view: rows and the tracking record change in one transaction, as the library does it."""

    def __init__(self, datastore: PostgresDatastore, **told: Any) -> None:  # noqa: ANN401  # the library's
        super().__init__(datastore, **told)
        self.sql_create_statements.append(Composed([_TABLE]))

    def put(self, row: tuple[str, str, str, str], tracking: Tracking) -> None:
        """Store a row and how far that is."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(_PUT, row, prepare=True)


class CanonicalMapper(Mapper[UUID]):
    """Reads our canonical bytes with our codec: the library's JSON would be slower."""

    def to_domain_event(self, stored_event: StoredEvent) -> Any:  # noqa: ANN401  # the library's own
        """Return the event and its envelope."""
        return decode(stored_event.state)


class Book(Application[UUID]):
    """An application that only records."""

    def construct_mapper(self) -> Mapper[UUID]:
        """Return our mapper."""
        return self.factory.mapper(self.construct_transcoder(), mapper_class=CanonicalMapper)


class LastRows(Projection[Rows]):
    """Keeps the last event's row of each key."""

    def process_event(self, domain_event: Recorded, tracking: Tracking) -> None:
        """Put the row."""
        key = key_of(domain_event)
        if key is not None:
            self.view.put((*key, domain_event.occurred_on.isoformat()), tracking)


def projected(server: PostgresqlServer, store: EventStore, events: int) -> Rate:
    """Run over the ledger's latest events until the view has them all; return events a second."""
    records = store.read(store.position() - events, events)
    with server.fresh_database() as url:
        environment = library.postgresql_environment(url)
        book = Book(environment)
        book.recorder.insert_events(
            [
                StoredEvent(uuid5(NAMESPACE_OID, r.stream), r.stream_version, r.type, canonical(r))
                for r in records
            ]
        )
        book.close()
        begun = time.perf_counter()
        with ProjectionRunner(
            application_class=Book, projection_class=LastRows, view_class=Rows, env=environment
        ) as runner:
            runner.wait(events, timeout=TIMEOUT_SECONDS)
            seconds = time.perf_counter() - begun
    return events / seconds
