"""The book of a close: the facts of the views as of exact positions of the ledger.

It starts from the live views, taken back to a position that they all hold: where they hold more,
what is concerned is replayed from the store. From there on the log is folded, by the views' own
folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.applying import apply, keys_of, read
from consumers.event_store import READ_RECORDS_MAX
from consumers.packed_rows import PackedBook
from consumers.source import Delivery
from consumers.views import NoViewError
from projections.closing import bears_on_the_past

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from consumers.applying import Reading
    from consumers.codec import Decode
    from consumers.event_store import EventStore, StoredRecord
    from consumers.packed_rows import RowCodec
    from consumers.views import Views
    from domain.record import Recorded
    from projections.book import Book
    from projections.facts import Key
    from projections.projection import Projection

OWN_KINDS = frozenset({"tested", "finding"})  # rows that closes write, each of one stream
REPLAYED_CUSTOMERS_MAX = 100  # whose events are read at once
REPLAYED_STREAMS_MAX = 500  # read at once


class ClosingBook:
    """The facts up to a position that only grows, and the events that bear on days gone by.

    Customers in `parked` are not whole: an event of theirs could not be applied. Those in
    `once_parked` were not at some time: what waited may have been applied since. Events at the
    positions `dropped` are left out for good.
    """

    def __init__(
        self,
        store: EventStore,
        canonical: Callable[[StoredRecord], bytes],
        decode: Decode,
        rows: RowCodec,
    ) -> None:
        self._store, self._canonical, self._decode, self._codec = store, canonical, decode, rows
        self._kinds: frozenset[str] = frozenset()
        self.dropped: frozenset[int] = frozenset()
        self.once_parked: set[str] = set()
        self._empty()

    def start(self, views: Views, projections: Sequence[Projection], through_max: int) -> None:
        """Take the facts of the live views up to a position, or less where one holds less.

        A kind that several keep is read from the last of them alone. Nothing is taken where a
        view is missing or of another version.
        """
        self._kinds = frozenset().union(*(each.kinds for each in projections))
        self.dropped = frozenset().union(*(views.dropped(each.name) for each in projections))
        self.once_parked = {
            deal.customer_id for each in projections for deal in views.deals(each.name)
        }
        own = [
            each.kinds.difference(*(later.kinds for later in projections[place:]))
            for place, each in enumerate(projections, 1)
        ]
        held: list[int] = []
        for each, kinds in zip(projections, own, strict=True):
            through = self._taken(views, each, kinds)
            if not through:
                self._empty()
                return
            held += through
        self.position = min(through_max, *held)
        self._take_back(max(held))

    def _taken(self, views: Views, projection: Projection, kinds: frozenset[str]) -> list[int]:
        """Take the facts of a live view; return how far its shards hold them, if it is there."""
        try:
            with views.applied(projection.name, kinds) as view:
                if view.generation.version != projection.version:
                    return []
                self._facts.take(view.rows)
        except NoViewError:
            return []
        self.parked |= view.parked
        return list(view.through.values())

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
                is_news = recorded.position > since and recorded.position not in self.dropped
                if is_news and bears_on_the_past(recorded, on):
                    bearing.setdefault(recorded.customer_id, []).append(recorded)
            after = page[-1].position
        self.position = through
        return bearing

    @property
    def book(self) -> Book:
        """The facts as of the position."""
        return self._facts.book

    def _empty(self) -> None:
        self._facts = PackedBook(self._codec)
        self.parked: set[str] = set()
        self.position = 0

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
        if 2 * len(customers) > len(self._facts.customers()):
            self._empty()
            return
        self.parked -= customers
        if customers:
            self._facts.drop_customers(customers)
        self._facts.drop(key for key in reported if key[0] not in customers)
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
        rows = self._facts.find(keys_of(readings, self._kinds))
        outcome = apply(readings, rows, self._kinds, self.parked, self.dropped)
        self.parked.update(delivery.customer_id for delivery, _ in outcome.set_aside)
        self._facts.put(outcome.rows)


def _slices(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
