"""What the ledger says of its closes: three claims, looked up at once, and the closes' events.

`close:<date>` stands for the start of the day's close; `last-close-started` and
`last-close-finished` hold the latest date of each, and are moved on by compare-and-set.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from domain.close import BusinessDateClosed, CloseStarted
from infra.codec import decode_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumers.event_store import EventStore, StoredRecord
    from domain.values import Instant

STARTED, FINISHED = "last-close-started", "last-close-finished"
LISTED_DAYS_MAX = 100  # looked up at once


class Closes(NamedTuple):
    """The last close that was started, at which position, and the last one finished."""

    started: date | None
    through: int
    finished: date | None


class CloseTold(NamedTuple):
    """The close of a day as its events tell it; `closed` is None while it is not finished."""

    started: CloseStarted
    through: int
    started_at: Instant
    closed: BusinessDateClosed | None
    closed_at: Instant | None


def closes_of(store: EventStore) -> Closes:
    """Return where the closes of a ledger stand. Raises `StoreUnavailableError`."""
    held = store.held([STARTED, FINISHED])
    started, finished = held.get(STARTED), held.get(FINISHED)
    return Closes(
        date.fromisoformat(started.content.decode()) if started else None,
        started.position if started else 0,
        date.fromisoformat(finished.content.decode()) if finished else None,
    )


def start_of(store: EventStore, on: date) -> int | None:
    """Return the position at which the close of a day was started, None where it was not."""
    held = store.held([f"close:{on}"]).get(f"close:{on}")
    return held.position if held else None


def closes_told(store: EventStore, last: date, through: int | None = None) -> Iterator[CloseTold]:
    """Yield the closes of the days up to the last, latest first, known by a position.

    Days are closed without gaps. Raises `StoreUnavailableError`.
    """
    started = closes_of(store).started
    if started is None:
        return
    day = min(last, started)
    while start_of(store, day) is not None:
        days = [day - timedelta(back) for back in range(LISTED_DAYS_MAX)]
        found = store.read_streams([f"close-{each}" for each in days], through)
        for each in days:
            if records := found[f"close-{each}"]:
                yield _told(records)
        day = days[-1] - timedelta(days=1)


def _told(records: Sequence[StoredRecord]) -> CloseTold:
    start, *rest = records
    started = decode_record(start).event
    assert isinstance(started, CloseStarted)
    for record in rest:
        closed = decode_record(record).event
        assert isinstance(closed, BusinessDateClosed)
        return CloseTold(started, start.position, start.recorded_at, closed, record.recorded_at)
    return CloseTold(started, start.position, start.recorded_at, None, None)


def open_day(store: EventStore) -> date | None:
    """Return the day after the last close, None before the first one."""
    finished = closes_of(store).finished
    return None if finished is None else finished + timedelta(days=1)


def business_date(store: EventStore) -> date | None:
    """Return the day after the last close, before the first one the latest date recorded."""
    return open_day(store) or _latest(store)


def last_closed(store: EventStore) -> date | None:
    """Return the last closed date, before the first close the latest date recorded."""
    return closes_of(store).finished or _latest(store)


def _latest(store: EventStore) -> date | None:
    latest = store.latest_occurred_on()
    return None if latest is None else date.fromisoformat(latest)
