"""A batch of records folded over rows: the same for a live view, a retry and a replay.

An event that cannot be read or applied parks its customer: it and the customer's later events of
the projection are set aside, in order, and everything else flows on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from consumers.codec import UnreadableEventError
from projections.folding import CannotApplyError, fold, key_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from consumers.codec import Decode
    from consumers.source import Delivery
    from domain.record import Recorded
    from projections.facts import Key, Row

Trouble: TypeAlias = UnreadableEventError | CannotApplyError


class Reading(NamedTuple):
    """A delivery as read: the event and the key of the row it touches, or what is wrong."""

    delivery: Delivery
    recorded: Recorded | None
    key: Key | None
    trouble: UnreadableEventError | None = None


@dataclass(slots=True)
class Outcome:
    """What a batch did: new rows, how many events made them, and what was set aside.

    A customer's first trouble stands beside the event; events that only wait have None.
    """

    rows: dict[Key, Row] = field(default_factory=dict)
    applied: int = 0
    skipped: int = 0
    set_aside: list[tuple[Delivery, Trouble | None]] = field(default_factory=list)


def read(deliveries: Iterable[Delivery], decode: Decode) -> list[Reading]:
    """Decode a batch once, for all projections. What touches no view is left out."""
    readings = []
    for delivery in deliveries:
        try:
            recorded = decode(delivery.value)
        except UnreadableEventError as trouble:
            readings.append(Reading(delivery, None, None, trouble))
            continue
        key = key_of(recorded)
        if key is not None:
            readings.append(Reading(delivery, recorded, key))
    return readings


def keys_of(readings: Iterable[Reading], kinds: Collection[str]) -> set[Key]:
    """Return the keys of the rows that a projection of these kinds needs for a batch."""
    return {r.key for r in readings if r.key is not None and r.key[1] in kinds}


def apply(
    readings: Sequence[Reading],
    rows: dict[Key, Row],
    kinds: Collection[str],
    parked: Collection[str] = (),
    dropped: Collection[int] = (),
) -> Outcome:
    """Fold a batch, in order, into `rows`, which holds those of `keys_of` that exist.

    Events of the customers in `parked` wait; those at `dropped` positions are left out.
    """
    outcome = Outcome()
    changed = outcome.rows
    waiting = set(parked)
    for reading in readings:
        delivery, key, recorded = reading.delivery, reading.key, reading.recorded
        if key is not None and key[1] not in kinds:
            continue
        if dropped and delivery.position in dropped:
            outcome.skipped += 1
            continue
        if delivery.customer_id in waiting:
            outcome.set_aside.append((delivery, None))
            continue
        trouble: Trouble | None = reading.trouble
        if key is not None and recorded is not None:
            try:
                rows[key] = changed[key] = fold(rows.get(key), recorded)
            except CannotApplyError as error:
                trouble = error
            else:
                outcome.applied += 1
        if trouble is not None:
            waiting.add(delivery.customer_id)
            outcome.set_aside.append((delivery, trouble))
    return outcome
