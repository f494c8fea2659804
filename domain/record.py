"""An event and its place in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from domain.catalogue import Event
    from domain.values import Instant


class Recorded(NamedTuple):
    """A decoded event with its envelope, in the current version of its type.

    `position` counts 1, 2, 3 … over the whole ledger; `recorded_at` is in the same order.
    `version` is the version that was stored. A tuple, for records are read by the million.
    """

    position: int
    id: str
    type: str
    version: int
    stream: str
    stream_version: int
    customer_id: str
    occurred_on: date
    occurred_at: Instant | None
    recorded_at: Instant
    actor: str
    source: str
    correlation_id: str
    causation_id: str | None
    event: Event
