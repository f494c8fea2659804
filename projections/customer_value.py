"""Customer value (客户价值): what a customer contributes, who the best are, and which tier fits.

Amounts are minor units of the one currency asked for; the days counted end with the date. The
share of settlement flows (主要流水归行) is by the statements seen: postings are not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from projections.book import later, owner_at, profile_at, served_at, tier_from, tier_valid_to
from projections.deposit_course import DepositCourse
from projections.referral_forest import forest
from projections.relationship_state import BY_GUARANTEE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from domain.values import Minor, Ppm
    from projections.book import Book
    from projections.deposit_course import Course, Seasons
    from projections.facts import Customer, Settlement
    from projections.value_rules import Potential, Tiers, ValueRules

TierStatus: TypeAlias = Literal["none", "valid", "review_due", "lapsed"]

_PPM = 1_000_000


class ValueRow(NamedTuple):
    """One relationship, the best first; the fields are the columns of the `value` export.

    `own` is interest paid and what the deposits earn; `brought` is credit for others' `own`, so
    that `share_ppm` and `cumulative_share_ppm` are of `own` alone, which no one counts twice.
    """

    rank: int
    customer_id: str
    manager: str | None
    segment: str
    interest: Minor
    deposit_value: Minor
    own: Minor
    brought: Minor
    contribution: Minor
    share_ppm: int
    cumulative_share_ppm: int
    potential: Potential
    tier: str | None
    tier_status: TierStatus
    tier_valid_to: date | None
    review_on: date | None
    suggested_tier: str
    drift: Course | None
    busy_months: str
    idle_months: str
    own_funds: Minor | None
    settlement_ppm: Ppm | None


def value_rows(book: Book, as_of: date, currency: str, rules: ValueRules) -> Iterator[ValueRow]:
    """Yield a row for each relationship open on the date, by rank; of equals by id."""
    own = {
        customer_id: _own(book, customer_id, as_of, currency, rules)
        for customer_id, customer in book.customers.items()
        if customer.opened_on <= as_of
    }
    brought = _brought(book, as_of, {id_: sum(parts) for id_, parts in own.items()}, rules)
    served = [id_ for id_ in own if served_at(book.customers[id_], as_of)]
    ranked = sorted(served, key=lambda id_: (-sum(own[id_]) - brought.get(id_, 0), id_))
    sums = [sum(own[id_]) for id_ in ranked]
    total = sum(sums)
    for rank, (id_, so_far) in enumerate(zip(ranked, accumulate(sums), strict=True), start=1):
        interest, deposit_value = own[id_]
        contribution = sums[rank - 1] + brought.get(id_, 0)
        customer = book.customers[id_]
        segment = profile_at(customer, as_of).segment
        potential = rules.potential.by_segment.get(segment, rules.potential.otherwise)
        place = _Place(rank, len(ranked), contribution, potential)
        course = DepositCourse(book, id_, currency, as_of)
        yield ValueRow(
            rank,
            id_,
            owner_at(customer, as_of),
            segment,
            interest,
            deposit_value,
            sums[rank - 1],
            brought.get(id_, 0),
            contribution,
            _share(sums[rank - 1], total),
            _share(so_far, total),
            potential,
            *_tier(customer, as_of, rules.tier),
            _suggested(place, rules),
            course.drift(rules.drift),
            *_seasons(course.seasons(rules.season)),
            _settled(book.settlements_of.get(id_, ()), as_of, currency, rules),
        )


def _own(
    book: Book, customer_id: str, as_of: date, currency: str, rules: ValueRules
) -> tuple[Minor, Minor]:
    """Return the interest paid in the days counted, and what the deposits of them earned."""
    rule = rules.contribution
    interest = sum(
        paid.interest
        for loan in book.loans_in(customer_id, currency)
        for paid in loan.repayments
        if paid.on <= as_of
        and (as_of - paid.on).days < rule.days
        and (paid.reversed_on is None or paid.reversed_on > as_of)
    )
    days = DepositCourse(book, customer_id, currency, as_of).of_days(rule.days)
    a_year = 10_000 * rule.year_days
    return interest, (2 * days * rule.deposit_margin_bp + a_year) // (2 * a_year)


def _settled(
    seen: Iterable[Settlement], as_of: date, currency: str, rules: ValueRules
) -> Ppm | None:
    """Return our part of the flows of the periods that ended in the days counted."""
    counted = [
        each
        for each in seen
        if each.currency == currency
        and each.seen_on <= as_of
        and (as_of - each.to_on).days < rules.contribution.days
    ]
    total = sum(each.total for each in counted)
    return _share(sum(each.through_us for each in counted), total) if counted else None


def _brought(
    book: Book, as_of: date, own: Mapping[str, Minor], rules: ValueRules
) -> dict[str, Minor]:
    """Return what each referrer is credited with: a share of what those they brought give."""
    brought: dict[str, Minor] = {}
    for prospect_id, stood in forest(book, as_of).items():
        if stood.converted_on is not None and stood.referral.via != BY_GUARANTEE:
            credit = own.get(prospect_id, 0) * rules.contribution.brought_percent
            referrer_id = stood.referral.referrer_id
            brought[referrer_id] = brought.get(referrer_id, 0) + (2 * credit + 100) // 200
    return brought


def _share(part: Minor, total: Minor) -> Ppm:
    return (2 * part * _PPM + total) // (2 * total) if total else 0


def _tier(
    customer: Customer, as_of: date, rule: Tiers
) -> tuple[str | None, TierStatus, date | None, date | None]:
    """Return the tier, whether it still holds, to which day, and when it is looked at again."""
    held = tier_from(customer, as_of)
    if held is None:
        return None, "none", None, None
    valid_to = tier_valid_to(held, rule.valid_days)
    review_on = held.review_on or later(held.since, rule.review_days)
    if as_of > valid_to:
        return held.tier, "lapsed", valid_to, review_on
    return held.tier, "review_due" if as_of >= review_on else "valid", valid_to, review_on


class _Place(NamedTuple):
    """Where a customer stands in the ranking, of how many."""

    rank: int
    of: int
    contribution: Minor
    potential: Potential


def _suggested(place: _Place, rules: ValueRules) -> str:
    """Return the tier that the ranking suggests; a lifting potential moves it up by one."""
    ladder = rules.tier.ladder
    rung = len(ladder) - 1
    if place.contribution > 0:
        rung = next(
            number
            for number, each in enumerate(ladder)
            if 100 * place.rank <= each.top_percent * place.of
        )
    if place.potential in rules.potential.lifts:
        rung = max(0, rung - 1)
    return ladder[rung].name


def _seasons(found: Seasons | None) -> tuple[str, str, Minor | None]:
    if found is None:
        return "", "", None
    return " ".join(map(str, found.busy)), " ".join(map(str, found.idle)), found.own_funds


@dataclass(frozen=True, slots=True, kw_only=True)
class TopShare:
    """How many customers are the best, of how many, and their share of all contribution."""

    customers: int
    of: int
    share_ppm: Ppm


def top_share(rows: Sequence[ValueRow], rules: ValueRules) -> TopShare:
    """Return the share of the best customers (二八定律): at least one where there is any."""
    count = -(-len(rows) * rules.top.percent // 100)
    share = rows[count - 1].cumulative_share_ppm if count else 0
    return TopShare(customers=count, of=len(rows), share_ppm=share)
