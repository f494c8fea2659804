"""A loan (贷款): a facility, the draws under it, and how it is paid back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain.values import Minor  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from collections.abc import Mapping

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

# State.


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """What a decision needs to know of a loan.

    `moved` holds the last event of each draw and repayment, under its claim key; `rates` every
    rate, and the reason of its change if one was told, with the day it holds from, in ledger
    order.
    """

    customer_id: str
    currency: str
    approved_on: date
    rates: tuple[tuple[date, tuple[str, str | None]], ...]
    moved: Mapping[str, LoanEvent] = field(default_factory=dict)
    settled_on: date | None = None
    renewed: LoanRenewed | None = None


def evolve(  # noqa: PLR0911 - one a case
    loan: Loan | None, event: LoanEvent
) -> Loan | None:
    """Return the loan after the event. Total: history is never refused."""
    if isinstance(event, LoanApproved):
        return Loan(
            customer_id=event.customer_id,
            currency=event.currency,
            approved_on=event.approved_on,
            rates=((event.approved_on, (event.annual_rate, None)),),
        )
    if loan is None:
        return None
    match event:
        case LoanDrawn() | DrawReversed():
            return replace(loan, moved={**loan.moved, f"draw:{event.draw_id}": event})
        case LoanRepaid() | RepaymentReversed():
            return replace(loan, moved={**loan.moved, f"repayment:{event.repayment_id}": event})
        case RateChanged():
            changed = event.changed_on, (event.annual_rate, event.reason)
            return replace(loan, rates=(*loan.rates, changed))
        case LoanSettled():
            return replace(loan, settled_on=event.settled_on)
        case LoanRenewed():
            rates = (*loan.rates, (event.renewed_on, (event.annual_rate, None)))
            return replace(loan, rates=rates, renewed=event, settled_on=None)
