"""Parked events: setting aside, trying again, dropping. Every deed leaves a trail.

Retries and drops work beside a running projector: they name the lane's revision, as it does, so
one of the two finds the lane moved on and starts again from what is stored.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from consumers.applying import apply, keys_of, read
from consumers.source import Delivery
from consumers.views import Change, Deal, LostShardError, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumers.applying import Outcome
    from consumers.codec import Decode
    from consumers.views import Deed, Feed, Lane, Views
    from domain.values import Instant

ATTEMPTS_MAX = 100  # lost in all, against a projector that keeps moving the lane on


def set_aside(
    outcome: Outcome, shard: int, now: Instant
) -> tuple[Sequence[Waiting], Sequence[Deal]]:
    """Return what a batch parks, and the trail of each customer's first trouble."""
    waiting, deals = [], []
    for delivery, trouble in outcome.set_aside:
        code, reason = (trouble.code, str(trouble)) if trouble else ("", "")
        customer_id, position = delivery.customer_id, delivery.position
        waiting.append(Waiting(customer_id, position, shard, delivery.value, code, reason, now))
        if trouble:
            deals.append(Deal(customer_id, position, "parked", now, "projector", reason))
    return waiting, deals


class Parking:
    """What an operator does about parked events. `by` and `why` go into the trail.

    Each method returns how many events were applied, and raises `StoreUnavailableError`, or
    `LostShardError` where the generation is gone or a projector was faster every time.
    """

    def __init__(self, views: Views, decode: Decode, now: Callable[[], Instant]) -> None:
        self._views = views
        self._decode = decode
        self._now = now

    def retry(self, feed: Feed, customer_id: str, by: str, why: str) -> int:
        """Apply the customer's parked events again, in order, as far as it goes."""
        return self._release(feed, customer_id, 0, (by, why))

    def drop(self, feed: Feed, customer_id: str, by: str, why: str) -> int:
        """Leave the first parked event out for good, in every later generation too.

        What waited behind it is applied, as far as it goes.
        """
        return self._release(feed, customer_id, 1, (by, why))

    def drop_all(self, feed: Feed, customer_id: str, by: str, why: str) -> int:
        """Leave all the customer's parked events out for good, in every later generation too."""
        return self._release(feed, customer_id, sys.maxsize, (by, why))

    def _release(self, feed: Feed, customer_id: str, drops: int, trail: tuple[str, str]) -> int:
        """Drop so many of the customer's parked events and apply the others, by the page."""
        applied = attempts = 0
        while True:
            lanes = self._views.lanes(feed.generation)  # before the queue, so no change is missed
            queue = self._views.queue(feed.generation, customer_id)
            if not queue:
                return applied
            if queue[0].shard not in lanes or attempts == ATTEMPTS_MAX:
                message = f"{feed.projection.name}: the shard of {customer_id} is not to be had"
                raise LostShardError(message)
            outcome = self._apply_again(feed, queue[drops:])
            change = self._change(queue, drops, outcome, trail, lanes[queue[0].shard])
            try:
                self._views.commit(feed.generation, [change])
            except LostShardError:
                attempts += 1
                continue
            applied += outcome.applied
            drops = max(0, drops - len(queue))
            if outcome.set_aside:
                return applied

    def _apply_again(self, feed: Feed, queue: Sequence[Waiting]) -> Outcome:
        deliveries = [Delivery(w.position, w.customer_id, w.value) for w in queue]
        readings = read(deliveries, self._decode)
        kinds = feed.projection.kinds
        rows = self._views.load(feed.generation, keys_of(readings, kinds))
        return apply(readings, rows, kinds)

    def _change(
        self,
        queue: Sequence[Waiting],
        drops: int,
        outcome: Outcome,
        trail: tuple[str, str],
        lane: Lane,
    ) -> Change:
        now = self._now()
        first_left, _ = set_aside(outcome, queue[0].shard, now)
        left = {waiting.position for waiting in first_left}
        deals = []
        for index, waiting in enumerate(queue):
            deed: Deed = "dropped" if index < drops else "retried"
            if waiting.position in left:
                deed = "failed"
            deals.append(Deal(waiting.customer_id, waiting.position, deed, now, *trail))
            if deed == "failed":
                break
        return Change(
            shard=queue[0].shard,
            revision=lane.revision,
            progress=lane.progress,
            rows=outcome.rows,
            park=first_left[:1],
            unpark=[w.position for w in queue if w.position not in left],
            deals=deals,
        )
