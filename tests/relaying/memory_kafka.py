"""A Kafka in memory that acknowledges when it likes, fails, and kills: driven by a seed.

It judges each horizon at the moment it is published: what lies at or below it must be there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.topics import KafkaUnavailableError, Tail, event_topics, progress_topic
from infra.codec import canonical
from infra.kafka.publisher import partition_of

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from consumers.event_store import StoredRecord
    from consumers.topics import Horizon, Positions


class KilledError(Exception):
    """The relay's process ends here."""


@dataclass(frozen=True)
class Entry:
    position: int
    previous: int
    value: bytes


@dataclass
class MemoryReceipt:
    is_done: bool = False
    fault: bool = False

    def failed(self) -> bool:
        return self.fault


class MemoryKafka:
    """The logs, and the `Topics` port over them."""

    def __init__(self, prefix: str, partitions: int) -> None:
        self.names: Sequence[str] = (*event_topics(prefix), progress_topic(prefix))
        self.logs: dict[tuple[str, int], list[Entry]] = {}
        self.horizons: list[Horizon] = []
        self.away = False
        self.create(partitions)

    def create(self, partitions: int) -> Sequence[str]:
        """Make all topics anew."""
        *events, _ = self.names
        self.logs = {(topic, p): [] for topic in events for p in range(partitions)}
        return self.names

    def partitions(self) -> Mapping[str, int]:
        if self.away:
            raise KafkaUnavailableError
        *events, progress = self.names
        return {**{t: sum(topic == t for topic, _ in self.logs) for t in events}, progress: 1}

    def tails(self, last: Positions) -> Mapping[tuple[str, int], Tail]:
        assert {(t, p) for t, ps in last.items() for p in range(len(ps))} == self.logs.keys()
        ends = {where: max(log, key=_position) for where, log in self.logs.items() if log}
        return {
            where: Tail(entry.position, entry.value, len(self.logs[where]))
            for where, entry in ends.items()
        }

    def applied(self, where: tuple[str, int]) -> list[Entry]:
        """What a consumer of the contract has applied of a partition."""
        chain: list[Entry] = []
        last = 0
        for entry in self.logs[where]:
            if entry.position > last == entry.previous:
                chain.append(entry)
                last = entry.position
        return chain

    def judge(self, horizon: Horizon) -> None:
        chains = {where: [e.position for e in self.applied(where)] for where in self.logs}
        there = {position for chain in chains.values() for position in chain}
        assert there.issuperset(range(1, horizon.complete_through + 1))
        for (topic, partition), chain in chains.items():
            below = [position for position in chain if position <= horizon.complete_through]
            assert horizon.last[topic][partition] == max(below, default=0)


@dataclass
class MemoryPublisher:
    """Delivers each partition in order, in steps of its own choice; sometimes it does not."""

    kafka: MemoryKafka
    chance: random.Random
    fault_rate: float
    _waiting: dict[tuple[str, int], list[tuple[Entry, MemoryReceipt]]] = field(
        default_factory=dict
    )

    def partition(self, customer_id: str, partitions: int) -> int:
        return partition_of(customer_id, partitions)

    def send(
        self, record: StoredRecord, topic: str, partition: int, previous: int
    ) -> MemoryReceipt:
        self._misfortune()
        receipt = MemoryReceipt()
        entry = Entry(record.position, previous, canonical(record))
        self._waiting.setdefault((topic, partition), []).append((entry, receipt))
        return receipt

    def flush(self, timeout_seconds: float) -> None:
        assert timeout_seconds > 0
        self._deliver()

    def wait(self, receipt: MemoryReceipt, timeout_seconds: float) -> None:
        assert timeout_seconds > 0
        if not receipt.is_done:
            self._deliver()

    def publish(self, horizon: Horizon) -> MemoryReceipt:
        self._misfortune()
        self.kafka.judge(horizon)
        self.kafka.horizons.append(horizon)
        return MemoryReceipt(is_done=True)

    def close(self, timeout_seconds: float) -> None:
        """Whatever still waits arrives or does not: a zombie's last words."""
        assert timeout_seconds > 0
        for where, waiting in self._waiting.items():
            said = self.chance.randint(0, len(waiting))
            self.kafka.logs[where] += [entry for entry, _ in waiting[:said]]
        self._waiting.clear()

    def _deliver(self) -> None:
        for where, waiting in self._waiting.items():
            for _ in range(self.chance.randint(0, len(waiting))):
                entry, receipt = waiting.pop(0)
                receipt.is_done = True
                receipt.fault = self.chance.random() < self.fault_rate
                if not receipt.fault or self.chance.random() < 0.5:  # it may be there all the same
                    self.kafka.logs[where].append(entry)

    def _misfortune(self) -> None:
        if self.chance.random() < self.fault_rate:
            raise self.chance.choice([KilledError, KafkaUnavailableError])


def _position(entry: Entry) -> int:
    return entry.position
