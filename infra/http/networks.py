"""Queries over HTTP about the referral network: who brought whom, partners, and the risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from infra.answers import currency_of
from infra.documents import row_document
from infra.http.questions import Asked, not_found, page_of
from infra.http.schemas import (
    Bursts,
    Contagions,
    Figures,
    Leaders,
    Nodes,
    Partners,
    answers,
)
from infra.rules.reading import network_rules, partner_rules
from projections.bursts import burst_rows
from projections.contagion import contagion_rows
from projections.leaders import LeaderBy, best, leader_rows
from projections.network_figures import figure_rows
from projections.partners import partner_rows
from projections.projection import NETWORK, RELATIONSHIP
from projections.referral_network import network_rows

if TYPE_CHECKING:
    from fastapi import APIRouter

    from infra.http.questions import Queries

LEADERS_MAX = 100
PAGE_ROWS_MAX = 1_000


def networks(queries: Queries) -> APIRouter:
    """Return the routes."""
    router = queries.router()

    @router.get("/network/leaders", responses=answers(Leaders))
    def network_leaders(
        asked: Asked,
        by: LeaderBy = "conversions",
        limit: Annotated[int, Query(ge=1, le=LEADERS_MAX)] = 10,
    ) -> dict[str, Any]:
        book, on = queries.book(NETWORK, asked)
        currency = currency_of(book, asked.currency)
        network = list(network_rows(book, on, currency, all_referrers=True))
        rows = leader_rows(book, network, on, network_rules(on))
        found = [row_document(row) for row in best(rows, by, limit)]
        return {"as_of": str(on), "currency": currency, "leaders": found}

    @router.get("/network/figures", responses=answers(Figures))
    def network_figures(asked: Asked) -> dict[str, Any]:
        book, on = queries.book(NETWORK, asked)
        figures = figure_rows(book, list(network_rows(book, on, "")), on)
        return {"as_of": str(on), "figures": [row_document(row) for row in figures]}

    @router.get("/network/bursts", responses=answers(Bursts))
    def network_bursts(
        asked: Asked,
        after: Annotated[str, Query(description="A customer id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(NETWORK, asked)
        rows = burst_rows(book, on, network_rules(on).burst)
        rest = (row for row in rows if row.customer_id > after)
        page, following = page_of(rest, limit, "customer_id")
        return {"as_of": str(on), "bursts": page, "next": following}

    @router.get("/network/contagion", responses=answers(Contagions))
    def network_contagion(
        asked: Asked,
        after: Annotated[str, Query(description="A customer id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        currency = currency_of(book, asked.currency)
        rows = contagion_rows(book, on, currency, network_rules(on))
        rest = (row for row in rows if row.customer_id > after)
        page, following = page_of(rest, limit, "customer_id")
        return {"as_of": str(on), "currency": currency, "rows": page, "next": following}

    @router.get("/network/{customer_id}", responses=answers(Nodes))
    def network(customer_id: str, asked: Asked) -> dict[str, Any]:
        with queries.network(asked) as (kept, on, currency):
            found = kept.tree(customer_id)
        if not found:
            raise not_found("customer", customer_id, on)
        return {"as_of": str(on), "currency": currency, "nodes": [row_document(r) for r in found]}

    @router.get("/partners", responses=answers(Partners))
    def partners(
        asked: Asked,
        after: Annotated[str, Query(description="A partner id: the page after it.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS_MAX,
    ) -> dict[str, Any]:
        book, on = queries.book(RELATIONSHIP, asked)
        currency = currency_of(book, asked.currency)
        rows = partner_rows(book, on, currency, partner_rules())
        rest = (row for row in rows if row.partner_id > after)
        page, following = page_of(rest, limit, "partner_id")
        return {"as_of": str(on), "currency": currency, "partners": page, "next": following}

    return router
