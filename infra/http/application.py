"""`guanxi serve`: queries and commands over HTTP. OpenAPI at `/openapi.json`.

Every query takes `as_of` (a business date), `known_at` (an instant) and `min_position` (wait until
the view holds it: read your own write). Amounts are minor units of one currency.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query
from prometheus_client import CollectorRegistry
from pydantic import AwareDatetime  # noqa: TC002 - FastAPI reads it at run time

from consumers.views import NoViewError
from infra.answers import Answers, NotFoundError, currency_of
from infra.attempt import Refused, Told
from infra.audit import history
from infra.commands import FORMS
from infra.documents import commitment_document, relationship_document, row_document
from infra.http import problems
from infra.http.ledger_totals import LedgerTotals
from infra.http.operations import operations
from infra.log_source import LogSource
from projections.deposit_compliance import compliance_rows
from projections.projection import COMPLIANCE, NETWORK, PROJECTIONS, RELATIONSHIP
from projections.referral_network import LeaderBy, leaders, network_rows, tree
from projections.relationship_state import relationship

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from infra.composition import Parts
    from infra.ledger import Ledger
    from projections.book import Book
    from projections.projection import Projection

MIN_POSITION_WAIT_SECONDS = 10.0
MIN_POSITION_POLL_SECONDS = 0.005
PAGE_ROWS_MAX = 1_000
LEADERS_MAX = 100
SERVED_LAG_EVENTS_MAX = 10_000  # further behind, `/readyz` says so


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

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._answers = Answers(parts)

    def book(self, projection: Projection, asked: Question) -> tuple[Book, date]:
        """Return the book that answers and the date; waits for `min_position`."""
        self._wait(projection, asked.min_position)
        return self._answers.book(projection, asked.known_at), self._answers.as_of(asked.as_of)

    def history(self, customer_id: str, asked: Question) -> list[dict[str, Any]]:
        """Return a customer's events; those dated after `as_of` are left out."""
        store = self._parts.store
        known_at = asked.known_at
        through = store.position() if known_at is None else store.position_at(known_at)
        events = history(self._parts, customer_id, through)
        until = asked.as_of.isoformat() if asked.as_of else "9999-12-31"
        return [each for each in events if each["occurred_on"] <= until]

    def _wait(self, projection: Projection, position: int) -> None:
        deadline = time.monotonic() + MIN_POSITION_WAIT_SECONDS
        while _through(self._parts, projection) < position:
            if time.monotonic() > deadline:
                message = f"{projection.name} does not hold position {position} yet; try again"
                raise problems.NotAppliedYetError(message)
            time.sleep(MIN_POSITION_POLL_SECONDS)


def application(parts: Parts, stop: threading.Event) -> FastAPI:
    """Return the app. Embedded, it also keeps the views up to date, until `stop` is set."""
    registry = CollectorRegistry()
    registry.register(LedgerTotals(parts))
    app = FastAPI(title="Guanxi Ledger", version="1", description=__doc__ or "")
    problems.install(app)
    app.include_router(operations(registry, _waits_for(parts)))
    app.include_router(_queries(Queries(parts)))
    app.include_router(_commands(parts.ledger()))
    if parts.profile == "embedded":
        projector = parts.projector(LogSource(parts.store))
        threading.Thread(target=projector.run, args=(stop,), name="projector", daemon=True).start()
    return app


