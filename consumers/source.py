"""The port of a projector's source: the records of a shard, in ledger order, up to a horizon.

Embedded, the event store's log is one shard. In the cluster a shard is partition p of every event
topic, merged by position. The projector cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Delivery(NamedTuple):
    """One record: its position, its key (the customer id) and its canonical bytes.

    A tuple, for records are read by the million.
    """

    position: int
    customer_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a shard was applied: all its records at or below `through`.

    `last` is the position of the last record of each topic's partition (empty when embedded):
    what the next record's `ce_previous` must equal.
    """

    through: int = 0
    last: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShardBatch:
    """The next records of a shard, in position order, and the progress once they are applied.

    May hold no records: a quiet shard moves on with the horizon all the same.
    """

    shard: int
    deliveries: Sequence[Delivery]
    progress: Progress


class Source(Protocol):
    """Delivers the shards assigned to this projector."""

    @property
    def shards(self) -> int:
        """How many shards the ledger has."""
        ...

    def assigned(self) -> frozenset[int]:
        """Return the shards assigned now; changes only inside `poll`."""
        ...

    def resume(self, shard: int, progress: Progress) -> None:
        """Deliver the shard from here on.

        Called for each newly assigned shard, and again after a batch that could not be stored.
        """
        ...

    def poll(self, timeout_seconds: float) -> Sequence[ShardBatch]:
        """Return what is ready, waiting up to the time given for something to be.

        Raises `StoreUnavailableError`, `KafkaUnavailableError`, and `RecordsMissingError` where
        records that were published are gone; nothing is lost by it: poll again.
        """
        ...

    def head(self) -> int:
        """Return the highest position known to be complete (the horizon, or the log's end)."""
        ...

    def close(self) -> None:
        """Give the shards back."""
        ...
