"""The referral forest: at any date one live referral a prospect, and no cycle (DESIGN section 7).

A referral lives from its introduction until the day before it was declined or lapsed, and for
ever where the prospect was converted first: by its outcome, or by their first account ever
opened or first loan ever drawn, if on or after the introduction and not after the refusal.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import ReferralCycleError, SecondReferrerError
from domain.referral import (
    Prospect,
    Referral,
    ReferralConverted,
    ReferralDeclined,
    ReferralLapsed,
    ReferralOutcome,
)

if TYPE_CHECKING:
    from domain.world import World


class Life(NamedTuple):
    """The days on which a referral lives: `until` is the first one on which it does not."""

    since: date
    until: date

    def within(self, other: Life) -> bool:
        """Return whether the other life has all these days."""
        return other.since <= self.since and self.until <= other.until

    def shared(self, other: Life) -> Life | None:
        """Return the days that both lives have, if any."""
        since, until = max(self.since, other.since), min(self.until, other.until)
        return Life(since, until) if since < until else None


def outcome_on(outcome: ReferralOutcome) -> date:
    """Return the day of an outcome."""
    match outcome:
        case ReferralConverted():
            return outcome.converted_on
        case ReferralDeclined():
            return outcome.declined_on
        case ReferralLapsed():
            return outcome.lapsed_on


def life_of(referral: Referral, world: World) -> Life:
    """Return when a referral lives, as now known."""
    since = referral.introduced.introduced_on
    if referral.outcome is None or isinstance(referral.outcome, ReferralConverted):
        return Life(since, date.max)
    ended_on = outcome_on(referral.outcome)
    firsts = world.first_business(referral.introduced.customer_id)
    converted = any(since <= first <= ended_on for first in firsts)
    return Life(since, date.max if converted else ended_on)


def check_place(referral_id: str, before: Prospect | None, after: Prospect, world: World) -> None:
    """Refuse a life that overlaps another one of the prospect, or closes a cycle on any day.

    `before` is the prospect with this referral as it was: a life that gained no day is not
    looked at again. Raises `SecondReferrerError`, `ReferralCycleError`.
    """
    referral = after.referrals[referral_id]
    life = life_of(referral, world)
    if before is not None and life.within(life_of(before.referrals[referral_id], world)):
        return
    introduced = referral.introduced
    for other_id, other in after.referrals.items():
        if other_id != referral_id and life.shared(life_of(other, world)):
            detail = f"{other_id}, brought by {other.introduced.referrer_id}"
            raise SecondReferrerError("prospect_id", introduced.customer_id, detail)
    if _brought(introduced.customer_id, introduced.referrer_id, life, world):
        raise ReferralCycleError("prospect_id", introduced.customer_id)


def _brought(prospect_id: str, referrer_id: str, life: Life, world: World) -> bool:
    """Return whether the prospect stands above the referrer on any day of the life.

    Walks up with the days on which the whole way up was alive. Business told late can revive a
    referral and so cross two ways; no way is walked twice, so the walk ends all the same.
    """
    ways = [(referrer_id, life)]
    walked = set(ways)
    while ways:
        customer_id, days = ways.pop()
        prospect = world.prospect(customer_id)
        for referral in () if prospect is None else prospect.referrals.values():
            shared = days.shared(life_of(referral, world))
            if shared is None:
                continue
            above = referral.introduced.referrer_id
            if above == prospect_id:
                return True
            if (above, shared) not in walked:
                walked.add((above, shared))
                ways.append((above, shared))
    return False
