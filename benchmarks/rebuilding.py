"""The relationship view built afresh from Kafka, beside what the libraries do alone."""

from __future__ import annotations

import time
from contextlib import closing
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

    from benchmarks.bench import Bench
    from infra.composition import Parts


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of a rebuild."""
    feed = bench.folder / "feed-to-rebuild"
    write_feed(feed, bench.size.feed_accounts)
    with bench.postgresql_ledger(kafka=True) as settings, opened(settings) as parts:
        ingested(settings, feed)
        relayed(parts, bench.kafka.bootstrap, parts.meta.topic_prefix)
        events = parts.store.position()
        bench.say(f"rebuild of {events:,} events beside {bench.size.runner_events:,} of a runner")
        yield compared(
            "rebuild of the relationship view from Kafka (eventsourcing's ProjectionRunner)",
            30.0,
            bench.size.rounds,
            lambda: rebuilt(parts),
            lambda: projection_runner.projected(bench, parts.store),
        )
        bench.say(f"rebuild of {events:,} events beside a consumer alone")
        yield compared(
            "the same (kafka-python's consumer alone, records dropped)",
            0.35,
            bench.size.rounds,
            lambda: rebuilt(parts),
            lambda: _consumed(bench.kafka.bootstrap, parts),
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
