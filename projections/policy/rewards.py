"""Checks on rewards for bringing customers: told otherwise than the plans give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.values import money
from projections.policy.rules import Check, Offence
from projections.referral_attribution import AttributionRulesFile, attribution
from projections.reward_dues import given
from projections.reward_plans import RewardPlans, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.facts import Reward
    from projections.referral_attribution import Attribution
    from projections.reward_dues import Given, Part
    from projections.reward_plans import RewardPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class AsPlanned:
    """The rules by which a reward is accrued, as they are in use: plans, and to whom it is owed.

    A reward is held against what they give as of the day of its accrual, as now known.
    """

    plans: RewardPlans
    attribution: AttributionRulesFile


def _outside_plan(book: Book, told: AsPlanned, as_of: date) -> Iterator[Offence]:
    for reward_id, (prospect_id, reward) in book.rewards.items():
        if reward.accrued_on > as_of:
            continue
        wrong = list(_wrong(book, prospect_id, reward, told))
        if wrong:
            what = f"{money(reward.amount, reward.currency)} for {reward.payee_id} by"
            yield Offence(
                prospect_id,
                reward.accrued_on,
                (f"reward:{reward_id}", f"referral:{reward.referral_id}"),
                f"{what} {reward.plan} version {reward.plan_version}: {'; '.join(wrong)}",
            )


def _wrong(book: Book, prospect_id: str, reward: Reward, told: AsPlanned) -> Iterator[str]:
    """Yield in words where a reward is not what its plan gives; nothing where it is."""
    plan = told.plans.version(reward.plan, reward.plan_version)
    if plan is None:
        yield "the rules have no such version of the plan"
        return
    found = attribution(book, prospect_id, reward.accrued_on, told.attribution.versions)
    gives = given(book, plan, found, reward.accrued_on)
    if gives.nothing:
        yield gives.nothing
        return
    part = next((part for part in gives.parts if part.payee_id == reward.payee_id), None)
    if part is None:
        yield _unpaid(reward.payee_id, found, gives)
        return
    for what, expected, was_told in _compared(plan, found, gives, part, reward):
        if expected != was_told:
            yield f"{what} {expected} expected, {was_told} told"


def _unpaid(payee_id: str, found: Attribution, gives: Given) -> str:
    role = next((share.role for share in found.shares if share.party_id == payee_id), None)
    if role is not None:
        return f"the plan does not pay {role}"
    owed = ", ".join(part.payee_id for part in gives.parts) or "nobody whom the plan pays"
    return f"nothing of it is owed to {payee_id}, but to {owed}"


def _compared(
    plan: RewardPlan, found: Attribution, gives: Given, part: Part, reward: Reward
) -> Sequence[tuple[str, object, object]]:
    """Return what is compared: its name, what the plan gives, what was told."""
    return (
        ("milestone", plan.milestone, reward.milestone),
        ("reached on", gives.reached_on, reward.reached_on),
        ("referral", found.referral_id, reward.referral_id),
        ("role", part.role, reward.payee_role),
        ("basis", plan.basis, reward.basis),
        ("whole", money(gives.whole, plan.currency), money(reward.whole, reward.currency)),
        ("share", percent(part.share_ppm), percent(reward.share_ppm)),
        ("amount", money(part.amount, plan.currency), money(reward.amount, reward.currency)),
    )


CHECKS: dict[str, Check[Any]] = {
    "reward_outside_plan": Check(AsPlanned, _outside_plan),
}
