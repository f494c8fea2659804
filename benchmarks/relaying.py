"""The relay, from the store to Kafka's acknowledgement, beside kafka-python's producer alone."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kafka import KafkaProducer

from benchmarks.bench import PARTITIONS
from benchmarks.figures import Figure, Rate, compared
from benchmarks.ingest import ingested
from benchmarks.material import write_feed
from consumers.event_store import READ_RECORDS_MAX
from consumers.relay import IN_FLIGHT_RECORDS_MAX, Relay, RelayPorts
from consumers.topics import event_topic
from domain.catalogue import BY_NAME
from infra.clock import wall_clock
from infra.codec import canonical
from infra.composition import opened
from infra.kafka.publisher import BATCH_BYTES, LINGER_MS, KafkaPublisher, partition_of
from infra.kafka.topics import KafkaTopics
from infra.kafka.wire import Headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench
    from consumers.event_store import StoredRecord
    from infra.composition import Parts


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of the relay."""
    feed = bench.folder / "feed-to-relay"
    write_feed(feed, bench.size.feed_accounts)
    with bench.postgresql_ledger() as settings:
        ingested(settings, feed)
        with opened(settings) as parts:
            events = parts.store.position()
            bench.say(f"relay of {events:,} events")
            yield compared(
                "relay: store to acknowledged in Kafka (kafka-python's producer alone on the "
                "same records)",
                0.5,
                bench.size.rounds,
                lambda: relayed(parts, bench.kafka.bootstrap),
                lambda: _produced(parts, bench.kafka.bootstrap, headers=True),
            )
            yield compared(
                "the same (the producer alone on the same keys and values, no headers)",
                None,
                bench.size.rounds,
                lambda: relayed(parts, bench.kafka.bootstrap),
                lambda: _produced(parts, bench.kafka.bootstrap, headers=False),
            )


def relayed(parts: Parts, bootstrap: str, prefix: str | None = None) -> Rate:
    """Relay a ledger from its first event on, into new topics; return its events a second."""
    prefix = prefix or _new_topics(bootstrap)
    stop = threading.Event()
    clock = _Clock(parts.store.position(), stop)
    ports = RelayPorts(
        store=parts.store,
        cursor=parts.relay_cursor,
        topics=KafkaTopics(bootstrap, prefix),
        publisher=lambda: KafkaPublisher(bootstrap, prefix, parts.meta.ledger_id, canonical),
        canonical=canonical,
        observer=clock,
        clock=wall_clock,
    )
    relay = Relay(ports=ports, prefix=prefix, partitions=PARTITIONS, name="bench")
    relay.run(stop, republish=True)
    return clock.end / (clock.ended - clock.begun)


@dataclass(slots=True)
class _Clock:
    """The relay's observer: takes the time from its election to the last acknowledgement."""

    end: int
    stop: threading.Event
    begun: float = 0.0
    ended: float = field(default=0.0)

    def published(self, topic: str, records: int) -> None:
        """Do nothing."""

    def position(self, position: int, lag_events: int, *, heard: bool) -> None:  # noqa: ARG002  # the port's
        """Stop at the end."""
        if position >= self.end and not self.ended:
            self.ended = time.perf_counter()
            self.stop.set()

    def leader(self, *, leads: bool) -> None:
        """Begin."""
        if leads:
            self.begun = time.perf_counter()

    def stands_by(self) -> None:
        """Measure nothing: there is one relay."""

    def fault(self, error: Exception, wait_seconds: float) -> None:  # noqa: ARG002  # the port's
        """Measure nothing beside an outage."""
        raise error


def _produced(parts: Parts, bootstrap: str, *, headers: bool) -> Rate:
    """Send the same records from memory, with the relay's settings and its bound."""
    prefix = _new_topics(bootstrap)
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        batch_size=BATCH_BYTES,
        linger_ms=LINGER_MS,
        metrics_enabled=False,
    )
    for name in {event_topic(prefix, each.family) for each in BY_NAME.values()}:
        producer.partitions_for(name)
    messages = [*_messages(parts, prefix, headers=headers)]
    futures = []
    begun = time.perf_counter()
    for sent, (topic, value, key, head, partition) in enumerate(messages):
        futures.append(producer.send(topic, value, key, head, partition))
        if sent >= IN_FLIGHT_RECORDS_MAX:
            futures[sent - IN_FLIGHT_RECORDS_MAX].get()
    producer.flush()
    assert all(future.succeeded() for future in futures)
    seconds = time.perf_counter() - begun
    producer.close()
    return len(messages) / seconds


def _messages(
    parts: Parts, prefix: str, *, headers: bool
) -> Iterator[tuple[str, bytes, bytes, list[tuple[str, bytes]] | None, int]]:
    made = Headers(parts.meta.ledger_id)
    for record in _all(parts):
        yield (
            event_topic(prefix, BY_NAME[record.type].family),
            canonical(record),
            record.customer_id.encode(),
            made.of(record, record.position - 1) if headers else None,
            partition_of(record.customer_id, PARTITIONS),
        )


def _all(parts: Parts) -> Iterator[StoredRecord]:
    after = 0
    while page := parts.store.read(after, READ_RECORDS_MAX):
        yield from page
        after = page[-1].position


def _new_topics(bootstrap: str) -> str:
    prefix = f"bench-{uuid.uuid4().hex[:12]}"
    KafkaTopics(bootstrap, prefix).create(PARTITIONS)
    return prefix
