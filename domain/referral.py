"""A referral (转介绍): someone brings a prospect; tracked from introduction to conversion.

All referrals of one prospect share a stream, so that one live referrer is one version check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import Literal, TypeAlias

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

# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class IntroduceReferral:
    """Record that someone brought a prospect; told again with an outcome, record that."""

    referral_id: str
    referrer_id: str
    prospect_id: str
    introduced_on: date
    via: Via
    by: str
    branch: str
    outcome: Outcome | None = None
    outcome_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignReferral:
    """Tell a relationship manager to see the prospect."""

    referral_id: str
    manager: str
    assigned_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReferral:
    """Record that the prospect was spoken to for the first time."""

    referral_id: str
    contacted_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualifyReferral:
    """Record that the prospect fits and wants something."""

    referral_id: str
    qualified_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertReferral:
    """Record that the prospect became a customer through this referral."""

    referral_id: str
    converted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineReferral:
    """Record that the prospect said no."""

    referral_id: str
    declined_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LapseReferral:
    """Record that nothing came of it in time."""

    referral_id: str
    lapsed_on: date


ReferralCommand: TypeAlias = (
    IntroduceReferral
    | AssignReferral
    | ContactReferral
    | QualifyReferral
    | ConvertReferral
    | DeclineReferral
    | LapseReferral
)
