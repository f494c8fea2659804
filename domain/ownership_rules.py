"""Who looks after a relationship (管户): an owner, joint managers, and the handover to another.

Assigning says who has a role from a day on; of several told of one day the last holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the edge reads the field types at run time
from typing import TYPE_CHECKING, TypeAlias

from domain import checks
from domain.errors import (
    HandoverDecidedError,
    HandoverToOwnerError,
    NobodyOwnsError,
    NotItsManagerError,
    UnknownHandoverError,
)
from domain.ownership import ManagerRole  # noqa: TC001 - read at run time
from domain.relationship import (
    Customer,
    HandoverAccepted,
    HandoverDeclined,
    HandoverProposed,
    ManagerAssigned,
    ManagerReleased,
    RelationshipEvent,
)
from domain.telling import told

if TYPE_CHECKING:
    from domain.world import World


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
class ReleaseManager:
    """End a manager's part in the relationship; an owner who is released leaves it to nobody."""

    customer_id: str
    manager: str
    role: ManagerRole
    released_on: date
    reason: str


OwnershipCommand: TypeAlias = (
    AssignManager | ReleaseManager | ProposeHandover | AcceptHandover | DeclineHandover
)


def decide(command: OwnershipCommand, world: World) -> tuple[RelationshipEvent, ...]:
    """Return the events a command about ownership causes, or raise the rule it breaks."""
    checks.not_reserved("customer_id", command.customer_id)
    checks.known_customer(world, command.customer_id)
    customer = world.relationship(command.customer_id)
    assert isinstance(customer, Customer), "known, and not forgotten"
    match command:
        case AssignManager():
            return _assign(command, customer)
        case ReleaseManager():
            return (_release(command, customer),)
        case ProposeHandover() | AcceptHandover() | DeclineHandover():
            return (_hand_over(command, customer),)


def _assign(command: AssignManager, customer: Customer) -> tuple[RelationshipEvent, ...]:
    assigned = told(ManagerAssigned, command)
    return () if customer.was_told(assigned) else (assigned,)


def _release(command: ReleaseManager, customer: Customer) -> ManagerReleased:
    on = command.released_on
    is_owner = command.role == "owner"
    if not (
        customer.owner_on(on) == command.manager
        if is_owner
        else customer.is_joint_on(command.manager, on)
    ):
        raise NotItsManagerError("manager", command.manager, f"{command.role} on {on.isoformat()}")
    return told(ManagerReleased, command)


def _hand_over(
    command: ProposeHandover | AcceptHandover | DeclineHandover, customer: Customer
) -> RelationshipEvent:
    if isinstance(command, ProposeHandover):
        owner = customer.owner_on(command.proposed_on)
        if owner is None:
            raise NobodyOwnsError("proposed_on", command.proposed_on.isoformat())
        if command.to_manager == owner:
            raise HandoverToOwnerError("to_manager", command.to_manager)
        return told(HandoverProposed, command, from_manager=owner)
    proposed = customer.handovers.get(command.handover_id)
    if proposed is None:
        raise UnknownHandoverError("handover_id", command.handover_id)
    if not isinstance(proposed, HandoverProposed):
        raise HandoverDecidedError("handover_id", command.handover_id)
    earlier = ("proposed_on", proposed.proposed_on)
    if isinstance(command, DeclineHandover):
        checks.in_order("declined_on", command.declined_on, *earlier)
        return told(HandoverDeclined, command)
    checks.in_order("accepted_on", command.accepted_on, *earlier)
    return told(HandoverAccepted, command, to_manager=proposed.to_manager)
