"""A hold on a deposit (冻结 / 止付 / 质押): a sum the customer cannot use, and on what basis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.errors import UnknownAccountError, UnknownHoldError
from domain.loan_rules import known_loan
from domain.telling import told
from domain.values import Minor  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from domain.world import World

HoldBasis: TypeAlias = Literal["pledge", "margin", "court", "aml", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced:
    """A sum on an account was put under a hold; `loan_id` is the loan that it secures.

    `basis` `none`: there is nothing behind it, which is recorded all the same. `contract_id` is
    the contract of the pledge or margin, the order of the court or authority.
    """

    customer_id: str
    hold_id: str
    account_id: str
    placed_on: date
    amount: Minor
    currency: str
    basis: HoldBasis
    loan_id: str | None
    contract_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleased:
    """The hold ended: the sum is free from this day on. Told again, the last date told counts."""

    customer_id: str
    hold_id: str
    account_id: str
    released_on: date


HoldEvent: TypeAlias = HoldPlaced | HoldReleased

# State.


@dataclass(frozen=True, slots=True)
class Hold:
    """What was placed, and when it was released."""

    placed: HoldPlaced
    released_on: date | None = None


def evolve(hold: Hold | None, event: HoldEvent) -> Hold | None:
    """Return the hold after the event. Total: history is never refused."""
    match event:
        case HoldPlaced():
            return Hold(event)
        case HoldReleased():
            return hold and replace(hold, released_on=event.released_on)


# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold:
    """Record that a sum on an account was put under a hold, and on what basis."""

    hold_id: str
    account_id: str
    placed_on: date
    amount: Minor
    currency: str
    basis: HoldBasis
    loan_id: str | None = None
    contract_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold:
    """Record that a hold ended."""

    hold_id: str
    released_on: date


HoldCommand: TypeAlias = PlaceHold | ReleaseHold


def decide(command: HoldCommand, world: World) -> tuple[HoldEvent, ...]:
    """Return the events a command about holds causes, or raise the rule it breaks."""
    match command:
        case PlaceHold():
            return (_place(command, world),)
        case ReleaseHold():
            return _release(command, world)


def _place(command: PlaceHold, world: World) -> HoldPlaced:
    account = world.account(command.account_id)
    if account is None:
        raise UnknownAccountError("account_id", command.account_id)
    checks.not_forgotten(world, account.customer_id)
    checks.same_currency(command.currency, account.currency)
    checks.positive("amount", command.amount, command.currency)
    if command.loan_id is not None:
        known_loan(command.loan_id, world)
    return told(HoldPlaced, command, customer_id=account.customer_id)


def _release(command: ReleaseHold, world: World) -> tuple[HoldReleased, ...]:
    hold = world.deposit_hold(command.hold_id)
    if hold is None:
        raise UnknownHoldError("hold_id", command.hold_id)
    placed = hold.placed
    checks.not_forgotten(world, placed.customer_id)
    checks.in_order("released_on", command.released_on, "placed_on", placed.placed_on)
    if hold.released_on == command.released_on:
        return ()
    return (told(HoldReleased, placed, released_on=command.released_on),)
