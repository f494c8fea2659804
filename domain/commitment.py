"""A deposit commitment (存款承诺): what a customer promised to hold in return for a loan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import Literal, TypeAlias

from domain.values import Ppm  # noqa: TC001 - read at run time

Metric: TypeAlias = Literal["average", "minimum", "ending"]
WindowKind: TypeAlias = Literal["month", "quarter", "half_year", "year", "term"]
RequirementKind: TypeAlias = Literal["amount", "percent_of_drawn", "percent_of_outstanding"]
ConsequenceKind: TypeAlias = Literal[
    "none", "rate_surcharge_bp", "deficiency_fee_bp", "hold_percent"
]
Netting: TypeAlias = Literal["none", "carry_surplus"]

MISSING_DAYS = 7  # how many days an observed balance may be carried forward by default


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedAccount:
    """An account named in a commitment, counted on the dates given, both ends inclusive."""

    account_id: str
    counted_from: date | None = None
    counted_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed. Defaults are those of the feed's optional columns.

    `requirement_value` is minor units for `amount`, else ppm (20 % is 200,000);
    `consequence_value` is ppm (50 basis points are 5,000). `seasonal_profile` holds twelve ppm,
    January first, or nothing. No `accounts`: all of the customer's own in the currency.
    """

    starts_on: date
    ends_on: date
    metric: Metric
    window: WindowKind
    requirement_kind: RequirementKind
    requirement_value: int
    currency: str
    cure_days: int
    consequence_kind: ConsequenceKind
    consequence_value: Ppm
    accounts: tuple[CountedAccount, ...] = ()
    seasonal_profile: tuple[Ppm, ...] = ()
    cap_ppm: Ppm | None = None
    grace_days: int = 0
    netting: Netting = "none"
    missing_days: int = MISSING_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentAgreed:
    """Customer and bank agreed on terms, before the draw or (a finding) after it."""

    customer_id: str
    commitment_id: str
    loan_id: str | None
    agreed_on: date
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentAmended:
    """Other terms, whole, hold from a day on."""

    customer_id: str
    commitment_id: str
    amended_on: date
    effective_on: date
    terms: Terms
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentWaived:
    """The windows that begin within the dates given are forgiven (豁免)."""

    customer_id: str
    commitment_id: str
    waiver_id: str
    waived_on: date
    windows_from: date
    windows_to: date
    requested_by: str
    approved_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentReleased:
    """The commitment ended early: it is in force until the day before its release."""

    customer_id: str
    commitment_id: str
    released_on: date
    reason: str


CommitmentEvent: TypeAlias = (
    CommitmentAgreed | CommitmentAmended | CommitmentWaived | CommitmentReleased
)

# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeCommitment:
    """Record what customer and bank agreed on."""

    commitment_id: str
    customer_id: str
    loan_id: str | None = None
    agreed_on: date
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendCommitment:
    """Record other terms, whole, from a day on."""

    commitment_id: str
    amended_on: date
    effective_on: date
    terms: Terms
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveCommitment:
    """Forgive the windows that begin within the dates given."""

    commitment_id: str
    waiver_id: str
    waived_on: date
    windows_from: date
    windows_to: date
    requested_by: str
    approved_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCommitment:
    """End the commitment early: it is in force until the day before."""

    commitment_id: str
    released_on: date
    reason: str


CommitmentCommand: TypeAlias = (
    AgreeCommitment | AmendCommitment | WaiveCommitment | ReleaseCommitment
)
