"""Rewards (推荐奖励): what is due by the plans, what has to be taken back, and how far each came.

Everything is worked out from the facts as of a date. A reward's id follows from plan, prospect,
payee and referral, so that whoever works it out again finds the same one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias
from uuid import UUID, uuid5

from domain.reward import AccrueReward, ClawBackReward
from domain.telling import latest_on
from domain.values import apportion, share
from projections.book import is_forgotten, later
from projections.referral_attribution import attribution, owed
from projections.referral_forest import forest
from projections.reward_dues import drawn, draws, given
from projections.reward_plans import earned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from domain.reward import ClawBackReason
    from domain.values import Minor
    from projections.book import Book
    from projections.facts import Reward
    from projections.referral_attribution import Attribution, AttributionRules
    from projections.reward_dues import Given
    from projections.reward_plans import RewardPlan, RewardPlans

REWARDS = UUID("0a8d3a4e-51f4-5c0b-9a55-6b1f0f6f2b77")  # the name space of rewards' ids

# Why facts take a reward back, which later ones may undo; the other reasons are people's.
OF_FACTS = frozenset({"customer_left", "draw_reversed", "not_converted", "not_owed"})

RewardStatus: TypeAlias = Literal["accrued", "approved", "paid", "clawed_back"]


class Earned(NamedTuple):
    """What a payee can have one reward for at a time."""

    plan: str
    prospect_id: str
    payee_id: str
    referral_id: str


def reward_id(earned: Earned, before: int = 0) -> str:
    """Return the id of a reward (UUIDv5), after so many that were taken back whole."""
    return str(uuid5(REWARDS, " ".join(earned) + (f" {before}" if before else "")))


def due(
    book: Book,
    as_of: date,
    plans: RewardPlans,
    versions: Sequence[AttributionRules],
    by: str,
) -> Iterator[AccrueReward]:
    """Yield what the plans give for the prospects who reached a milestone, and is not accrued.

    A reward told by hand is accrued too. One that facts took back whole is not, and where by later
    ones it is earned after all, another is given; not so one that people took back.
    """
    kept = {
        (reward.plan, prospect_id, reward.payee_id)
        for prospect_id, reward in book.rewards.values()
        if not _is_taken_back(reward)
    }
    gone = Counter(_earned(*each) for each in book.rewards.values() if _is_taken_back(each[1]))
    denied = {_earned(*each) for each in book.rewards.values() if _is_denied(each[1])}
    for prospect_id, stood in sorted(forest(book, as_of).items()):
        if is_forgotten(book, prospect_id):
            continue
        found = owed(book, prospect_id, stood, as_of, versions)
        for plan in plans.plans if found.shares else ():
            for reward in _accruals(plan, found, given(book, plan, found, as_of), as_of, by):
                of = _earned(prospect_id, reward)
                has_one = of[:3] in kept or of in denied
                if not has_one and not is_forgotten(book, of.payee_id):
                    yield replace(reward, reward_id=reward_id(of, gone[of]))


def _is_taken_back(reward: Reward) -> bool:
    return reward.taken_back == reward.amount


def _is_denied(reward: Reward) -> bool:
    """Tell whether all of a reward was taken back, and some of it not for what the facts were."""
    by_people = any(each.reason not in OF_FACTS for each in reward.claw_backs)
    return _is_taken_back(reward) and by_people


def _earned(prospect_id: str, reward: Reward | AccrueReward) -> Earned:
    return Earned(reward.plan, prospect_id, reward.payee_id, reward.referral_id)


def _accruals(
    plan: RewardPlan, found: Attribution, gives: Given, as_of: date, by: str
) -> Iterator[AccrueReward]:
    """Yield each payee's part of the whole, where there is one, as their first."""
    for part in gives.parts:
        if part.amount:
            assert found.referral_id is not None
            assert gives.reached_on is not None
            of = Earned(plan.id, found.prospect_id, part.payee_id, found.referral_id)
            yield AccrueReward(
                reward_id=reward_id(of),
                referral_id=found.referral_id,
                plan=plan.id,
                plan_version=plan.version,
                milestone=plan.milestone,
                reached_on=gives.reached_on,
                accrued_on=as_of,
                payee_id=part.payee_id,
                payee_role=part.role,
                basis=plan.basis,
                whole=gives.whole,
                share_ppm=part.share_ppm,
                amount=part.amount,
                currency=plan.currency,
                formula=gives.formula,
                by=by,
            )


class _Accrual(NamedTuple):
    """A reward, its plan, and to whom the prospect was owed on the day of the accrual.

    `alike` counts the rewards so far of what it was earned for, itself among them.
    """

    id: str
    reward: Reward
    plan: RewardPlan
    found: Attribution
    alike: int


def claw_backs(
    book: Book,
    as_of: date,
    plans: RewardPlans,
    versions: Sequence[AttributionRules],
    by: str,
) -> Iterator[ClawBackReward]:
    """Yield the totals to be taken back by a date, where they are more than was taken so far."""
    edges = forest(book, as_of)
    alike = Counter(_earned(*each) for each in book.rewards.values())
    for id_, (prospect_id, reward) in sorted(book.rewards.items()):
        plan = plans.version(reward.plan, reward.plan_version)
        if plan is None or reward.accrued_on > as_of or is_forgotten(book, prospect_id):
            continue
        found = attribution(book, prospect_id, reward.accrued_on, versions)
        accrual = _Accrual(id_, reward, plan, found, alike[_earned(prospect_id, reward)])
        total, reason = _to_take(book, accrual, as_of)
        if prospect_id not in edges or edges[prospect_id].converted_on is None:
            total, reason = reward.amount, "not_converted"
        if total > reward.taken_back:
            yield ClawBackReward(
                reward_id=id_,
                clawed_back_on=as_of,
                amount=total,
                currency=reward.currency,
                reason=reason,
                by=by,
            )


