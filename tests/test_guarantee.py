from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    AnotherCurrencyError,
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    NotPositiveError,
    RefusedError,
    ReservedIdError,
    SelfGuaranteeError,
    TooLargeError,
    UnknownGuaranteeError,
    UnknownLoanError,
)
from domain.guarantee import (
    ID_CHARS_MAX,
    GiveGuarantee,
    GuaranteeGiven,
    GuaranteeReleased,
    ReleaseGuarantee,
    introduced_by,
)
from domain.loan import LoanSettled
from domain.referral import ReferralDeclined, ReferralIntroduced
from domain.referral_rules import IntroduceReferral
from domain.relationship import ManagerAssigned, RelationshipForgotten
from tests.spec import given, on, opened
from tests.test_loan import DAY, approved

give = GiveGuarantee(
    guarantee_id="G1",
    loan_id="L1",
    guarantor_id="C2",
    amount=500_000,
    currency="CZK",
    given_on=DAY,
)
guaranteed = GuaranteeGiven(
    customer_id="C1",
    guarantee_id="G1",
    loan_id="L1",
    guarantor_id="C2",
    amount=500_000,
    currency="CZK",
    given_on=DAY,
)
release = ReleaseGuarantee(guarantee_id="G1", released_on=on("1994-07-05"))
released = GuaranteeReleased(
    customer_id="C1",
    guarantee_id="G1",
    loan_id="L1",
    guarantor_id="C2",
    amount=500_000,
    currency="CZK",
    released_on=on("1994-07-05"),
)
brought = ReferralIntroduced(
    customer_id="C2",
    referral_id="guarantor-G1",
    referrer_id="C1",
    introduced_on=DAY,
    via="guarantor",
    by="RM-64",
    branch="D64",
)
borrower = given(opened("C1"), approved)
bank = borrower.and_given(opened("C2"))


def introduced(prospect_id: str, referrer_id: str, day: str) -> ReferralIntroduced:
    return replace(
        brought,
        customer_id=prospect_id,
        referrer_id=referrer_id,
        referral_id=f"R-{prospect_id}",
        introduced_on=on(day),
        via="customer",
    )


def forgotten(customer_id: str) -> RelationshipForgotten:
    return RelationshipForgotten(customer_id=customer_id, forgotten_on=DAY, reason="asked")


def test_a_customer_stands_for_the_loan_of_another() -> None:
    bank.when(give).then(guaranteed)


def test_a_guarantee_is_recorded_over_the_loan_and_after_its_end() -> None:
    large = replace(give, amount=10**12, given_on=on("1999-01-01"))
    settled = LoanSettled(customer_id="C1", loan_id="L1", settled_on=DAY)
    bank.and_given(settled).when(large).then(
        replace(guaranteed, amount=10**12, given_on=on("1999-01-01"))
    )


@pytest.mark.parametrize(
    ("command", "error", "field"),
    [
        (replace(give, loan_id="L404"), UnknownLoanError, "loan_id"),
        (replace(give, currency="EUR"), AnotherCurrencyError, "currency"),
        (replace(give, amount=0), NotPositiveError, "amount"),
        (replace(give, amount=-1), NotPositiveError, "amount"),
        (replace(give, amount=10**16), TooLargeError, "amount"),
        (replace(give, guarantor_id="C1"), SelfGuaranteeError, "guarantor_id"),
        (replace(give, guarantor_id="ledger"), ReservedIdError, "guarantor_id"),
        (replace(give, released_on=on("1993-07-04")), DatesOutOfOrderError, "released_on"),
    ],
)
def test_what_cannot_be_represented_is_refused(
    command: GiveGuarantee, error: type[RefusedError], field: str
) -> None:
    bank.when(command).then_refused(error, field)


@pytest.mark.parametrize(("who", "field"), [("C1", "customer_id"), ("C2", "guarantor_id")])
def test_nothing_is_recorded_about_a_forgotten_customer(who: str, field: str) -> None:
    bank.and_given(forgotten(who)).when(give).then_refused(CustomerForgottenError, field)
    after = bank.and_given(guaranteed, forgotten(who))
    after.when(release).then_refused(CustomerForgottenError, field)


def test_a_release_is_recorded_once() -> None:
    bank.and_given(guaranteed).when(release).then(released)
    bank.and_given(guaranteed, released).when(release).then_nothing()


def test_the_last_date_told_of_a_release_counts() -> None:
    later = on("1995-01-01")
    bank.and_given(guaranteed, released).when(replace(release, released_on=later)).then(
        replace(released, released_on=later)
    )


