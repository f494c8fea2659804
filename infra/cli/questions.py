"""What every question at the command line has: a date, an instant, a book that answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from infra.answers import Answers, NotFoundError
from infra.cli.failures import persisting
from infra.cli.moments import day, instant
from infra.composition import opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.values import Instant
    from infra.cli.settings import Settings
    from projections.book import Book
    from projections.projection import Projection

T = TypeVar("T")
Currency = Annotated[str | None, typer.Option(help="Needed only where the ledger holds several.")]


def asked(
    settings: Settings,
    projection: Projection,
    as_of: str | None,
    known_at: str | None,
) -> tuple[date, Book]:
    """Return the date asked for and the book that answers."""

    def ask(answers: Answers, _on: date, known: Instant | None) -> Book:
        return answers.book(projection, known)

    return answered(settings, as_of, known_at, ask)


def answered(
    settings: Settings,
    as_of: str | None,
    known_at: str | None,
    ask: Callable[[Answers, date, Instant | None], T],
) -> tuple[date, T]:
    """Return the date asked for and what `ask` returns of it, and of the instant, if one is."""
    told_on, known = day("--as-of", as_of), instant("--known-at", known_at)

    def attempt() -> tuple[date, T]:
        with opened(settings) as parts:
            parts.catch_up()
            answers = Answers(parts)
            on = answers.as_of(told_on)
            return on, ask(answers, on, known)

    return persisting(attempt)


def not_found(what: str, id_: str, on: date) -> NotFoundError:
    """Return the error that says so."""
    return NotFoundError(f"no {what} {id_!r} is known as of {on}")
