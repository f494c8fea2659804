"""Closes business days: `guanxi close`. Killed at any moment and run again, it goes on.

What a close appends follows from its start's position alone, ids and data alike. Each event
claims its id, so that a second run, or another process at the same time, adds what is missing.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from consumers.closing_book import ClosingBook
from consumers.event_store import Append, Claim, ConflictError, NewRecord
from domain.catalogue import BY_CLASS, occurred_on, stream_of
from domain.close import (
    LEDGER,
    BusinessDateClosed,
    CloseStarted,
    Closing,
    dates_to_close,
    event_id,
    report,
)
from domain.errors import BalanceMissingError, CloseOutOfOrderError
from domain.reported import (
    CommitmentBreached,
    CommitmentCured,
    CommitmentTested,
    ConsequenceApplied,
)
from infra.closes import FINISHED, STARTED, closes_of, start_of
from infra.codec import canonical, decode, decode_record, pack_data
from projections.closing import cases, told_today, unobserved
from projections.projection import COMPLIANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from domain.catalogue import Event
    from domain.record import Recorded
    from domain.reported import ReportEvent
    from infra.composition import Parts

APPEND_EVENTS_MAX = 1_000  # events of a close in one append
CONFLICTS_MAX = 30  # of one append: each is another process that closes the same day
MISSING_NAMED_MAX = 3  # missing balances named in a refusal

Bearing: TypeAlias = "dict[str, list[Recorded]]"  # events on days gone by, by customer


class Closed(NamedTuple):
    """What the close of a day reported; `through` is the position that it rests on.

    `set_aside`: commitments left out, for an event of their customer could not be applied.
    """

    business_date: date
    through: int
    tested: int
    restated: int
    breached: int
    cured: int
    consequences: int
    set_aside: int


class Closer:
    """Closes days of one ledger, one after the other."""

    def __init__(self, parts: Parts, actor: str) -> None:
        self._parts, self._store, self._actor = parts, parts.store, actor
        self._book: ClosingBook | None = None

    def close(self, first: date, through: date, *, carry: bool) -> Iterator[Closed]:
        """Close the days from first to through, and before them those that were skipped.

        Yields each day as it is closed; none where all are closed already. Raises
        `RefusedError`, `ConflictError` and `StoreUnavailableError`: closed again, it goes on.
        """
        started, _, finished = closes_of(self._store)
        if finished and first <= finished and start_of(self._store, first) is None:
            raise CloseOutOfOrderError("business_date", first.isoformat())
        for on in dates_to_close(finished, started, first, through):
            yield self._close(on, carry=carry or on < first)

    def _close(self, on: date, *, carry: bool) -> Closed:
        position = start_of(self._store, on)
        since = start_of(self._store, on - timedelta(days=1))
        book = self._book_at(position)
        if position is not None:
            bearing = book.advance(position, since or position, on)
        else:
            now = self._store.position()
            bearing = book.advance(now, since or now, on)
            if not carry:
                _check_balances(book, on)
            with suppress(ConflictError):
                position = self._start(on, carry=carry)
            if position is None:  # another process was first
                self._book = None
                return self._close(on, carry=carry)
            _add(bearing, book.advance(position, now, on))
        closing = Closing(self._parts.meta.ledger_id, on, position)
        if since is not None:
            _add(bearing, self._told_today(book, on, since))
        return self._report(closing, book, bearing)

    def _book_at(self, position: int | None) -> ClosingBook:
        """Return the book at hand or another one, that is not beyond the position."""
        book = self._book
        if book is None or (position is not None and book.position > position):
            self._parts.catch_up()
            self._book = book = ClosingBook(self._store, canonical, decode, _shard_of)
            book.start(self._parts.views, COMPLIANCE, position)
        return book

    def _start(self, on: date, *, carry: bool) -> int:
        """Append the start of a close and return its position. Raises `ConflictError`."""
        before, content = closes_of(self._store).started, on.isoformat().encode()
        started = CloseStarted(
            customer_id=LEDGER, business_date=on, balances="carried" if carry else "observed"
        )
        claims = (
            Claim(f"close:{on}", content, 0),
            Claim(STARTED, content, 0, before.isoformat().encode() if before else None),
        )
        id_ = event_id(self._parts.meta.ledger_id, on, "close-started")
        record = self._record(on, id_, started, cause=None)
        [position] = self._store.append(Append(records=(record,), claims=claims))
        return position

    def _told_today(self, book: ClosingBook, on: date, since: int) -> Bearing:
        """Return what was told before the last close about commitments, to hold from a day on."""
        streams = [f"commitment-{id_}" for id_ in told_today(book.book, on)]
        found: Bearing = {}
        for records in self._store.read_streams(streams, since).values():
            for record in records:
                if record.occurred_on == on.isoformat():
                    found.setdefault(record.customer_id, []).append(decode_record(record))
        return found

    def _report(self, closing: Closing, book: ClosingBook, bearing: Bearing) -> Closed:
        """Append what is due, and then that the day is closed."""
        counts: Counter[str] = Counter()

        def reports() -> Iterator[tuple[str, ReportEvent]]:
            for case in cases(book.book, closing.on, bearing):
                if case.customer_id in book.parked:
                    counts["set_aside"] += 1
                else:
                    yield from report(case, closing)

        events = reports()
        while batch := list(islice(events, APPEND_EVENTS_MAX)):
            batch = self._of_the_known(batch, closing.through)
            self._append(closing.on, batch)
            counts.update(chain.from_iterable(_counted(event) for _, event in batch))
            counts["reported"] += len(batch)
        closed = BusinessDateClosed(
            customer_id=LEDGER,
            business_date=closing.on,
            through=closing.through,
            tested=counts["tested"],
            reported=counts["reported"],
        )
        self._append(closing.on, [(self._id(closing.on, "business-date-closed"), closed)])
        return Closed(closing.on, closing.through, *(counts[name] for name in Closed._fields[2:]))

    def _of_the_known(
        self, batch: Sequence[tuple[str, ReportEvent]], through: int
    ) -> list[tuple[str, ReportEvent]]:
        """Leave out the customers forgotten by then: nothing about them is recorded any more."""
        forgotten = self._store.held({f"forgotten:{event.customer_id}" for _, event in batch})
        gone = {key for key, held in forgotten.items() if held.position <= through}
        return [each for each in batch if f"forgotten:{each[1].customer_id}" not in gone]

    def _append(self, on: date, events: Sequence[tuple[str, Event]]) -> None:
        """Append those of the events that are not there yet, as one."""
        cause = self._id(on, "close-started")
        keys = {id_: f"close:{on}:{id_}" for id_, _ in events}
        for _ in range(CONFLICTS_MAX):
            held = self._store.held(keys.values())
            missing = [each for each in events if keys[each[0]] not in held]
            if not missing:
                return
            records = [self._record(on, id_, event, cause) for id_, event in missing]
            claims = [
                Claim(keys[record.id], sha256(record.data).digest(), index)
                for index, record in enumerate(records)
            ]
            if isinstance(missing[-1][1], BusinessDateClosed):
                claims.append(self._finished(on))
            with suppress(ConflictError):
                self._store.append(Append(records=records, claims=claims))
                return
        message = f"the close of {on} met {CONFLICTS_MAX} conflicts: run it again"
        raise ConflictError(message)

    def _finished(self, on: date) -> Claim:
        before = closes_of(self._store).finished
        replaces = before.isoformat().encode() if before else None
        return Claim(FINISHED, on.isoformat().encode(), 0, replaces)

    def _record(self, on: date, id_: str, event: Event, cause: str | None) -> NewRecord:
        event_type = BY_CLASS[type(event)]
        return NewRecord(
            id=id_,
            type=event_type.name,
            version=event_type.version,
            stream=stream_of(event),
            expected_version=None,
            customer_id=event.customer_id,
            occurred_on=occurred_on(event).isoformat(),
            occurred_at=None,
            actor=self._actor,
            source=f"close:{on}",
            correlation_id=cause or id_,
            causation_id=cause,
            data=pack_data(event, _nothing_is_sealed),
        )

    def _id(self, on: date, kind: str) -> str:
        return event_id(self._parts.meta.ledger_id, on, kind)


def _check_balances(book: ClosingBook, on: date) -> None:
    """Refuse a day on which a counted account has no balance. Raises `BalanceMissingError`."""
    missing = list(unobserved(book.book, on))
    if missing:
        commitment_id, account_id = missing[0]
        named = ", ".join(f"{of}: {account}" for of, account in missing[:MISSING_NAMED_MAX])
        detail = f"on {on}, commitment {commitment_id}; {len(missing)} in all: {named}"
        raise BalanceMissingError("account_id", account_id, detail)


def _counted(event: ReportEvent) -> Iterable[str]:
    """Return the counts of `Closed` that an event adds to."""
    match event:
        case CommitmentTested():
            return ("tested",) if event.restates is None else ("tested", "restated")
        case CommitmentBreached():
            return ("breached",)
        case CommitmentCured():
            return ("cured",)
        case ConsequenceApplied():
            return ("consequences",)


def _add(bearing: Bearing, more: Bearing) -> None:
    for customer_id, told in more.items():
        bearing.setdefault(customer_id, []).extend(told)


def _shard_of(customer_id: str, shards: int) -> int:
    if shards == 1:
        return 0
    from infra.kafka.publisher import partition_of  # noqa: PLC0415 - embedded needs no client

    return partition_of(customer_id, shards)


def _nothing_is_sealed(field: str, _plaintext: str) -> bytes:
    raise AssertionError(field)