def _queries(queries: Queries) -> APIRouter:  # noqa: C901 - a list of short routes
    router = APIRouter(tags=["queries"])

    @router.get("/relationships/{customer_id}")
    def relationship_state(customer_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        currency = currency_of(book, asked.currency)
        found = relationship(book, customer_id, on, currency)
        if found is None:
            raise _not_found("relationship", customer_id, on)
        return relationship_document(found, on, currency)

    @router.get("/relationships/{customer_id}/timeline")
    def timeline(customer_id: str, asked: Asked) -> dict[str, Any]:
        events = queries.history(customer_id, asked)
        if not events:
            message = f"nothing is recorded of {customer_id!r}"
            raise NotFoundError(message)
        return {"customer_id": customer_id, "events": events}

    @router.get("/commitments/{commitment_id}")
    def commitment(commitment_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(COMPLIANCE, asked)
        found = book.commitments.get(commitment_id)
        if found is None or found[1].agreed_on > on:
            raise _not_found("commitment", commitment_id, on)
        return commitment_document(book, commitment_id, on)

    @router.get("/compliance")
    def compliance(
        asked: Asked,
        status: str | None = None,
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
        return {"as_of": str(on), "currency": currency, "windows": _page(rows, limit)}

    @router.get("/network/leaders")
    def network_leaders(
        asked: Asked,
        by: LeaderBy = "converted_descendants",
        limit: Annotated[int, Query(ge=1, le=LEADERS_MAX)] = 10,
    ) -> dict[str, Any]:
        book, on = queries.book(NETWORK, asked)
        currency = currency_of(book, asked.currency)
        best = leaders(network_rows(book, on, currency), by, limit)
        return {"as_of": str(on), "currency": currency, "leaders": [row_document(r) for r in best]}

    @router.get("/network/{customer_id}")
    def network(customer_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(NETWORK, asked)
        currency = currency_of(book, asked.currency)
        found = tree(network_rows(book, on, currency), customer_id)
        if not found:
            raise _not_found("customer", customer_id, on)
        return {"as_of": str(on), "currency": currency, "nodes": [row_document(r) for r in found]}

    return router


def _page(rows: Iterator[Any], limit: int) -> list[dict[str, Any]]:
    """Return whole commitments, at least `limit` rows where there are so many."""
    page: list[dict[str, Any]] = []
    for row in rows:
        if len(page) >= limit and page[-1]["commitment_id"] != row.commitment_id:
            break
        page.append(row_document(row))
    return page


def _commands(ledger: Ledger) -> APIRouter:
    router = APIRouter(tags=["commands"])

    @router.post("/commands/{name}", status_code=201)
    def command(
        name: str,
        fields: Annotated[dict[str, Any], Body(description="Named as the feeds' columns.")],
        idempotency_key: Annotated[str | None, Header()] = None,
        actor: Annotated[str, Header(description="Who tells it.")] = "api",
    ) -> dict[str, Any]:
        if name not in FORMS:
            message = f"there is no command {name!r}: {', '.join(FORMS)}"
            raise NotFoundError(message)
        if not idempotency_key:
            message = "send an Idempotency-Key: told again with it, the first result returns"
            raise problems.KeyMissingError(message)
        told = FORMS[name].command(fields)
        [outcome] = ledger.handle([Told(told, actor, "api", idempotency_key, idempotency_key)])
        if isinstance(outcome, Refused):
            raise outcome.error
        return {"command": name, "position": outcome.position}

    return router


def _waits_for(parts: Parts) -> Callable[[], Sequence[str]]:
    def waits_for() -> Sequence[str]:
        try:
            position = parts.store.position()
            behind = {p.name: position - _through(parts, p) for p in PROJECTIONS}
        except Exception as error:
            if getattr(error, "retriable", False):
                return [f"the database: {error}"]
            raise
        late = Counter({name: lag for name, lag in behind.items() if lag > SERVED_LAG_EVENTS_MAX})
        return [f"view {name}: {lag} events behind" for name, lag in late.items()]

    return waits_for


def _through(parts: Parts, projection: Projection) -> int:
    try:
        lanes = parts.views.lanes(parts.views.live(projection.name)).values()
    except NoViewError:
        return 0
    return min((lane.progress.through for lane in lanes), default=0)


def _not_found(what: str, id_: str, on: date) -> NotFoundError:
    return NotFoundError(f"no {what} {id_!r} is known as of {on}")


def _microseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
