"""Leaders: who brings customers, measured in several ways, as of a business date.

Everything is worked out from the rows of the referral network in one pass from the leaves up.
Amounts are minor units of one currency; influence is in parts per billion of one conversion.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Context, Decimal
from functools import lru_cache
from heapq import nsmallest
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from domain.values import Minor  # noqa: TC001 - who describes the rows reads their types
from projections.bursts import bursts_of
from projections.network_rules import ALL_PERCENT
from projections.percentiles import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.network_rules import Influence, NetworkRules
    from projections.referral_network import NetworkRow

# Influence is added up in integers, so that no order of adding changes it.
_UNIT = 10**15
_UNITS_A_BILLIONTH = 10**6
_EXACT = Context(prec=40)


class LeaderRow(NamedTuple):
    """Somebody who brought somebody; the fields are the columns of the `leaders` export.

    Children are those brought directly. `days_p50` and `days_p90` are the days from introduction
    to conversion of the children, None where none converted. The burst is the latest one.
    """

    customer_id: str
    children: int
    converted_children: int
    referring_children: int
    opinion_leader: Literal["yes", "no"]
    descendants: int
    converted_descendants: int
    subtree_drawn: Minor
    subtree_deposits: Minor
    influence_ppb: int
    days_p50: int | None
    days_p90: int | None
    burst_on: date | None
    burst_referrals: int | None


LeaderBy: TypeAlias = Literal["conversions", "drawn", "deposits", "influence"]
_COLUMNS: dict[LeaderBy, str] = {
    "conversions": "converted_descendants",
    "drawn": "subtree_drawn",
    "deposits": "subtree_deposits",
    "influence": "influence_ppb",
}
LEADER_BY: tuple[LeaderBy, ...] = tuple(_COLUMNS)


def leader_rows(
    book: Book, network: Sequence[NetworkRow], as_of: date, rules: NetworkRules
) -> Iterator[LeaderRow]:
    """Yield a row for each referrer with somebody in the forest, in the order of the network.

    `network` is `network_rows` of the same book and date, with all referrers.
    """
    weights = influence(network, as_of, rules.influence)
    children = defaultdict[str, list["NetworkRow"]](list)
    for row in network:
        if row.referrer_id is not None:
            children[row.referrer_id].append(row)
    for row in network:
        if row.children:
            brought = children[row.customer_id]
            yield _row(book, row, brought, weights[row.customer_id], as_of, rules)


def _row(
    book: Book,
    row: NetworkRow,
    brought: Sequence[NetworkRow],
    weight: int,
    as_of: date,
    rules: NetworkRules,
) -> LeaderRow:
    days = [child.days_to_convert for child in brought if child.days_to_convert is not None]
    referring = sum(child.children > 0 for child in brought)
    leads = referring >= rules.opinion_leader.referring_children_min
    burst = max(
        bursts_of(book, row.customer_id, as_of, rules.burst),
        key=attrgetter("last_on"),
        default=None,
    )
    return LeaderRow(
        customer_id=row.customer_id,
        children=row.children,
        converted_children=len(days),
        referring_children=referring,
        opinion_leader="yes" if leads else "no",
        descendants=row.descendants,
        converted_descendants=row.converted_descendants,
        subtree_drawn=row.subtree_drawn,
        subtree_deposits=row.subtree_deposits,
        influence_ppb=weight,
        days_p50=nearest_rank(days, 50),
        days_p90=nearest_rank(days, 90),
        burst_on=burst.last_on if burst else None,
        burst_referrals=burst.referrals if burst else None,
    )


def best(rows: Iterable[LeaderRow], by: LeaderBy, rows_max: int) -> list[LeaderRow]:
    """Return those who brought the most, best first, equals by id; none who brought nothing."""
    figure = attrgetter(_COLUMNS[by])
    brought = (row for row in rows if figure(row))
    return nsmallest(rows_max, brought, key=lambda row: (-figure(row), row.customer_id))


def influence(network: Iterable[NetworkRow], as_of: date, rules: Influence) -> dict[str, int]:
    """Return the time-decayed influence of everybody who brought somebody, in billionths.

    The sum over the converted people below of 2^(-days since conversion / half-life), each step
    but the first up the tree times `depth_percent`. Exact to one billionth up to 10^9 people.
    """
    sums = defaultdict[str, int](int)
    for row in sorted(network, key=attrgetter("depth"), reverse=True):
        if row.referrer_id is None:
            continue
        further = sums.get(row.customer_id, 0) * rules.depth_percent // ALL_PERCENT
        since = row.converted_on and (as_of - row.converted_on).days
        own = 0 if since is None else _decayed(since, rules.half_life_days)
        sums[row.referrer_id] += own + further
    half = _UNITS_A_BILLIONTH // 2
    return {id_: (units + half) // _UNITS_A_BILLIONTH for id_, units in sums.items()}


@lru_cache(maxsize=65_536)
def _decayed(days: int, half_life_days: int) -> int:
    halvings = _EXACT.divide(Decimal(days), Decimal(half_life_days))
    return int(_EXACT.multiply(_EXACT.power(Decimal(2), -halvings), Decimal(_UNIT)))
