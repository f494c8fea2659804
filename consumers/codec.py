"""The port of the codec: stored bytes to events in their current version."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from domain.record import Recorded


class UnreadableEventError(Exception):
    """The bytes hold a type or version this program does not know, or are not an event."""

    code: ClassVar[str] = "event-unreadable"


class Decode(Protocol):
    """Turns canonical bytes into an event; personal fields stay `Sealed`."""

    def __call__(self, canonical: bytes) -> Recorded:
        """Return the event, upcast. Raises `UnreadableEventError`."""
        ...
