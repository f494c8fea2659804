"""A guarantee (担保): somebody stands for a loan of somebody else.

A guarantor who is no customer becomes a prospect, brought by the borrower (找担保即开发客户).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from domain import checks
from domain.errors import (
    KeyConflictError,
    ReferralCycleError,
    SecondReferrerError,
    SelfGuaranteeError,
    UnknownGuaranteeError,
)
from domain.loan_rules import known_loan
from domain.referral import NOBODY, ReferralIntroduced
from domain.referral import evolve as referred
from domain.referral_forest import check_place
from domain.relationship import Customer
from domain.telling import told
from domain.values import Minor  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from domain.world import World

ID_CHARS_MAX = 64  # of a referral's id, as of any other (DESIGN section 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeGiven:
    """A guarantor stands for a loan up to an amount. `customer_id` is the borrower."""

    customer_id: str
    guarantee_id: str
    loan_id: str
    guarantor_id: str
    amount: Minor
    currency: str
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeReleased:
    """The guarantee ended: it is in force until the day before its release.

    Told again, the last date told counts.
    """

    customer_id: str
    guarantee_id: str
    loan_id: str
    guarantor_id: str
    amount: Minor
    currency: str
    released_on: date


GuaranteeEvent: TypeAlias = GuaranteeGiven | GuaranteeReleased

# State.


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What was given, and when it was released."""

    given: GuaranteeGiven
    released_on: date | None = None


def evolve(guarantee: Guarantee | None, event: GuaranteeEvent) -> Guarantee | None:
    """Return the guarantee after the event. Total: history is never refused."""
    match event:
        case GuaranteeGiven():
            return Guarantee(event)
        case GuaranteeReleased():
            return guarantee and replace(guarantee, released_on=event.released_on)


# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveGuarantee:
    """Record that somebody stands for a loan; told again with a release, record that."""

    guarantee_id: str
    loan_id: str
    guarantor_id: str
    amount: Minor
    currency: str
    given_on: date
    released_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseGuarantee:
    """Record that a guarantor stands for the loan no more."""

    guarantee_id: str
    released_on: date


GuaranteeCommand: TypeAlias = GiveGuarantee | ReleaseGuarantee
Caused: TypeAlias = GuaranteeEvent | ReferralIntroduced


def decide(command: GuaranteeCommand, world: World) -> tuple[Caused, ...]:
    """Return the events a command about guarantees causes, or raise the rule it breaks."""
    known = world.guarantee(command.guarantee_id)
    match command:
        case GiveGuarantee():
            return _give(command, world) if known is None else _retell(command, known, world)
        case ReleaseGuarantee():
            if known is None:
                raise UnknownGuaranteeError("guarantee_id", command.guarantee_id)
            return _release(known, command.released_on, world)


def _give(command: GiveGuarantee, world: World) -> tuple[Caused, ...]:
    loan = known_loan(command.loan_id, world)
    checks.same_currency(command.currency, loan.currency)
    checks.positive("amount", command.amount, command.currency)
    if command.guarantor_id == loan.customer_id:
        raise SelfGuaranteeError("guarantor_id", command.guarantor_id)
    checks.not_reserved("guarantor_id", command.guarantor_id)
    checks.not_forgotten(world, command.guarantor_id, "guarantor_id")
    given = told(GuaranteeGiven, command, customer_id=loan.customer_id)
    events: tuple[Caused, ...] = (given, *_prospect(given, world))
    if command.released_on is None:
        return events
    return (*events, *_release(Guarantee(given), command.released_on, world))


def _retell(command: GiveGuarantee, known: Guarantee, world: World) -> tuple[Caused, ...]:
    if told(GuaranteeGiven, command, customer_id=known.given.customer_id) != known.given:
        raise KeyConflictError("guarantee_id", command.guarantee_id)
    if command.released_on is not None:
        return _release(known, command.released_on, world)
    if known.released_on is not None:
        raise KeyConflictError("guarantee_id", command.guarantee_id, "a release is not taken back")
    return ()


def _release(known: Guarantee, on: date, world: World) -> tuple[GuaranteeReleased, ...]:
    given = known.given
    checks.not_forgotten(world, given.customer_id)
    checks.not_forgotten(world, given.guarantor_id, "guarantor_id")
    checks.in_order("released_on", on, "given_on", given.given_on)
    return () if known.released_on == on else (told(GuaranteeReleased, given, released_on=on),)


def _prospect(given: GuaranteeGiven, world: World) -> tuple[ReferralIntroduced, ...]:
    """Return the referral that makes a guarantor who is no customer a prospect.

    None where they have another referrer at the time, or brought the borrower themselves: the
    guarantee happened all the same.
    """
    referral_id = introduced_by(given.guarantee_id)
    if world.standing(given.guarantor_id) == "known" or world.prospect_of_referral(referral_id):
        return ()
    borrower = world.relationship(given.customer_id)
    assert isinstance(borrower, Customer), "a loan has a known customer"
    introduced = ReferralIntroduced(
        customer_id=given.guarantor_id,
        referral_id=referral_id,
        referrer_id=given.customer_id,
        introduced_on=given.given_on,
        via="guarantor",
        by=borrower.owner_on(given.given_on) or borrower.profile.branch,
        branch=borrower.profile.branch,
    )
    prospect = referred(world.prospect(given.guarantor_id) or NOBODY, introduced)
    try:
        check_place(referral_id, None, prospect, world)
    except (SecondReferrerError, ReferralCycleError):
        return ()
    return (introduced,)


def introduced_by(guarantee_id: str) -> str:
    """Return the id of the referral that a guarantee makes: `guarantor-<guarantee id>`.

    The end of it is a hash where it would be too long for an id.
    """
    referral_id = f"guarantor-{guarantee_id}"
    if len(referral_id) <= ID_CHARS_MAX:
        return referral_id
    return f"guarantor-{sha256(guarantee_id.encode()).hexdigest()}"[:ID_CHARS_MAX]
