"""The referral network that a long-running process keeps: it follows the view by its changes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.answers import chosen
from infra.network_answers import facts_of
from projections.living_network import LivingNetwork
from projections.projection import NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from consumers.views import Generation
    from infra.answers import Answers
    from projections.referral_network import Network

FOLLOWED_EVENTS_MAX = 10_000  # further behind, the view is read afresh


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where a view stands: the build, up to which position, and whose events are parked."""

    generation: Generation
    through: int
    parked: frozenset[str]


class KeptNetwork:
    """One network, of the date and currency last asked for. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[LivingNetwork, _Stand] | None = None

    @contextmanager
    def caught_up(
        self, answers: Answers, as_of: date, currency: str | None
    ) -> Iterator[tuple[Network, str]]:
        """Lend the network of a date as the view has it now, and the currency of its amounts.

        Raises `CurrencyNeededError`, `CurrencyUnknownError`, `NoViewError`.
        """
        with self._lock:
            kept, self._kept = self._kept, None  # where this fails, it is read afresh
            stand = _stand(answers)
            if kept is not None and _follows(kept, stand, as_of):
                living = _follow(answers, *kept, stand, as_of)
            else:
                living = LivingNetwork(facts_of(answers), as_of, currency)
            told = chosen(sorted(living.currencies), currency)
            if told != living.currency:
                living = LivingNetwork(facts_of(answers), as_of, told)
            self._kept = living, stand
            yield living.network, told


def _stand(answers: Answers) -> _Stand:
    views = answers.parts.views
    generation = views.live(NETWORK.name)
    lanes = views.lanes(generation).values()
    return _Stand(
        generation,
        min((lane.progress.through for lane in lanes), default=0),
        frozenset(waiting.customer_id for waiting in views.parked(generation)),
    )


def _follows(kept: tuple[LivingNetwork, _Stand], stand: _Stand, as_of: date) -> bool:
    living, before = kept
    return (
        stand.generation == before.generation
        and 0 <= stand.through - before.through <= FOLLOWED_EVENTS_MAX
        and living.as_of <= as_of
    )


def _follow(
    answers: Answers, living: LivingNetwork, before: _Stand, stand: _Stand, as_of: date
) -> LivingNetwork:
    """Look again at whoever the ledger told of, whose day has come, or who was or is parked.

    The rows may be newer than the position: then they are looked at twice.
    """
    store = answers.parts.store
    records = store.read(before.through, FOLLOWED_EVENTS_MAX, stand.through)
    changed = {record.customer_id for record in records}
    changed |= living.move(as_of) | before.parked | stand.parked
    for facts in facts_of(answers, customer_ids=changed):
        living.put(facts)
    return living
