"""What can be asked of a relationship, and what is allowed.

What is told about a closed or merged relationship is recorded under the id that was told: it
happened. Only a forgotten one takes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - the edge reads the field types at run time
from typing import TYPE_CHECKING, TypeAlias

from domain import checks
from domain.errors import (
    KeyConflictError,
    MergeTargetError,
    RelationshipEndedError,
)
from domain.prospect import (
    ProspectConsentGiven,
    ProspectConsentWithdrawn,
    ProspectEvent,
    ProspectForgotten,
)
from domain.prospect_rules import brought
from domain.relationship import (
    PERSONAL,
    ConsentGiven,
    ConsentWithdrawn,
    Customer,
    ManagerAssigned,
    Profile,
    ProfileChanged,
    RelationshipClosed,
    RelationshipEvent,
    RelationshipForgotten,
    RelationshipMerged,
    RelationshipOpened,
    TierAssigned,
)
from domain.telling import told, told_for
from domain.values import CustomerKind  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.referral import Prospect
    from domain.world import World

# Commands: imperative. `today` is the business date on which the ledger is told.


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRelationship:
    """Someone became a customer; told again with other content, the profile or owner changed."""

    customer_id: str
    name: str = field(metadata=PERSONAL)
    kind: CustomerKind
    segment: str
    branch: str
    manager: str
    opened_on: date
    birth_date: str | None = field(default=None, metadata=PERSONAL)
    phone: str | None = field(default=None, metadata=PERSONAL)
    source: str | None = None
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProfile:
    """The whole profile as it is from today on."""

    customer_id: str
    name: str = field(metadata=PERSONAL)
    segment: str
    branch: str
    birth_date: str | None = field(default=None, metadata=PERSONAL)
    phone: str | None = field(default=None, metadata=PERSONAL)
    source: str | None = None
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTier:
    """Put the customer into a tier."""

    customer_id: str
    tier: str
    assigned_on: date
    review_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """Record a consent to one purpose."""

    customer_id: str
    purpose: str
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConsent:
    """Record that a consent was taken back."""

    customer_id: str
    purpose: str
    withdrawn_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRelationship:
    """Record that the customer is really another one."""

    customer_id: str
    into_customer_id: str
    merged_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRelationship:
    """Record that the customer left."""

    customer_id: str
    closed_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRelationship:
    """Record that the customer is forgotten; destroying the key is the shell's part."""

    customer_id: str
    forgotten_on: date
    reason: str


RelationshipCommand: TypeAlias = (
    OpenRelationship
    | ChangeProfile
    | AssignTier
    | GiveConsent
    | WithdrawConsent
    | MergeRelationship
    | CloseRelationship
    | ForgetRelationship
)


def decide(
    command: RelationshipCommand, world: World
) -> tuple[RelationshipEvent | ProspectEvent, ...]:
    """Return the events a command about a relationship causes, or raise the rule it breaks."""
    checks.not_reserved("customer_id", command.customer_id)
    if isinstance(command, OpenRelationship):
        return _open(command, world)
    if isinstance(command, ForgetRelationship) and (
        world.standing(command.customer_id) == "forgotten"
    ):
        return ()
    if isinstance(command, GiveConsent | WithdrawConsent | ForgetRelationship) and (
        world.standing(command.customer_id) == "unknown"
    ):
        prospect = brought(command.customer_id, world)
        if prospect is not None:
            return _of_prospect(command, prospect)
    checks.known_customer(world, command.customer_id)
    customer = world.relationship(command.customer_id)
    assert isinstance(customer, Customer), "known, and not forgotten"
    return _change(command, customer, world)


def _change(  # noqa: PLR0911 - one a case
    command: RelationshipCommand, customer: Customer, world: World
) -> tuple[RelationshipEvent, ...]:
    match command:
        case OpenRelationship():
            return _retell(command, customer)
        case ChangeProfile():
            return _change_profile(command, customer)
        case AssignTier():
            return _assign_tier(command, customer)
        case GiveConsent() | WithdrawConsent():
            return _consent(command, customer)
        case MergeRelationship():
            return _merge(command, customer, world)
        case CloseRelationship():
            return _close(command, customer)
        case ForgetRelationship():
            return (told(RelationshipForgotten, command),)


