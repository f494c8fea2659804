"""Queries over HTTP about the two networks: who brought whom, and who stands for whom."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from infra.answers import currency_of
from infra.documents import circle_document, row_document
from infra.http.questions import Asked, not_found
from infra.http.schemas import Circles, Leaders, Nodes, answers
from projections.guarantee_network import circles
from projections.projection import GUARANTEES, NETWORK
from projections.referral_network import LeaderBy, leaders, network_rows, tree

if TYPE_CHECKING:
    from infra.http.questions import Queries

LEADERS_MAX = 100
CIRCLES_MAX = 100  # a page


def networks(queries: Queries) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["queries"])

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
            raise not_found("customer", customer_id, on)
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

    return router
