"""A contact (接触 / 走访): one dealing between bank and customer, and what was promised in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.errors import KeyConflictError, TooFewItemsError
from domain.telling import told
from domain.values import Instant, Minor, Personal  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from domain.world import World

Channel: TypeAlias = Literal["visit", "phone", "message", "branch", "online", "event", "other"]
Direction: TypeAlias = Literal["inbound", "outbound"]
PERSONAL = {"personal": True}
HARD_ITEMS_MIN = 2  # behind each inference of a cross-check


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecorded:
    """A dealing took place. `happened_on` is the date as written, in its own offset.

    The offset is east of UTC, and None where an early version of the event did not keep it.
    """

    customer_id: str
    contact_id: str
    happened_at: Instant
    happened_on: date
    utc_offset_minutes: int | None = None
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
    utc_offset_minutes: int | None = None
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
class EquityChecked:
    """What the owner's equity should have become since a day, beside what it is (权益检验).

    Equity, profit and revaluation may be negative; the other sums are not.
    """

    customer_id: str
    equity_check_id: str
    checked_on: date
    since: date
    currency: str
    opening_equity: Minor
    profit: Minor
    drawings: Minor
    injections: Minor
    revaluation: Minor
    depreciation: Minor
    equity_now: Minor
    by: str

    @property
    def expected(self) -> Minor:
        """Return opening equity + profit − drawings + injections + revaluation − depreciation."""
        return (
            self.opening_equity
            + self.profit
            - self.drawings
            + self.injections
            + self.revaluation
            - self.depreciation
        )


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
    ContactRecorded
    | ContactCorrected
    | FollowUpPromised
    | CrossCheckRecorded
    | EquityChecked
    | ComplaintRecorded
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
    utc_offset_minutes: int | None = None
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
class RecordEquityCheck:
    """Check the owner's equity since a day against what came and went."""

    customer_id: str
    equity_check_id: str
    checked_on: date
    since: date
    currency: str
    opening_equity: Minor
    profit: Minor
    drawings: Minor
    injections: Minor
    revaluation: Minor
    depreciation: Minor
    equity_now: Minor
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


ContactCommand: TypeAlias = (
    RecordContact | PromiseFollowUp | RecordCrossCheck | RecordEquityCheck | RecordComplaint
)


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
            return (_cross_check(command),)
        case RecordEquityCheck():
            return (_equity_check(command),)
        case RecordComplaint():
            return (told(ComplaintRecorded, command),)


def _record(command: RecordContact, world: World) -> tuple[ContactEvent, ...]:
    checks.not_negative("duration_seconds", command.duration_seconds)
    if command.follow_up_on is not None:
        checks.in_order("follow_up_on", command.follow_up_on, "happened_at", command.happened_on)
    contact = world.contact(command.contact_id)
    if contact is None:
        return (told(ContactRecorded, command),)
    if contact.customer_id != command.customer_id:
        raise KeyConflictError("contact_id", command.contact_id, "of another customer")
    corrected = told(ContactCorrected, command)
    return () if corrected == contact else (corrected,)


def _cross_check(command: RecordCrossCheck) -> CrossCheckRecorded:
    if len(set(map(checks.spelled, command.items))) < HARD_ITEMS_MIN:
        raise TooFewItemsError("items", "; ".join(command.items))
    return told(CrossCheckRecorded, command)


def _equity_check(command: RecordEquityCheck) -> EquityChecked:
    checks.in_order("checked_on", command.checked_on, "since", command.since)
    checks.currency(command.currency)
    for name in ("opening_equity", "profit", "revaluation", "equity_now"):
        checks.bounded(name, getattr(command, name), command.currency)
    for name in ("drawings", "injections", "depreciation"):
        checks.not_negative(name, getattr(command, name), command.currency)
    return told(EquityChecked, command)


def evolve(contact: Contact | None, event: ContactEvent) -> Contact | None:
    """Return the contact after the event. Total: history is never refused."""
    match event:
        case ContactRecorded() | ContactCorrected():
            return told(ContactCorrected, event)
        case FollowUpPromised() | CrossCheckRecorded() | EquityChecked() | ComplaintRecorded():
            return contact  # facts with streams of their own that no decision loads
