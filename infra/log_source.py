"""The embedded source: the event store's own log, as one shard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.event_store import READ_RECORDS_MAX
from consumers.source import Delivery, Progress, ShardBatch
from infra.codec import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.event_store import EventStore


class LogSource:
    """Delivers the records of the store's log; see the port `consumers.source.Source`."""

    shards = 1

    def __init__(self, store: EventStore, batch_records_max: int = READ_RECORDS_MAX) -> None:
        self._store = store
        self._batch_records_max = batch_records_max
        self._after: int | None = None

    def assigned(self) -> frozenset[int]:
        """Return the one shard."""
        return frozenset({0})

    def resume(self, shard: int, progress: Progress) -> None:
        """Deliver from here on."""
        assert shard == 0, "the log is one shard"
        self._after = progress.through

    def poll(self, timeout_seconds: float) -> Sequence[ShardBatch]:
        """Return the next records, waiting up to the time given for some to be there."""
        if self._after is None:
            return ()
        records = self._store.read(self._after, self._batch_records_max)
        if not records and self._store.wait(self._after, timeout_seconds) > self._after:
            records = self._store.read(self._after, self._batch_records_max)
        if not records:
            return ()
        deliveries = [Delivery(r.position, r.customer_id, canonical(r)) for r in records]
        self._after = records[-1].position
        return (ShardBatch(0, deliveries, Progress(self._after)),)

    def head(self) -> int:
        """Return the position of the last record."""
        return self._store.position()

    def close(self) -> None:
        """Nothing is held."""
