from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    AnotherCurrencyError,
    ApprovedAloneError,
    ClawedBackLessError,
    ClawedBackTooMuchError,
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    NotPositiveError,
    RewardAlreadyAccruedError,
    RewardOutOfStepError,
    RewardOverWholeError,
    UnknownReferralError,
    UnknownRewardError,
)
from domain.referral import ReferralIntroduced
from domain.relationship import RelationshipForgotten
from domain.reward import (
    AccrueReward,
    ApproveReward,
    ClawBackReward,
    PayReward,
    RewardAccrued,
    RewardApproved,
    RewardClawedBack,
    RewardPaid,
    RewardStep,
)
from tests.spec import given, on, opened

REACHED, ACCRUED, LATER = on("2024-03-01"), on("2024-03-31"), on("2024-04-02")
ada, ben = opened("C1"), opened("C2")
brought = ReferralIntroduced(
    customer_id="C2",
    referral_id="R1",
    referrer_id="C1",
    introduced_on=on("2024-02-01"),
    via="customer",
    by="RM-1",
    branch="D64",
)
accrue = AccrueReward(
    reward_id="W1",
    referral_id="R1",
    plan="friend",
    plan_version=1,
    milestone="converted",
    reached_on=REACHED,
    accrued_on=ACCRUED,
    payee_id="C1",
    payee_role="customer",
    basis="referral",
    whole=10_000,
    share_ppm=700_000,
    amount=7_000,
    currency="CNY",
    formula="100.00 CNY",
    by="RM-1",
)
accrued = RewardAccrued(
    customer_id="C2",
    reward_id="W1",
    referral_id="R1",
    plan="friend",
    plan_version=1,
    milestone="converted",
    reached_on=REACHED,
    accrued_on=ACCRUED,
    payee_id="C1",
    payee_role="customer",
    basis="referral",
    whole=10_000,
    share_ppm=700_000,
    amount=7_000,
    currency="CNY",
    formula="100.00 CNY",
    by="RM-1",
)
approve = ApproveReward(reward_id="W1", approved_on=LATER, approved_by="HEAD")
approved = RewardApproved(customer_id="C2", reward_id="W1", approved_on=LATER, approved_by="HEAD")
pay = PayReward(reward_id="W1", paid_on=LATER, booked="yes", by="CASH-1")
paid = RewardPaid(
    customer_id="C2",
    reward_id="W1",
    paid_on=LATER,
    payee_id="C1",
    payee_role="customer",
    amount=7_000,
    currency="CNY",
    booked="yes",
    by="CASH-1",
)
claw_back = ClawBackReward(
    reward_id="W1",
    clawed_back_on=LATER,
    amount=7_000,
    currency="CNY",
    reason="customer_left",
    by="RM-1",
)
clawed_back = RewardClawedBack(
    customer_id="C2",
    reward_id="W1",
    clawed_back_on=LATER,
    amount=7_000,
    currency="CNY",
    reason="customer_left",
    by="RM-1",
)
referred = given(ada, ben, brought)
due = referred.and_given(accrued)
payable = due.and_given(approved)


def forgotten(customer_id: str) -> RelationshipForgotten:
    return RelationshipForgotten(customer_id=customer_id, forgotten_on=ACCRUED, reason="asked")


def test_a_reward_is_accrued_for_the_prospect_of_the_referral() -> None:
    referred.when(accrue).then(accrued)
    given(ada).when(accrue).then_refused(UnknownReferralError, "referral_id")


def test_a_reward_accrued_again_on_another_day_by_somebody_else_is_the_same() -> None:
    due.when(replace(accrue, accrued_on=LATER, by="RM-2")).then_nothing()


@pytest.mark.parametrize("change", [{"amount": 6_999}, {"payee_id": "C9"}, {"plan": "other"}])
def test_a_reward_id_stands_for_one_reward(change: dict[str, str]) -> None:
    changed: AccrueReward = replace(accrue, **change)  # type: ignore[arg-type]  # by parameter
    due.when(changed).then_refused(KeyConflictError, "reward_id")


def test_a_reward_id_of_another_prospect_is_a_conflict() -> None:
    other = replace(brought, customer_id="C3", referral_id="R2")
    history = due.and_given(opened("C3"), other)
    history.when(replace(accrue, referral_id="R2")).then_refused(KeyConflictError, "reward_id")


