"""What an agenda is made of, and what it has to do without: told in the answer and in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import structlog

from infra.composition import KeysUnnamedError
from infra.key_folder import KeysError
from infra.rules.reading import agenda_rules
from projections.book import later
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from domain.values import Instant
    from infra.answers import Answers
    from projections.agenda_rules import AgendaRules
    from projections.book import Book


class Agenda(NamedTuple):
    """A book with birthdays, the rules in use, and what is not known, a short text each."""

    book: Book
    rules: AgendaRules
    warnings: Sequence[str]


def agenda_of(answers: Answers, on: date, known_at: Instant | None = None) -> Agenda:
    """Return what the agenda of a date is made of.

    Who may not open what is sealed gets it without birthdays, and a date beyond the table of
    festivals has none of them. Raises `RulesError`.
    """
    book, rules = answers.book(RELATIONSHIP, known_at), agenda_rules()
    log, warnings = structlog.get_logger(), []
    try:
        index = answers.parts.personal_index()
    except (KeysUnnamedError, KeysError) as error:
        log.warning("no birthdays", code=error.code, error=str(error))
        warnings.append("birthdays not known: the keys are not at hand")
    else:
        store = answers.parts.store
        through = store.position() if known_at is None else store.position_at(known_at)
        book = replace(book, birthdays=index.birthdays(through))
    years = rules.festival_years
    if on.year not in years or later(on, rules.festival.before_days).year not in years:
        known = f"{years[0]} to {years[-1]}" if years else "no year"
        log.warning("festivals not known", as_of=str(on), known=known)
        warnings.append(f"festivals not known: festivals.toml has those of {known}")
    return Agenda(book, rules, warnings)
