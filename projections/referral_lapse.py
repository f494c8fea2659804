"""Which referrals have lapsed by time: nothing came of them in the days that the rule gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.referral import Via  # noqa: TC001 - the reader of the file needs the type
from domain.referral_rules import LapseOverdueReferral
from projections.book import is_forgotten, later
from projections.referral_forest import forest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.book import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseRules:
    """The days from introduction or first contact on, and the ways that never lapse.

    They are data: `infra/rules/data/lapse.toml` holds the ones in use.
    """

    days: int
    exempt: tuple[Via, ...] = ()

    def __post_init__(self) -> None:
        if self.days < 1:
            message = "days is at least 1"
            raise ValueError(message)


def overdue(book: Book, as_of: date, rules: LapseRules) -> Iterator[LapseOverdueReferral]:
    """Yield the live referrals without a conversion whose time ran out by a date."""
    for prospect_id, stood in sorted(forest(book, as_of).items()):
        if stood.converted_on or stood.referral.via in rules.exempt:
            continue
        if is_forgotten(book, prospect_id):
            continue
        told_of = (stood.referral.introduced_on, stood.referral.contacted_on)
        last = max(day for day in told_of if day and day <= as_of)
        lapsed_on = later(last, rules.days)
        if lapsed_on <= as_of:
            yield LapseOverdueReferral(referral_id=stood.referral_id, lapsed_on=lapsed_on)
