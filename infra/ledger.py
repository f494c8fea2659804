"""The write side: commands in, decisions made, events appended.

A batch is handled in its order, as if one command at a time, and appended as one. What is told
again with the same content gives the first result; what cannot be recorded is refused alone.
"""

from __future__ import annotations

import random
import time
import uuid
from datetime import date
from typing import TYPE_CHECKING

from consumers.event_store import ConflictError, StoreUnavailableError
from domain.deciding import natural_key
from domain.relationship_rules import ForgetRelationship
from infra.attempt import Attempt, Outcome, Recorded, Refused, Told, Tools, Unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumers.event_store import EventStore
    from infra.keyring import Keyring

__all__ = ["Ledger", "Outcome", "Recorded", "Refused", "Told", "Unchanged"]

BATCH_COMMANDS_MAX = 2_000  # commands an append
CONFLICTS_MAX = 30  # conflicts of one batch
CONFLICTS_WHOLE_MAX = 3  # after so many, half of it is tried
CONFLICT_PAUSE_SECONDS_MAX = 0.25
OUTAGE_PAUSE_SECONDS_MIN, OUTAGE_PAUSE_SECONDS_MAX = 0.05, 5.0
OUTAGE_SECONDS_MAX = 60.0  # then the outage is the caller's


class Ledger:
    """Handles commands. Safe to share between threads.

    `on_outage` is told of the database's outage and of the pause, in seconds, before it is tried
    again.
    """

    def __init__(
        self,
        store: EventStore,
        keyring: Keyring,
        *,
        business_date: date | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        on_outage: Callable[[StoreUnavailableError, float], None] = lambda _error, _pause: None,
    ) -> None:
        self._tools = Tools(store, keyring, new_id, business_date, accounts={})
        self._on_outage = on_outage

    def business_date(self) -> date | None:
        """Return the day the books are on: the latest recorded, None on an empty ledger."""
        if self._tools.business_date is not None:
            return self._tools.business_date
        latest = self._tools.store.latest_occurred_on()
        return None if latest is None else date.fromisoformat(latest)

    def handle(self, commands: Sequence[Told]) -> list[Outcome]:
        """Return the outcome of each command, in order.

        Up to `BATCH_COMMANDS_MAX` commands are one append. Raises `StoreUnavailableError` after
        `OUTAGE_SECONDS_MAX` and `ConflictError` after `CONFLICTS_MAX`: told again with the same
        ids, what was recorded is found.
        """
        told = [self._findable(one) for one in commands]
        outcomes: list[Outcome] = []
        while len(outcomes) < len(told):
            batch = told[len(outcomes) : len(outcomes) + BATCH_COMMANDS_MAX]
            outcomes += self._persist(batch)
        for one, outcome in zip(told, outcomes, strict=True):
            if isinstance(one.command, ForgetRelationship) and not isinstance(outcome, Refused):
                self._tools.keyring.forget(one.command.customer_id)
        return outcomes

    def _findable(self, told: Told) -> Told:
        """Give a command without any key an id: should the append's answer be lost, it tells."""
        if told.command_id is not None or natural_key(told.command) is not None:
            return told
        return told._replace(command_id=self._tools.new_id())

    def _persist(self, batch: Sequence[Told]) -> list[Outcome]:
        """Attempt a batch until the store has taken it, or its beginning."""
        conflicts, pause, give_up_at = 0, OUTAGE_PAUSE_SECONDS_MIN, None
        while True:
            try:
                return Attempt(self._tools).run(batch)
            except ConflictError:
                conflicts += 1
                if conflicts == CONFLICTS_MAX:
                    raise
                if conflicts % CONFLICTS_WHOLE_MAX == 0:
                    batch = batch[: (len(batch) + 1) // 2]
                longest = min(0.002 * 2**conflicts, CONFLICT_PAUSE_SECONDS_MAX)
                time.sleep(random.uniform(0, longest))  # noqa: S311 - spreads writers, no secret
            except StoreUnavailableError as error:
                give_up_at = give_up_at or time.monotonic() + OUTAGE_SECONDS_MAX
                if time.monotonic() + pause > give_up_at:
                    raise
                self._on_outage(error, pause)
                time.sleep(pause)
                pause = min(2 * pause, OUTAGE_PAUSE_SECONDS_MAX)
