from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    AlreadyReversedError,
    AlreadySettledError,
    AnotherCurrencyError,
    CustomerForgottenError,
    DatesOutOfOrderError,
    KeyConflictError,
    MalformedCurrencyError,
    MalformedRateError,
    NegativeError,
    NothingRepaidError,
    NotPositiveError,
    RefusedError,
    TooLargeError,
    UnknownCustomerError,
    UnknownDrawError,
    UnknownLoanError,
    UnknownRepaymentError,
)
from domain.loan import (
    DrawReversed,
    LoanApproved,
    LoanDrawn,
    LoanRenewed,
    LoanRepaid,
    LoanSettled,
    RateChanged,
    RepaymentReversed,
)
from domain.loan_rules import (
    ApproveLoan,
    ChangeRate,
    DrawLoan,
    LoanCommand,
    RenewLoan,
    RepayLoan,
    ReverseDraw,
    ReverseRepayment,
    SettleLoan,
)
from domain.relationship import RelationshipForgotten
from tests.spec import given, on, opened

DAY = on("1993-07-05")
ada = opened("C1")
approve = ApproveLoan(
    loan_id="L1",
    customer_id="C1",
    approved_on=DAY,
    principal=9_639_600,
    currency="CZK",
    term_months=12,
    annual_rate="4.35",
    repayment="bullet",
    purpose="stock",
)
approved = LoanApproved(
    loan_id="L1",
    customer_id="C1",
    approved_on=DAY,
    principal=9_639_600,
    currency="CZK",
    term_months=12,
    annual_rate="4.35",
    repayment="bullet",
    purpose="stock",
)
draw = DrawLoan(draw_id="D1", loan_id="L1", drawn_on=DAY, amount=500_000, currency="CZK")
drawn = LoanDrawn(
    customer_id="C1", draw_id="D1", loan_id="L1", drawn_on=DAY, amount=500_000, currency="CZK"
)
reverse_draw = ReverseDraw(draw_id="D1", reversed_on=on("1993-07-06"))
draw_reversed = DrawReversed(
    customer_id="C1",
    draw_id="D1",
    loan_id="L1",
    reversed_on=on("1993-07-06"),
    amount=500_000,
    currency="CZK",
)
repay = RepayLoan(
    repayment_id="P1",
    loan_id="L1",
    paid_on=on("1993-08-05"),
    principal=100,
    interest=7,
    currency="CZK",
)
repaid = LoanRepaid(
    customer_id="C1",
    repayment_id="P1",
    loan_id="L1",
    paid_on=on("1993-08-05"),
    principal=100,
    interest=7,
    currency="CZK",
)
reverse_repayment = ReverseRepayment(repayment_id="P1", reversed_on=on("1993-08-09"))
repayment_reversed = RepaymentReversed(
    customer_id="C1",
    repayment_id="P1",
    loan_id="L1",
    reversed_on=on("1993-08-09"),
    principal=100,
    interest=7,
    currency="CZK",
)
change_rate = ChangeRate(
    loan_id="L1", changed_on=on("1994-01-01"), annual_rate="5", reason="base rate"
)
rate_changed = RateChanged(
    customer_id="C1",
    loan_id="L1",
    changed_on=on("1994-01-01"),
    annual_rate="5",
    reason="base rate",
)
settle = SettleLoan(loan_id="L1", settled_on=on("1994-07-05"))
settled = LoanSettled(customer_id="C1", loan_id="L1", settled_on=on("1994-07-05"))
renew = RenewLoan(loan_id="L1", renewed_on=on("1994-07-05"), term_months=24, annual_rate="5.5")
renewed = LoanRenewed(
    customer_id="C1",
    loan_id="L1",
    renewed_on=on("1994-07-05"),
    term_months=24,
    annual_rate="5.5",
)
forgotten = RelationshipForgotten(customer_id="C1", forgotten_on=DAY, reason="asked")
bank = given(ada, approved)
LOAN_COMMANDS: list[LoanCommand] = [draw, repay, change_rate, settle, renew]


def test_a_facility_is_approved_for_a_known_customer() -> None:
    given(ada).when(approve).then(approved)
    given().when(approve).then_refused(UnknownCustomerError, "customer_id")


