"""Queries over HTTP about rewards, and to whom a conversion is owed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from infra.documents import attribution_document
from infra.http.questions import Asked, not_found, page_of
from infra.http.schemas import Attributed, Rewards, answers
from infra.rules.reading import attribution_rules
from projections.projection import RELATIONSHIP
from projections.referral_attribution import attribution
from projections.rewards import reward_rows

if TYPE_CHECKING:
    from fastapi import APIRouter

    from infra.http.questions import Queries

PAGE_ROWS_MAX = 1_000


def rewarding(queries: Queries) -> APIRouter:
    """Return the routes."""
    router = queries.router()

    @router.get("/rewards", responses=answers(Rewards))
    def rewards(
        asked: Asked,
        of: Annotated[str | None, Query(description="A referral, prospect or payee.")] = None,
        after: Annotated[str, Query(description="A reward id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        rows = (row for row in reward_rows(book, on, of=of) if row.reward_id > after)
        page, following = page_of(rows, limit, "reward_id")
        return {"as_of": str(on), "rewards": page, "next": following}

    @router.get("/attribution/{customer_id}", responses=answers(Attributed))
    def attributed(customer_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        if customer_id not in book.referrals_of_prospect:
            raise not_found("prospect", customer_id, on)
        owed = attribution(book, customer_id, on, attribution_rules())
        return {"as_of": str(on), **attribution_document(owed)}

    return router
