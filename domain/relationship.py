"""A relationship (客户关系): one customer as the bank knows it, and who looks after it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain.ownership import Assignment, ManagerRole, joint_on, owned_on
from domain.telling import told
from domain.values import CustomerKind, Personal  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from collections.abc import Mapping

PERSONAL = {"personal": True}

# Events: past tense, immutable, complete. Never edit one; add a version and an upcaster.


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipOpened:
    """Someone became a customer."""

    customer_id: str
    name: Personal = field(metadata=PERSONAL)
    kind: CustomerKind
    segment: str
    branch: str
    manager: str
    opened_on: date
    birth_date: Personal | None = field(default=None, metadata=PERSONAL)
    phone: Personal | None = field(default=None, metadata=PERSONAL)
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged:
    """The profile as it now is, whole; it holds from the day the ledger was told."""

    customer_id: str
    changed_on: date
    name: Personal = field(metadata=PERSONAL)
    segment: str
    branch: str
    birth_date: Personal | None = field(default=None, metadata=PERSONAL)
    phone: Personal | None = field(default=None, metadata=PERSONAL)
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerAssigned:
    """A manager owns the relationship from a day on, or helps to maintain it (双线维护).

    `told_by` says whether it was told as such or by a row about the customer that names another
    manager than the row before. It is None where an early version did not keep that.
    """

    customer_id: str
    manager: str
    role: ManagerRole
    assigned_on: date
    told_by: Literal["command", "row"] | None = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerReleased:
    """A manager no longer has the role from a day on; without an owner nobody owns it (无管户)."""

    customer_id: str
    manager: str
    role: ManagerRole
    released_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverProposed:
    """The owner offers the relationship to a colleague (换手维护)."""

    customer_id: str
    handover_id: str
    from_manager: str
    to_manager: str
    proposed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverAccepted:
    """The colleague took it over: the new owner from this day on."""

    customer_id: str
    handover_id: str
    to_manager: str
    accepted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDeclined:
    """The colleague did not take it; the owner stays."""

    customer_id: str
    handover_id: str
    declined_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TierAssigned:
    """The customer's tier (贵宾等级), until it is reviewed."""

    customer_id: str
    tier: str
    assigned_on: date
    review_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven:
    """The customer agreed to one purpose of processing (PIPL articles 13, 23, 29)."""

    customer_id: str
    purpose: str
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn:
    """The customer took a consent back (PIPL article 15)."""

    customer_id: str
    purpose: str
    withdrawn_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipMerged:
    """The customer turned out to be another one; what follows goes there."""

    customer_id: str
    into_customer_id: str
    merged_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipClosed:
    """The customer left."""

    customer_id: str
    closed_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipForgotten:
    """The customer's key was destroyed; no personal field of theirs can be read again."""

    customer_id: str
    forgotten_on: date
    reason: str


RelationshipEvent: TypeAlias = (
    RelationshipOpened
    | ProfileChanged
    | ManagerAssigned
    | ManagerReleased
    | HandoverProposed
    | HandoverAccepted
    | HandoverDeclined
    | TierAssigned
    | ConsentGiven
    | ConsentWithdrawn
    | RelationshipMerged
    | RelationshipClosed
    | RelationshipForgotten
)
Handover: TypeAlias = HandoverProposed | HandoverAccepted | HandoverDeclined

