"""`guanxi serve`: queries and commands over HTTP. OpenAPI at `/openapi.json`.

Every query takes `as_of` (a business date), `known_at` (an instant) and `min_position` (wait until
the view holds it: read your own write). Amounts are minor units of one currency.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import AwareDatetime  # noqa: TC002 - FastAPI reads it at run time

from domain.compliance import Status  # noqa: TC001 - FastAPI reads it at run time
from infra.answers import Answers, NotFoundError, currency_of
from infra.audit import history
from infra.documents import (
    agenda_document,
    circle_document,
    commitment_document,
    finding_document,
    relationship_document,
    row_document,
)
from infra.http import problems
from infra.http.commands import commands
from infra.http.operations import operations
from infra.http.schemas import (
    Agenda,
    Circles,
    Commitment,
    Findings,
    Leaders,
    Nodes,
    Relationship,
    Timeline,
    Windows,
    answers,
)
from infra.http.served import through
from infra.rules.reading import agenda_rules
from projections.contact_agenda import agenda_rows, of_manager
from projections.deposit_compliance import compliance_rows
from projections.findings import finding_rows
from projections.guarantee_network import circles
from projections.projection import COMPLIANCE, FINDINGS, GUARANTEES, NETWORK, RELATIONSHIP
from projections.referral_network import LeaderBy, leaders, network_rows, tree
from projections.relationship_state import relationship

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import CollectorRegistry

    from infra.http.served import Served
    from projections.book import Book
    from projections.projection import Projection

MIN_POSITION_WAIT_SECONDS = 10.0
MIN_POSITION_POLL_SECONDS = 0.005
PAGE_ROWS_MAX = 1_000
LEADERS_MAX = 100
CIRCLES_MAX = 100  # a page


class Question:
    """What every query may add; a dependency of the routes."""

    def __init__(
        self,
        as_of: Annotated[date | None, Query(description="Business date.")] = None,
        known_at: Annotated[
            AwareDatetime | None, Query(description="Instant with offset: as known then.")
        ] = None,
        min_position: Annotated[
            int, Query(ge=0, description="Wait until the view holds this position.")
        ] = 0,
        currency: Annotated[
            str | None, Query(description="Needed only where there are several.")
        ] = None,
    ) -> None:
        self.as_of = as_of
        self.known_at = None if known_at is None else _microseconds(known_at)
        self.min_position = min_position
        self.currency = currency


Asked = Annotated[Question, Depends()]


class Queries:
    """Answers questions from the live views, or from the store for the past."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def book(self, projection: Projection, asked: Question) -> tuple[Book, date]:
        """Return the book that answers and the date; waits for `min_position`."""
        self._wait(projection, asked.min_position)
        answers = Answers(self._served.parts)
        return answers.book(projection, asked.known_at), answers.as_of(asked.as_of)

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


def application(served: Served, registry: CollectorRegistry) -> FastAPI:
    """Return the app; what it answers from is opened later."""
    app = FastAPI(title="Guanxi Ledger", version="1", description=__doc__ or "")
    problems.install(app)
    app.include_router(operations(registry, served.waits_for))
    app.include_router(_queries(Queries(served)))
    app.include_router(commands(served))
    return app