@pytest.mark.parametrize(
    ("command", "error", "field"),
    [
        (replace(approve, principal=0), NotPositiveError, "principal"),
        (replace(approve, principal=-1), NotPositiveError, "principal"),
        (replace(approve, principal=10**15 + 1), TooLargeError, "principal"),
        (replace(approve, term_months=0), NotPositiveError, "term_months"),
        (replace(approve, currency="kč"), MalformedCurrencyError, "currency"),
        *(
            (replace(approve, annual_rate=rate), MalformedRateError, "annual_rate")
            for rate in ("", "-1", "4.350", "04", "1.", ".5", "1e2", "nan", "５")
        ),
    ],
)
def test_a_malformed_approval_is_refused(
    command: ApproveLoan, error: type[RefusedError], field: str
) -> None:
    given(ada).when(command).then_refused(error, field)


def test_an_approval_told_otherwise_is_a_conflict() -> None:
    bank.when(replace(approve, principal=1)).then_refused(KeyConflictError, "loan_id")


def test_a_draw_is_recorded() -> None:
    bank.when(draw).then(drawn)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_draw_moves_something(amount: int) -> None:
    bank.when(replace(draw, amount=amount)).then_refused(NotPositiveError, "amount")


def test_a_draw_in_another_currency_is_refused() -> None:
    bank.when(replace(draw, currency="EUR")).then_refused(AnotherCurrencyError, "currency")


def test_a_draw_told_otherwise_is_a_conflict_also_under_another_loan() -> None:
    ledger = bank.and_given(drawn, replace(approved, loan_id="L2"))
    ledger.when(replace(draw, amount=1)).then_refused(KeyConflictError, "draw_id")
    ledger.when(replace(draw, loan_id="L2")).then_refused(KeyConflictError, "draw_id")


def test_a_draw_over_the_approved_sum_is_recorded() -> None:
    amount = approved.principal + 1
    bank.when(replace(draw, amount=amount)).then(replace(drawn, amount=amount))


def test_a_draw_before_the_approval_or_after_the_settlement_is_recorded() -> None:
    early = on("1993-01-01")
    bank.when(replace(draw, drawn_on=early)).then(replace(drawn, drawn_on=early))
    late = on("1999-01-01")
    bank.and_given(settled).when(replace(draw, drawn_on=late)).then(replace(drawn, drawn_on=late))


def test_a_draw_is_reversed_whole_and_once() -> None:
    bank.and_given(drawn).when(reverse_draw).then(draw_reversed)
    ledger = bank.and_given(drawn, draw_reversed)
    ledger.when(reverse_draw).then_refused(AlreadyReversedError, "draw_id")
    ledger.when(draw).then_refused(KeyConflictError, "draw_id")


def test_a_draw_that_is_not_there_is_not_reversed() -> None:
    bank.when(reverse_draw).then_refused(UnknownDrawError, "draw_id")


def test_a_draw_is_not_reversed_before_it_took_place() -> None:
    command = replace(reverse_draw, reversed_on=on("1993-07-04"))
    bank.and_given(drawn).when(command).then_refused(DatesOutOfOrderError, "reversed_on")


def test_a_repayment_is_recorded() -> None:
    bank.when(repay).then(repaid)
    bank.when(replace(repay, interest=0)).then(replace(repaid, interest=0))
    bank.when(replace(repay, principal=0)).then(replace(repaid, principal=0))


@pytest.mark.parametrize(
    ("command", "error", "field"),
    [
        (replace(repay, principal=-1), NegativeError, "principal"),
        (replace(repay, interest=-1), NegativeError, "interest"),
        (replace(repay, principal=0, interest=0), NothingRepaidError, "principal"),
        (replace(repay, currency="EUR"), AnotherCurrencyError, "currency"),
    ],
)
def test_a_malformed_repayment_is_refused(
    command: RepayLoan, error: type[RefusedError], field: str
) -> None:
    bank.when(command).then_refused(error, field)


def test_a_repayment_told_otherwise_is_a_conflict() -> None:
    command = replace(repay, interest=8)
    bank.and_given(repaid).when(command).then_refused(KeyConflictError, "repayment_id")


