"""The past: the store's events up to a position, folded into rows that are thrown away again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.applying import apply, read
from consumers.event_store import READ_RECORDS_MAX
from consumers.source import Delivery
from projections.facts import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from consumers.codec import Decode
    from consumers.event_store import EventStore, StoredRecord
    from projections.facts import Key, Row


@dataclass(frozen=True, slots=True)
class Replayed:
    """The rows as they were known at a position, and why a customer's are not whole."""

    rows: dict[Key, Row] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)


def replay(
    store: EventStore,
    canonical: Callable[[StoredRecord], bytes],
    decode: Decode,
    through: int,
    customer_ids: Collection[str] | None = None,
    dropped: Collection[int] = (),
) -> Replayed:
    """Fold all events up to a position, or those of some customers, by the views' own folds.

    As in a view, a customer's events from one that cannot be applied on are left out, and so are
    those that were dropped. The whole book is held in memory. Raises `StoreUnavailableError`.
    """
    replayed = Replayed()
    for page in _pages(store, through, customer_ids):
        deliveries = (Delivery(r.position, r.customer_id, canonical(r)) for r in page)
        readings = read(deliveries, decode)
        outcome = apply(readings, replayed.rows, KINDS, replayed.troubles, dropped)
        for delivery, trouble in outcome.set_aside:
            if trouble:
                replayed.troubles[delivery.customer_id] = str(trouble)
    return replayed


def _pages(
    store: EventStore, through: int, customer_ids: Iterable[str] | None
) -> Iterator[Sequence[StoredRecord]]:
    if customer_ids is not None:
        yield store.read_customers(customer_ids, through)
        return
    after = 0
    while page := store.read(after, READ_RECORDS_MAX, through):
        yield page
        after = page[-1].position
