"""A ledger in PostgreSQL, its topics, and the processes around it."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from consumers.event_store import Append, NewRecord, StoreUnavailableError
from consumers.projector import Projector
from consumers.rebuild import following
from infra.clock import wall_clock
from infra.codec import decode
from infra.databases import open_database
from infra.event_store.ledger import initialise, open_store
from infra.kafka.topics import KafkaTopics
from infra.log_source import LogSource
from infra.relay_cursor import DDL
from infra.views import postgresql, sqlite
from infra.views.opening import open_views
from infra.views.sqlite import SQLiteViews
from projections.projection import PROJECTIONS
from tests.clustering import projector
from tests.deliveries import stored
from tests.relaying import process as relay

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from consumers.views import Digest
    from domain.catalogue import Event
    from infra.databases import Database
    from infra.views.sql import SQLViews

PARTITIONS = 6
PATIENCE_SECONDS = 240.0
APPEND_RECORDS = 2_000
_GIVEN_BY_THE_STORE = ("position", "stream_version", "recorded_at")


class Cluster:
    """A ledger made for a test. What is started in it is killed with it."""

    def __init__(self, url: str, bootstrap: str, prefix: str, closing: ExitStack) -> None:
        self.url, self.bootstrap, self.prefix = url, bootstrap, prefix
        self._closing = closing
        initialise(
            url,
            partitions=PARTITIONS,
            topic_prefix=prefix,
            ddl_postgresql=(*DDL, *postgresql.TABLES),
        )
        KafkaTopics(bootstrap, prefix).create(PARTITIONS)
        self.store = open_store(url)
        closing.callback(self.store.close)
        self.database: Database = open_database(url)
        closing.callback(self.database.close)
        self.views = open_views(self.database)

    def record(self, events: Sequence[Event]) -> None:
        for begin in range(0, len(events), APPEND_RECORDS):
            records = [
                _new(event, n) for n, event in enumerate(events[begin : begin + APPEND_RECORDS])
            ]
            self.store.append(Append(records=records))

    def spawn_relay(self) -> subprocess.Popen[bytes]:
        return self._kept(relay.spawn(self.url, self.bootstrap, "test"))

    def spawn_projector(self) -> subprocess.Popen[bytes]:
        return self._kept(projector.spawn(self.url, self.bootstrap))

    def _kept(self, started: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        self._closing.callback(started.wait)
        self._closing.callback(started.kill)
        return started

    def applied(self) -> list[int]:
        """Return how far each shard of each view is."""
        return [
            lane.progress.through
            for each in PROJECTIONS
            for lane in self.views.lanes(
                self.views.adopt(each.name, each.version, PARTITIONS)
            ).values()
        ]

    def reconnect(self) -> None:
        """Give up the connections that a restart of the database has broken."""

        def is_back() -> bool:
            try:
                return self.store.position() >= 0 and bool(self.applied())
            except StoreUnavailableError:
                return False

        wait_for(is_back, "the database is away")

    def wait_until_all_is_applied(self) -> None:
        end = self.store.position()
        wait_for(lambda: min(self.applied()) == end, f"not all is applied: {end}")

    def digests(self) -> list[Digest]:
        return digests(self.views)


@contextmanager
def cluster_at(url: str, bootstrap: str, prefix: str) -> Iterator[Cluster]:
    with ExitStack() as closing:
        yield Cluster(url, bootstrap, prefix, closing)


def wait_for(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def digests(views: SQLViews) -> list[Digest]:
    return [views.digest(views.live(projection.name)) for projection in PROJECTIONS]


def embedded_digests(cluster: Cluster, folder: Path) -> list[Digest]:
    """Project the same store's log, as the embedded profile does, into a SQLite file."""
    url = f"sqlite:{folder / 'views.db'}"
    initialise(url, ddl_sqlite=sqlite.TABLES)
    with open_database(url) as database:
        views = open_views(database)
        assert isinstance(views, SQLiteViews)
        source = LogSource(cluster.store)
        feeds = following(views, PROJECTIONS, source.shards)
        Projector(source, views, decode, feeds, wall_clock).catch_up()
        return digests(views)


def _new(event: Event, number: int) -> NewRecord:
    record = stored(number, event)._replace(id=str(uuid.uuid4()))._asdict()
    for name in _GIVEN_BY_THE_STORE:
        del record[name]
    return NewRecord(expected_version=None, **record)
