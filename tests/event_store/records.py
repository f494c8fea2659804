"""Records for the tests of the event store, and a clock that stands still."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgpack

from consumers.event_store import NewRecord

if TYPE_CHECKING:
    from domain.values import Instant

NOW: Instant = 1_700_000_000_000_000
DATA: bytes = msgpack.packb({"amount": 1_000, "currency": "CNY"})


class Clock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Instant:
        return self.now


def record(
    stream: str = "loan-L1",
    *,
    expected_version: int | None = None,
    customer_id: str = "C1",
    occurred_on: str = "1994-03-31",
    data: bytes = DATA,
) -> NewRecord:
    return NewRecord(
        id=str(uuid.uuid4()),
        type="loan-drawn",
        version=1,
        stream=stream,
        expected_version=expected_version,
        customer_id=customer_id,
        occurred_on=occurred_on,
        occurred_at=None,
        actor="teller",
        source="api",
        correlation_id="correlation",
        causation_id=None,
        data=data,
    )