def _queries(queries: Queries) -> APIRouter:  # noqa: C901, PLR0915 - a list of short routes
    router = APIRouter(tags=["queries"])

    @router.get("/relationships/{customer_id}", responses=answers(Relationship))
    def relationship_state(customer_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        currency = currency_of(book, asked.currency)
        found = relationship(book, customer_id, on, currency)
        if found is None:
            raise _not_found("relationship", customer_id, on)
        return relationship_document(found, on, currency)

    @router.get("/relationships/{customer_id}/timeline", responses=answers(Timeline))
    def timeline(customer_id: str, asked: Asked) -> dict[str, Any]:
        events = queries.history(customer_id, asked)
        if not events:
            message = f"nothing is recorded of {customer_id!r}"
            raise NotFoundError(message)
        return {"customer_id": customer_id, "events": events}

    @router.get("/commitments/{commitment_id}", responses=answers(Commitment))
    def commitment(commitment_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(COMPLIANCE, asked)
        found = book.commitments.get(commitment_id)
        if found is None or found[1].agreed_on > on:
            raise _not_found("commitment", commitment_id, on)
        return commitment_document(book, commitment_id, on)

    @router.get("/compliance", responses=answers(Windows))
    def compliance(
        asked: Asked,
        status: Status | None = None,
        after: Annotated[str, Query(description="A commitment id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(COMPLIANCE, asked)
        currency = currency_of(book, asked.currency)
        rows = (
            row
            for row in compliance_rows(book, on, currency)
            if row.commitment_id > after and status in {None, row.status}
        )
        page, following = _page(rows, limit)
        found = {"as_of": str(on), "currency": currency}
        return {**found, "windows": page, "next": following}

    @router.get("/network/leaders", responses=answers(Leaders))
    def network_leaders(
        asked: Asked,
        by: LeaderBy = "converted_descendants",
        limit: Annotated[int, Query(ge=1, le=LEADERS_MAX)] = 10,
    ) -> dict[str, Any]:
        book, on = queries.book(NETWORK, asked)
        currency = currency_of(book, asked.currency)
        best = leaders(network_rows(book, on, currency), by, limit)
        return {"as_of": str(on), "currency": currency, "leaders": [row_document(r) for r in best]}

    @router.get("/network/{customer_id}", responses=answers(Nodes))
    def network(customer_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(NETWORK, asked)
        currency = currency_of(book, asked.currency)
        found = tree(network_rows(book, on, currency), customer_id)
        if not found:
            raise _not_found("customer", customer_id, on)
        return {"as_of": str(on), "currency": currency, "nodes": [row_document(r) for r in found]}

    @router.get("/circles", responses=answers(Circles))
    def guarantee_circles(
        asked: Asked,
        after: Annotated[str, Query(description="A circle id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=CIRCLES_MAX)] = CIRCLES_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(GUARANTEES, asked)
        currency = currency_of(book, asked.currency)
        rest = (each for each in circles(book, on, currency) if each.row.circle_id > after)
        page = [circle_document(circle) for circle in islice(rest, limit)]
        following = page[-1]["circle_id"] if any(True for _ in rest) else None
        return {"as_of": str(on), "currency": currency, "circles": page, "next": following}

    @router.get("/findings", responses=answers(Findings))
    def findings(
        asked: Asked,
        status: str | None = None,
        rule: str | None = None,
        customer_id: str | None = None,
        after: Annotated[str, Query(description="A finding id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(FINDINGS, asked)
        told = {"status": status, "rule": rule, "customer_id": customer_id}
        rest = (
            row
            for row in finding_rows(book, on)
            if row.finding_id > after
            and all(value in {None, getattr(row, name)} for name, value in told.items())
        )
        page = [finding_document(book, row, on) for row in islice(rest, limit)]
        following = page[-1]["finding_id"] if any(True for _ in rest) else None
        return {"as_of": str(on), "findings": page, "next": following}

    @router.get("/agenda", responses=answers(Agenda))
    def agenda(
        asked: Asked,
        manager: Annotated[str | None, Query(description="Their customers alone.")] = None,
        after: Annotated[str, Query(description="A customer id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        rules = agenda_rules()
        rows = agenda_rows(book, on, rules)
        if manager is not None:
            rows = of_manager(book, rows, manager, on)
        rest = (row for row in rows if row.customer_id > after)
        page, following = _page(rest, limit, "customer_id", lambda r: agenda_document(r, rules))
        return {"as_of": str(on), "rows": page, "next": following}

    return router


def _page(
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


def _not_found(what: str, id_: str, on: date) -> NotFoundError:
    return NotFoundError(f"no {what} {id_!r} is known as of {on}")


def _microseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
