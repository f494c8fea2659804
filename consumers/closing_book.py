"""The book of a close: the facts of the views as of exact positions of the ledger.

It starts from the live views, taken back to a position that they all hold: where they hold more,
what is concerned is replayed from the store. From there on the log is folded, by the views' own
folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.applying import apply, read
from consumers.event_store import READ_RECORDS_MAX
from consumers.source import Delivery
from consumers.views import NoViewError
from projections.book import Book
from projections.closing import bears_on_the_past
from projections.facts import Tested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from consumers.applying import Reading
    from consumers.codec import Decode
    from consumers.event_store import EventStore, StoredRecord
    from consumers.views import Views
    from domain.record import Recorded
    from projections.facts import Key, Row
    from projections.projection import Projection

OWN_KINDS = frozenset({"tested", "finding"})  # rows that closes write, each of one stream
REPLAYED_CUSTOMERS_MAX = 100  # whose events are read at once
REPLAYED_STREAMS_MAX = 500  # read at once


class ClosingBook:
    """The facts up to a position that only grows, and the events that bear on days gone by.

    Customers in `parked` are not whole: an event of theirs could not be applied.
    """

    def __init__(
        self, store: EventStore, canonical: Callable[[StoredRecord], bytes], decode: Decode
    ) -> None:
        self._store, self._canonical, self._decode = store, canonical, decode
        self._kinds: frozenset[str] = frozenset()
        self._dropped: frozenset[int] = frozenset()
        self._rows: dict[Key, Row] = {}
        self._book: Book | None = None
        self.parked: set[str] = set()
        self.position = 0

    def start(self, views: Views, projections: Sequence[Projection], through: int) -> None:
        """Take the facts of the live views up to a position, or less where one holds less.

        A kind that several keep is read from the last of them alone. Nothing is taken where a
        view is missing or of another version.
        """
        self._kinds = frozenset().union(*(each.kinds for each in projections))
        self._dropped = frozenset().union(*(views.dropped(each.name) for each in projections))
        own = [
            each.kinds.difference(*(later.kinds for later in projections[place:]))
            for place, each in enumerate(projections, 1)
        ]
        try:
            live = [
                views.applied(p.name, kinds) for p, kinds in zip(projections, own, strict=True)
            ]
        except NoViewError:
            return
        if [view.generation.version for view in live] != [each.version for each in projections]:
            return
        for view in live:
            self._rows.update(view.rows)
            self.parked |= view.parked
        held = [position for view in live for position in view.through.values()]
        self.position = min(through, *held)
        self._take_back(max(held))

    def advance(self, through: int, since: int, on: date) -> dict[str, list[Recorded]]:
        """Fold the log up to a position.

        Return, by customer, the events after `since` that bear on the days before `on`. Raises
        `StoreUnavailableError`.
        """
        bearing: dict[str, list[Recorded]] = {}
        after = min(self.position, since)
        while page := self._store.read(after, READ_RECORDS_MAX, through):
            readings = self._read(page)
            self._fold([one for one in readings if one.delivery.position > self.position])
            for recorded in (one.recorded for one in readings if one.recorded is not None):
                if recorded.position > since and bears_on_the_past(recorded, on):
                    bearing.setdefault(recorded.customer_id, []).append(recorded)
            after = page[-1].position
        self.position = through
        return bearing

    @property
    def book(self) -> Book:
        """The facts as of the position."""
        if self._book is None:
            self._book = Book.from_rows(self._rows.items())
        return self._book

    def _take_back(self, beyond: int) -> None:
        """Take out of the rows what they hold from the position on, as far as `beyond`.

        A close's own events are the only ones of their streams, so that these alone are replayed;
        anything else is replayed with all that is recorded of its customer. Where that is most
        customers, the whole log costs less.
        """
        customers: set[str] = set()
        reported: dict[Key, str] = {}
        for (_, customer_id, _), recorded, key, _ in self._touched(beyond):
            if recorded and key and key[1] in OWN_KINDS and customer_id not in self.parked:
                reported[key] = recorded.stream
            else:
                customers.add(customer_id)
        if 2 * len(customers) > len({key[0] for key in self._rows}):
            self._rows, self.parked, self.position = {}, set(), 0
            return
        self.parked -= customers
        gone = [key for key in self._rows if key[0] in customers or key in reported]
        for key in gone:
            del self._rows[key]
        for some in _slices(sorted(customers), REPLAYED_CUSTOMERS_MAX):
            self._fold(self._read(self._store.read_customers(some, self.position)))
        streams = {stream for key, stream in reported.items() if key[0] not in customers}
        for some in _slices(sorted(streams), REPLAYED_STREAMS_MAX):
            for records in self._store.read_streams(some, self.position).values():
                self._fold([one for one in self._read(records) if one.key in reported])

    def _touched(self, beyond: int) -> Iterator[Reading]:
        """Yield the events after the position that touch a row, or that cannot be read."""
        after = self.position
        while page := self._store.read(after, READ_RECORDS_MAX, beyond):
            yield from self._read(page)
            after = page[-1].position

    def _read(self, records: Iterable[StoredRecord]) -> list[Reading]:
        return read(
            [Delivery(r.position, r.customer_id, self._canonical(r)) for r in records],
            self._decode,
        )

    def _fold(self, readings: Sequence[Reading]) -> None:
        outcome = apply(readings, self._rows, self._kinds, self.parked, self._dropped)
        self.parked.update(delivery.customer_id for delivery, _ in outcome.set_aside)
        for (_, _, id_), row in outcome.rows.items():
            if not isinstance(row, Tested):
                self._book = None  # assembled anew when it is asked for
            elif self._book is not None:
                self._book.put_tested(id_, row)


def _slices(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
