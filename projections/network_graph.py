"""Both networks of a business date as one graph for other programs: its nodes and its edges.

A referral leads from the referrer to the prospect, a guarantee from the guarantor to the
borrower; there may be several edges between the same two.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from projections.guarantee_network import circle_rows, edges_of
from projections.referral_forest import forest
from projections.referral_network import network_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from domain.values import Minor
    from projections.book import Book


class NodeRow(NamedTuple):
    """Somebody in either network: their place in the referral forest, and their circle if any."""

    name: str
    depth: int
    root_id: str
    circle_id: str | None


class EdgeRow(NamedTuple):
    """A referral in the forest, or a guarantee in force. The columns of the edge list.

    `amount` is what is guaranteed in the currency asked for: 0 where it is in another one, none
    for a referral.
    """

    source: str
    target: str
    relation: Literal["guarantee", "referral"]
    edge_id: str
    since: date
    amount: Minor | None


def edge_rows(book: Book, as_of: date, currency: str) -> Iterator[EdgeRow]:
    """Yield the guarantees and then the referrals, by source, target and id."""
    guarantees = (
        EdgeRow(
            source=edge.guarantor_id,
            target=edge.borrower_id,
            relation="guarantee",
            edge_id=edge.guarantee_id,
            since=edge.guarantee.given_on,
            amount=edge.amount_in(currency),
        )
        for edge in edges_of(book, as_of)
    )
    referrals = (
        EdgeRow(
            source=stand.referral.referrer_id,
            target=prospect_id,
            relation="referral",
            edge_id=stand.referral_id,
            since=stand.referral.introduced_on,
            amount=None,
        )
        for prospect_id, stand in forest(book, as_of).items()
    )
    order = attrgetter("source", "target", "edge_id")
    yield from sorted(guarantees, key=order)
    yield from sorted(referrals, key=order)


def node_rows(
    book: Book, as_of: date, currency: str, edges: Iterable[EdgeRow]
) -> Iterator[NodeRow]:
    """Yield the nodes of the `network` export and all ends of the edges, by id."""
    circle = {
        member: row.circle_id
        for row in circle_rows(book, as_of, currency)
        for member in row.members.split(" ")
    }
    placed = {
        row.customer_id: (row.depth, row.root_id) for row in network_rows(book, as_of, currency)
    }
    ends = {id_ for edge in edges for id_ in (edge.source, edge.target)}
    for id_ in sorted(placed.keys() | ends):
        yield NodeRow(id_, *placed.get(id_, (0, id_)), circle.get(id_))
