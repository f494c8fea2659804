"""Acquisition value and contagion risk side by side, for the same people.

Finding guarantors brings customers and makes circles: who brings the most may be who pulls the
most down. Amounts are minor units of the one currency asked for.
"""

from __future__ import annotations

from heapq import nsmallest
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from domain.values import Minor  # noqa: TC001 - who describes the rows reads their types
from projections.guarantee_network import circle_rows, exposure_rows, group_rows
from projections.leaders import influence
from projections.loss_walk import LossWalks
from projections.referral_network import network_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from projections.book import Book
    from projections.guarantee_network import CircleRow, GroupRow
    from projections.network_rules import NetworkRules
    from projections.referral_network import NetworkRow


NOWHERE: tuple[str | None, int] = (None, 0)


class ContagionRow(NamedTuple):
    """Somebody who brought somebody or stands in a guarantee; the columns of the export.

    First what they brought, as in `leaders`, then the guarantees in force: given, received, the
    circle and the group they are in, and the loss walk of their own default: how many default,
    what those owe, and what the bank loses. None where they are in no guarantee.
    """

    customer_id: str
    descendants: int
    converted_descendants: int
    subtree_drawn: Minor
    subtree_deposits: Minor
    influence_ppb: int
    given: Minor
    received: Minor
    capacity: Minor | None
    excess: Minor
    circle_id: str | None
    circle_size: int
    group_id: str | None
    group_size: int
    defaults: int | None
    owed: Minor | None
    lost: Minor | None


class _Brought(NamedTuple):
    descendants: int = 0
    converted_descendants: int = 0
    subtree_drawn: Minor = 0
    subtree_deposits: Minor = 0
    influence_ppb: int = 0


class _Risk(NamedTuple):
    given: Minor = 0
    received: Minor = 0
    capacity: Minor | None = None
    excess: Minor = 0
    circle_id: str | None = None
    circle_size: int = 0
    group_id: str | None = None
    group_size: int = 0
    defaults: int | None = None
    owed: Minor | None = None
    lost: Minor | None = None


def contagion_rows(
    book: Book, as_of: date, currency: str, rules: NetworkRules
) -> Iterator[ContagionRow]:
    """Yield the rows by id in code point order.

    Only those in a guarantee are walked: the cost is that of both networks and of the walks' own
    steps.
    """
    network = list(network_rows(book, as_of, currency, all_referrers=True))
    brought = _all_brought(network, as_of, rules)
    risks = _risks(book, as_of, currency)
    for id_ in sorted(brought.keys() | risks.keys()):
        parts = brought.get(id_, _Brought()), risks.get(id_, _Risk())
        yield ContagionRow._make((id_, *chain(*parts)))


def riskiest(rows: Iterable[ContagionRow], rows_max: int) -> list[ContagionRow]:
    """Return those whose default would cost the most, the worst first, equals by id."""
    at_risk = (row for row in rows if row.lost)
    return nsmallest(rows_max, at_risk, key=lambda row: (-(row.lost or 0), row.customer_id))


def _all_brought(
    network: list[NetworkRow], as_of: date, rules: NetworkRules
) -> dict[str, _Brought]:
    weights = influence(network, as_of, rules.influence)
    return {
        row.customer_id: _Brought(
            row.descendants,
            row.converted_descendants,
            row.subtree_drawn,
            row.subtree_deposits,
            weights[row.customer_id],
        )
        for row in network
        if row.children
    }


def _risks(book: Book, as_of: date, currency: str) -> dict[str, _Risk]:
    circles = _by_member(circle_rows(book, as_of, currency))
    groups = _by_member(group_rows(book, as_of, currency))
    walks = LossWalks(book, as_of, currency)
    found = {}
    for party in exposure_rows(book, as_of, currency):
        walk = walks.of(party.customer_id)
        found[party.customer_id] = _Risk(
            party.given,
            party.received,
            party.capacity,
            party.excess,
            *circles.get(party.customer_id, NOWHERE),
            *groups.get(party.customer_id, NOWHERE),
            defaults=len(walk.defaults),
            owed=walk.owed,
            lost=walk.lost,
        )
    return found


def _by_member(rows: Iterable[CircleRow | GroupRow]) -> Mapping[str, tuple[str | None, int]]:
    """Return the name and the size of the component that each member is in."""
    return {member: (row[0], row.size) for row in rows for member in row.members.split(" ")}
