"""Telling the ledger what follows from its facts: rewards due and taken back, referrals lapsed.

What is told follows from the facts, and the ledger takes each once: a run that was killed, or
runs beside another one, is run again without harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from domain.errors import CustomerForgottenError
from domain.referral import (
    ReferralContacted,
    ReferralConverted,
    ReferralDeclined,
    ReferralLapsed,
)
from domain.referral_rules import LapseOverdueReferral
from domain.reward import AccrueReward, ClawBackReward
from infra.answers import Answers
from infra.attempt import Recorded, Refused, Told
from infra.codec import decode_record
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from consumers.event_store import EventStore
    from domain.errors import RefusedError
    from infra.composition import Parts
    from infra.ledger import Ledger
    from projections.book import Book

Following: TypeAlias = AccrueReward | ClawBackReward | LapseOverdueReferral
OUTCOMES = (ReferralConverted, ReferralDeclined, ReferralLapsed)
FOLLOWING = "following"  # how the correlation id begins of what a run tells


@dataclass(frozen=True, slots=True)
class Run:
    """What follows from the facts as of a date.

    `recorded` (ids) and `refused` (by id) are filled by `record`.
    """

    as_of: date
    commands: Sequence[Following]
    recorded: set[str] = field(default_factory=set)
    refused: dict[str, RefusedError] = field(default_factory=dict)


def following(
    parts: Parts, as_of: date | None, find: Callable[[Book, date], Iterable[Following]]
) -> Run:
    """Return what follows, by the rule given, from what the ledger knows now."""
    answers = Answers(parts)
    on, book = answers.as_of(as_of), answers.book(RELATIONSHIP)

    def holds(command: Following) -> bool:
        if not isinstance(command, LapseOverdueReferral) or command.instead_of is None:
            return True
        prospect_id, _ = book.referrals[command.referral_id]
        return _is_moved(parts.store, prospect_id, command.referral_id)

    return Run(on, [command for command in find(book, on) if holds(command)])


def record(ledger: Ledger, run: Run, actor: str) -> None:
    """Record what follows, but nothing of the forgotten. Told again, nothing happens."""
    told = [Told(command, actor, "cli", f"{FOLLOWING}:{run.as_of}") for command in run.commands]
    for command, outcome in zip(run.commands, ledger.handle(told), strict=True):
        if isinstance(outcome, Refused) and isinstance(outcome.error, CustomerForgottenError):
            continue  # nothing is recorded of them any more, and no view knows a mere prospect
        if isinstance(outcome, Refused):
            run.refused[id_of(command)] = outcome.error
        elif isinstance(outcome, Recorded):
            run.recorded.add(id_of(command))


def id_of(command: Following) -> str:
    """Return the id of the reward or referral that a command is about."""
    return command.referral_id if isinstance(command, LapseOverdueReferral) else command.reward_id


def _is_moved(store: EventStore, prospect_id: str, referral_id: str) -> bool:
    """Tell whether a run let a referral lapse, and its first contact was told only after that."""
    stream = f"prospect-{prospect_id}"
    by_rule = contacted_since = False
    for stored in store.read_streams([stream])[stream]:
        event = decode_record(stored).event
        if isinstance(event, ReferralContacted) and event.referral_id == referral_id:
            contacted_since = True
        elif isinstance(event, OUTCOMES) and event.referral_id == referral_id:
            by_rule = stored.correlation_id.startswith(f"{FOLLOWING}:")
            contacted_since = False
    return by_rule and contacted_since
