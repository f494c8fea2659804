"""The port of the views: rows of facts, how far they were folded, and what is parked.

A **generation** is one build of a projection: queries read the live one, others are built beside
it. Rows, progress and parked events of a generation and shard change together, in one
transaction, by whoever knows the lane's present revision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias

from consumers.source import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from domain.values import Instant
    from projections.facts import Key, Row
    from projections.projection import Projection

READ_ROWS_MAX = 1_000  # rows fetched at once while a view is read
DELETE_ROWS_MAX = 5_000  # rows of a retired generation deleted in one transaction
QUEUE_EVENTS_MAX = 1_000  # parked events of a customer read at once

StoredRow: TypeAlias = tuple[str, str, str, bytes]  # customer_id, kind, id, value
Deed: TypeAlias = Literal["parked", "retried", "failed", "dropped"]


class LostShardError(Exception):
    """Somebody else has moved this lane on, or the generation is gone: nothing was stored."""

    code: ClassVar[str] = "shard-lost"


class NoViewError(Exception):
    """No generation of the projection is live: start a projector first."""

    code: ClassVar[str] = "view-missing"


class OutdatedProgramError(Exception):
    """The live view was built by a later version of the projection than this program knows."""

    code: ClassVar[str] = "program-outdated"


class DigestUnavailableError(Exception):
    """The shards stand at different positions, or something is parked."""

    code: ClassVar[str] = "digest-unavailable"


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of a version of a projection."""

    number: int
    projection: str
    version: int
    live: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """A generation, and the projection whose folds fill it."""

    projection: Projection
    generation: Generation


@dataclass(frozen=True, slots=True)
class Lane:
    """A shard of a generation: how far it was applied, and the revision a change must name."""

    progress: Progress = field(default_factory=Progress)
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A parked event: the first of its customer is the reason, the others wait behind it.

    `code` and `reason` are empty where the event only waits.
    """

    customer_id: str
    position: int
    shard: int
    value: bytes
    code: str
    reason: str
    parked_at: Instant


@dataclass(frozen=True, slots=True)
class Deal:
    """What was done about a parked event: when, by whom and why. Kept for ever."""

    customer_id: str
    position: int
    deed: Deed
    at: Instant
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One transaction of a lane: rows, parked events that come and go, and the progress."""

    shard: int
    revision: int
    progress: Progress
    rows: Mapping[Key, Row] = field(default_factory=dict)
    park: Sequence[Waiting] = ()
    unpark: Sequence[int] = ()
    deals: Sequence[Deal] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """SHA-256 (hex) of a view's business content at a position."""

    position: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A live view of one instant: how far each shard was applied, who is parked, the rows.

    The rows come in key order, their bytes as they are.
    """

    generation: Generation
    through: Mapping[int, int]
    parked: frozenset[str]
    rows: Iterator[StoredRow]


class Views(Protocol):
    """Stores generations of views. Safe to share between threads.

    Every method raises `StoreUnavailableError` where the database cannot be reached.
    """

    def live(self, projection: str) -> Generation:
        """Return the generation that queries read. Raises `NoViewError`."""
        ...

    def adopt(self, projection: str, version: int, shards: int) -> Generation:
        """Return the generation a projector of that version is to feed, made where none is.

        The live one if it is of that version, else the one built beside it. The first ever is
        live at once. Raises `OutdatedProgramError`.
        """
        ...

    def begin(self, projection: str, version: int, shards: int) -> Generation:
        """Return an empty generation beside the live one of that version, given up any other.

        Where the live one is of another version, the same as `adopt`.
        """
        ...

    def promote(self, generation: Generation) -> bool:
        """Make it live and retire the live one, unless a shard of it stands behind that one.

        Return whether it is live now.
        """
        ...

    def sweep(self) -> bool:
        """Delete a slice of the retired generations; return whether there may be more."""
        ...

    def lanes(self, generation: Generation) -> Mapping[int, Lane]:
        """Return the lane of each shard, none where the generation is retired."""
        ...

    def load(self, generation: Generation, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows that exist under the keys."""
        ...

    def commit(self, generation: Generation, changes: Sequence[Change]) -> Mapping[int, Lane]:
        """Store changes of several shards whole and return their lanes.

        Raises `LostShardError` where any is at another revision: then nothing is stored.
        """
        ...

    def parked(self, generation: Generation) -> Sequence[Waiting]:
        """Return the first parked event of each customer, by customer."""
        ...

    def queue(self, generation: Generation, customer_id: str) -> Sequence[Waiting]:
        """Return the first `QUEUE_EVENTS_MAX` parked events of a customer, in order."""
        ...

    def dropped(self, projection: str) -> frozenset[int]:
        """Return the positions that somebody dropped: every generation leaves them out."""
        ...

    def deals(self, projection: str) -> Sequence[Deal]:
        """Return what was done about parked events, in order."""
        ...

    def rows(
        self,
        projection: str,
        kinds: Iterable[str] | None = None,
        customer_ids: Iterable[str] | None = None,
    ) -> Iterator[tuple[Key, Row]]:
        """Yield the live rows of one instant in key order (by code point). Raises `NoViewError`.

        Close the iterator, or read it to its end: it holds a connection.
        """
        ...

    def stored(
        self,
        projection: str,
        kinds: Iterable[str] | None = None,
        customer_ids: Iterable[str] | None = None,
    ) -> Iterator[StoredRow]:
        """Yield the same with their bytes as they are. Raises `NoViewError`."""
        ...

    def applied(
        self, projection: str, kinds: Iterable[str] | None = None
    ) -> AbstractContextManager[Applied]:
        """Lend the live view of one instant, all its kinds or some. Raises `NoViewError`."""
        ...

    def digest(self, generation: Generation) -> Digest:
        """Return the digest of a generation. Raises `DigestUnavailableError`."""
        ...
