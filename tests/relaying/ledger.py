"""A ledger with records to relay."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING

import msgpack

from consumers.event_store import Append, NewRecord
from consumers.relay import Relay, RelayPorts
from domain.catalogue import EVENT_TYPES
from infra.clock import wall_clock
from infra.codec import canonical
from infra.databases import open_database
from infra.event_store.ledger import initialise, open_store
from infra.kafka.publisher import KafkaPublisher
from infra.kafka.topics import KafkaTopics
from infra.relay_cursor import DDL, open_cursor

if TYPE_CHECKING:
    from consumers.event_store import EventStore
    from consumers.relay import RelayObserver
    from infra.event_store.ledger import LedgerStore

CUSTOMERS = 40
_TYPES = sorted({event_type.family: event_type.name for event_type in EVENT_TYPES}.values())


class SilentObserver:
    """Keeps what a test may want to ask."""

    def __init__(self) -> None:
        self.records: dict[str, int] = {}
        self.reached = 0
        self.leads = False
        self.stood_by = 0
        self.faults: list[Exception] = []
        self.waits_seconds: list[float] = []

    def published(self, topic: str, records: int) -> None:
        self.records[topic] = self.records.get(topic, 0) + records

    def position(self, position: int, lag_events: int, *, heard: bool) -> None:
        del heard
        assert lag_events >= 0
        self.reached = position

    def leader(self, *, leads: bool) -> None:
        self.leads = leads

    def stands_by(self) -> None:
        self.stood_by += 1

    def fault(self, error: Exception, wait_seconds: float) -> None:
        assert wait_seconds > 0
        self.waits_seconds.append(wait_seconds)
        self.faults.append(error)


def make_ledger(url: str, prefix: str, partitions: int) -> LedgerStore:
    """Make a ledger with the relay's table, and open its store."""
    ddl = {"ddl_sqlite": DDL, "ddl_postgresql": DDL}
    initialise(url, partitions=partitions, topic_prefix=prefix, **ddl)
    return open_store(url)


def append(store: EventStore, records: int, seed: int = 0) -> int:
    """Append so many records of all families in one batch; return the last position."""
    chance = random.Random(f"{seed} {store.position()}")  # noqa: S311  # reproducible
    return store.append(Append(records=[_record(chance) for _ in range(records)]))[-1]


def make_relay(url: str, bootstrap: str, name: str, observer: RelayObserver) -> Relay:
    """Return a relay as the composition root makes it."""
    store = open_store(url)
    prefix, ledger_id = store.meta.topic_prefix, store.meta.ledger_id
    ports = RelayPorts(
        store=store,
        cursor=open_cursor(open_database(url)),
        topics=KafkaTopics(bootstrap, prefix),
        publisher=lambda: KafkaPublisher(bootstrap, prefix, ledger_id, canonical),
        canonical=canonical,
        observer=observer,
        clock=wall_clock,
    )
    return Relay(ports=ports, prefix=prefix, partitions=store.meta.partitions, name=name)


def _record(chance: random.Random) -> NewRecord:
    customer_id = f"C{chance.randrange(CUSTOMERS):04d}"
    return NewRecord(
        id=str(uuid.uuid4()),
        type=chance.choice(_TYPES),
        version=1,
        stream=f"relationship-{customer_id}",
        expected_version=None,
        customer_id=customer_id,
        occurred_on="1994-03-31",
        occurred_at=None,
        actor="test",
        source="cli",
        correlation_id=str(uuid.uuid4()),
        causation_id=None,
        data=msgpack.packb({"note": "x" * chance.randrange(200)}),
    )
