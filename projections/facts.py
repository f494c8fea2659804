"""The facts of a view: typed rows, keyed by customer, kind and id.

A view is a choice of fact kinds. A fold turns one event into new versions of a few rows, all of
the event's own customer, so no row depends on two partition keys. What joins customers, and
everything that depends on a date, is worked out from the rows when somebody asks.

Money is in minor units, ratios in ppm. Rows hold no plaintext of a personal field.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the view codec reads the field types at run time
from typing import TypeAlias

from domain.commitment import Metric, Terms  # noqa: TC001 - read at run time
from domain.reported import Outcome  # noqa: TC001 - read at run time

Key: TypeAlias = tuple[str, str, str]  # customer_id, kind, id


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the customer belongs, from a business date on."""

    since: date
    segment: str
    branch: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who looks after the customer, from a business date on; role is `owner` or `joint`."""

    since: date
    manager: str
    role: str


@dataclass(frozen=True, slots=True)
class TierFrom:
    """The customer's tier, from a business date on."""

    since: date
    tier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """kind `customer`, id empty: a relationship, each history in ledger order."""

    kind: str
    opened_on: date
    profiles: tuple[Profile, ...]
    assignments: tuple[Assignment, ...]
    tiers: tuple[TierFrom, ...] = ()
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Consented:
    """A consent holds from `given_on` until the day before `withdrawn_on`."""

    given_on: date
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """kind `consent`, id the purpose: when the customer agreed to it, in ledger order."""

    spans: tuple[Consented, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """kind `contact`, id the contact's: a dealing, as last corrected."""

    happened_on: date
    happened_at: int
    channel: str
    direction: str
    by: str
    follow_up_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """kind `follow_up`, id the follow-up's: a promise made outside a contact."""

    promised_on: date
    follow_up_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """kind `account`, id the account's."""

    kind: str
    currency: str
    opened_on: date


@dataclass(frozen=True, slots=True)
class BalanceMonth:
    """kind `balances`, id `<account>/<YYYY-MM>`: 31 end-of-day balances, None if not observed."""

    days: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw; from `reversed_on` on it counts no more."""

    draw_id: str
    on: date
    amount: int
    reversed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """One repayment; from `reversed_on` on it counts no more."""

    repayment_id: str
    on: date
    principal: int
    interest: int
    reversed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """kind `loan`, id the loan's: a facility with its draws and repayments in ledger order."""

    approved_on: date
    principal: int
    currency: str
    draws: tuple[Draw, ...] = ()
    repayments: tuple[Paid, ...] = ()
    settled_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """kind `guarantee`, id the guarantee's, under the borrower.

    It is in force until the day before `released_on`.
    """

    loan_id: str
    guarantor_id: str
    amount: int
    currency: str
    given_on: date
    released_on: date | None = None


@dataclass(frozen=True, slots=True)
class TermsFrom:
    """Terms in force from `effective_on`, known to the books from `told_on`."""

    told_on: date
    effective_on: date
    terms: Terms


@dataclass(frozen=True, slots=True)
class Waiver:
    """Windows that begin within the dates are waived, from `told_on` on."""

    told_on: date
    windows_from: date
    windows_to: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """kind `commitment`, id the commitment's: terms and waivers in ledger order."""

    loan_id: str | None
    agreed_on: date
    terms: tuple[TermsFrom, ...]
    waivers: tuple[Waiver, ...] = ()
    released_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a close reported of a window; `applied` is the amount of its consequence, if any."""

    tested_on: date
    window_end: date
    metric: Metric
    days: int
    carried_days: int
    unknown_days: int
    balance_days: int
    required_days: int
    shortfall: int | None
    outcome: Outcome
    cured_on: date | None
    inputs_sha256: str
    restates: bool
    applied: int | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """kind `tested`, id `<commitment>/<start of the window>`: its reports, in ledger order."""

    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """kind `referral`, id the referral's, under the prospect; `ended_on`: declined or lapsed."""

    referrer_id: str
    introduced_on: date
    via: str
    branch: str
    converted_on: date | None = None
    ended_on: date | None = None


Row: TypeAlias = (
    Customer
    | Consent
    | Contact
    | FollowUp
    | Account
    | BalanceMonth
    | Loan
    | Guarantee
    | Commitment
    | Tested
    | Referral
)

KINDS: dict[str, type[Row]] = {
    "customer": Customer,
    "consent": Consent,
    "contact": Contact,
    "follow_up": FollowUp,
    "account": Account,
    "balances": BalanceMonth,
    "loan": Loan,
    "guarantee": Guarantee,
    "commitment": Commitment,
    "tested": Tested,
    "referral": Referral,
}
