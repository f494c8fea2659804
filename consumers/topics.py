"""The port of the topics: what lies in Kafka, and how the relay puts it there.

Event topics are `<prefix>.<family>.v1`, all with the same number of partitions, and
`<prefix>.progress.v1` holds the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from domain.catalogue import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumers.event_store import StoredRecord
    from domain.catalogue import Family
    from domain.values import Instant

DEFAULT_PREFIX = "guanxi"
DEFAULT_PARTITIONS = 12

Positions: TypeAlias = "Mapping[str, Sequence[int]]"  # topic → a position for each partition


def event_topic(prefix: str, family: Family) -> str:
    """Return the topic of a family of events."""
    return f"{prefix}.{family}.v1"


def event_topics(prefix: str) -> tuple[str, ...]:
    """Return the event topics of all families, in the catalogue's order."""
    return tuple(event_topic(prefix, family) for family in FAMILIES)


def progress_topic(prefix: str) -> str:
    """Return the topic of the horizon and the checkpoints."""
    return f"{prefix}.progress.v1"


@dataclass(frozen=True, slots=True)
class Horizon:
    """All records at or below `complete_through` are in the topics.

    `last` is the last of them in each partition of each event topic, 0 where there is none.
    Of several horizons the highest counts.
    """

    complete_through: int
    last: Positions
    recorded_at: Instant


@dataclass(frozen=True, slots=True)
class Tail:
    """The last record of a partition: its position and its bytes; and how many lie there."""

    position: int
    value: bytes
    records: int


class KafkaError(Exception):
    """Kafka did not do what was asked; `retriable` where trying again can help."""

    code: ClassVar[str] = "kafka-failed"
    retriable: ClassVar[bool] = False


class KafkaUnavailableError(KafkaError):
    """The brokers cannot be reached or do not answer: wait and try again."""

    code = "kafka-unavailable"
    retriable = True


class NotDeliveredError(KafkaError):
    """A record was not acknowledged: what was sent after it counts for nothing."""

    code = "kafka-not-delivered"
    retriable = True


class Topics(Protocol):
    """The topics of one ledger, as an administrator sees them."""

    @property
    def names(self) -> Sequence[str]:
        """The event topics' names, and at the end the progress topic's."""
        ...

    def create(self, partitions: int) -> Sequence[str]:
        """Create the topics that are missing and return their names.

        Raises `KafkaUnavailableError`.
        """
        ...

    def partitions(self) -> Mapping[str, int]:
        """Return the number of partitions of each topic there is, the progress topic's too.

        Raises `KafkaUnavailableError`.
        """
        ...

    def tails(self, last: Positions) -> Mapping[tuple[str, int], Tail]:
        """Return the tail of each partition that is not empty.

        A late record of a relay that was replaced may lie behind the one at `last`: where the
        tail is below that, the highest of the records just before it is returned.
        Raises `KafkaUnavailableError`.
        """
        ...


class Receipt(Protocol):
    """What became of a record that was sent."""

    @property
    def is_done(self) -> bool:
        """Whether the record was acknowledged or has failed."""
        ...

    def failed(self) -> bool:
        """Whether it was given up."""
        ...


class Publisher(Protocol):
    """Sends records in order, one batch in flight a partition. Used by one thread.

    A send never waits for acknowledgements: the caller bounds what is in flight.
    """

    def partition(self, customer_id: str, partitions: int) -> int:
        """Return the partition of a key, as Kafka's default partitioner would (murmur2)."""
        ...

    def send(self, record: StoredRecord, topic: str, partition: int, previous: int) -> Receipt:
        """Send a record. `previous`: the position before it in this partition, 0 for none.

        Raises `KafkaUnavailableError`.
        """
        ...

    def flush(self, timeout_seconds: float) -> None:
        """Send at once what waits to fill a batch, and wait up to the time given for it."""
        ...

    def wait(self, receipt: Receipt, timeout_seconds: float) -> None:
        """Wait up to the time given until the record was acknowledged or has failed."""
        ...

    def publish(self, horizon: Horizon) -> Receipt:
        """Publish a horizon at once. Raises `KafkaUnavailableError`."""
        ...

    def close(self, timeout_seconds: float) -> None:
        """Give up what is in flight and return within about the time given."""
        ...