def test_a_release_on_the_day_of_the_guarantee_is_in_order_and_before_it_is_not() -> None:
    told = bank.and_given(guaranteed)
    told.when(replace(release, released_on=DAY)).then(replace(released, released_on=DAY))
    before = replace(release, released_on=on("1993-07-04"))
    told.when(before).then_refused(DatesOutOfOrderError, "released_on")


def test_what_was_never_given_is_not_released() -> None:
    bank.when(release).then_refused(UnknownGuaranteeError, "guarantee_id")


def test_a_row_may_tell_the_release_at_once_or_later() -> None:
    ended = replace(give, released_on=released.released_on)
    bank.when(ended).then(guaranteed, released)
    bank.and_given(guaranteed).when(ended).then(released)
    bank.and_given(guaranteed, released).when(ended).then_nothing()


def test_a_release_is_not_taken_back_by_a_row_without_one() -> None:
    bank.and_given(guaranteed, released).when(give).then_refused(KeyConflictError, "guarantee_id")


@pytest.mark.parametrize(
    "command",
    [
        replace(give, amount=1),
        replace(give, given_on=on("1993-07-06")),
        replace(give, guarantor_id="C3"),
        replace(give, loan_id="L2"),
        replace(give, amount=1, released_on=on("1994-07-05")),
    ],
)
def test_a_guarantee_told_otherwise_is_a_conflict(command: GiveGuarantee) -> None:
    bank.and_given(guaranteed).when(command).then_refused(KeyConflictError, "guarantee_id")


def test_a_guarantor_who_is_no_customer_becomes_a_prospect_of_the_borrower() -> None:
    borrower.when(give).then(guaranteed, brought)
    ended = replace(give, released_on=released.released_on)
    borrower.when(ended).then(guaranteed, brought, released)


def test_the_prospect_is_brought_by_the_borrowers_manager_of_the_day() -> None:
    other = ManagerAssigned(
        customer_id="C1", manager="RM-2", assigned_on=on("1993-07-01"), role="owner"
    )
    later = replace(other, manager="RM-3", assigned_on=on("1993-08-01"))
    borrower.and_given(other, later).when(give).then(guaranteed, replace(brought, by="RM-2"))


def test_a_guarantor_with_a_referrer_of_their_own_gets_no_second_one() -> None:
    earlier = introduced("C2", "C3", "1993-07-01")
    referred = borrower.and_given(opened("C3"), earlier)
    referred.when(give).then(guaranteed)
    lapsed = ReferralDeclined(
        customer_id="C2", referral_id="R-C2", declined_on=DAY, reason="no time"
    )
    referred.and_given(lapsed).when(give).then(guaranteed, brought)
    later = introduced("C2", "C3", "1999-07-01")
    borrower.and_given(opened("C3"), later).when(give).then(guaranteed)


def test_a_guarantor_who_brought_the_borrower_is_not_brought_by_them() -> None:
    borrower.and_given(introduced("C1", "C2", "1993-07-01")).when(give).then(guaranteed)


def test_a_second_guarantee_brings_nobody_twice() -> None:
    second = replace(give, guarantee_id="G2")
    borrower.and_given(guaranteed, brought).when(second).then(
        replace(guaranteed, guarantee_id="G2")
    )


def test_the_referral_of_a_guarantee_goes_on_like_any_other() -> None:
    told = IntroduceReferral(
        referral_id="guarantor-G1",
        referrer_id="C1",
        prospect_id="C2",
        introduced_on=DAY,
        via="guarantor",
        by="RM-64",
        branch="D64",
        outcome="declined",
        outcome_on=on("1993-08-01"),
    )
    declined = ReferralDeclined(
        customer_id="C2", referral_id="guarantor-G1", declined_on=on("1993-08-01"), reason=""
    )
    borrower.and_given(guaranteed, brought).when(told).then(declined)


def test_a_referral_that_has_the_id_already_is_left_alone() -> None:
    same_id = replace(introduced("C9", "C1", "1993-01-05"), referral_id="guarantor-G1")
    borrower.and_given(same_id).when(give).then(guaranteed)


def test_the_id_of_a_guarantees_referral_is_an_id() -> None:
    assert introduced_by("G1") == "guarantor-G1"
    ids = {introduced_by("G" * 60 + str(number)) for number in range(9)}
    assert len(ids) == 9
    assert {len(referral_id) for referral_id in ids} == {ID_CHARS_MAX}


def test_a_decision_looks_at_the_loan_and_at_referrals_only_for_a_prospect() -> None:
    bank.when(give).then_looks_at("guarantee-G1", "loan-L1")
    borrower.when(give).then_looks_at(
        "guarantee-G1", "loan-L1", "relationship-C1", "prospect-C2", "prospect-C1"
    )