def test_the_payees_of_a_plan_never_get_more_than_its_whole() -> None:
    second = replace(accrue, reward_id="W2", payee_id="RM-9", share_ppm=300_000, amount=3_000)
    due.when(second).then(
        replace(accrued, reward_id="W2", payee_id="RM-9", share_ppm=300_000, amount=3_000)
    )
    due.when(replace(second, amount=3_001)).then_refused(RewardOverWholeError, "amount")
    other_plan = replace(second, plan="other", amount=10_000)
    due.when(other_plan).then(
        replace(
            accrued,
            reward_id="W2",
            payee_id="RM-9",
            share_ppm=300_000,
            plan="other",
            amount=10_000,
        )
    )


def test_what_was_clawed_back_is_free_for_the_right_payee() -> None:
    right = replace(accrue, reward_id="W2", payee_id="C9", amount=10_000)
    due.when(right).then_refused(RewardOverWholeError, "amount")
    due.and_given(clawed_back).when(right).then(
        replace(accrued, reward_id="W2", payee_id="C9", amount=10_000)
    )


def test_a_payee_has_one_reward_by_a_plan_for_a_prospect_whatever_its_id() -> None:
    second = replace(accrue, reward_id="W2", amount=3_000)
    for history in (due, due.and_given(replace(clawed_back, amount=6_999))):
        error = history.when(second).then_refused(RewardAlreadyAccruedError, "payee_id")
        assert "it is W1" in str(error)
    told = replace(accrued, reward_id="W2", amount=3_000)
    due.and_given(clawed_back).when(second).then(told)
    due.when(replace(second, plan="other")).then(replace(told, plan="other"))


def test_no_larger_whole_told_later_gives_more_than_the_smallest() -> None:
    second = replace(accrue, reward_id="W2", payee_id="C9", whole=100_000, amount=3_001)
    error = due.when(second).then_refused(RewardOverWholeError, "amount")
    assert "70.00 CNY of 100.00 CNY by plan" in str(error)
    told = replace(accrued, reward_id="W2", payee_id="C9", whole=100_000, amount=3_001)
    due.and_given(clawed_back).when(second).then(told)
    smaller = replace(accrue, reward_id="W2", payee_id="C9", whole=9_000, amount=2_001)
    due.when(smaller).then_refused(RewardOverWholeError, "amount")


def test_a_whole_in_another_currency_is_another_one() -> None:
    points = {"reward_id": "W2", "payee_id": "C9", "currency": "PTS", "whole": 100, "amount": 100}
    command: AccrueReward = replace(accrue, **points)  # type: ignore[arg-type]  # as it is
    told: RewardAccrued = replace(accrued, **points)  # type: ignore[arg-type]  # as it is
    due.when(command).then(told)


@pytest.mark.parametrize("field", ["amount", "whole"])
def test_a_reward_is_above_nothing(field: str) -> None:
    nothing: AccrueReward = replace(accrue, **{field: 0})  # type: ignore[arg-type]  # by parameter
    referred.when(nothing).then_refused(NotPositiveError, field)


def test_nothing_is_accrued_before_its_milestone() -> None:
    early = replace(accrue, accrued_on=on("2024-02-29"))
    referred.when(early).then_refused(DatesOutOfOrderError, "accrued_on")


def test_nothing_is_accrued_about_or_for_the_forgotten() -> None:
    referred.and_given(forgotten("C2")).when(accrue).then_refused(
        CustomerForgottenError, "referral_id"
    )
    referred.and_given(forgotten("C1")).when(accrue).then_refused(
        CustomerForgottenError, "payee_id"
    )


def test_another_person_approves() -> None:
    due.when(approve).then(approved)
    for alone in ("RM-1", "C1", "rm-1"):
        by_them = replace(approve, approved_by=alone)
        due.when(by_them).then_refused(ApprovedAloneError, "approved_by")


def test_what_is_approved_is_paid_in_full() -> None:
    payable.when(pay).then(paid)


def test_a_payee_forgotten_meanwhile_is_not_paid() -> None:
    error = (
        payable.and_given(forgotten("C1"))
        .when(pay)
        .then_refused(CustomerForgottenError, "reward_id")
    )
    assert error.value == "W1"


def test_what_is_not_approved_is_not_paid() -> None:
    due.when(pay).then_refused(RewardOutOfStepError, "reward_id")


def test_a_reward_is_paid_once() -> None:
    payable.and_given(paid).when(replace(pay, by="CASH-2")).then_refused(
        KeyConflictError, "reward_id"
    )


def test_a_reward_is_clawed_back_whatever_step_it_is_at() -> None:
    for history in (due, payable, payable.and_given(paid)):
        history.when(claw_back).then(clawed_back)
    part = replace(claw_back, amount=1)
    due.when(part).then(replace(clawed_back, amount=1))


