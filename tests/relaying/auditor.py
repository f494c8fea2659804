"""Reads the topics with confluent-kafka, as a consumer of the contract would, and tells faults.

A record at or below the last one applied of its partition is dropped; one whose `ce_previous`
is that last one is applied; any other is left aside.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgpack
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from consumers.topics import event_topics, progress_topic
from infra.codec import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.event_store import EventStore

READ_TIMEOUT_SECONDS = 60.0


@dataclass
class Audit:
    """What the auditor found in the topics."""

    applied: dict[int, bytes] = field(default_factory=dict)  # position → value
    arrived_ms: dict[int, int] = field(default_factory=dict)  # position → its first arrival
    chains: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    dropped: int = 0
    left_aside: int = 0
    horizons: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # arrival, value


def stamp_arrivals(bootstrap: str, prefix: str) -> None:
    """Have the broker stamp each record when it arrives: its clock orders events and horizons."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    resources = [
        ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        for topic in (*event_topics(prefix), progress_topic(prefix))
    ]
    for done in admin.incremental_alter_configs(resources).values():
        done.result(30)


def audit(bootstrap: str, prefix: str, partitions: int) -> Audit:
    """Read the topics from their start to their present end."""
    found = Audit()
    for topic in event_topics(prefix):
        for partition in range(partitions):
            chain = found.chains[topic, partition] = [0]
            for message in _read(bootstrap, topic, partition):
                _apply(found, chain, message)
            del chain[0]
    for message in _read(bootstrap, progress_topic(prefix), 0):
        assert message.key() == b"horizon"
        found.horizons.append((message.timestamp()[1], msgpack.unpackb(message.value())))
    return found


def assert_complete(found: Audit, store: EventStore) -> None:
    """Every record of the ledger lies in the topics: once, in order, byte for byte."""
    end = store.position()
    assert sorted(found.applied) == list(range(1, end + 1))
    assert all(chain == sorted(chain) for chain in found.chains.values())
    for after in range(0, end, 1_000):
        for record in store.read(after, 1_000):
            assert found.applied[record.position] == canonical(record)


def assert_horizons(found: Audit) -> None:
    """What lies at or below a horizon was there when it was published; `last` is exact."""
    assert found.horizons
    for published_ms, horizon in found.horizons:
        through = horizon["complete_through"]
        late = [p for p in range(1, through + 1) if found.arrived_ms[p] > published_ms]
        assert not late, f"horizon {through} was published before {late[:5]} arrived"
        for (topic, partition), chain in found.chains.items():
            last = max((position for position in chain if position <= through), default=0)
            assert horizon["last"][topic][partition] == last


def _apply(found: Audit, chain: list[int], message: Any) -> None:  # noqa: ANN401  # not typed
    headers = dict(message.headers())
    position, previous = int(headers["ce_position"]), int(headers["ce_previous"])
    if previous == chain[-1] or position <= chain[-1]:
        found.arrived_ms.setdefault(position, message.timestamp()[1])
    if position <= chain[-1]:
        found.dropped += 1
    elif previous == chain[-1]:
        assert position not in found.applied, f"position {position} lies in two partitions"
        found.applied[position] = message.value()
        chain.append(position)
    else:
        found.left_aside += 1


def _read(bootstrap: str, topic: str, partition: int) -> Iterator[Any]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "auditor", "enable.auto.commit": False}
    )
    try:
        start = TopicPartition(topic, partition, 0)
        _low, end = consumer.get_watermark_offsets(start, timeout=30)
        consumer.assign([start])
        offset, deadline = 0, time.monotonic() + READ_TIMEOUT_SECONDS
        while offset < end:
            message = consumer.poll(1.0)
            assert time.monotonic() < deadline, f"{topic} {partition} ends at {offset}, not {end}"
            if message is not None and message.error() is None:
                offset = message.offset() + 1
                yield message
    finally:
        consumer.close()
