"""What both stores are to the `eventsourcing` library: a recorder of an `Application`."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent

from consumers.event_store import Append, ConflictError, NewRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.values import Instant

LEDGER_URL = "GUANXI_LEDGER"  # the variable of an application's environment that names the ledger


@dataclass(frozen=True)
class LedgerEvent(StoredEvent):
    """A stored event of the library that carries its whole record: what a mapper must return.

    To the library a stream is an originator, a type a topic, and the packed `data` the state.
    """

    record: NewRecord

    @classmethod
    def of(cls, record: NewRecord) -> LedgerEvent:
        """Return the library's form of a record with an expected version."""
        assert record.expected_version is not None
        return cls(record.stream, record.expected_version + 1, record.type, record.data, record)


class LedgerRecorder:
    """The part of both stores that does not depend on the database."""

    def append(self, batch: Append) -> range:
        """Record a batch whole: see `EventStore.append`."""
        raise NotImplementedError

    def position(self) -> int:
        """Return the position of the last record, 0 where there is none."""
        raise NotImplementedError

    def recorded_at(self, position: int) -> Instant:
        """Return when the record at a position was recorded."""
        raise NotImplementedError

    def position_at(self, known_at: Instant) -> int:
        """Return the position of the last record with `recorded_at` ≤ the instant, else 0.

        Both orders are one, so a binary search over the positions finds it.
        """
        positions = range(1, self.position() + 1)
        return bisect_right(positions, known_at, key=self.recorded_at)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:  # noqa: ANN401 - the library's signature
        """Append the library's stored events, each a `LedgerEvent`.

        Raises the library's `IntegrityError` where a version is taken.
        """
        if not all(isinstance(event, LedgerEvent) for event in stored_events):
            message = "the ledger records events with a LedgerEvent's fields only"
            raise ProgrammingError(message)
        events = [event for event in stored_events if isinstance(event, LedgerEvent)]
        try:
            return list(self.append(Append(records=[event.record for event in events])))
        except ConflictError as error:
            raise IntegrityError(str(error)) from error
