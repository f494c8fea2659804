"""A deposit account and its end-of-day balances (时点余额)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the codec reads the field types at run time
from typing import Literal, TypeAlias

from domain.values import Minor  # noqa: TC001 - read at run time

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
