"""A loan (贷款): a facility, the draws under it, and how it is paid back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import Literal, TypeAlias

from domain.values import Minor  # noqa: TC001 - read at run time

Repayment: TypeAlias = Literal["equal_instalment", "interest_first", "bullet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanApproved:
    """A facility was granted. `annual_rate` is a plain decimal without trailing zeros."""

    customer_id: str
    loan_id: str
    approved_on: date
    principal: Minor
    currency: str
    term_months: int
    annual_rate: str
    repayment: Repayment
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanDrawn:
    """One disbursement under a facility (放款), even where it exceeds the approved sum."""

    customer_id: str
    loan_id: str
    draw_id: str
    drawn_on: date
    amount: Minor
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawReversed:
    """A draw was taken back, whole."""

    customer_id: str
    loan_id: str
    draw_id: str
    reversed_on: date
    amount: Minor
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRepaid:
    """The customer paid principal, interest, or both."""

    customer_id: str
    loan_id: str
    repayment_id: str
    paid_on: date
    principal: Minor
    interest: Minor
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepaymentReversed:
    """A repayment was taken back, whole (a bounced payment)."""

    customer_id: str
    loan_id: str
    repayment_id: str
    reversed_on: date
    principal: Minor
    interest: Minor
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChanged:
    """Another rate from a day on, and why."""

    customer_id: str
    loan_id: str
    changed_on: date
    annual_rate: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanSettled:
    """The facility is paid back and closed."""

    customer_id: str
    loan_id: str
    settled_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRenewed:
    """The facility goes on with a longer term (转贷 / 续贷)."""

    customer_id: str
    loan_id: str
    renewed_on: date
    term_months: int
    annual_rate: str


LoanEvent: TypeAlias = (
    LoanApproved
    | LoanDrawn
    | DrawReversed
    | LoanRepaid
    | RepaymentReversed
    | RateChanged
    | LoanSettled
    | LoanRenewed
)

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
    """Record another rate from a day on."""

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
