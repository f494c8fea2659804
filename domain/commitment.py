"""A deposit commitment (存款承诺): what a customer promised to hold in return for a loan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.errors import (
    CommitmentEndedError,
    DatesOutOfOrderError,
    UnknownCommitmentError,
    WaiverByRequesterError,
    WaiverWithoutWindowError,
)
from domain.telling import told
from domain.terms import check_amended, check_terms
from domain.values import Ppm  # noqa: TC001 - read at run time
from domain.windows import stretches, windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.world import World

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

# State.


@dataclass(frozen=True, slots=True)
class TermsFrom:
    """Terms in force from `effective_on`, known to the books from `told_on`.

    `reason` says why they were amended; those agreed first have none.
    """

    told_on: date
    effective_on: date
    terms: Terms
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """What a decision needs to know: the terms agreed, then the amendments, in ledger order."""

    customer_id: str
    loan_id: str | None
    agreed_on: date
    terms: tuple[TermsFrom, ...]
    released_on: date | None = None

    def told_last(self, told_on: date, effective_on: date) -> TermsFrom | None:
        """Return the amendment of these two days that was told last."""
        days = told_on, effective_on
        last_first = reversed(self.terms[1:])
        return next((one for one in last_first if (one.told_on, one.effective_on) == days), None)

    def windows_begin(self) -> Iterator[date]:
        """Yield the first day of each window by all that was told, as if it were not released."""
        days = stretches(self.terms, None, date.max)
        return (date.fromordinal(window.first) for window in windows(days))


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


def decide(command: CommitmentCommand, world: World) -> tuple[CommitmentEvent, ...]:
    """Return the events a command about commitments causes, or raise the rule it breaks.

    A commitment agreed after the draw is recorded; that is for a finding to flag.
    """
    if isinstance(command, AgreeCommitment):
        checks.known_customer(world, command.customer_id)
        check_terms(command.terms, command.customer_id, command.loan_id, world)
        return (told(CommitmentAgreed, command),)
    commitment = _known(command.commitment_id, world)
    match command:
        case AmendCommitment():
            return _amend(command, commitment, world)
        case WaiveCommitment():
            return (_waive(command, commitment),)
        case ReleaseCommitment():
            return (_release(command, commitment),)


def _known(commitment_id: str, world: World) -> Commitment:
    commitment = world.commitment(commitment_id)
    if commitment is None:
        raise UnknownCommitmentError("commitment_id", commitment_id)
    checks.not_forgotten(world, commitment.customer_id)
    return commitment


def _check_before_release(commitment_id: str, commitment: Commitment, day: date) -> None:
    """Refuse what holds only from the release on; the days before it may still be told about."""
    released = commitment.released_on
    if released is not None and released <= day:
        raise CommitmentEndedError("commitment_id", commitment_id, f"on {released.isoformat()}")


def _amend(
    command: AmendCommitment, commitment: Commitment, world: World
) -> tuple[CommitmentEvent, ...]:
    terms = command.terms
    latest = max(command.amended_on, command.effective_on)
    _check_before_release(command.commitment_id, commitment, latest)
    checks.in_order("amended_on", command.amended_on, "agreed_on", commitment.agreed_on)
    if command.effective_on > terms.ends_on:
        detail = f"after ends_on {terms.ends_on.isoformat()}"
        raise DatesOutOfOrderError("effective_on", command.effective_on.isoformat(), detail)
    check_terms(terms, commitment.customer_id, commitment.loan_id, world)
    checks.same_currency(terms.currency, commitment.terms[0].terms.currency)
    check_amended(terms, command.effective_on)
    amended = _amended(command)
    if commitment.told_last(command.amended_on, command.effective_on) == amended:
        return ()
    return (told(CommitmentAmended, command, customer_id=commitment.customer_id),)


def _amended(told: AmendCommitment | CommitmentAmended) -> TermsFrom:
    return TermsFrom(told.amended_on, told.effective_on, told.terms, told.reason)


def _waive(command: WaiveCommitment, commitment: Commitment) -> CommitmentWaived:
    checks.in_order("waived_on", command.waived_on, "agreed_on", commitment.agreed_on)
    checks.in_order("windows_to", command.windows_to, "windows_from", command.windows_from)
    checks.somebody_else(
        WaiverByRequesterError, "approved_by", command.approved_by, command.requested_by
    )
    begin = list(takewhile(lambda day: day <= command.windows_to, commitment.windows_begin()))
    first = next((day for day in begin if day >= command.windows_from), command.windows_from)
    _check_before_release(command.commitment_id, commitment, first)
    if not begin or begin[-1] < command.windows_from:
        detail = f"the last before them on {begin[-1].isoformat()}" if begin else "all later"
        raise WaiverWithoutWindowError("windows_from", command.windows_from.isoformat(), detail)
    return told(CommitmentWaived, command, customer_id=commitment.customer_id)


def _release(command: ReleaseCommitment, commitment: Commitment) -> CommitmentReleased:
    _check_before_release(command.commitment_id, commitment, date.max)  # told once
    checks.in_order("released_on", command.released_on, "agreed_on", commitment.agreed_on)
    return told(CommitmentReleased, command, customer_id=commitment.customer_id)


def evolve(commitment: Commitment | None, event: CommitmentEvent) -> Commitment | None:
    """Return the commitment after the event. Total: history is never refused."""
    if isinstance(event, CommitmentAgreed):
        return Commitment(
            customer_id=event.customer_id,
            loan_id=event.loan_id,
            agreed_on=event.agreed_on,
            terms=(TermsFrom(event.agreed_on, event.terms.starts_on, event.terms),),
        )
    if commitment is None:
        return None
    match event:
        case CommitmentAmended():
            return replace(commitment, terms=(*commitment.terms, _amended(event)))
        case CommitmentWaived():
            return commitment
        case CommitmentReleased():
            return replace(commitment, released_on=event.released_on)
