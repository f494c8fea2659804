"""The port of the event store: the one gapless order of everything that happened.

An append is atomic over several streams. Under one lock the store checks the expected versions,
what the decision read, and the claims; then it gives positions, versions and `recorded_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from domain.values import Instant

RECORD_BYTES_MAX = 60_000  # canonical bytes of one record
READ_RECORDS_MAX = 5_000  # records a page


class NewRecord(NamedTuple):
    """An event to append. `data` is the packed msgpack map, personal fields already sealed.

    `expected_version` is the version of the stream before this event; None where the event is
    a fact that needs no stream loaded: the store gives the next version under its lock. A
    tuple, as `StoredRecord` is.
    """

    id: str
    type: str
    version: int
    stream: str
    expected_version: int | None
    customer_id: str
    occurred_on: str
    occurred_at: Instant | None
    actor: str
    source: str
    correlation_id: str
    causation_id: str | None
    data: bytes


class Claim(NamedTuple):
    """A key that must be unique in the ledger, and a hash of what it stands for.

    `replaces` is None where the key must be free, else the content it must hold now
    (a correction). `record` is the index, in the append, of the record it points at. A tuple,
    as `NewRecord` is.
    """

    key: str
    content: bytes
    record: int
    replaces: bytes | None = None


class Held(NamedTuple):
    """What a claimed key holds now: the position it points at and the hash of its content."""

    position: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Records, what the decision read (stream → version, 0 for an empty one), and claims."""

    records: Sequence[NewRecord]
    reads: Mapping[str, int] = field(default_factory=dict)
    claims: Sequence[Claim] = ()


class StoredRecord(NamedTuple):
    """A record as stored: the fields of the canonical bytes, in their order, `data` packed.

    A tuple, for records are read by the million: a frozen dataclass takes ten times as long.
    """

    position: int
    id: str
    type: str
    version: int
    stream: str
    stream_version: int
    customer_id: str
    occurred_on: str
    occurred_at: Instant | None
    recorded_at: Instant
    actor: str
    source: str
    correlation_id: str
    causation_id: str | None
    data: bytes


class StoreError(Exception):
    """The event store did not do what was asked; `retriable` where trying again can help."""

    code: ClassVar[str] = "store-failed"
    retriable: ClassVar[bool] = False


class ConflictError(StoreError):
    """What the decision rests on has changed: decide again."""

    code = "conflict"
    retriable = True


class StoreUnavailableError(StoreError):
    """The database cannot be reached or is busy: wait and try again.

    The append may have happened all the same; its claims tell.
    """

    code = "store-unavailable"
    retriable = True


class NotInitialisedError(StoreError):
    """The ledger has no tables yet: run `guanxi init`."""

    code = "not-initialised"


class RecordTooLargeError(StoreError):
    """The canonical bytes of a record would exceed 60,000 bytes."""

    code = "event-too-large"


class EventStore(Protocol):
    """Appends, and reads in position order. Safe to share between threads."""

    def append(self, batch: Append) -> range:
        """Record a batch whole and return the positions of its records, in order.

        Raises `ConflictError` (nothing recorded), `RecordTooLargeError`,
        `StoreUnavailableError` (perhaps recorded).
        """
        ...

    def position(self) -> int:
        """Return the position of the last record, 0 where there is none."""
        ...

    def position_at(self, known_at: Instant) -> int:
        """Return the position of the last record with `recorded_at` ≤ the instant, else 0."""
        ...

    def read(self, after: int, limit: int, through: int | None = None) -> Sequence[StoredRecord]:
        """Return up to `limit` records after a position, in order, none above `through`."""
        ...

    def read_streams(
        self, streams: Iterable[str], through: int | None = None
    ) -> Mapping[str, Sequence[StoredRecord]]:
        """Return the records of each stream, in order; an empty sequence for an empty one."""
        ...

    def read_customers(
        self, customer_ids: Iterable[str], through: int | None = None
    ) -> Sequence[StoredRecord]:
        """Return all records of the customers, in position order."""
        ...

    def held(self, keys: Iterable[str]) -> Mapping[str, Held]:
        """Return what is held under those keys that are claimed."""
        ...

    def count_types(self, after: int, through: int) -> Mapping[str, int]:
        """Return how many records of each type lie after a position, none above `through`."""
        ...

    def latest_occurred_on(self) -> str | None:
        """Return the latest business date recorded (ISO), None on an empty ledger."""
        ...

    def wait(self, after: int, timeout_seconds: float) -> int:
        """Wait until something lies after the position, or the time is up; return position().

        A notification is a hint only: the wait also polls.
        """
        ...
