"""The loss walk: what one default pulls after it through the guarantees in force, step by step.

Who defaults pays nothing more. What they owe on each loan is called on its guarantees, each up to
its amount, in proportion where they are worth more than is owed. A guarantor pays out of deposits,
all the means that the ledger knows of; who cannot pay in full defaults in the next wave. Nobody
defaults twice, so the walk ends. Amounts are minor units of the one currency asked for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from projections.book import outstanding
from projections.guarantee_network import capacity, edges_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from domain.values import Minor
    from projections.book import Book
    from projections.guarantee_network import Edge


class Default(NamedTuple):
    """Somebody defaults: in wave 0 the first, owing what is outstanding on all their loans."""

    wave: int
    customer_id: str
    owed: Minor


class Call(NamedTuple):
    """A guarantee is called for a borrower's default, and what the guarantor could pay of it."""

    wave: int
    borrower_id: str
    loan_id: str
    guarantee_id: str
    guarantor_id: str
    called: Minor
    paid: Minor


@dataclass(frozen=True, slots=True)
class LossWalk:
    """Who defaulted and what was called, each in order."""

    defaults: tuple[Default, ...]
    calls: tuple[Call, ...]

    @property
    def owed(self) -> Minor:
        """What those who defaulted owed the bank on their own loans."""
        return sum(default.owed for default in self.defaults)

    @property
    def paid(self) -> Minor:
        """What guarantors paid of it."""
        return sum(call.paid for call in self.calls)

    @property
    def lost(self) -> Minor:
        """What the bank loses."""
        return self.owed - self.paid


def loss_walk(book: Book, customer_id: str, as_of: date, currency: str) -> LossWalk:
    """Return what follows when a customer defaults on a day, by wave and then by id."""
    return LossWalks(book, as_of, currency).of(customer_id)


class LossWalks:
    """The loss walks of one book and day: what they share is looked up once."""

    def __init__(self, book: Book, as_of: date, currency: str) -> None:
        self._book, self._as_of, self._currency = book, as_of, currency
        self._over = defaultdict[str, list["Edge"]](list)
        for edge in edges_of(book, as_of):
            self._over[edge.guarantee.loan_id].append(edge)
        self._capacities: dict[str, Minor] = {}

    def of(self, customer_id: str) -> LossWalk:
        """Return what follows when a customer defaults, by wave and then by id."""
        means = {customer_id: 0}
        defaults: list[Default] = []
        calls: list[Call] = []
        wave, failing, failed = 0, [customer_id], {customer_id}
        while failing:
            short = set()
            for borrower_id in failing:
                owed = self._owed(borrower_id)
                defaults.append(Default(wave, borrower_id, sum(owed.values())))
                for edge, called in _called(self._over, owed):
                    who = edge.guarantor_id
                    if who not in means:
                        means[who] = self._capacity(who)
                    paid = min(called, means[who])
                    means[who] -= paid
                    about = (edge.guarantee.loan_id, edge.guarantee_id, who)
                    calls.append(Call(wave, borrower_id, *about, called, paid))
                    if paid < called:
                        short.add(who)
            failing = sorted(short - failed)
            failed |= short
            wave += 1
        return LossWalk(tuple(defaults), tuple(calls))

    def _owed(self, customer_id: str) -> dict[str, Minor]:
        """Return what is outstanding on each of a customer's loans in the currency, by id."""
        book = self._book
        loans = ((id_, book.loans[id_][1]) for id_ in sorted(book.loans_of.get(customer_id, ())))
        return {
            id_: max(0, outstanding(loan, self._as_of))
            for id_, loan in loans
            if loan.currency == self._currency
        }

    def _capacity(self, customer_id: str) -> Minor:
        if customer_id not in self._capacities:
            found = capacity(self._book, customer_id, self._as_of, self._currency)
            self._capacities[customer_id] = found
        return self._capacities[customer_id]


def _called(
    over: Mapping[str, Sequence[Edge]], owed: Mapping[str, Minor]
) -> Iterator[tuple[Edge, Minor]]:
    """Yield what is called on each guarantee: all, or in proportion, to the minor unit."""
    for loan_id, amount in owed.items():
        edges = over.get(loan_id, ())
        worth = sum(edge.guarantee.amount for edge in edges)
        left = min(amount, worth)
        for edge in edges:
            called = left * edge.guarantee.amount // worth
            left -= called
            worth -= edge.guarantee.amount
            if called:
                yield edge, called
