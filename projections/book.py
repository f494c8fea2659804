"""The book: the facts of a view assembled in memory, and what one loan or account says on a day.

As of a date means at the end of that day, knowing nothing dated later. Money is in minor units.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from domain.ownership import joint_on, owned_on
from projections.facts import (
    Account,
    BalanceMonth,
    Commitment,
    Consent,
    Consented,
    Contact,
    CrossCheck,
    Customer,
    EquityCheck,
    Finding,
    FollowUp,
    Gift,
    Guarantee,
    Hold,
    Loan,
    MaturesFrom,
    Partner,
    Payment,
    Profile,
    Referral,
    Reward,
    Sale,
    Settlement,
    Tested,
    TierFrom,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from projections.facts import Key, Row
    from projections.network_node import Drawings, Held

Days: TypeAlias = tuple[int | None, ...]

_ONE_DAY = timedelta(days=1)
NAMING = "being-named"  # the purpose of the consent to be named to those whom one brings


@dataclass(frozen=True, slots=True)
class Book:
    """Facts by id, each with the customer under whose key it lies, and indexes over them.

    `balances` holds each account's months (`YYYY-MM`) in calendar order. The lists of an index
    are in the order of the rows; who has nothing is not in it.
    """

    customers: dict[str, Customer] = field(default_factory=dict)
    accounts: dict[str, tuple[str, Account]] = field(default_factory=dict)
    accounts_of: dict[str, list[str]] = field(default_factory=dict)
    balances: Mapping[str, Mapping[str, Days]] = field(default_factory=dict)
    loans: dict[str, tuple[str, Loan]] = field(default_factory=dict)
    loans_of: dict[str, list[str]] = field(default_factory=dict)
    guarantees: dict[str, tuple[str, Guarantee]] = field(default_factory=dict)
    guarantees_of_borrower: dict[str, list[str]] = field(default_factory=dict)
    guarantees_by_guarantor: dict[str, list[str]] = field(default_factory=dict)
    commitments: dict[str, tuple[str, Commitment]] = field(default_factory=dict)
    commitments_of: dict[str, list[str]] = field(default_factory=dict)
    tested: Mapping[str, Mapping[date, Tested]] = field(default_factory=dict)
    consents_of: dict[str, dict[str, Consent]] = field(default_factory=dict)
    contacts: dict[str, tuple[str, Contact]] = field(default_factory=dict)
    contacts_of: dict[str, list[Contact]] = field(default_factory=dict)
    follow_ups_of: dict[str, list[FollowUp]] = field(default_factory=dict)
    cross_checks_of: dict[str, dict[str, CrossCheck]] = field(default_factory=dict)
    equity_checks_of: dict[str, dict[str, EquityCheck]] = field(default_factory=dict)
    referrals: dict[str, tuple[str, Referral]] = field(default_factory=dict)
    referrals_of_prospect: dict[str, list[str]] = field(default_factory=dict)
    referrals_by_referrer: dict[str, list[str]] = field(default_factory=dict)
    partners: dict[str, Partner] = field(default_factory=dict)
    holds: dict[str, tuple[str, Hold]] = field(default_factory=dict)
    holds_on: dict[str, list[Hold]] = field(default_factory=dict)
    settlements_of: dict[str, list[Settlement]] = field(default_factory=dict)
    gifts: dict[str, tuple[str, Gift]] = field(default_factory=dict)
    payments: dict[str, tuple[str, Payment]] = field(default_factory=dict)
    sales: dict[str, tuple[str, Sale]] = field(default_factory=dict)
    rewards: dict[str, tuple[str, Reward]] = field(default_factory=dict)
    findings: dict[str, tuple[str, Finding]] = field(default_factory=dict)
    findings_of: dict[str, list[str]] = field(default_factory=dict)
    birthdays: Mapping[str, str] = field(default_factory=dict)  # `MM-DD`; of no view, see agenda

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[Key, Row]],
        balances: Mapping[str, Mapping[str, Days]] | None = None,
        tested: Mapping[str, Mapping[date, Tested]] | None = None,
    ) -> Book:
        """Assemble the facts of one or more views; each key once, in any order.

        `balances` and `tested` are given where they are held elsewhere: then no row has them.
        """
        months: dict[str, dict[str, Days]] = {}
        reports: dict[str, dict[date, Tested]] = {}
        book = cls(
            balances=months if balances is None else balances,
            tested=reports if tested is None else tested,
        )
        for (customer_id, _, id_), row in rows:
            group, _, name = id_.rpartition("/")
            if isinstance(row, BalanceMonth):
                months.setdefault(group, {})[name] = row.days
            elif isinstance(row, Tested):
                reports.setdefault(group, {})[date.fromisoformat(name)] = row
            else:
                book._add(customer_id, id_, row)
        for account_id, held in months.items():
            months[account_id] = dict(sorted(held.items()))
        return book

    def _add(  # noqa: C901, PLR0912, PLR0915 - one a case
        self, customer_id: str, id_: str, row: Row
    ) -> None:
        match row:
            case BalanceMonth() | Tested():
                raise AssertionError(id_)  # of groups, which `from_rows` makes
            case Customer():
                self.customers[customer_id] = row
            case Consent():
                self.consents_of.setdefault(customer_id, {})[id_] = row
            case Contact():
                self.contacts[id_] = (customer_id, row)
                self.contacts_of.setdefault(customer_id, []).append(row)
            case FollowUp():
                self.follow_ups_of.setdefault(customer_id, []).append(row)
            case CrossCheck():
                self.cross_checks_of.setdefault(customer_id, {})[id_] = row
            case EquityCheck():
                self.equity_checks_of.setdefault(customer_id, {})[id_] = row
            case Account():
                self.accounts[id_] = (customer_id, row)
                self.accounts_of.setdefault(customer_id, []).append(id_)
            case Loan():
                self.loans[id_] = (customer_id, row)
                self.loans_of.setdefault(customer_id, []).append(id_)
            case Guarantee():
                self.guarantees[id_] = (customer_id, row)
                self.guarantees_of_borrower.setdefault(customer_id, []).append(id_)
                self.guarantees_by_guarantor.setdefault(row.guarantor_id, []).append(id_)
            case Commitment():
                self.commitments[id_] = (customer_id, row)
                self.commitments_of.setdefault(customer_id, []).append(id_)
            case Referral():
                self.referrals[id_] = (customer_id, row)
                self.referrals_of_prospect.setdefault(customer_id, []).append(id_)
                self.referrals_by_referrer.setdefault(row.referrer_id, []).append(id_)
            case Partner():
                self.partners[customer_id] = row
            case Hold():
                self.holds[id_] = (customer_id, row)
                self.holds_on.setdefault(row.account_id, []).append(row)
            case Settlement():
                self.settlements_of.setdefault(customer_id, []).append(row)
            case Gift():
                self.gifts[id_] = (customer_id, row)
            case Payment():
                self.payments[id_] = (customer_id, row)
            case Sale():
                self.sales[id_] = (customer_id, row)
            case Reward():
                self.rewards[id_] = (customer_id, row)
            case Finding():
                self.findings[id_] = (customer_id, row)
                self.findings_of.setdefault(customer_id, []).append(id_)

    def accounts_in(self, customer_id: str, currency: str) -> list[str]:
        """Return the customer's own accounts in a currency, whenever they were opened."""
        own = self.accounts_of.get(customer_id, ())
        return [
            account_id for account_id in own if self.accounts[account_id][1].currency == currency
        ]

    def loans_in(self, customer_id: str, currency: str) -> list[Loan]:
        """Return the customer's loans in a currency, whenever they were approved."""
        own = (self.loans[loan_id][1] for loan_id in self.loans_of.get(customer_id, ()))
        return [loan for loan in own if loan.currency == currency]

    def last_balance(self, account_id: str, on: date) -> tuple[date, int] | None:
        """Return the last observed balance at or before a day and its day, however old."""
        return last_observed(self._newest_first(account_id), on)

    def _newest_first(self, account_id: str) -> Iterable[tuple[str, Days]]:
        months = self.balances.get(account_id, {})
        return ((month, months[month]) for month in reversed([*months]))

    def deposit(self, account_id: str, on: date) -> int:
        """Return what an account holds on a day, as `deposit` counts it."""
        return deposit(self.accounts[account_id][1], self._newest_first(account_id), on)

    def balance_days(self, account_id: str, first: date, last: date) -> int:
        """Return the sum of `deposit` over the days from first to last, both included."""
        first = max(first, self.accounts[account_id][1].opened_on)
        if first > last:
            return 0
        before = self.last_balance(account_id, first - _ONE_DAY)
        held = max(0, before[1]) if before else 0
        total = 0
        for balance in self._observed(account_id, first, last):
            if balance is not None:
                held = max(0, balance)
            total += held
        return total

    def _observed(self, account_id: str, first: date, last: date) -> Iterator[int | None]:
        """Yield each day's observed balance, None where there is none."""
        months = self.balances.get(account_id, {})
        for month in range(12 * first.year + first.month - 1, 12 * last.year + last.month):
            year, number = month // 12, month % 12 + 1
            start = first.day if (year, number) == (first.year, first.month) else 1
            is_last = (year, number) == (last.year, last.month)
            end = last.day if is_last else monthrange(year, number)[1]
            days = months.get(f"{year:04}-{number:02}", ())
            yield from days[start - 1 : end] or (None,) * (end - start + 1)


