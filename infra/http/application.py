"""`guanxi serve`: queries and commands over HTTP. OpenAPI at `/openapi.json`.

Every query takes `as_of` (a business date), `known_at` (an instant) and `min_position` (wait until
the view holds it: read your own write). Amounts are minor units of one currency.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Query

from infra.answers import NotFoundError, currency_of
from infra.documents import (
    agenda_document,
    finding_document,
    relationship_document,
)
from infra.http import problems
from infra.http.circles import guarantees
from infra.http.commands import commands
from infra.http.complying import complying
from infra.http.networks import networks
from infra.http.operations import operations
from infra.http.parameters import no_other_parameters
from infra.http.questions import Asked, Queries, not_found, page_of
from infra.http.rewarding import rewarding
from infra.http.schemas import (
    Agenda,
    Findings,
    Relationship,
    Timeline,
    answers,
)
from infra.policy.judging import events_of_raised
from projections.contact_agenda import agenda_rows, of_manager
from projections.facts import FindingStatus  # noqa: TC001 - FastAPI reads it at run time
from projections.findings import finding_rows
from projections.projection import FINDINGS, RELATIONSHIP
from projections.relationship_state import relationship

if TYPE_CHECKING:
    from fastapi import APIRouter
    from prometheus_client import CollectorRegistry

    from infra.http.served import Served

PAGE_ROWS_MAX = 1_000


def application(served: Served, registry: CollectorRegistry) -> FastAPI:
    """Return the app; what it answers from is opened later."""
    app = FastAPI(
        title="Guanxi Ledger",
        version="1",
        description=__doc__ or "",
        dependencies=[Depends(no_other_parameters)],
    )
    problems.install(app)
    app.include_router(operations(registry, served.waits_for))
    queries = Queries(served)
    app.include_router(_queries(queries))
    app.include_router(complying(queries))
    app.include_router(networks(queries))
    app.include_router(guarantees(queries))
    app.include_router(rewarding(queries))
    app.include_router(commands(served))
    return app


def _queries(queries: Queries) -> APIRouter:
    router = queries.router()

    @router.get("/relationships/{customer_id}", responses=answers(Relationship))
    def relationship_state(customer_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        currency = currency_of(book, asked.currency)
        found = relationship(book, customer_id, on, currency)
        if found is None:
            raise not_found("relationship", customer_id, on)
        return relationship_document(found, on, currency)

    @router.get("/relationships/{customer_id}/timeline", responses=answers(Timeline))
    def timeline(customer_id: str, asked: Asked) -> dict[str, Any]:
        events = queries.history(customer_id, asked)
        if not events:
            message = f"nothing is recorded of {customer_id!r}"
            raise NotFoundError(message)
        return {"customer_id": customer_id, "events": events}

    @router.get("/findings", responses=answers(Findings))
    def findings(
        asked: Asked,
        status: Annotated[
            FindingStatus | None,
            Query(description="Of `open` ones nothing was done, `assigned` are to be dealt with."),
        ] = None,
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
        rows = list(islice(rest, limit))
        events = events_of_raised(queries.parts.store, (row.finding_id for row in rows))
        page = [finding_document(book, row, on, events[row.finding_id]) for row in rows]
        following = page[-1]["finding_id"] if any(True for _ in rest) else None
        return {"as_of": str(on), "findings": page, "next": following}

    @router.get("/agenda", responses=answers(Agenda))
    def agenda(
        asked: Asked,
        manager: Annotated[str | None, Query(description="Their customers alone.")] = None,
        after: Annotated[str, Query(description="A customer id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        (book, rules, warnings), on = queries.agenda(asked)
        rows = agenda_rows(book, on, rules)
        if manager is not None:
            rows = of_manager(book, rows, manager, on)
        rest = (row for row in rows if row.customer_id > after)
        page, following = page_of(rest, limit, "customer_id", lambda r: agenda_document(r, rules))
        return {"as_of": str(on), "rows": page, "next": following, "warnings": warnings}

    return router