def _to_take(book: Book, accrual: _Accrual, as_of: date) -> tuple[Minor, ClawBackReason]:
    """Return what is to be taken back in all, and why; nothing where the reward stands."""
    reward = accrual.reward
    until = min(as_of, later(reward.reached_on, accrual.plan.claw_back_days))
    customer = book.customers.get(accrual.found.prospect_id)
    if customer and customer.closed_on and customer.closed_on <= until:
        return reward.amount, "customer_left"
    left = reward.amount
    if reward.milestone == "first_draw":
        left = _left(book, accrual, until)
    if left and not _is_owed(book, accrual):
        return reward.amount, "not_owed"
    return reward.amount - left, "draw_reversed"


def _is_owed(book: Book, accrual: _Accrual) -> bool:
    """Tell whether the plan gave the payee something under the referral, as now known.

    What was told under an id of somebody's own is theirs to judge.
    """
    _, reward, plan, found, alike = accrual
    of = _earned(found.prospect_id, reward)
    if accrual.id not in {reward_id(of, before) for before in range(alike)}:
        return True
    parts = given(book, plan, found, reward.accrued_on).parts
    paid = {part.payee_id for part in parts if part.amount}
    return found.referral_id == reward.referral_id and reward.payee_id in paid


def _left(book: Book, accrual: _Accrual, until: date) -> Minor:
    """Return the least that the draws which earned a reward left of it on any day up to one.

    The least, not the last: by a slab, or by the largest remainder, a smaller sum can give more,
    and what was taken back before stays so.
    """
    _, reward, plan, found, _ = accrual
    earning = draws(book, found.prospect_id, plan, reward.reached_on)
    days = {max(draw.reversed_on, reward.accrued_on) for draw in earning if draw.reversed_on}
    left = (_left_on(book, accrual, on) for on in days if on <= until)
    return min(left, default=reward.amount)


def _left_on(book: Book, accrual: _Accrual, on: date) -> Minor:
    _, reward, plan, found, _ = accrual
    stands = drawn(book, found.prospect_id, plan, reward.reached_on, on)
    if plan.basis != "loan":
        return reward.amount if stands else 0
    whole = earned(plan, stands).whole
    return reward.amount if whole >= reward.whole else min(reward.amount, _part(accrual, whole))


def _part(accrual: _Accrual, whole: Minor) -> Minor:
    """Return the payee's part of a smaller whole: with all shares of the day of the accrual."""
    reward, shares = accrual.reward, accrual.found.shares
    parts = apportion(whole, [each.share_ppm for each in shares])
    for each, part in zip(shares, parts, strict=True):
        if (each.party_id, each.share_ppm) == (reward.payee_id, reward.share_ppm):
            return part
    return share(whole, reward.share_ppm)  # told by hand, or others share it by late facts


class RewardRow(NamedTuple):
    """A reward as of a date; the fields are the columns of the `rewards` export."""

    reward_id: str
    customer_id: str
    referral_id: str
    plan: str
    plan_version: int
    milestone: str
    reached_on: date
    payee_id: str
    payee_role: str
    basis: str
    whole: Minor
    share_ppm: int
    amount: Minor
    currency: str
    formula: str
    status: RewardStatus
    accrued_on: date
    approved_on: date | None
    paid_on: date | None
    paid: Minor
    clawed_back_on: date | None
    clawed_back: Minor
    claw_back_reason: str | None


def reward_rows(
    book: Book, as_of: date, _: str = "", *, of: str | None = None
) -> Iterator[RewardRow]:
    """Yield the rewards accrued up to a date, by id; each amount in the reward's own currency.

    `of` is the id of a reward, referral, prospect or payee, whose alone are wanted.
    """
    for id_ in sorted(book.rewards):
        customer_id, reward = book.rewards[id_]
        asked = {None, id_, customer_id, reward.referral_id, reward.payee_id}
        if reward.accrued_on <= as_of and of in asked:
            yield _row(id_, customer_id, reward, as_of)


def _row(id_: str, customer_id: str, reward: Reward, as_of: date) -> RewardRow:
    def known(on: date | None) -> date | None:
        return on if on and on <= as_of else None

    approved_on, paid_on = known(reward.approved_on), known(reward.paid_on)
    taken = latest_on(as_of, ((each.since, each) for each in reward.claw_backs))
    status: RewardStatus = "accrued"
    if taken and taken.total == reward.amount:
        status = "clawed_back"
    elif approved_on:
        status = "paid" if paid_on else "approved"
    return RewardRow(
        reward_id=id_,
        customer_id=customer_id,
        referral_id=reward.referral_id,
        plan=reward.plan,
        plan_version=reward.plan_version,
        milestone=reward.milestone,
        reached_on=reward.reached_on,
        payee_id=reward.payee_id,
        payee_role=reward.payee_role,
        basis=reward.basis,
        whole=reward.whole,
        share_ppm=reward.share_ppm,
        amount=reward.amount,
        currency=reward.currency,
        formula=reward.formula,
        status=status,
        accrued_on=reward.accrued_on,
        approved_on=approved_on,
        paid_on=paid_on,
        paid=reward.paid if paid_on else 0,
        clawed_back_on=taken.since if taken else None,
        clawed_back=taken.total if taken else 0,
        claw_back_reason=taken.reason if taken else None,
    )
