"""Checks on referrals: two that live at once, or a circle of them, after facts told late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.policy.loans import Nothing
from projections.policy.rules import Check, Offence
from projections.referral_forest import left_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.book import Book
    from projections.referral_forest import LeftOut, Standing

CIRCLE_FACTS_MAX = 100  # referrals of a circle that are named


def _overlap(book: Book, _: Nothing, as_of: date) -> Iterator[Offence]:
    for left in sorted(left_out(book, as_of), key=_place):  # whatever order the facts lie in
        referrals = (left.referral, *left.others)[:CIRCLE_FACTS_MAX]
        yield Offence(
            left.prospect_id,
            left.referral.referral.introduced_on,
            tuple(f"referral:{each.referral_id}" for each in referrals),
            f"{_told(left.referral)} is left out: {_why(left)}",
        )


def _place(left: LeftOut) -> tuple[str, str]:
    return left.prospect_id, left.referral.referral_id


def _why(left: LeftOut) -> str:
    if not left.circle:
        return f"{_told(left.others[0])} lived on that day"
    return f"it is the latest in a circle of {1 + len(left.others)}"


def _told(each: Standing) -> str:
    referral = each.referral
    return f"{each.referral_id}, brought by {referral.referrer_id} on {referral.introduced_on},"


CHECKS: dict[str, Check[Any]] = {
    "referrals_overlap": Check(Nothing, _overlap),
}