def last_observed(newest_first: Iterable[tuple[str, Days]], on: date) -> tuple[date, int] | None:
    """Return an account's last observed balance at or before a day and its day, of its months."""
    this_month = on.isoformat()[:7]
    for month, told in newest_first:
        if month > this_month:
            continue
        days = told[: on.day] if month == this_month else told
        for back, balance in enumerate(reversed(days)):
            if balance is not None:
                return date(int(month[:4]), int(month[5:]), len(days) - back), balance
    return None


def deposit(account: Account | Held, newest_first: Iterable[tuple[str, Days]], on: date) -> int:
    """Return what an account holds on a day: its last balance however old, at least 0.

    0 before it was opened, as in a compliance test.
    """
    if account.opened_on > on:
        return 0
    last = last_observed(newest_first, on)
    return max(0, last[1]) if last else 0


def drawn(loan: Loan | Drawings, as_of: date) -> int:
    """Return the draws dated up to a day, less those reversed by then."""
    return sum(
        draw.amount
        for draw in loan.draws
        if draw.on <= as_of and not _over(draw.reversed_on, as_of)
    )


def outstanding(loan: Loan, as_of: date) -> int:
    """Return what is drawn less the principal repaid up to a day; may be negative."""
    repaid = sum(
        paid.principal
        for paid in loan.repayments
        if paid.on <= as_of and not _over(paid.reversed_on, as_of)
    )
    return drawn(loan, as_of) - repaid


