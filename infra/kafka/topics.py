"""The topics in a Kafka cluster: made once, and their ends."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from consumers.topics import KafkaUnavailableError, Tail, event_topics, progress_topic
from infra.kafka.connection import connection, outages
from infra.kafka.wire import POSITION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consumers.topics import Positions

REPLICATION = 3  # copies of a partition, where there are as many brokers
MIN_IN_SYNC_REPLICAS = 2
ANSWER_TIMEOUT_SECONDS = 30.0
LATE_RECORDS_MAX = 20_000  # of a relay that was replaced, behind the true end of a partition
# The progress topic is read from its start: small segments keep what is not compacted small.
PROGRESS_SEGMENT_BYTES = 4 * 1024 * 1024


class KafkaTopics:
    """The topics with one prefix.

    `replication` is None for three copies, or one where there are fewer than three brokers.
    """

    def __init__(self, bootstrap: str, prefix: str, replication: int | None = None) -> None:
        self._bootstrap = bootstrap
        self.names: Sequence[str] = (*event_topics(prefix), progress_topic(prefix))
        self._replication = replication

    def create(self, partitions: int) -> Sequence[str]:
        """Create the topics that are missing and return their names."""
        with outages(self._bootstrap), closing(self._admin()) as admin:
            there = set(admin.list_topics())
            copies = self._copies(len(admin.describe_cluster()["brokers"]))
            *events, progress = self.names
            wanted = dict.fromkeys(events, _event_topic(partitions, copies))
            wanted[progress] = _progress_topic(copies)
            missing = {name: topic for name, topic in wanted.items() if name not in there}
            if missing:
                admin.create_topics(missing, wait_for_metadata=True)
            return tuple(missing)

    def partitions(self) -> Mapping[str, int]:
        """Return the number of partitions of each topic there is."""
        with outages(self._bootstrap), closing(self._admin()) as admin:
            there = [name for name in admin.list_topics() if name in self.names]
            described = admin.describe_topics(there) if there else []
            return {topic["name"]: len(topic["partitions"]) for topic in described}

    def tails(self, last: Positions) -> Mapping[tuple[str, int], Tail]:
        """Return the last record of each partition that is not empty."""
        with (
            outages(self._bootstrap),
            closing(self._consumer()) as consumer,
        ):
            found = self._ends(consumer, _assigned(last), records=1)
            behind = [tp for tp in found if found[tp].position < last[tp.topic][tp.partition]]
            found.update(self._ends(consumer, behind, records=LATE_RECORDS_MAX))
            return {(tp.topic, tp.partition): tail for tp, tail in found.items()}

    def _ends(
        self, consumer: KafkaConsumer, assigned: Sequence[TopicPartition], records: int
    ) -> dict[TopicPartition, Tail]:
        """Return the highest of the last records of each partition."""
        if not assigned:
            return {}
        consumer.assign(assigned)
        starts = consumer.beginning_offsets(assigned)
        ends = consumer.end_offsets(assigned)
        reading = {tp for tp in assigned if ends[tp] > starts[tp]}
        consumer.assign(list(reading))
        for tp in reading:
            consumer.seek(tp, max(starts[tp], ends[tp] - records))
        tails: dict[TopicPartition, Tail] = {}
        lying = {tp: ends[tp] - starts[tp] for tp in reading}
        deadline = time.monotonic() + ANSWER_TIMEOUT_SECONDS
        while reading:
            for tp, page in consumer.poll(timeout_ms=100).items():
                tails[tp] = max(
                    (*(_tail(r, lying[tp]) for r in page), *_known(tails, tp)), key=_position
                )
            reading = {tp for tp in reading if consumer.position(tp) < ends[tp]}
            if reading and time.monotonic() > deadline:
                message = f"Kafka at {self._bootstrap} does not give the ends of {reading}"
                raise KafkaUnavailableError(message)
        return tails

    def _admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(**connection(self._bootstrap))

    def _consumer(self) -> KafkaConsumer:
        return KafkaConsumer(
            **connection(self._bootstrap), group_id=None, enable_auto_commit=False
        )

    def _copies(self, brokers: int) -> int:
        return self._replication or (REPLICATION if brokers >= REPLICATION else 1)


def _event_topic(partitions: int, copies: int) -> dict[str, object]:
    configs = {"cleanup.policy": "delete", "retention.ms": "-1"}
    return _topic(partitions, copies, configs)


def _progress_topic(copies: int) -> dict[str, object]:
    configs = {"cleanup.policy": "compact", "segment.bytes": str(PROGRESS_SEGMENT_BYTES)}
    return _topic(1, copies, configs)


def _topic(partitions: int, copies: int, configs: dict[str, str]) -> dict[str, object]:
    if copies >= REPLICATION:
        configs["min.insync.replicas"] = str(MIN_IN_SYNC_REPLICAS)
    return {"num_partitions": partitions, "replication_factor": copies, "configs": configs}


def _assigned(last: Positions) -> Sequence[TopicPartition]:
    return [
        TopicPartition(topic, partition)
        for topic, positions in last.items()
        for partition in range(len(positions))
    ]


def _tail(message: Any, records: int) -> Tail:  # noqa: ANN401  # kafka-python is not typed
    return Tail(int(dict(message.headers)[POSITION_HEADER]), message.value, records)


def _known(tails: Mapping[TopicPartition, Tail], tp: TopicPartition) -> Iterable[Tail]:
    return (tails[tp],) if tp in tails else ()


def _position(tail: Tail) -> int:
    return tail.position
