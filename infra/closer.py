"""Closes business days: `guanxi close`. Killed at any moment and run again, it goes on.

What a close appends follows from its start alone, ids and data alike: from its position, and from
the policy packs that it names.
"""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from consumers.closing_book import ClosingBook
from consumers.event_store import ConflictError
from domain.close import (
    LEDGER,
    BusinessDateClosed,
    CloseStarted,
    Closing,
    PackUsed,
    check_packs,
    dates_to_close,
    event_id,
    report,
)
from domain.errors import BalanceMissingError, CloseOutOfOrderError
from domain.finding import FindingRaised
from domain.reported import (
    CommitmentBreached,
    CommitmentCured,
    CommitmentTested,
    ConsequenceApplied,
)
from infra.close_journal import CloseJournal
from infra.closes import closes_of, start_of
from infra.codec import canonical, decode, decode_record
from infra.policy.judging import raised
from infra.views.row_codec import ROWS
from projections.book import is_forgotten
from projections.closing import cases, is_whole, streams_of, told_since, unobserved, with_told
from projections.policy.judging import findings_of
from projections.projection import COMPLIANCE, RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from domain.case import Case
    from domain.catalogue import Event
    from domain.close import Balances
    from domain.record import Recorded
    from domain.reported import ReportEvent
    from infra.composition import Parts
    from projections.policy.rules import Pack

APPEND_EVENTS_MAX = 5_000  # events of a close in one append
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
    findings: int
    set_aside: int