def matures_on(loan: Loan, as_of: date) -> date | None:
    """Return the day on which the loan is due in full, as agreed by a date; None if not known."""
    told = _latest(loan.maturities, as_of)
    return told.matures_on if told else None


def first_drawn_on(loan: Loan, as_of: date) -> date | None:
    """Return the day of the first draw that stands as of a date."""
    standing = (d.on for d in loan.draws if d.reversed_on is None or d.reversed_on > as_of)
    return min((on for on in standing if on <= as_of), default=None)


def later(on: date, days: int) -> date:
    """Return the day so many days later, the last of the calendar where there is none."""
    return on + timedelta(min(days, (date.max - on).days))


def in_force(guarantee: Guarantee, as_of: date) -> bool:
    """Tell whether a guarantee is in force on a day: until the day before its release."""
    return guarantee.given_on <= as_of and not _over(guarantee.released_on, as_of)


def _over(on: date | None, as_of: date) -> bool:
    return on is not None and on <= as_of


Dated = TypeVar("Dated", Profile, TierFrom, MaturesFrom, Consented)


def _latest(history: Iterable[Dated], as_of: date) -> Dated | None:
    """Return what holds on a day; of one day's entries the last recorded."""
    held = [entry for entry in history if entry.since <= as_of]
    return max(reversed(held), key=lambda entry: entry.since, default=None)


