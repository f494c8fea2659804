"""The port of the relay's cursor: how far the topics are complete, and which relay leads.

Leading and storing are one thing: each leader raises the epoch, and a cursor is stored only by
the leader of the present epoch. A relay that was replaced can neither move the cursor nor, since
it publishes only what it stored, announce a horizon of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from consumers.event_store import StoreError

if TYPE_CHECKING:
    from consumers.topics import Positions


@dataclass(frozen=True, slots=True)
class Cursor:
    """All records at or below `complete_through` were acknowledged by Kafka.

    `last` is the last of them in each partition of each event topic; empty before the first
    relay ever ran.
    """

    complete_through: int = 0
    last: Positions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """The stored cursor's position, and the name of the relay that leads now, if any does."""

    position: int
    leader: str | None


class LeadershipLostError(StoreError):
    """Another relay leads, or the connection that held the lock is gone."""

    code = "relay-leadership-lost"
    retriable: ClassVar[bool] = True


class RelayCursor(Protocol):
    """The cursor of the one active relay of a ledger. Used by one thread."""

    def lead(self, name: str) -> Cursor | None:
        """Try to become the leader; return the cursor, or None while another relay leads.

        Raises `StoreUnavailableError`, `NotInitialisedError`.
        """
        ...

    def store(self, cursor: Cursor) -> None:
        """Store the cursor. Raises `LeadershipLostError`: then nothing was stored."""
        ...

    def resign(self) -> None:
        """Let another relay lead. Nothing happens where this one does not."""
        ...

    def status(self) -> RelayStatus:
        """Return what everybody may know. Raises `StoreUnavailableError`."""
        ...