# States: a customer of the bank, or one whose past can no longer be read.


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The profile as last told."""

    name: Personal
    segment: str
    branch: str
    birth_date: Personal | None
    phone: Personal | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A relationship; each history has the day from which an entry holds, in ledger order.

    `row_manager` is whom a row about the customer named last, whoever owns by now. `handovers`
    holds the last event of each handover, `consents` whether a purpose is agreed to.
    A closed or merged one still takes what is told about it, under its own id.
    """

    kind: CustomerKind
    opened_on: date
    profile: Profile
    assignments: tuple[Assignment, ...]
    row_manager: str
    handovers: Mapping[str, Handover] = field(default_factory=dict)
    tiers: tuple[tuple[date, TierAssigned], ...] = ()
    consents: Mapping[str, tuple[tuple[date, bool], ...]] = field(default_factory=dict)
    ending: RelationshipMerged | RelationshipClosed | None = None

    def owner_on(self, day: date) -> str | None:
        """Return who owns the relationship on a day; before it began, who owned it first.

        Nobody does from the day on which it ended.
        """
        return None if self._ended_by(day) else owned_on(self.assignments, day)[1]

    def is_joint_on(self, manager: str, day: date) -> bool:
        """Tell whether a manager helps to maintain the relationship on a day."""
        joint = joint_on(self.assignments, max(day, self.opened_on))
        return manager in joint and not self._ended_by(day)

    def _ended_by(self, day: date) -> bool:
        match self.ending:
            case RelationshipMerged(merged_on=on) | RelationshipClosed(closed_on=on):
                return on <= day
            case None:
                return False

    def was_told(self, assigned: ManagerAssigned) -> bool:
        """Tell whether just this was told last of the role and the day: telling it is no news.

        Who has the role on that day by what was told of earlier ones says nothing: that may yet
        turn out otherwise.
        """
        new = assignment_of(assigned)
        of_the_day = (
            old
            for old in reversed(self.assignments)
            if (old.role, old.since) == (new.role, new.since)
            and (new.role == "owner" or old.manager == new.manager)
        )
        return next(of_the_day, None) == new


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Nothing is recorded about this customer any more."""


Relationship: TypeAlias = Customer | Forgotten


def evolve(relationship: Relationship | None, event: RelationshipEvent) -> Relationship | None:
    """Return the relationship after the event. Total: history is never refused."""
    if isinstance(event, RelationshipOpened):
        return Customer(
            kind=event.kind,
            opened_on=event.opened_on,
            profile=told(Profile, event),
            assignments=(Assignment(event.opened_on, event.manager, "owner"),),
            row_manager=event.manager,
        )
    if not isinstance(relationship, Customer):
        return relationship
    if isinstance(event, RelationshipForgotten):
        return Forgotten()
    return _changed(relationship, event)


def _changed(  # noqa: PLR0911 - one a case
    customer: Customer,
    event: ProfileChanged
    | ManagerAssigned
    | ManagerReleased
    | Handover
    | TierAssigned
    | ConsentGiven
    | ConsentWithdrawn
    | RelationshipMerged
    | RelationshipClosed,
) -> Customer:
    match event:
        case ProfileChanged():
            return replace(customer, profile=told(Profile, event))
        case ManagerAssigned(role="owner", told_by="row" | None):
            return replace(_assigned(customer, event), row_manager=event.manager)
        case ManagerAssigned() | ManagerReleased():
            return _assigned(customer, event)
        case HandoverProposed() | HandoverDeclined():
            return _answered(customer, event)
        case HandoverAccepted():
            return _answered(_assigned(customer, event), event)
        case TierAssigned():
            return replace(customer, tiers=(*customer.tiers, (event.assigned_on, event)))
        case ConsentGiven():
            return _consented(customer, event.purpose, event.given_on, given=True)
        case ConsentWithdrawn():
            return _consented(customer, event.purpose, event.withdrawn_on, given=False)
        case RelationshipMerged() | RelationshipClosed():
            return replace(customer, ending=event)


def assignment_of(event: ManagerAssigned | ManagerReleased | HandoverAccepted) -> Assignment:
    """Return what the event says of a manager's role, of the day it was told of."""
    match event:
        case ManagerAssigned():
            return Assignment(event.assigned_on, event.manager, event.role)
        case ManagerReleased():
            return Assignment(event.released_on, event.manager, event.role, released=True)
        case HandoverAccepted():
            return Assignment(event.accepted_on, event.to_manager, "owner")


def _assigned(
    customer: Customer, event: ManagerAssigned | ManagerReleased | HandoverAccepted
) -> Customer:
    return replace(customer, assignments=(*customer.assignments, assignment_of(event)))


def _answered(customer: Customer, event: Handover) -> Customer:
    return replace(customer, handovers={**customer.handovers, event.handover_id: event})


def _consented(customer: Customer, purpose: str, on: date, *, given: bool) -> Customer:
    history = (*customer.consents.get(purpose, ()), (on, given))
    return replace(customer, consents={**customer.consents, purpose: history})
