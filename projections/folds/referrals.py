"""Referrals and the rewards for them."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from domain import referral, reward
from domain.telling import told
from projections.facts import ClawedBack, Referral, Reward
from projections.folds.rules import changes, makes, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.catalogue import Event
    from projections.folds.rules import Rule


def _introduced(event: referral.ReferralIntroduced) -> Referral:
    return Referral(
        referrer_id=event.referrer_id,
        introduced_on=event.introduced_on,
        via=event.via,
        branch=event.branch,
        by=event.by,
    )


def _contacted(row: Referral, event: referral.ReferralContacted) -> Referral:
    return replace(row, contacted_on=event.contacted_on)


def _converted(row: Referral, event: referral.ReferralConverted) -> Referral:
    return replace(row, converted_on=event.converted_on, ended_on=None)


def _declined(row: Referral, event: referral.ReferralDeclined) -> Referral:
    return replace(row, ended_on=event.declined_on, converted_on=None)


def _lapsed(row: Referral, event: referral.ReferralLapsed) -> Referral:
    return replace(row, ended_on=event.lapsed_on, converted_on=None)


def _reward_approved(row: Reward, event: reward.RewardApproved) -> Reward:
    return replace(row, approved_on=event.approved_on, approved_by=event.approved_by)


def _reward_paid(row: Reward, event: reward.RewardPaid) -> Reward:
    return replace(row, paid_on=event.paid_on, paid=event.amount, booked=event.booked)


def _reward_clawed_back(row: Reward, event: reward.RewardClawedBack) -> Reward:
    taken = ClawedBack(event.clawed_back_on, event.amount, event.reason)
    return replace(row, claw_backs=(*row.claw_backs, taken))


RULES: Mapping[type[Event], Rule] = {
    **rules(
        "referral",
        attrgetter("referral_id"),
        {
            referral.ReferralIntroduced: makes(_introduced),
            referral.ReferralContacted: changes(_contacted),
            referral.ReferralConverted: changes(_converted),
            referral.ReferralDeclined: changes(_declined),
            referral.ReferralLapsed: changes(_lapsed),
        },
    ),
    **rules(
        "reward",
        attrgetter("reward_id"),
        {
            reward.RewardAccrued: makes(lambda event: told(Reward, event)),
            reward.RewardApproved: changes(_reward_approved),
            reward.RewardPaid: changes(_reward_paid),
            reward.RewardClawedBack: changes(_reward_clawed_back),
        },
    ),
}
