"""A reward for bringing a customer: accrued by a plan, approved by another person, paid once.

All rewards for one prospect share a stream, so that each payee of a plan gets one, and all of them
together never more than its whole, is one version check. How far a reward came and what was taken
back of it are two things: what is left is paid.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.dealing import Booked  # noqa: TC001 - read at run time
from domain.errors import (
    ApprovedAloneError,
    ClawedBackLessError,
    ClawedBackTooMuchError,
    KeyConflictError,
    RewardAlreadyAccruedError,
    RewardOutOfStepError,
    RewardOverWholeError,
    UnknownReferralError,
    UnknownRewardError,
)
from domain.telling import told
from domain.values import Minor, Ppm, money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.world import World

Milestone: TypeAlias = Literal["converted", "first_draw"]
RewardBasis: TypeAlias = Literal["referral", "loan", "deposits"]
RewardPayee: TypeAlias = Literal["customer", "employee", "partner", "counterparty_staff"]
ClawBackReason: TypeAlias = Literal[
    "draw_reversed", "customer_left", "not_converted", "not_owed", "fraud", "other"
]


def roles_via(via: str) -> tuple[RewardPayee, ...]:
    """Return what a referrer is to the bank: an enterprise the first of them, a person the last.

    A person who came via a partner works for it.
    """
    if via == "partner":
        return ("partner", "counterparty_staff")
    return ("employee",) if via == "employee" else ("customer",)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardAccrued:
    """Who brought the prospect has earned a share of a plan's reward. `customer_id`: the prospect.

    `basis` is what the plan measures it by; `formula` says how `whole`, that of all payees
    together, came about, `share_ppm` and `amount` what this payee gets of it.
    """

    customer_id: str
    reward_id: str
    referral_id: str
    plan: str
    plan_version: int
    milestone: Milestone
    reached_on: date
    accrued_on: date
    payee_id: str
    payee_role: RewardPayee
    basis: RewardBasis
    whole: Minor
    share_ppm: Ppm
    amount: Minor
    currency: str
    formula: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardApproved:
    """Another person than who accrued it, and not the payee, agreed (four eyes)."""

    customer_id: str
    reward_id: str
    approved_on: date
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardPaid:
    """The payee got the amount: what was accrued, less what was taken back by then.

    `booked`: openly, in the books (如实入账).
    """

    customer_id: str
    reward_id: str
    paid_on: date
    payee_id: str
    payee_role: RewardPayee
    amount: Minor
    currency: str
    booked: Booked
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardClawedBack:
    """Of the reward `amount` is taken back in all so far, earlier claw-backs included.

    What of it was not paid yet will not be.
    """

    customer_id: str
    reward_id: str
    clawed_back_on: date
    amount: Minor
    currency: str
    reason: ClawBackReason
    by: str


RewardCame: TypeAlias = RewardAccrued | RewardApproved | RewardPaid
RewardEvent: TypeAlias = RewardCame | RewardClawedBack

# State.


@dataclass(frozen=True, slots=True)
class Reward:
    """What was accrued, how far it came, and what was taken back of it last, if anything was."""

    accrued: RewardAccrued
    came: RewardCame
    taken: RewardClawedBack | None = None

    @property
    def taken_back(self) -> Minor:
        """All that was taken back so far."""
        return self.taken.amount if self.taken else 0

    @property
    def kept(self) -> Minor:
        """What of it the payee has or may still get."""
        return self.accrued.amount - self.taken_back


@dataclass(frozen=True, slots=True)
class Rewards:
    """All rewards for one prospect, by id."""

    rewards: Mapping[str, Reward]


NONE = Rewards({})


def evolve(state: Rewards | None, event: RewardEvent) -> Rewards:
    """Return the prospect's rewards after the event. Total: history is never refused."""
    rewards = (state or NONE).rewards
    if isinstance(event, RewardAccrued):
        return Rewards({**rewards, event.reward_id: Reward(event, event)})
    reward = rewards.get(event.reward_id)
    if reward is None:
        return Rewards(rewards)
    if isinstance(event, RewardClawedBack):
        return Rewards({**rewards, event.reward_id: replace(reward, taken=event)})
    return Rewards({**rewards, event.reward_id: replace(reward, came=event)})


# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class AccrueReward:
    """Record that a payee has earned a share of a plan's reward."""

    reward_id: str
    referral_id: str
    plan: str
    plan_version: int
    milestone: Milestone
    reached_on: date
    accrued_on: date
    payee_id: str
    payee_role: RewardPayee
    basis: RewardBasis
    whole: Minor
    share_ppm: Ppm
    amount: Minor
    currency: str
    formula: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveReward:
    """Agree to a reward, as another person than who accrued it and than its payee."""

    reward_id: str
    approved_on: date
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayReward:
    """Record that what is left of an approved reward was paid."""

    reward_id: str
    paid_on: date
    booked: Booked
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBackReward:
    """Take of a reward so much back that `amount` is all that was taken, of now and before."""

    reward_id: str
    clawed_back_on: date
    amount: Minor
    currency: str
    reason: ClawBackReason
    by: str


RewardStep: TypeAlias = ApproveReward | PayReward | ClawBackReward
RewardCommand: TypeAlias = AccrueReward | RewardStep


def decide(command: RewardCommand, world: World) -> tuple[RewardEvent, ...]:
    """Return the events a command about rewards causes, or raise the rule it breaks."""
    if isinstance(command, AccrueReward):
        return _accrue(command, world)
    prospect_id = world.prospect_of_reward(command.reward_id)
    if prospect_id is None:
        raise UnknownRewardError("reward_id", command.reward_id)
    checks.not_forgotten(world, prospect_id, "reward_id", command.reward_id)
    reward = (world.rewards(prospect_id) or NONE).rewards[command.reward_id]
    match command:
        case ApproveReward():
            return (_approved(command, reward),)
        case PayReward():
            checks.not_forgotten(world, reward.accrued.payee_id, "reward_id", command.reward_id)
            return (_paid(command, reward),)
        case ClawBackReward():
            return _clawed_back(command, reward)