def test_no_more_is_clawed_back_than_was_accrued_and_in_no_other_currency() -> None:
    due.when(replace(claw_back, amount=7_001)).then_refused(ClawedBackTooMuchError, "amount")
    due.when(replace(claw_back, amount=0)).then_refused(NotPositiveError, "amount")
    due.when(replace(claw_back, currency="USD")).then_refused(AnotherCurrencyError, "currency")


def test_a_later_claw_back_names_a_larger_total() -> None:
    gone = due.and_given(replace(clawed_back, amount=1))
    gone.when(claw_back).then(clawed_back)
    gone.and_given(clawed_back).when(replace(claw_back, amount=7_001)).then_refused(
        ClawedBackTooMuchError, "amount"
    )


def test_the_same_total_told_again_changes_nothing_on_whatever_day() -> None:
    gone = due.and_given(clawed_back)
    again = replace(claw_back, clawed_back_on=ACCRUED, reason="fraud", by="RM-2")
    gone.when(again).then_nothing()


def test_what_was_taken_back_is_not_given_again() -> None:
    gone = due.and_given(clawed_back)
    error = gone.when(replace(claw_back, amount=6_999)).then_refused(ClawedBackLessError, "amount")
    assert "70.00 CNY are taken back already" in str(error)


def test_what_is_left_of_a_reward_taken_back_in_part_is_approved_and_paid() -> None:
    taken = replace(clawed_back, amount=2_000)
    due.and_given(taken).when(approve).then(approved)
    due.and_given(taken, approved).when(pay).then(replace(paid, amount=5_000))
    payable.and_given(taken).when(pay).then(replace(paid, amount=5_000))


def test_a_reward_taken_back_whole_is_neither_approved_nor_paid() -> None:
    due.and_given(clawed_back).when(approve).then_refused(RewardOutOfStepError, "reward_id")
    payable.and_given(clawed_back).when(pay).then_refused(RewardOutOfStepError, "reward_id")
    in_two = payable.and_given(replace(clawed_back, amount=1), clawed_back)
    error = in_two.when(pay).then_refused(RewardOutOfStepError, "reward_id")
    assert "all of it is clawed back" in str(error)


def test_what_was_paid_is_clawed_back_up_to_what_was_accrued() -> None:
    part = replace(clawed_back, amount=2_000)
    settled = due.and_given(part, approved, replace(paid, amount=5_000))
    settled.when(claw_back).then(clawed_back)
    settled.when(pay).then_refused(KeyConflictError, "reward_id")


def test_a_claw_back_in_part_frees_so_much_for_the_other_payees() -> None:
    other = replace(accrue, reward_id="W2", payee_id="C9", amount=4_000)
    part = due.and_given(replace(clawed_back, amount=999))
    part.when(other).then_refused(RewardOverWholeError, "amount")
    part.and_given(replace(clawed_back, amount=1_000)).when(other).then(
        replace(accrued, reward_id="W2", payee_id="C9", amount=4_000)
    )


def test_no_step_is_before_a_claw_back_and_no_claw_back_before_another() -> None:
    taken = due.and_given(replace(clawed_back, amount=1))
    earlier = on("2024-04-01")
    taken.when(replace(approve, approved_on=earlier)).then_refused(
        DatesOutOfOrderError, "approved_on"
    )
    taken.when(replace(claw_back, clawed_back_on=earlier)).then_refused(
        DatesOutOfOrderError, "clawed_back_on"
    )
    settled = payable.and_given(replace(clawed_back, amount=1, clawed_back_on=on("2024-04-05")))
    settled.when(pay).then_refused(DatesOutOfOrderError, "paid_on")


@pytest.mark.parametrize(
    "step",
    [
        replace(approve, approved_on=REACHED),
        replace(claw_back, clawed_back_on=REACHED),
    ],
)
def test_no_step_is_before_the_accrual(step: RewardStep) -> None:
    field = "approved_on" if isinstance(step, ApproveReward) else "clawed_back_on"
    due.when(step).then_refused(DatesOutOfOrderError, field)


def test_nothing_is_paid_before_it_was_approved() -> None:
    payable.when(replace(pay, paid_on=ACCRUED)).then_refused(DatesOutOfOrderError, "paid_on")


@pytest.mark.parametrize("step", [approve, pay, claw_back])
def test_what_was_never_accrued_has_no_steps(step: RewardStep) -> None:
    referred.when(step).then_refused(UnknownRewardError, "reward_id")


@pytest.mark.parametrize("step", [approve, claw_back])
def test_nothing_more_happens_to_a_reward_for_a_forgotten_prospect(step: RewardStep) -> None:
    error = (
        due.and_given(forgotten("C2")).when(step).then_refused(CustomerForgottenError, "reward_id")
    )
    assert error.value == "W1"
