"""What every question at the command line has: a date, an instant, a book that answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from infra.answers import Answers, NotFoundError, with_birthdays
from infra.cli.failures import persisting
from infra.cli.moments import day, instant
from infra.composition import opened

if TYPE_CHECKING:
    from infra.cli.settings import Settings
    from projections.book import Book
    from projections.projection import Projection

Currency = Annotated[str | None, typer.Option(help="Needed only where the ledger holds several.")]


def asked(
    settings: Settings,
    projection: Projection,
    as_of: str | None,
    known_at: str | None,
    *,
    birthdays: bool = False,
) -> tuple[date, Book]:
    """Return the date asked for and the book that answers, with birthdays where they are asked."""
    on, known = day("--as-of", as_of), instant("--known-at", known_at)

    def ask() -> tuple[date, Book]:
        with opened(settings) as parts:
            parts.catch_up()
            answers = Answers(parts)
            book = answers.book(projection, known)
            return answers.as_of(on), with_birthdays(parts, book, known) if birthdays else book

    return persisting(ask)


def not_found(what: str, id_: str, on: date) -> NotFoundError:
    """Return the error that says so."""
    return NotFoundError(f"no {what} {id_!r} is known as of {on}")