def _accrue(command: AccrueReward, world: World) -> tuple[RewardEvent, ...]:
    prospect_id = world.prospect_of_referral(command.referral_id)
    if prospect_id is None:
        raise UnknownReferralError("referral_id", command.referral_id)
    checks.not_forgotten(world, prospect_id, "referral_id", command.referral_id)
    checks.not_forgotten(world, command.payee_id, "payee_id")
    checks.currency(command.currency)
    checks.positive("amount", command.amount, command.currency)
    checks.positive("whole", command.whole, command.currency)
    checks.in_order("accrued_on", command.accrued_on, "reached_on", command.reached_on)
    accrued = told(RewardAccrued, command, customer_id=prospect_id)
    if world.prospect_of_reward(command.reward_id) not in {None, prospect_id}:
        raise KeyConflictError("reward_id", command.reward_id)
    rewards = (world.rewards(prospect_id) or NONE).rewards
    before = rewards.get(command.reward_id)
    if before is not None:
        if _earned(before.accrued) != _earned(accrued):
            raise KeyConflictError("reward_id", command.reward_id)
        return ()
    _check_others(command, [r for r in rewards.values() if r.accrued.plan == command.plan])
    return (accrued,)


def _check_others(command: AccrueReward, by_plan: Sequence[Reward]) -> None:
    """Refuse a second reward of a payee, or more for all of them than the whole.

    That is the smallest told: by a larger one, nobody may get what the others left.
    """
    kept = [reward for reward in by_plan if reward.kept]
    for other in kept:
        if other.accrued.payee_id == command.payee_id:
            detail = f"it is {other.accrued.reward_id}"
            raise RewardAlreadyAccruedError("payee_id", command.payee_id, detail)
    like = [reward for reward in kept if reward.accrued.currency == command.currency]
    whole = min((reward.accrued.whole for reward in like), default=command.whole)
    whole, taken = min(whole, command.whole), sum(reward.kept for reward in like)
    if taken + command.amount > whole:
        left = " of ".join(money(each, command.currency) for each in (taken, whole))
        detail = f"{left} by plan {command.plan} are taken"
        raise RewardOverWholeError("amount", money(command.amount, command.currency), detail)


def _earned(accrued: RewardAccrued) -> tuple[object, ...]:
    """Return what a reward is, whoever found it when."""
    names = (f.name for f in fields(accrued) if f.name not in {"accrued_on", "by"})
    return tuple(getattr(accrued, name) for name in names)


def _approved(command: ApproveReward, reward: Reward) -> RewardApproved:
    accrued = _after(reward, RewardAccrued, "approved_on", command.approved_on).accrued
    checks.somebody_else(
        ApprovedAloneError, "approved_by", command.approved_by, accrued.by, accrued.payee_id
    )
    return told(RewardApproved, command, customer_id=accrued.customer_id)


def _paid(command: PayReward, reward: Reward) -> RewardPaid:
    accrued = _after(reward, RewardApproved, "paid_on", command.paid_on).accrued
    return RewardPaid(
        customer_id=accrued.customer_id,
        reward_id=command.reward_id,
        paid_on=command.paid_on,
        payee_id=accrued.payee_id,
        payee_role=accrued.payee_role,
        amount=reward.kept,
        currency=accrued.currency,
        booked=command.booked,
        by=command.by,
    )


def _clawed_back(command: ClawBackReward, reward: Reward) -> tuple[RewardClawedBack, ...]:
    accrued = reward.accrued
    checks.same_currency(command.currency, accrued.currency)
    checks.positive("amount", command.amount, command.currency)
    amount, whole, taken = (
        money(each, command.currency)
        for each in (command.amount, accrued.amount, reward.taken_back)
    )
    if command.amount > accrued.amount:
        raise ClawedBackTooMuchError("amount", amount, f"the reward is {whole}")
    if command.amount < reward.taken_back:
        raise ClawedBackLessError("amount", amount, f"{taken} are taken back already")
    if command.amount == reward.taken_back:
        return ()
    _check_order(reward, "clawed_back_on", command.clawed_back_on)
    return (told(RewardClawedBack, command, customer_id=accrued.customer_id),)


def _after(reward: Reward, step: type[RewardCame], field: str, day: date) -> Reward:
    """Return the reward if it came to this step, is not taken back, and nothing is dated later."""
    came, _ = _step_of(reward.came)
    if not isinstance(reward.came, step) or not reward.kept:
        detail = f"it is {came}" if reward.kept else "all of it is clawed back"
        raise RewardOutOfStepError("reward_id", reward.accrued.reward_id, detail)
    _check_order(reward, field, day)
    return reward


def _check_order(reward: Reward, field: str, day: date) -> None:
    """Refuse a day before that of the last step, or of the last claw-back."""
    came, on = _step_of(reward.came)
    checks.in_order(field, day, f"the day it was {came},", on)
    if reward.taken is not None:
        on = reward.taken.clawed_back_on
        checks.in_order(field, day, "the day it was clawed back,", on)


def _step_of(came: RewardCame) -> tuple[str, date]:
    match came:
        case RewardAccrued():
            return "accrued", came.accrued_on
        case RewardApproved():
            return "approved", came.approved_on
        case RewardPaid():
            return "paid", came.paid_on
