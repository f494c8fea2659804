"""A referral (转介绍): someone brings a prospect; tracked from introduction to conversion.

All referrals of one prospect share a stream, so that one live referrer is one version check.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain.prospect import (
    ProspectConsentGiven,
    ProspectConsentWithdrawn,
    ProspectDescribed,
    ProspectEvent,
    ProspectForgotten,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Via: TypeAlias = Literal[
    "customer", "guarantor", "partner", "employee", "supply_chain", "campaign"
]
Outcome: TypeAlias = Literal["converted", "declined", "lapsed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralIntroduced:
    """A customer brought a prospect. `customer_id` is the prospect, known to the bank or not."""

    customer_id: str
    referral_id: str
    referrer_id: str
    introduced_on: date
    via: Via
    by: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralAssigned:
    """A relationship manager was told to see the prospect."""

    customer_id: str
    referral_id: str
    manager: str
    assigned_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralContacted:
    """The prospect was spoken to for the first time."""

    customer_id: str
    referral_id: str
    contacted_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralQualified:
    """The prospect fits and wants something."""

    customer_id: str
    referral_id: str
    qualified_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralConverted:
    """The prospect became a customer through this referral."""

    customer_id: str
    referral_id: str
    converted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralDeclined:
    """The prospect said no: it leaves the forest on this day."""

    customer_id: str
    referral_id: str
    declined_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralLapsed:
    """Nothing came of it in time: it leaves the forest on this day."""

    customer_id: str
    referral_id: str
    lapsed_on: date


ReferralEvent: TypeAlias = (
    ReferralIntroduced
    | ReferralAssigned
    | ReferralContacted
    | ReferralQualified
    | ReferralConverted
    | ReferralDeclined
    | ReferralLapsed
)
ReferralStep: TypeAlias = ReferralAssigned | ReferralContacted | ReferralQualified
ReferralOutcome: TypeAlias = ReferralConverted | ReferralDeclined | ReferralLapsed

# State.


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """One referral: how it began, each kind of step and the outcome as last told."""

    introduced: ReferralIntroduced
    steps: Mapping[type[ReferralStep], ReferralStep] = field(default_factory=dict)
    outcome: ReferralOutcome | None = None


@dataclass(frozen=True, slots=True)
class Prospect:
    """All referrals of one prospect, by id; what they agreed to, and who they are, as last told.

    `consents` holds for each purpose whether it is agreed to from a day on, in ledger order.
    """

    referrals: Mapping[str, Referral]
    consents: Mapping[str, tuple[tuple[date, bool], ...]] = field(default_factory=dict)
    described: ProspectDescribed | None = None


NOBODY = Prospect({})


def evolve(prospect: Prospect | None, event: ReferralEvent | ProspectEvent) -> Prospect:
    """Return the prospect after the event. Total: history is never refused."""
    prospect = prospect or NOBODY
    match event:
        case ProspectDescribed():
            return replace(prospect, described=event)
        case ProspectConsentGiven():
            return _consented(prospect, event.purpose, event.given_on, given=True)
        case ProspectConsentWithdrawn():
            return _consented(prospect, event.purpose, event.withdrawn_on, given=False)
        case ProspectForgotten():
            return prospect
        case ReferralIntroduced():
            referral = Referral(introduced=event)
        case _ if event.referral_id not in prospect.referrals:
            return prospect
        case _:
            referral = _went_on(prospect.referrals[event.referral_id], event)
    return replace(prospect, referrals={**prospect.referrals, event.referral_id: referral})


def _consented(prospect: Prospect, purpose: str, on: date, *, given: bool) -> Prospect:
    history = (*prospect.consents.get(purpose, ()), (on, given))
    return replace(prospect, consents={**prospect.consents, purpose: history})


def _went_on(referral: Referral, event: ReferralStep | ReferralOutcome) -> Referral:
    match event:
        case ReferralAssigned() | ReferralContacted() | ReferralQualified():
            return replace(referral, steps={**referral.steps, type(event): event})
        case ReferralConverted() | ReferralDeclined() | ReferralLapsed():
            return replace(referral, outcome=event)
