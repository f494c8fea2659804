"""Queries over HTTP about the guarantee network: circles, groups, and the losses of a default."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from infra.answers import currency_of
from infra.documents import circle_document, loss_walk_document
from infra.http.questions import Asked, not_found, page_of
from infra.http.schemas import Circles, Groups, JointLiabilityGroups, Walk, answers
from projections.guarantee_network import circles, group_rows, joint_liability_groups
from projections.loss_walk import loss_walk
from projections.projection import GUARANTEES

if TYPE_CHECKING:
    from fastapi import APIRouter

    from infra.http.questions import Queries

CIRCLES_MAX = 100  # a page


def guarantees(queries: Queries) -> APIRouter:
    """Return the routes."""
    router = queries.router()

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

    @router.get("/circles/groups", responses=answers(Groups))
    def guarantee_groups(
        asked: Asked,
        after: Annotated[str, Query(description="A group id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=CIRCLES_MAX)] = CIRCLES_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(GUARANTEES, asked)
        currency = currency_of(book, asked.currency)
        rest = (row for row in group_rows(book, on, currency) if row.group_id > after)
        page, following = page_of(rest, limit, "group_id")
        return {"as_of": str(on), "currency": currency, "groups": page, "next": following}

    @router.get("/circles/joint-liability-groups", responses=answers(JointLiabilityGroups))
    def joint_groups(asked: Asked) -> dict[str, Any]:
        book, on = queries.book(GUARANTEES, asked)
        return {"as_of": str(on), "joint_liability_groups": joint_liability_groups(book, on)}

    @router.get("/guarantees/{customer_id}/loss-walk", responses=answers(Walk))
    def walk_of_losses(customer_id: str, asked: Asked) -> dict[str, Any]:
        book, on = queries.book(GUARANTEES, asked)
        currency = currency_of(book, asked.currency)
        if customer_id not in book.loans_of:
            raise not_found("borrower", customer_id, on)
        return loss_walk_document(loss_walk(book, customer_id, on, currency), on, currency)

    return router
