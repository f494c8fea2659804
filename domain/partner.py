"""A partner (合作单位): a firm that brings leads under an agreement, once it was checked (准入).

A partner is a relationship of the bank, and all about it as a partner lies in one stream. An
agreement without the checks that the rules ask for is recorded: what happened is the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.errors import UnknownAgreementError
from domain.telling import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.world import World

AdmissionSubject: TypeAlias = Literal[
    "licence", "accounts", "rating", "own_debts", "guarantees_given", "breaches"
]
AdmissionResult: TypeAlias = Literal["passed", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerAdmissionChecked:
    """One admission check of a partner, with the document that shows its result.

    `figure` is what the rules hold against a threshold, such as debts in percent of assets.
    """

    customer_id: str
    admission_check_id: str
    subject: AdmissionSubject
    result: AdmissionResult
    figure: int | None
    evidence: str
    checked_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerAgreed:
    """An agreement on cooperation, in force from `starts_on` to `ends_on`, both included."""

    customer_id: str
    agreement_id: str
    agreed_on: date
    starts_on: date
    ends_on: date
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerEnded:
    """An agreement was ended early: it is in force until the day before.

    One that was ended by the day on which it starts never is.
    """

    customer_id: str
    agreement_id: str
    ended_on: date
    reason: str
    by: str


PartnerEvent: TypeAlias = PartnerAdmissionChecked | PartnerAgreed | PartnerEnded

# State.


@dataclass(frozen=True, slots=True)
class Partner:
    """The agreements of a partner by id, and each one's end as last told."""

    agreements: Mapping[str, PartnerAgreed] = field(default_factory=dict)
    ended: Mapping[str, PartnerEnded] = field(default_factory=dict)


def evolve(partner: Partner | None, event: PartnerEvent) -> Partner:
    """Return the partner after the event. Total: history is never refused."""
    partner = partner or Partner()
    match event:
        case PartnerAdmissionChecked():
            return partner
        case PartnerAgreed():
            return replace(partner, agreements={**partner.agreements, event.agreement_id: event})
        case PartnerEnded():
            return replace(partner, ended={**partner.ended, event.agreement_id: event})


# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPartnerAdmission:
    """Record one admission check of a partner and what shows its result."""

    admission_check_id: str
    customer_id: str
    subject: AdmissionSubject
    result: AdmissionResult
    figure: int | None = None
    evidence: str
    checked_on: date
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreePartner:
    """Record an agreement with a partner, checked or not, and who approved it."""

    agreement_id: str
    customer_id: str
    agreed_on: date
    starts_on: date
    ends_on: date
    approved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPartner:
    """Record that an agreement with a partner was ended early, or before it starts."""

    agreement_id: str
    customer_id: str
    ended_on: date
    reason: str
    by: str


PartnerCommand: TypeAlias = CheckPartnerAdmission | AgreePartner | EndPartner


def decide(command: PartnerCommand, world: World) -> tuple[PartnerEvent, ...]:
    """Return the events a command about partners causes, or raise the rule it breaks."""
    checks.known_customer(world, command.customer_id)
    match command:
        case CheckPartnerAdmission():
            return (told(PartnerAdmissionChecked, command),)
        case AgreePartner():
            checks.in_order("ends_on", command.ends_on, "starts_on", command.starts_on)
            return (told(PartnerAgreed, command),)
        case EndPartner():
            return _end(command, world.partner(command.customer_id) or Partner())


def _end(command: EndPartner, partner: Partner) -> tuple[PartnerEvent, ...]:
    agreement = partner.agreements.get(command.agreement_id)
    if agreement is None:
        raise UnknownAgreementError("agreement_id", command.agreement_id)
    first = "agreed_on" if agreement.agreed_on < agreement.starts_on else "starts_on"
    checks.in_order("ended_on", command.ended_on, first, getattr(agreement, first))
    ended = told(PartnerEnded, command)
    return () if partner.ended.get(command.agreement_id) == ended else (ended,)
