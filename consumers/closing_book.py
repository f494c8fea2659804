"""The book of a close: the facts of a view as of exact positions of the ledger.

It starts from the live view as far as that was applied, and folds the store's log on by the
views' own folds. What a view does not have any more, for it has gone on, is replayed.
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
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from consumers.applying import Reading
    from consumers.codec import Decode
    from consumers.event_store import EventStore, StoredRecord
    from consumers.views import Views
    from domain.record import Recorded
    from projections.facts import Key, Row
    from projections.projection import Projection


class ClosingBook:
    """The facts up to a position that only grows, and the events that bear on days gone by.

    `shard_of` gives a customer's shard among that many. Customers in `parked` are not whole: an
    event of theirs could not be applied.
    """

    def __init__(
        self,
        store: EventStore,
        canonical: Callable[[StoredRecord], bytes],
        decode: Decode,
        shard_of: Callable[[str, int], int],
    ) -> None:
        self._store, self._canonical, self._decode = store, canonical, decode
        self._shard_of = shard_of
        self._kinds: frozenset[str] = frozenset()
        self._dropped: frozenset[int] = frozenset()
        self._rows: dict[Key, Row] = {}
        self._applied: Mapping[int, int] = {0: 0}
        self._book: Book | None = None
        self.parked: set[str] = set()
        self.position = 0

    def start(self, views: Views, projection: Projection, through: int | None) -> None:
        """Take the facts of the live view, or none where it lies beyond a position."""
        self._kinds, self._dropped = projection.kinds, views.dropped(projection.name)
        try:
            view = views.applied(projection.name)
        except NoViewError:
            return
        beyond = through is not None and max(view.through.values()) > through
        if not beyond and view.generation.version == projection.version:
            self._rows, self._applied = view.rows, view.through
            self.parked = set(view.parked)
            self.position = min(view.through.values())

    def advance(self, through: int, since: int, on: date) -> dict[str, list[Recorded]]:
        """Fold the log up to a position.

        Return, by customer, the events after `since` that bear on the days before `on`. Raises
        `StoreUnavailableError`.
        """
        bearing: dict[str, list[Recorded]] = {}
        after = min(self.position, since)
        while page := self._store.read(after, READ_RECORDS_MAX, through):
            deliveries = [Delivery(r.position, r.customer_id, self._canonical(r)) for r in page]
            readings = read(deliveries, self._decode)
            self._fold([one for one in readings if not self._is_applied(one.delivery)])
            for recorded in (one.recorded for one in readings if one.recorded is not None):
                if recorded.position > since and bears_on_the_past(recorded, on):
                    bearing.setdefault(recorded.customer_id, []).append(recorded)
            after = page[-1].position
        self.position, self._applied = through, dict.fromkeys(self._applied, through)
        return bearing

    @property
    def book(self) -> Book:
        """The facts as of the position."""
        if self._book is None:
            self._book = Book.from_rows(self._rows.items())
        return self._book

    def _is_applied(self, delivery: Delivery) -> bool:
        shard = self._shard_of(delivery.customer_id, len(self._applied))
        return delivery.position <= self._applied[shard]

    def _fold(self, readings: Sequence[Reading]) -> None:
        outcome = apply(readings, self._rows, self._kinds, self.parked, self._dropped)
        self.parked.update(delivery.customer_id for delivery, _ in outcome.set_aside)
        for (_, _, id_), row in outcome.rows.items():
            if not isinstance(row, Tested):
                self._book = None  # assembled anew when it is asked for
            elif self._book is not None:
                self._book.put_tested(id_, row)
