"""A deposit account and its end-of-day balances (时点余额)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import TYPE_CHECKING, Literal, TypeAlias

from domain import checks
from domain.errors import UnknownAccountError
from domain.values import Minor  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from domain.world import World

AccountKind: TypeAlias = Literal["current", "savings", "term"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened:
    """A customer opened an account."""

    customer_id: str
    account_id: str
    kind: AccountKind
    currency: str
    opened_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceObserved:
    """The ledger balance at the end of a business date; `held` is the part under a hold."""

    customer_id: str
    account_id: str
    business_date: date
    ledger_balance: Minor
    currency: str
    held: Minor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceCorrected:
    """The balance of a past day as it really was; it replaces what was told before."""

    customer_id: str
    account_id: str
    business_date: date
    ledger_balance: Minor
    currency: str
    held: Minor | None = None


AccountEvent: TypeAlias = AccountOpened | BalanceObserved | BalanceCorrected

# State.


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a decision needs to know of an account; its balances are never loaded for one."""

    customer_id: str
    currency: str


# Commands.


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """Record that a customer opened an account."""

    account_id: str
    customer_id: str
    kind: AccountKind
    currency: str
    opened_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBalance:
    """Record an end-of-day balance; told again with other content, correct it."""

    account_id: str
    business_date: date
    ledger_balance: Minor
    currency: str
    held: Minor | None = None


AccountCommand: TypeAlias = OpenAccount | RecordBalance


def decide(command: AccountCommand, world: World) -> tuple[AccountEvent, ...]:
    """Return the events a command about accounts causes, or raise the rule it breaks."""
    match command:
        case OpenAccount():
            return (_open(command, world),)
        case RecordBalance():
            return (_record(command, world),)


def _open(command: OpenAccount, world: World) -> AccountOpened:
    checks.known_customer(world, command.customer_id)
    checks.currency(command.currency)
    return AccountOpened(
        customer_id=command.customer_id,
        account_id=command.account_id,
        kind=command.kind,
        currency=command.currency,
        opened_on=command.opened_on,
    )


def _record(command: RecordBalance, world: World) -> BalanceObserved | BalanceCorrected:
    account = world.account(command.account_id)
    if account is None:
        raise UnknownAccountError("account_id", command.account_id)
    checks.not_forgotten(world, account.customer_id)
    checks.same_currency(command.currency, account.currency)
    checks.bounded("ledger_balance", command.ledger_balance, command.currency)
    if command.held is not None:
        checks.not_negative("held", command.held, command.currency)
    claim = f"balance:{command.account_id}:{command.business_date.isoformat()}"
    told = BalanceCorrected if world.claimed(claim) else BalanceObserved
    return told(
        customer_id=account.customer_id,
        account_id=command.account_id,
        business_date=command.business_date,
        ledger_balance=command.ledger_balance,
        currency=command.currency,
        held=command.held,
    )


def evolve(account: Account | None, event: AccountEvent) -> Account | None:
    """Return the account after the event. Total: history is never refused."""
    match event:
        case AccountOpened():
            return Account(customer_id=event.customer_id, currency=event.currency)
        case BalanceObserved() | BalanceCorrected():
            return account
