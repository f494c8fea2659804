"""What one customer is in the referral network: by their own facts, and by nobody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.book import deposit, drawn
from projections.facts import BalanceMonth
from projections.referral_forest import Introduction, live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from projections.book import Book, Days
    from projections.facts import Account, Draw, Loan, Referral, Row
    from projections.referral_forest import Standing


# Of a row of each kind, what the network asks: to read so much is half the work of reading all.


class Opened(NamedTuple):
    """Of a `Customer`."""

    opened_on: date


class Held(NamedTuple):
    """Of an `Account`."""

    currency: str
    opened_on: date


class Observed(NamedTuple):
    """Of a `BalanceMonth`."""

    days: Days


class Drawings(NamedTuple):
    """Of a `Loan`."""

    currency: str
    draws: tuple[Draw, ...]


READ: dict[str, type[NamedTuple]] = {
    "account": Held,
    "balances": Observed,
    "customer": Opened,
    "loan": Drawings,
    "referral": Introduction,
}
AS_IT_IS: dict[str, Callable[[Any], Any]] = dict.fromkeys(READ, lambda fact: fact)


@dataclass(slots=True)
class OwnFacts:
    """A customer's own facts.

    `months` are each account's balances as they are stored, in calendar order: most are never
    looked at, so `month_of` reads one when it is.
    """

    customer_id: str
    month_of: Callable[[Any], Observed | BalanceMonth]
    opened_on: date | None = None
    accounts: dict[str, Held | Account] = field(default_factory=dict)
    months: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    loans: list[Loan | Drawings] = field(default_factory=list)
    referrals: list[tuple[str, Introduction | Referral]] = field(default_factory=list)

    def balances(self, account_id: str) -> Iterator[tuple[str, Days]]:
        """Yield an account's months and their balances, the newest first."""
        for month, stored in reversed(self.months.get(account_id, ())):
            yield month, self.month_of(stored).days

    def firsts(self) -> list[date]:
        """Return when the first account ever was opened, and the first loan ever drawn."""
        opened = [account.opened_on for account in self.accounts.values()]
        draws = [draw.on for loan in self.loans for draw in loan.draws]
        return [min(days) for days in (opened, draws) if days]

    def currencies(self) -> set[str]:
        """Return the currencies of the accounts and loans."""
        found = {account.currency for account in self.accounts.values()}
        return found.union([loan.currency for loan in self.loans]) if self.loans else found

    def next_change(self, as_of: date) -> date | None:
        """Return the first day after a date on which the facts there are change something."""
        days = [self.opened_on, *(account.opened_on for account in self.accounts.values())]
        for loan in self.loans:
            days += (on for draw in loan.draws for on in (draw.on, draw.reversed_on))
        for _, told in self.referrals:
            days += (told.introduced_on, told.converted_on, told.ended_on)
        for account_id in self.months:
            days.append(self._next_balance(account_id, as_of))
        return min((on for on in days if on is not None and on > as_of), default=None)

    def _next_balance(self, account_id: str, as_of: date) -> date | None:
        for month, stored in self.months[account_id]:
            if month < as_of.isoformat()[:7]:
                continue
            for place, balance in enumerate(self.month_of(stored).days):
                on = f"{month}-{place + 1:02}"
                if balance is not None and on > as_of.isoformat():
                    return date.fromisoformat(on)
        return None


def own_facts(
    rows: Iterable[tuple[str, str, str, Any]], read: Mapping[str, Callable[[Any], Any]]
) -> Iterator[OwnFacts]:
    """Yield each customer's facts out of the rows of a view: customer, kind, id, and the stored.

    The rows are in key order. `read` makes of what is stored of a kind what `READ` names.
    """
    for customer_id, own in groupby(rows, itemgetter(0)):
        facts = OwnFacts(customer_id, read["balances"])
        for _, kind, id_, stored in own:
            if kind == "balances":
                account_id, _, month = id_.rpartition("/")
                facts.months.setdefault(account_id, []).append((month, stored))
            elif kind == "account":
                facts.accounts[id_] = read[kind](stored)
            elif kind == "customer":
                facts.opened_on = read[kind](stored).opened_on
            elif kind == "loan":
                facts.loans.append(read[kind](stored))
            elif kind == "referral":
                facts.referrals.append((id_, read[kind](stored)))
        yield facts


class Node(NamedTuple):
    """A customer in the network of a date, with their own sums in one currency."""

    customer_id: str
    is_opened: bool
    stand: Standing | None
    drawn: int
    deposits: int


def node_of(facts: OwnFacts, as_of: date, currency: str) -> Node:
    """Return what a customer is on a date. Whether their referral closes a circle is not asked."""
    deposits = draws = 0
    for account_id, account in facts.accounts.items():
        if account.currency == currency:
            deposits += deposit(account, facts.balances(account_id), as_of)
    for loan in facts.loans:
        if loan.currency == currency:
            draws += drawn(loan, as_of)
    return Node(
        facts.customer_id,
        facts.opened_on is not None and facts.opened_on <= as_of,
        live(facts.referrals, facts.firsts(), as_of) if facts.referrals else None,
        draws,
        deposits,
    )


def nodes(book: Book, as_of: date, currency: str) -> Iterator[Node]:
    """Yield everybody of whom a book knows something, by id in code point order."""
    for facts in own_facts(rows_of(book), AS_IT_IS):
        yield node_of(facts, as_of, currency)


def rows_of(book: Book) -> Iterator[tuple[str, str, str, Row]]:
    """Yield the rows of a book that the network asks for, as they are in a view."""
    known = (book.customers, book.accounts_of, book.loans_of, book.referrals_of_prospect)
    for who in sorted(set().union(*known)):
        if who in book.customers:
            yield who, "customer", "", book.customers[who]
        for account_id in book.accounts_of.get(who, ()):
            yield who, "account", account_id, book.accounts[account_id][1]
            for month, days in book.balances.get(account_id, {}).items():
                yield who, "balances", f"{account_id}/{month}", BalanceMonth(days)
        for loan_id in book.loans_of.get(who, ()):
            yield who, "loan", loan_id, book.loans[loan_id][1]
        for referral_id in book.referrals_of_prospect.get(who, ()):
            yield who, "referral", referral_id, book.referrals[referral_id][1]
