"""Bursts (井喷): many referrals of one referrer within a few days."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.referral_forest import standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.facts import Referral
    from projections.network_rules import Burst


class BurstRow(NamedTuple):
    """One burst, from its first to its last referral; the columns of the `bursts` export.

    All referrals count, whatever came of them; `converted` of them did.
    """

    customer_id: str
    first_on: date
    last_on: date
    referrals: int
    converted: int


def burst_rows(book: Book, as_of: date, rules: Burst) -> Iterator[BurstRow]:
    """Yield the bursts up to a date, by referrer in code point order, earliest first."""
    for referrer_id in sorted(book.referrals_by_referrer):
        yield from bursts_of(book, referrer_id, as_of, rules)


def bursts_of(book: Book, referrer_id: str, as_of: date, rules: Burst) -> Iterator[BurstRow]:
    """Yield the bursts of one referrer. Stretches of days that overlap are one burst."""
    made = [(id_, *book.referrals[id_]) for id_ in book.referrals_by_referrer.get(referrer_id, ())]
    counted = sorted(
        (referral.introduced_on, id_, prospect_id)
        for id_, prospect_id, referral in made
        if _counts(referral, as_of, rules)
    )
    days = [on for on, _, _ in counted]
    for first, last in _stretches(days, rules):
        found = counted[first : last + 1]
        converted = sum(_converted(book, id_, prospect, as_of) for _, id_, prospect in found)
        yield BurstRow(referrer_id, days[first], days[last], len(found), converted)


def _counts(referral: Referral, as_of: date, rules: Burst) -> bool:
    return referral.introduced_on <= as_of and referral.via not in rules.exempt


def _stretches(days: Sequence[date], rules: Burst) -> Iterator[tuple[int, int]]:
    """Yield the first and last place of each run of days that is dense enough throughout."""
    first = last = -1
    for end in range(rules.referrals_min - 1, len(days)):
        begin = end - rules.referrals_min + 1
        if (days[end] - days[begin]).days >= rules.days:
            continue
        if last >= begin:
            last = end
            continue
        if last >= 0:
            yield first, last
        first, last = begin, end
    if last >= 0:
        yield first, last


def _converted(book: Book, referral_id: str, prospect_id: str, as_of: date) -> bool:
    return any(
        stood.referral_id == referral_id and stood.converted_on is not None
        for stood in standing(book, prospect_id, as_of)
    )
