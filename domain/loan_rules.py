"""What can be asked of a loan, and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the edge reads the field types at run time
from typing import TYPE_CHECKING, TypeAlias

from domain import checks
from domain.errors import (
    AlreadyReversedError,
    AlreadySettledError,
    NothingRepaidError,
    UnknownDrawError,
    UnknownLoanError,
    UnknownRepaymentError,
)
from domain.loan import (
    DrawReversed,
    Loan,
    LoanApproved,
    LoanDrawn,
    LoanEvent,
    LoanRenewed,
    LoanRepaid,
    LoanSettled,
    RateChanged,
    Repayment,
    RepaymentReversed,
)
from domain.telling import told, told_for
from domain.values import Minor, money

if TYPE_CHECKING:
    from domain.world import World

# Commands. `annual_rate` is a plain decimal without trailing zeros, as in the events.


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveLoan:
    """Record that a facility was granted."""

    loan_id: str
    customer_id: str
    approved_on: date
    principal: Minor
    currency: str
    term_months: int
    annual_rate: str
    repayment: Repayment
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawLoan:
    """Record a disbursement."""

    draw_id: str
    loan_id: str
    drawn_on: date
    amount: Minor
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseDraw:
    """Take a draw back, whole."""

    draw_id: str
    reversed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RepayLoan:
    """Record a repayment."""

    repayment_id: str
    loan_id: str
    paid_on: date
    principal: Minor
    interest: Minor
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseRepayment:
    """Take a repayment back, whole."""

    repayment_id: str
    reversed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRate:
    """Record another rate from a day on, or why it holds from that day."""

    loan_id: str
    changed_on: date
    annual_rate: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleLoan:
    """Record that the facility is paid back and closed."""

    loan_id: str
    settled_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewLoan:
    """Record that the facility goes on with a longer term."""

    loan_id: str
    renewed_on: date
    term_months: int
    annual_rate: str


LoanCommand: TypeAlias = (
    ApproveLoan
    | DrawLoan
    | ReverseDraw
    | RepayLoan
    | ReverseRepayment
    | ChangeRate
    | SettleLoan
    | RenewLoan
)


def decide(  # noqa: PLR0911 - one a case
    command: LoanCommand, world: World
) -> tuple[LoanEvent, ...]:
    """Return the events a command about loans causes, or raise the rule it breaks.

    What really happened outside is recorded, also a draw over the approved sum, before the
    approval or after the settlement.
    """
    match command:
        case ApproveLoan():
            return (_approve(command, world),)
        case DrawLoan():
            loan = known_loan(command.loan_id, world)
            checks.same_currency(command.currency, loan.currency)
            checks.positive("amount", command.amount, command.currency)
            return (told(LoanDrawn, command, customer_id=loan.customer_id),)
        case ReverseDraw():
            return (_reverse_draw(command, world),)
        case RepayLoan():
            return (_repay(command, world),)
        case ReverseRepayment():
            return (_reverse_repayment(command, world),)
        case ChangeRate():
            checks.rate(command.annual_rate)
            loan = known_loan(command.loan_id, world)
            again = command.annual_rate, command.reason
            if told_for(command.changed_on, loan.rates) == again:
                return ()
            return (told(RateChanged, command, customer_id=loan.customer_id),)
        case SettleLoan():
            return _settle(command, world)
        case RenewLoan():
            return _renew(command, world)


def known_loan(loan_id: str, world: World) -> Loan:
    """Return a loan. Raises `UnknownLoanError`, `CustomerForgottenError`."""
    loan = world.loan(loan_id)
    if loan is None:
        raise UnknownLoanError("loan_id", loan_id)
    checks.not_forgotten(world, loan.customer_id)
    return loan


def _approve(command: ApproveLoan, world: World) -> LoanApproved:
    checks.known_customer(world, command.customer_id)
    checks.currency(command.currency)
    checks.positive("principal", command.principal, command.currency)
    checks.positive("term_months", command.term_months)
    checks.rate(command.annual_rate)
    return told(LoanApproved, command)


def _repay(command: RepayLoan, world: World) -> LoanRepaid:
    loan = known_loan(command.loan_id, world)
    checks.same_currency(command.currency, loan.currency)
    checks.not_negative("principal", command.principal, command.currency)
    checks.not_negative("interest", command.interest, command.currency)
    if command.principal == command.interest == 0:
        raise NothingRepaidError("principal", money(command.principal, command.currency))
    return told(LoanRepaid, command, customer_id=loan.customer_id)


def _reverse_draw(command: ReverseDraw, world: World) -> DrawReversed:
    loan_id = world.loan_of_draw(command.draw_id)
    if loan_id is None:
        raise UnknownDrawError("draw_id", command.draw_id)
    loan = known_loan(loan_id, world)
    drawn = loan.moved[f"draw:{command.draw_id}"]
    if not isinstance(drawn, LoanDrawn):
        raise AlreadyReversedError("draw_id", command.draw_id)
    checks.in_order("reversed_on", command.reversed_on, "drawn_on", drawn.drawn_on)
    return told(DrawReversed, drawn, reversed_on=command.reversed_on)


def _reverse_repayment(command: ReverseRepayment, world: World) -> RepaymentReversed:
    loan_id = world.loan_of_repayment(command.repayment_id)
    if loan_id is None:
        raise UnknownRepaymentError("repayment_id", command.repayment_id)
    loan = known_loan(loan_id, world)
    repaid = loan.moved[f"repayment:{command.repayment_id}"]
    if not isinstance(repaid, LoanRepaid):
        raise AlreadyReversedError("repayment_id", command.repayment_id)
    checks.in_order("reversed_on", command.reversed_on, "paid_on", repaid.paid_on)
    return told(RepaymentReversed, repaid, reversed_on=command.reversed_on)


def _settle(command: SettleLoan, world: World) -> tuple[LoanEvent, ...]:
    loan = known_loan(command.loan_id, world)
    checks.in_order("settled_on", command.settled_on, "approved_on", loan.approved_on)
    if loan.settled_on == command.settled_on:
        return ()
    if loan.settled_on is not None:
        detail = f"on {loan.settled_on.isoformat()}"
        raise AlreadySettledError("loan_id", command.loan_id, detail)
    return (told(LoanSettled, command, customer_id=loan.customer_id),)


def _renew(command: RenewLoan, world: World) -> tuple[LoanEvent, ...]:
    checks.positive("term_months", command.term_months)
    checks.rate(command.annual_rate)
    loan = known_loan(command.loan_id, world)
    checks.in_order("renewed_on", command.renewed_on, "approved_on", loan.approved_on)
    renewed = told(LoanRenewed, command, customer_id=loan.customer_id)
    return () if renewed == loan.renewed else (renewed,)
