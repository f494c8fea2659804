"""What every query over HTTP may add, and the book that answers it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BeforeValidator

from infra.agenda_answers import agenda_of
from infra.answers import Answers, NotFoundError
from infra.audit import history
from infra.documents import row_document
from infra.http import problems
from infra.http.reading import reading
from infra.http.served import through
from infra.kept_network import KeptNetwork
from infra.moments import day_of, microseconds, moment_of
from infra.network_answers import network_of
from projections.projection import NETWORK, RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.agenda_answers import Agenda
    from infra.composition import Parts
    from infra.http.served import Served
    from projections.book import Book
    from projections.projection import Projection
    from projections.referral_network import Network

MIN_POSITION_WAIT_SECONDS = 10.0
MIN_POSITION_POLL_SECONDS = 0.005


Day: TypeAlias = Annotated[date, BeforeValidator(day_of)]
Moment: TypeAlias = Annotated[AwareDatetime, BeforeValidator(moment_of)]


class Question:
    """What every query may add; a dependency of the routes."""

    def __init__(
        self,
        as_of: Annotated[Day | None, Query(description="Business date.")] = None,
        known_at: Annotated[
            Moment | None, Query(description="Instant with offset: as known then.")
        ] = None,
        min_position: Annotated[
            int, Query(ge=0, description="Wait until the view holds this position.")
        ] = 0,
        currency: Annotated[
            str | None, Query(description="Needed only where there are several.")
        ] = None,
    ) -> None:
        self.as_of = as_of
        self.known_at = None if known_at is None else microseconds(known_at)
        self.min_position = min_position
        self.currency = currency


Asked = Annotated[Question, Depends()]


class Queries:
    """Answers questions from the live views, or from the store for the past."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._kept_network = KeptNetwork()

    def router(self) -> APIRouter:
        """Return a router for queries."""
        return APIRouter(tags=["queries"], route_class=reading(self._served))

    @contextmanager
    def network(self, asked: Question) -> Iterator[tuple[Network, date, str]]:
        """Lend the referral network, its date and currency: the one kept, unless of the past."""
        self._wait(NETWORK, asked.min_position)
        answers = Answers(self._served.parts)
        on = answers.as_of(None)
        if asked.known_at is None and asked.as_of in {None, on}:
            with self._kept_network.caught_up(answers, on, asked.currency) as (network, currency):
                yield network, on, currency
        else:
            on = asked.as_of or on
            network, currency = network_of(answers, on, asked.currency, asked.known_at)
            yield network, on, currency

    def book(self, projection: Projection, asked: Question) -> tuple[Book, date]:
        """Return the book that answers and the date; waits for `min_position`."""
        self._wait(projection, asked.min_position)
        answers = Answers(self._served.parts)
        return answers.book(projection, asked.known_at), answers.as_of(asked.as_of)

    def agenda(self, asked: Question) -> tuple[Agenda, date]:
        """Return what the agenda is made of and the date; waits for `min_position`."""
        self._wait(RELATIONSHIP, asked.min_position)
        answers = Answers(self._served.parts)
        on = answers.as_of(asked.as_of)
        return agenda_of(answers, on, asked.known_at), on

    @property
    def parts(self) -> Parts:
        """The ledger's adapters. Raises `NotReadyError`."""
        return self._served.parts

    def history(self, customer_id: str, asked: Question) -> list[dict[str, Any]]:
        """Return a customer's events; those dated after `as_of` are left out."""
        parts = self._served.parts
        store = parts.store
        known_at = asked.known_at
        through = store.position() if known_at is None else store.position_at(known_at)
        events = history(parts, customer_id, through)
        until = asked.as_of.isoformat() if asked.as_of else "9999-12-31"
        return [each for each in events if each["occurred_on"] <= until]

    def _wait(self, projection: Projection, position: int) -> None:
        deadline = time.monotonic() + MIN_POSITION_WAIT_SECONDS
        while through(self._served.parts, projection) < position:
            if time.monotonic() > deadline:
                message = f"{projection.name} does not hold position {position} yet; try again"
                raise problems.NotAppliedYetError(message)
            time.sleep(MIN_POSITION_POLL_SECONDS)


def page_of(
    rows: Iterator[Any],
    limit: int,
    by: str = "commitment_id",
    document: Callable[[Any], dict[str, Any]] = row_document,
) -> tuple[list[dict[str, Any]], str | None]:
    """Return whole commitments or customers, at least `limit` rows where there are so many.

    And the `after` of the next page, None where there is none.
    """
    page: list[dict[str, Any]] = []
    for row in rows:
        if len(page) >= limit and page[-1][by] != getattr(row, by):
            return page, page[-1][by]
        page.append(document(row))
    return page, None


def not_found(what: str, id_: str, on: date) -> NotFoundError:
    """Return the error that says so."""
    return NotFoundError(f"no {what} {id_!r} is known as of {on}")
