"""The relationship view built afresh from Kafka, beside what the libraries do alone."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from threading import Event as Stop
from typing import TYPE_CHECKING

from kafka import KafkaConsumer, TopicPartition

from benchmarks import projection_runner
from benchmarks.bench import PARTITIONS
from benchmarks.figures import Figure, Rate, compared
from benchmarks.ingest import ingested
from benchmarks.material import write_feed
from benchmarks.relaying import relayed
from consumers.rebuild import rebuild
from consumers.topics import event_topics
from infra.clock import wall_clock
from infra.codec import decode
from infra.composition import opened, source_of
from projections.projection import RELATIONSHIP

POLL_RECORDS_MAX = 5_000  # the consumer's other settings are best as they are

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench
    from infra.composition import Parts
    from tests.servers.postgresql import PostgresqlServer


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of a rebuild."""
    feed = bench.folder / "feed-to-rebuild"
    write_feed(feed, bench.size.feed_accounts)
    runner = "rebuild of the relationship view from Kafka (eventsourcing's ProjectionRunner)"
    with _relayed(bench, feed) as parts:
        yield _beside_runner(bench, parts, bench.postgresql, runner, 30.0)
        bench.say("a rebuild beside a consumer alone")
        yield compared(
            "the same (kafka-python's consumer alone, records dropped)",
            0.35,
            bench.size.rounds,
            lambda: rebuilt(parts),
            lambda: _consumed(bench.kafka.bootstrap, parts),
        )
    with _relayed(bench, feed, durable=True) as parts:
        durable = "the same (the ProjectionRunner), PostgreSQL with fsync"
        yield _beside_runner(bench, parts, bench.durable, durable, None)


@contextmanager
def _relayed(bench: Bench, feed: Path, *, durable: bool = False) -> Iterator[Parts]:
    """Lend a ledger of which all events lie in Kafka."""
    with bench.postgresql_ledger(kafka=True, durable=durable) as settings:
        ingested(settings, feed)
        with opened(settings) as parts:
            relayed(parts, bench.kafka.bootstrap, parts.meta.topic_prefix)
            yield parts


def _beside_runner(
    bench: Bench, parts: Parts, server: PostgresqlServer, measured: str, target: float | None
) -> Figure:
    events = bench.size.runner_events
    bench.say(f"rebuild of {parts.store.position():,} events beside {events:,} of a runner")
    return compared(
        measured,
        target,
        bench.size.rounds,
        lambda: rebuilt(parts),
        lambda: projection_runner.projected(server, parts.store, events),
    )


def rebuilt(parts: Parts) -> Rate:
    """Build the view from the first record on, until queries read it; return events a second."""
    begun = time.perf_counter()
    with closing(source_of(parts, all_shards=True)) as source:
        rebuild(source, parts.views, decode, RELATIONSHIP, wall_clock, Stop())
        seconds = time.perf_counter() - begun
    live = parts.views.live(RELATIONSHIP.name)
    events = min(lane.progress.through for lane in parts.views.lanes(live).values())
    assert events == parts.store.position(), "it did not read to the end"
    return events / seconds


def _consumed(bootstrap: str, parts: Parts) -> Rate:
    """Read all event topics and drop every record."""
    begun = time.perf_counter()
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=POLL_RECORDS_MAX,
        metrics_enabled=False,
    )
    topics = event_topics(parts.meta.topic_prefix)
    consumer.assign([TopicPartition(topic, p) for topic in topics for p in range(PARTITIONS)])
    left = events = parts.store.position()
    while left:
        left -= sum(map(len, consumer.poll(timeout_ms=1_000).values()))
    seconds = time.perf_counter() - begun
    consumer.close()
    return events / seconds