class Closer:
    """Closes days of one ledger, one after the other, and judges each by the packs.

    Without any it judges nothing, whatever packs a close was begun with: the way out where judging
    by those cannot be finished.
    """

    def __init__(self, parts: Parts, actor: str, packs: Sequence[Pack]) -> None:
        self._parts, self._store, self._packs = parts, parts.store, packs
        self._used = tuple(PackUsed(pack.jurisdiction, pack.sha256) for pack in packs)
        self._journal = CloseJournal(parts.store, parts.meta.ledger_id, actor)
        self._book: ClosingBook | None = None

    def close(self, first: date, through: date, *, carry: bool) -> Iterator[Closed]:
        """Close the days from first to through, and before them those that were skipped.

        Yields each day as it is closed; none where all are closed already. Raises
        `RefusedError`, `ConflictError` and `StoreUnavailableError`: closed again, it goes on.
        """
        started, _, finished = closes_of(self._store)
        if finished and first <= finished and start_of(self._store, first) is None:
            raise CloseOutOfOrderError("business_date", first.isoformat())
        days = dates_to_close(finished, started, first, through)
        if days and days[0] < first and not carry:
            self._check_beforehand(first)
        for on in days:
            with _uncollected():
                closed = self._close(on, carry=carry or on < first)
            yield closed

    def _check_beforehand(self, on: date) -> None:
        """Refuse a day before those that were skipped are closed. Raises `BalanceMissingError`."""
        if start_of(self._store, on) is None:
            book, now = self._book_at(None), self._store.position()
            book.advance(now, now, on)
            self._check_balances(book, on)

    def _close(self, on: date, *, carry: bool) -> Closed:
        position = start_of(self._store, on)
        since = start_of(self._store, on - timedelta(days=1))
        packs = self._packs if position is None else self._packs_of(position)
        book = self._book_at(position)
        if position is not None:
            bearing = book.advance(position, since or position, on)
        else:
            now = self._store.position()
            bearing = book.advance(now, since or now, on)
            if not carry:
                self._check_balances(book, on)
            with suppress(ConflictError):
                position = self._start(on, carry=carry)
            if position is None:  # another process was first
                self._book = None
                return self._close(on, carry=carry)
            _add(bearing, book.advance(position, now, on))
        closing = Closing(self._parts.meta.ledger_id, on, position)
        return self._report(closing, book, bearing, packs)

    def _check_balances(self, book: ClosingBook, on: date) -> None:
        """Refuse a day on which a counted account has no balance. Raises `BalanceMissingError`.

        It tells how far the books are closed: of a run of days, those before it are.
        """
        missing = list(unobserved(book.book, on, book.parked))
        if missing:
            commitment_id, account_id = missing[0]
            named = ", ".join(f"{of}: {account}" for of, account in missing[:MISSING_NAMED_MAX])
            detail = f"on {on}, commitment {commitment_id}; {len(missing)} in all: {named}"
            finished = closes_of(self._store).finished
            closed = f"; closed up to {finished}" if finished else "; no day is closed"
            raise BalanceMissingError("account_id", account_id, detail + closed)

    def _packs_of(self, position: int) -> Sequence[Pack]:
        """Return the packs by which to finish a close. Raises `PacksDifferError`."""
        if not self._packs:
            return ()
        [record] = self._store.read(position - 1, 1)
        started = decode_record(record).event
        assert isinstance(started, CloseStarted)
        check_packs(started, self._used)
        return self._packs if started.packs else ()

    def _book_at(self, position: int | None) -> ClosingBook:
        """Return the book at hand or another one, that is not beyond the position.

        One that is not whole is read again, for what was set aside may be dealt with by now.
        """
        book = self._book
        if book is None or book.parked or (position is not None and book.position > position):
            if position is None:
                self._parts.catch_up()
            self._book = book = ClosingBook(self._store, canonical, decode, ROWS)
            through = self._store.position() if position is None else position
            book.start(self._parts.views, (RELATIONSHIP, COMPLIANCE), through)
        return book

    def _start(self, on: date, *, carry: bool) -> int:
        """Append the start of a close and return its position. Raises `ConflictError`."""
        balances: Balances = "carried" if carry else "observed"
        started = CloseStarted(
            customer_id=LEDGER, business_date=on, balances=balances, packs=self._used
        )
        return self._journal.start(started)

    def _with_told(self, book: ClosingBook, case: Case, closing: Closing) -> Case:
        """Return the case with all that was told since a report of it that does not stand.

        Also before the last close: it may come to bear by what was told since.
        """
        of_commitment = [f"commitment-{case.commitment_id}"]
        if told_since(case, closing.on):
            case = self._with(book, case, of_commitment, closing.through)
        unsure = case.changes or case.doubted
        after = case.restated_after(closing.on) if unsure else None
        if after is not None:
            streams = [*of_commitment, *streams_of(book.book, case.commitment_id)]
            case = self._with(book, case, streams, closing.through, after)
        return case

    def _with(
        self, book: ClosingBook, case: Case, streams: Sequence[str], through: int, after: int = 0
    ) -> Case:
        records = chain.from_iterable(self._store.read_streams(streams, through).values())
        told = (
            decode_record(each)
            for each in records
            if each.position > after and each.position not in book.dropped
        )
        return with_told(book.book, case, told)

    def _report(
        self, closing: Closing, book: ClosingBook, bearing: Bearing, packs: Sequence[Pack]
    ) -> Closed:
        """Append what is due and what offends, and then that the day is closed."""
        told: Counter[type[Event]] = Counter()
        restated, set_aside = 0, list[str]()
        reports = self._reports(closing, book, bearing, set_aside)
        events = chain(reports, self._findings(closing, book, packs))
        while batch := list(islice(events, APPEND_EVENTS_MAX)):
            recorded = self._journal.append(closing.on, closing.through, batch)
            told.update(map(type, recorded))
            restated += sum(map(_restates, recorded))
        closed = BusinessDateClosed(
            customer_id=LEDGER,
            business_date=closing.on,
            through=closing.through,
            tested=told[CommitmentTested],
            reported=told.total(),
        )
        id_ = self._journal.id(closing.on, "business-date-closed")
        self._journal.append(closing.on, closing.through, [(id_, closed)])
        return Closed(
            closing.on,
            closing.through,
            tested=told[CommitmentTested],
            restated=restated,
            breached=told[CommitmentBreached],
            cured=told[CommitmentCured],
            consequences=told[ConsequenceApplied],
            findings=told[FindingRaised],
            set_aside=len(set_aside),
        )

    def _reports(
        self, closing: Closing, book: ClosingBook, bearing: Bearing, set_aside: list[str]
    ) -> Iterator[tuple[str, ReportEvent]]:
        """Yield what is due, each event with its id, in order; tell which commitments are not."""
        for case in cases(book.book, closing.on, bearing, book.once_parked):
            if not is_whole(book.book, case.commitment_id, book.parked):
                set_aside.append(case.commitment_id)
            elif not is_forgotten(book.book, case.customer_id):
                yield from report(self._with_told(book, case, closing), closing)

    def _findings(
        self, closing: Closing, book: ClosingBook, packs: Sequence[Pack]
    ) -> Iterator[tuple[str, FindingRaised]]:
        """Yield what the packs find and nobody raised, each with its id, in order."""
        found = [
            finding
            for finding in findings_of(book.book, packs, closing.on)
            if finding.finding_id not in book.book.findings
            and finding.customer_id not in book.parked
        ]
        for event in raised(self._store, book.book, closing.through, found, closing.on):
            id_ = event_id(closing.ledger_id, closing.on, "finding-raised", event.finding_id)
            yield id_, event


@contextmanager
def _uncollected() -> Iterator[None]:
    """Search for no cycles meanwhile: a close makes none, and each search is through its book.

    What there is then goes to the oldest generation, so that the next search is not through it.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def _restates(event: Event) -> bool:
    return isinstance(event, CommitmentTested) and event.restates is not None


def _add(bearing: Bearing, more: Bearing) -> None:
    for customer_id, told in more.items():
        bearing.setdefault(customer_id, []).extend(told)
