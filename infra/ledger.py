"""The write side: commands in, decisions made, events appended.

A batch is handled in its order, as if one command at a time, and appended as one. What is told
again with the same content gives the first result; what cannot be recorded is refused alone.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, TypeVar

from consumers.event_store import ConflictError, StoreUnavailableError
from domain.deciding import natural_key
from domain.relationship_rules import ForgetRelationship
from infra.attempt import Attempt, Keyed, Outcome, Recorded, Refused, Told, Tools, Unchanged
from infra.closes import business_date
from infra.personal_index import forget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from infra.event_store.ledger import LedgerStore
    from infra.keyring import Keyring

__all__ = ["Ledger", "Outcome", "Recorded", "Refused", "Told", "Unchanged"]

BATCH_COMMANDS_MAX = 2_000  # commands an append
CONFLICTS_MAX = 30  # conflicts of one batch
CONFLICTS_WHOLE_MAX = 3  # after so many, half of it is tried
CONFLICT_PAUSE_SECONDS_MAX = 0.25
OUTAGE_PAUSE_SECONDS_MIN, OUTAGE_PAUSE_SECONDS_MAX = 0.05, 5.0

T = TypeVar("T")
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
OUTAGE_SECONDS_MAX = 60.0  # then the outage is the caller's


def new_event_id() -> str:
    """Return a random UUID (version 4): what `uuid.uuid4` gives, in a third of the time."""
    h = os.urandom(16).hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:]}"


class Ledger:
    """Handles commands. Safe to share between threads.

    `on_outage` is told of the database's outage and of the pause, in seconds, before it is tried
    again; `on_append` of each append, in seconds.
    """

    def __init__(
        self,
        store: LedgerStore,
        keyring: Keyring,
        *,
        business_date: date | None = None,
        new_id: Callable[[], str] = new_event_id,
        on_outage: Callable[[StoreUnavailableError, float], None] = lambda _error, _pause: None,
        on_append: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.store = store
        self._tools = Tools(store, keyring, new_id, business_date, {}, on_append)
        self._on_outage = on_outage

    def business_date(self) -> date | None:
        """Return the day the books are on, None on an empty ledger.

        It is the day after the last close, before the first one the latest date recorded.
        """
        return self._tools.business_date or business_date(self._tools.store)

    def handle(self, commands: Sequence[Told]) -> list[Outcome]:
        """Return the outcome of each command, in order.

        Up to `BATCH_COMMANDS_MAX` commands are one append. Raises `StoreUnavailableError` after
        `OUTAGE_SECONDS_MAX` and `ConflictError` after `CONFLICTS_MAX`: told again with the same
        ids, what was recorded is found.
        """
        keyed = [self._keyed(told) for told in commands]
        outcomes: list[Outcome] = []
        while len(outcomes) < len(keyed):
            batch = keyed[len(outcomes) : len(outcomes) + BATCH_COMMANDS_MAX]
            outcomes += self._persist(batch)
        for told, outcome in zip(commands, outcomes, strict=True):
            if isinstance(told.command, ForgetRelationship) and not isinstance(outcome, Refused):
                self._tools.keyring.forget(told.command.customer_id)
                forget(self.store.database, told.command.customer_id)
        return outcomes

    def _keyed(self, told: Told) -> Keyed:
        """Give a command without any key an id: should the append's answer be lost, it tells."""
        key = natural_key(told.command)
        if key is None and told.command_id is None:
            told = told._replace(command_id=self._tools.new_id())
        return told, key

    def patiently(self, work: Callable[[], T]) -> T:
        """Return what work on the database gives, tried again with back-off in an outage.

        Raises `StoreUnavailableError` after `OUTAGE_SECONDS_MAX`.
        """
        pause, give_up_at = OUTAGE_PAUSE_SECONDS_MIN, None
        while True:
            try:
                return work()
            except StoreUnavailableError as error:
                give_up_at = give_up_at or time.monotonic() + OUTAGE_SECONDS_MAX
                if time.monotonic() + pause > give_up_at:
                    raise
                self._on_outage(error, pause)
                time.sleep(pause)
                pause = min(2 * pause, OUTAGE_PAUSE_SECONDS_MAX)

    def _persist(self, batch: Sequence[Keyed]) -> list[Outcome]:
        """Attempt a batch until the store has taken it, or its beginning."""
        conflicts = 0
        while True:
            try:
                return self.patiently(lambda: Attempt(self._tools).run(batch))  # noqa: B023 - called at once
            except ConflictError:
                conflicts += 1
                if conflicts == CONFLICTS_MAX:
                    raise
                if conflicts % CONFLICTS_WHOLE_MAX == 0:
                    batch = batch[: (len(batch) + 1) // 2]
                longest = min(0.002 * 2**conflicts, CONFLICT_PAUSE_SECONDS_MAX)
                time.sleep(random.uniform(0, longest))  # noqa: S311 - spreads writers, no secret
