"""Queries over HTTP about deposit commitments, as known and as reported, and about the closes."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from domain.compliance import Status  # noqa: TC001 - FastAPI reads it at run time
from infra.answers import NotFoundError, currency_of
from infra.closes import closes_of, closes_told, open_day
from infra.http.commitment_schemas import Commitment, Windows
from infra.http.questions import Asked, Day, not_found, page_of
from infra.http.schemas import Closes, answers
from infra.reported_documents import (
    close_document,
    explained,
    explained_commitment_document,
    last_report_document,
    report_document,
)
from infra.reports import reports_told
from projections.deposit_compliance import compliance_rows
from projections.projection import COMPLIANCE

if TYPE_CHECKING:
    from fastapi import APIRouter

    from infra.http.questions import Queries

PAGE_ROWS_MAX = 1_000
CLOSES_MAX = 366  # a page

AsReported = Annotated[
    bool, Query(description="Add what closes have reported, beside what is known.")
]


def complying(queries: Queries) -> APIRouter:
    """Return the routes."""
    router = queries.router()

    @router.get("/commitments/{commitment_id}", responses=answers(Commitment))
    def commitment(
        commitment_id: str,
        asked: Asked,
        window: Annotated[
            Day | None,
            Query(description="A day of the window to explain. Default: the one begun last."),
        ] = None,
        *,
        as_reported: AsReported = False,
    ) -> dict[str, Any]:
        book, on = queries.book(COMPLIANCE, asked)
        held = book.commitments.get(commitment_id)
        if held is None or held[1].agreed_on > on:
            raise not_found("commitment", commitment_id, on)
        parts, found = queries.parts, explained(book, commitment_id, on, window)
        if window is not None and found.test is None:
            message = f"no window of {commitment_id!r} begun by {on} has the day {window}"
            raise NotFoundError(message)
        document = explained_commitment_document(
            parts, book, commitment_id, on, asked.known_at, found
        )
        if as_reported:
            reports = reports_told(parts.store, [commitment_id], on, asked.known_at)
            document["reported"] = [report_document(each) for each in reports[commitment_id]]
        return document

    @router.get("/compliance", responses=answers(Windows))
    def compliance(
        asked: Asked,
        status: Status | None = None,
        after: Annotated[str, Query(description="A commitment id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
        *,
        as_reported: AsReported = False,
    ) -> dict[str, Any]:
        book, on = queries.book(COMPLIANCE, asked)
        currency = currency_of(book, asked.currency)
        rows = (
            row
            for row in compliance_rows(book, on, currency)
            if row.commitment_id > after and status in {None, row.status}
        )
        page, following = page_of(rows, limit)
        if as_reported:
            ids = {each["commitment_id"] for each in page}
            reports = reports_told(queries.parts.store, ids, on, asked.known_at)
            for each in page:
                window = each["window_start"], each["window_end"]
                told = reports[each["commitment_id"]]
                each["reported"] = last_report_document(told, *window)
        found = {"as_of": str(on), "currency": currency}
        return {**found, "windows": page, "next": following}

    @router.get("/closes", responses=answers(Closes))
    def closes(
        asked: Asked,
        limit: Annotated[int, Query(ge=1, le=CLOSES_MAX)] = CLOSES_MAX,
    ) -> dict[str, Any]:
        """Tell which days are closed, the latest first; `as_of` leaves out the days after it."""
        store = queries.parts.store
        through = None if asked.known_at is None else store.position_at(asked.known_at)
        told = closes_told(store, asked.as_of or date.max, through)
        page = list(islice(told, limit))
        more = next(told, None) is not None
        following = page[-1].started.business_date - timedelta(days=1) if more else None
        return {
            "last_closed": closes_of(store).finished,
            "open_day": open_day(store),
            "closes": [close_document(each) for each in page],
            "next": following,
        }

    return router
