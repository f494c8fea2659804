"""An event and its place in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from domain.catalogue import Event
    from domain.values import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A decoded event with its envelope, in the current version of its type.

    `position` counts 1, 2, 3 … over the whole ledger; `recorded_at` is in the same order.
    `version` is the version that was stored.
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
