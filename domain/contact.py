"""A contact (接触 / 走访): one dealing between bank and customer, and what was promised in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.errors import KeyConflictError
from domain.telling import told
from domain.values import Instant, Personal  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from domain.world import World

Channel: TypeAlias = Literal["visit", "phone", "message", "branch", "online", "event", "other"]
Direction: TypeAlias = Literal["inbound", "outbound"]
PERSONAL = {"personal": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecorded:
    """A dealing took place. `happened_on` is the date as written, in its own offset."""

    customer_id: str
    contact_id: str
    happened_at: Instant
    happened_on: date
    channel: Channel
    direction: Direction
    purpose: str
    outcome: str
    duration_seconds: int
    by: str
    follow_up_on: date | None = None
    note: Personal | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCorrected:
    """The contact as it really was, whole; it replaces what was told before."""

    customer_id: str
    contact_id: str
    happened_at: Instant
    happened_on: date
    channel: Channel
    direction: Direction
    purpose: str
    outcome: str
    duration_seconds: int
    by: str
    follow_up_on: date | None = None
    note: Personal | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpPromised:
    """The bank promised to come back to the customer on a day."""

    customer_id: str
    follow_up_id: str
    promised_on: date
    follow_up_on: date
    purpose: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheckRecorded:
    """An inference about the customer and the hard items behind it (交叉检验)."""

    customer_id: str
    cross_check_id: str
    checked_on: date
    inference: str
    items: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintRecorded:
    """The customer complained."""

    customer_id: str
    complaint_id: str
    complained_on: date
    subject: str
    by: str
    note: Personal | None = field(default=None, metadata=PERSONAL)


ContactEvent: TypeAlias = (
    ContactRecorded | ContactCorrected | FollowUpPromised | CrossCheckRecorded | ComplaintRecorded
)

# State: the contact as last told.

Contact: TypeAlias = ContactCorrected

# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContact:
    """Record a dealing; told again with other content, correct it."""

    customer_id: str
    contact_id: str
    happened_at: Instant
    happened_on: date
    channel: Channel
    direction: Direction
    purpose: str
    outcome: str
    duration_seconds: int
    by: str
    follow_up_on: date | None = None
    note: str | None = field(default=None, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseFollowUp:
    """Promise the customer to come back on a day."""

    customer_id: str
    follow_up_id: str
    promised_on: date
    follow_up_on: date
    purpose: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCrossCheck:
    """Record an inference and the hard items behind it."""

    customer_id: str
    cross_check_id: str
    checked_on: date
    inference: str
    items: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordComplaint:
    """Record that the customer complained."""

    customer_id: str
    complaint_id: str
    complained_on: date
    subject: str
    by: str
    note: str | None = field(default=None, metadata=PERSONAL)


ContactCommand: TypeAlias = RecordContact | PromiseFollowUp | RecordCrossCheck | RecordComplaint


def decide(command: ContactCommand, world: World) -> tuple[ContactEvent, ...]:
    """Return the events a command about contacts causes, or raise the rule it breaks."""
    checks.known_customer(world, command.customer_id)
    match command:
        case RecordContact():
            return _record(command, world)
        case PromiseFollowUp():
            checks.in_order(
                "follow_up_on", command.follow_up_on, "promised_on", command.promised_on
            )
            return (told(FollowUpPromised, command),)
        case RecordCrossCheck():
            return (told(CrossCheckRecorded, command),)
        case RecordComplaint():
            return (told(ComplaintRecorded, command),)


def _record(command: RecordContact, world: World) -> tuple[ContactEvent, ...]:
    checks.not_negative("duration_seconds", command.duration_seconds)
    contact = world.contact(command.contact_id)
    if contact is None:
        return (told(ContactRecorded, command),)
    if contact.customer_id != command.customer_id:
        raise KeyConflictError("contact_id", command.contact_id, "of another customer")
    corrected = told(ContactCorrected, command)
    return () if corrected == contact else (corrected,)


def evolve(contact: Contact | None, event: ContactEvent) -> Contact | None:
    """Return the contact after the event. Total: history is never refused."""
    match event:
        case ContactRecorded() | ContactCorrected():
            return told(ContactCorrected, event)
        case FollowUpPromised() | CrossCheckRecorded() | ComplaintRecorded():
            return contact  # facts with streams of their own that no decision loads