def profile_at(customer: Customer, as_of: date) -> Profile:
    """Return where the customer belongs on a day (before it was opened: its first profile)."""
    return _latest(customer.profiles, as_of) or customer.profiles[0]


def ended_on(customer: Customer, as_of: date) -> date | None:
    """Return the day on which a relationship ended, if by a date it has: nobody has it from then.

    It is closed, merged or forgotten.
    """
    endings = (customer.closed_on, customer.merged_on, customer.forgotten_on)
    return min((on for on in endings if on is not None and on <= as_of), default=None)


def owner_at(customer: Customer, as_of: date) -> str | None:
    """Return the manager who owns the relationship on a day, None where nobody does (无管户)."""
    return None if ended_on(customer, as_of) else owned_on(customer.assignments, as_of)[1]


def owner_since(customer: Customer, as_of: date) -> date:
    """Return the day on which what holds of the owner began: an ownership, or its absence."""
    return owned_on(customer.assignments, as_of)[0]


def joint_at(customer: Customer, as_of: date) -> tuple[str, ...]:
    """Return who else maintains the relationship on a day (双线维护), sorted."""
    if ended_on(customer, as_of):
        return ()
    return tuple(sorted(joint_on(customer.assignments, as_of) - {owner_at(customer, as_of)}))


def served_at(customer: Customer, as_of: date) -> bool:
    """Tell whether the relationship is open on a day: not closed, merged or forgotten by then."""
    return customer.opened_on <= as_of and ended_on(customer, as_of) is None


def is_forgotten(book: Book, customer_id: str) -> bool:
    """Tell whether nothing more is recorded of a customer, whatever the date."""
    customer = book.customers.get(customer_id)
    return customer is not None and customer.forgotten_on is not None


def tier_at(customer: Customer, as_of: date) -> str | None:
    """Return the customer's tier (贵宾等级) on a day."""
    tier = tier_from(customer, as_of)
    return tier.tier if tier else None


def valid_tier_at(customer: Customer, as_of: date, valid_days: int) -> str | None:
    """Return the customer's tier on a day, None where it has lapsed by then."""
    tier = tier_from(customer, as_of)
    return tier.tier if tier and as_of <= tier_valid_to(tier, valid_days) else None


def tier_valid_to(tier: TierFrom, valid_days: int) -> date:
    """Return the last of the days for which a tier holds, that of its assignment the first."""
    return later(tier.since, valid_days - 1)


def tier_from(customer: Customer, as_of: date) -> TierFrom | None:
    """Return the tier on a day, with when it was assigned and when it is looked at again."""
    return _latest(customer.tiers, as_of)


def consents_at(book: Book, customer_id: str, as_of: date) -> tuple[str, ...]:
    """Return the purposes to which the customer's consent is in force on a day, sorted."""
    purposes = book.consents_of.get(customer_id, {})
    return tuple(sorted(each for each in purposes if _agreed(book, customer_id, each, as_of)))


def _agreed(book: Book, customer_id: str, purpose: str, as_of: date) -> bool | None:
    """Tell whether the customer agrees to a purpose on a day; None where nothing was told."""
    consent = book.consents_of.get(customer_id, {}).get(purpose)
    last = _latest(consent.told, as_of) if consent else None
    return last.given if last else None


def may_be_named(book: Book, customer_id: str, as_of: date) -> bool:
    """Tell whether a referrer has not asked to stay unnamed to those they bring (不愿透露).

    Asked for by withdrawing the consent `being-named`, and taken back by giving it.
    """
    return _agreed(book, customer_id, NAMING, as_of) is not False


def settled_in(book: Book) -> list[str]:
    """Return the currencies of what customers settled, here or elsewhere, sorted."""
    return sorted({one.currency for own in book.settlements_of.values() for one in own})


def currencies(book: Book) -> list[str]:
    """Return the currencies of the book's accounts, loans and commitments, sorted."""
    found = {account.currency for _, account in book.accounts.values()}
    found.update(loan.currency for _, loan in book.loans.values())
    found.update(
        told.terms.currency
        for _, commitment in book.commitments.values()
        for told in commitment.terms
    )
    return sorted(found)
