"""Figures of the whole referral network and of its cohorts, branches and depths (observed K)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

from domain.values import ONE
from projections.book import profile_at
from projections.percentiles import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.referral_network import NetworkRow

GroupBy: TypeAlias = Literal["all", "cohort", "branch", "depth"]
GROUP_BY: tuple[GroupBy, ...] = get_args(GroupBy)


class FigureRow(NamedTuple):
    """One group of converted customers; the columns of the `network-figures` export.

    A converted customer: a relationship without a live referrer, or a converted prospect. The
    cohort is the month it became one (`YYYY-MM`); the group of `all` has no name, nor has the
    branch of those without a relationship on the date. K is how many converted referrals each
    of them made, in ppm, rounded half up. The days from introduction to conversion are those of
    the `brought` among them.
    """

    grouped_by: GroupBy
    group: str
    converted_customers: int
    converted_referrals: int
    k_ppm: int
    brought: int
    days_p50: int | None
    days_p90: int | None


def figure_rows(book: Book, network: Sequence[NetworkRow], as_of: date) -> Iterator[FigureRow]:
    """Yield the figures of all, then of each cohort, branch and depth; shorter names first.

    `network` is `network_rows` of the same book and date.
    """
    converted = [row for row in network if row.referrer_id is None or row.converted_on is not None]
    made = Counter(row.referrer_id for row in converted)
    for by in GROUP_BY:
        groups = defaultdict[str, list["NetworkRow"]](list)
        for row in converted:
            groups[_group(book, row, as_of, by)].append(row)
        for group in sorted(groups, key=lambda name: (len(name), name)):
            referrals = sum(made[row.customer_id] for row in groups[group])
            yield _figures(by, group, groups[group], referrals)


def _figures(by: GroupBy, group: str, members: Sequence[NetworkRow], referrals: int) -> FigureRow:
    twice = 2 * len(members)
    days = [row.days_to_convert for row in members if row.days_to_convert is not None]
    return FigureRow(
        grouped_by=by,
        group=group,
        converted_customers=len(members),
        converted_referrals=referrals,
        k_ppm=(2 * referrals * ONE + len(members)) // twice,
        brought=len(days),
        days_p50=nearest_rank(days, 50),
        days_p90=nearest_rank(days, 90),
    )


def _group(book: Book, row: NetworkRow, as_of: date, by: GroupBy) -> str:
    customer = book.customers.get(row.customer_id)
    match by:
        case "all":
            return ""
        case "cohort":
            became_on = row.converted_on or (customer.opened_on if customer else as_of)
            return became_on.isoformat()[:7]
        case "branch":
            if customer is None or customer.opened_on > as_of:
                return ""
            return profile_at(customer, as_of).branch
        case "depth":
            return str(row.depth)
