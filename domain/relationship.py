"""A relationship (客户关系): one customer as the bank knows it, and who looks after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import Literal, TypeAlias

from domain.values import CustomerKind, Personal  # noqa: TC001 - read at run time

ManagerRole: TypeAlias = Literal["owner", "joint"]
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
    """A manager owns the relationship from a day on, or helps to maintain it (双线维护)."""

    customer_id: str
    manager: str
    role: ManagerRole
    assigned_on: date


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
class AssignManager:
    """Give the relationship an owner, or someone who helps to maintain it."""

    customer_id: str
    manager: str
    role: ManagerRole
    assigned_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeHandover:
    """Offer the relationship, in its owner's name, to a colleague."""

    customer_id: str
    handover_id: str
    to_manager: str
    proposed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptHandover:
    """Take over what was proposed."""

    customer_id: str
    handover_id: str
    accepted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineHandover:
    """Leave the relationship with its owner."""

    customer_id: str
    handover_id: str
    declined_on: date
    reason: str


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
    | AssignManager
    | ProposeHandover
    | AcceptHandover
    | DeclineHandover
    | AssignTier
    | GiveConsent
    | WithdrawConsent
    | MergeRelationship
    | CloseRelationship
    | ForgetRelationship
)
