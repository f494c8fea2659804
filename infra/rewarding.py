"""Telling the ledger what follows from its facts: rewards due and taken back, referrals lapsed.

What is told has ids that follow from the facts, and the ledger takes each once: a run that was
killed, or runs beside another one, is run again without harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from domain.errors import CustomerForgottenError
from domain.referral_rules import LapseOverdueReferral
from domain.reward import AccrueReward, ClawBackReward
from infra.answers import Answers
from infra.attempt import Recorded, Refused, Told
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from domain.errors import RefusedError
    from infra.composition import Parts
    from infra.ledger import Ledger
    from projections.book import Book

Following: TypeAlias = AccrueReward | ClawBackReward | LapseOverdueReferral


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
    on = answers.as_of(as_of)
    return Run(on, list(find(answers.book(RELATIONSHIP), on)))


def record(ledger: Ledger, run: Run, actor: str) -> None:
    """Record what follows, but nothing of the forgotten. Told again, nothing happens."""
    told = [
        Told(command, actor, "cli", f"following:{run.as_of}", _command_id(command))
        for command in run.commands
    ]
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


def _command_id(command: Following) -> str | None:
    """Return an id for what claims no key of its own."""
    if isinstance(command, LapseOverdueReferral):
        return f"lapse-overdue:{command.referral_id}:{command.lapsed_on}"
    return None