def test_a_repayment_is_reversed_whole_and_once() -> None:
    bank.and_given(repaid).when(reverse_repayment).then(repayment_reversed)
    bank.and_given(repaid, repayment_reversed).when(reverse_repayment).then_refused(
        AlreadyReversedError, "repayment_id"
    )


def test_a_repayment_that_is_not_there_is_not_reversed() -> None:
    bank.and_given(drawn).when(reverse_repayment).then_refused(
        UnknownRepaymentError, "repayment_id"
    )


def test_a_repayment_is_not_reversed_before_it_took_place() -> None:
    command = replace(reverse_repayment, reversed_on=on("1993-08-04"))
    bank.and_given(repaid).when(command).then_refused(DatesOutOfOrderError, "reversed_on")


def test_a_draw_and_a_repayment_may_have_the_same_id() -> None:
    ledger = bank.and_given(drawn, replace(repaid, repayment_id="D1"))
    ledger.when(reverse_draw).then(draw_reversed)


def test_a_rate_changes_from_a_day_on() -> None:
    bank.when(change_rate).then(rate_changed)
    bank.and_given(rate_changed).when(change_rate).then_nothing()
    before = replace(change_rate, changed_on=on("1993-12-31"))
    bank.and_given(rate_changed).when(before).then(
        replace(rate_changed, changed_on=before.changed_on)
    )


def test_another_reason_of_the_same_rate_is_recorded() -> None:
    why = replace(change_rate, reason="deposit")
    told = replace(rate_changed, reason="deposit")
    ledger = bank.and_given(rate_changed)
    ledger.when(why).then(told)
    ledger.and_given(told).when(why).then_nothing()
    ledger.and_given(told).when(change_rate).then(rate_changed)
    for ledger, day, rate in (
        (bank, approved.approved_on, "4.35"),
        (bank.and_given(renewed), renewed.renewed_on, "5.5"),
    ):
        ledger.when(replace(why, changed_on=day, annual_rate=rate)).then(
            replace(told, changed_on=day, annual_rate=rate)
        )


def test_a_rate_that_holds_already_is_recorded_for_another_day() -> None:
    """Of a day between the two, another rate may yet be told."""
    same = replace(change_rate, changed_on=on("1994-02-01"))
    bank.and_given(rate_changed).when(same).then(
        replace(rate_changed, changed_on=on("1994-02-01"))
    )


def test_a_malformed_rate_is_refused() -> None:
    bank.when(replace(change_rate, annual_rate="5.0")).then_refused(
        MalformedRateError, "annual_rate"
    )
    bank.when(replace(renew, annual_rate="-5")).then_refused(MalformedRateError, "annual_rate")


def test_a_loan_is_settled_once() -> None:
    bank.when(settle).then(settled)
    bank.and_given(settled).when(settle).then_nothing()
    other = replace(settle, settled_on=on("1994-07-06"))
    bank.and_given(settled).when(other).then_refused(AlreadySettledError, "loan_id")
    bank.when(replace(settle, settled_on=on("1993-07-04"))).then_refused(
        DatesOutOfOrderError, "settled_on"
    )


def test_a_renewed_loan_goes_on_and_can_be_settled_again() -> None:
    bank.when(renew).then(renewed)
    bank.and_given(renewed).when(renew).then_nothing()
    bank.and_given(settled, renewed).when(settle).then(settled)


def test_a_malformed_renewal_is_refused() -> None:
    bank.when(replace(renew, term_months=0)).then_refused(NotPositiveError, "term_months")
    bank.when(replace(renew, renewed_on=on("1993-07-04"))).then_refused(
        DatesOutOfOrderError, "renewed_on"
    )


@pytest.mark.parametrize("command", LOAN_COMMANDS, ids=lambda command: type(command).__name__)
def test_an_unknown_loan_is_refused(command: LoanCommand) -> None:
    given(ada).when(command).then_refused(UnknownLoanError, "loan_id")


@pytest.mark.parametrize(
    "command",
    [replace(approve, loan_id="L2"), replace(draw, draw_id="D2"), reverse_draw, repay, settle],
    ids=lambda command: type(command).__name__,
)
def test_nothing_is_recorded_about_a_forgotten_customer(command: LoanCommand) -> None:
    bank.and_given(drawn, forgotten).when(command).then_refused(
        CustomerForgottenError, "customer_id"
    )