def _open(command: OpenRelationship, world: World) -> tuple[RelationshipEvent, ...]:
    checks.not_forgotten(world, command.customer_id)
    customer = world.relationship(command.customer_id)
    if isinstance(customer, Customer):
        return _change(command, customer, world)
    return (told(RelationshipOpened, command),)


def _retell(command: OpenRelationship, customer: Customer) -> tuple[RelationshipEvent, ...]:
    """Return what differs from what is known; the kind and the first day cannot (section 9).

    A manager differs from whom the row named before: an owner since then stays, if it says what
    it said.
    """
    if command.kind != customer.kind:
        raise KeyConflictError("kind", command.kind, f"it is {customer.kind}")
    if command.opened_on != customer.opened_on:
        detail = f"it is {customer.opened_on.isoformat()}"
        raise KeyConflictError("opened_on", command.opened_on.isoformat(), detail)
    changed = _change_profile(command, customer)
    if command.manager == customer.row_manager:
        return changed
    assigned = told(
        ManagerAssigned, command, role="owner", assigned_on=command.today, told_by="row"
    )
    return (*changed, assigned)


def _change_profile(
    command: OpenRelationship | ChangeProfile, customer: Customer
) -> tuple[RelationshipEvent, ...]:
    if told(Profile, command) == customer.profile:
        return ()
    return (told(ProfileChanged, command, changed_on=command.today),)


def _assign_tier(command: AssignTier, customer: Customer) -> tuple[RelationshipEvent, ...]:
    if command.review_on is not None:
        checks.in_order("review_on", command.review_on, "assigned_on", command.assigned_on)
    assigned = told(TierAssigned, command)
    of_the_day = [tier for since, tier in customer.tiers if since == command.assigned_on]
    return () if of_the_day[-1:] == [assigned] else (assigned,)


def _consent(
    command: GiveConsent | WithdrawConsent, customer: Customer
) -> tuple[RelationshipEvent, ...]:
    if _told_already(command, customer.consents.get(command.purpose, ())):
        return ()
    if isinstance(command, GiveConsent):
        return (told(ConsentGiven, command),)
    return (told(ConsentWithdrawn, command),)


def _told_already(
    command: GiveConsent | WithdrawConsent, history: Iterable[tuple[date, bool]]
) -> bool:
    """Tell whether nothing changes. A withdrawal alone is evidence too, and a change."""
    if isinstance(command, GiveConsent):
        return told_for(command.given_on, history) is True
    return told_for(command.withdrawn_on, history) is False


def _of_prospect(
    command: GiveConsent | WithdrawConsent | ForgetRelationship, prospect: Prospect
) -> tuple[ProspectEvent, ...]:
    """Return what someone without a relationship asks for: it is their right too."""
    if isinstance(command, ForgetRelationship):
        return (told(ProspectForgotten, command),)
    if _told_already(command, prospect.consents.get(command.purpose, ())):
        return ()
    if isinstance(command, GiveConsent):
        return (told(ProspectConsentGiven, command),)
    return (told(ProspectConsentWithdrawn, command),)


def _merge(
    command: MergeRelationship, customer: Customer, world: World
) -> tuple[RelationshipEvent, ...]:
    into = command.into_customer_id
    if into == command.customer_id:
        raise MergeTargetError("into_customer_id", into)
    checks.known_customer(world, into, "into_customer_id")
    merged = told(RelationshipMerged, command)
    if customer.ending == merged:
        return ()
    if isinstance(customer.ending, RelationshipMerged):
        raise RelationshipEndedError("customer_id", command.customer_id)
    target = world.relationship(into)
    if isinstance(target, Customer) and isinstance(target.ending, RelationshipMerged):
        raise MergeTargetError("into_customer_id", into)
    checks.in_order("merged_on", command.merged_on, "opened_on", customer.opened_on)
    return (merged,)


def _close(command: CloseRelationship, customer: Customer) -> tuple[RelationshipEvent, ...]:
    closed = told(RelationshipClosed, command)
    if customer.ending == closed:
        return ()
    if customer.ending is not None:
        raise RelationshipEndedError("customer_id", command.customer_id)
    checks.in_order("closed_on", command.closed_on, "opened_on", customer.opened_on)
    return (closed,)
