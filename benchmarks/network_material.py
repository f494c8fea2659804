"""A made bank's networks: who brought whom, what they hold, and who stands for whom.

The facts go into the views as a projector would leave them; what stands on the day asked for
goes into CSV files for the peer, told here without our folds and figures.
"""

from __future__ import annotations

import csv
import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from consumers.source import Progress
from consumers.views import Change
from domain.ownership import Assignment
from projections.facts import (
    Account,
    BalanceMonth,
    Customer,
    Draw,
    Guarantee,
    Loan,
    Profile,
    Referral,
)
from projections.projection import GUARANTEES, NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from infra.composition import Parts
    from projections.facts import Key, Row
    from projections.projection import Projection

FIRST_DAY = date(2023, 1, 1)
AS_OF = date(2024, 6, 30)
DAYS = (AS_OF - FIRST_DAY).days
CURRENCY = "CNY"
ROWS_A_COMMIT = 100_000
HEADERS = {
    "nodes": ("customer_id", "drawn", "deposits"),
    "referrals": ("prospect_id", "referrer_id", "introduced_on", "converted_on"),
    "guarantees": ("guarantor_id", "borrower_id", "amount"),
}
Told = dict[str, list[tuple[Any, ...]]]


@dataclass(slots=True)
class Person:
    """One of the bank's people: the facts under their id, and what stands of them that day."""

    id: str
    rows: dict[Key, Row] = field(default_factory=dict)
    told: Told = field(default_factory=lambda: {name: [] for name in HEADERS})

    def put(self, kind: str, id_: str, row: Row) -> None:
        """Add a fact."""
        self.rows[self.id, kind, id_] = row


class Bank:
    """So many people, who came one after another, each perhaps brought by an earlier one.

    Ids are in another order than people came. Every second referral is that of a newcomer's
    recent peer, so that trees grow deep as well as wide.
    """

    def __init__(self, people: int) -> None:
        self.people = people
        self._spread = random.Random(people)  # noqa: S311  # the same bank in every run
        self._numbers = list(range(people))
        self._spread.shuffle(self._numbers)

    def id_of(self, number: int) -> str:
        """Return the id of who came as that number."""
        return f"C{self._numbers[number]:07}"

    def persons(self) -> Iterator[Person]:
        """Yield everybody, by id: as rows lie in a view."""
        came = sorted(range(self.people), key=self._numbers.__getitem__)
        return map(self._person, came)

    def _person(self, number: int) -> Person:
        person = Person(self.id_of(number))
        came_on = FIRST_DAY + timedelta(number * DAYS // self.people)
        chance = self._spread.random()
        customer_on: date | None = came_on
        if number and chance > 0.1:  # brought
            customer_on = came_on + timedelta(chance * 60) if chance < 0.8 else None
            ended_on = came_on + timedelta(30) if chance > 0.97 else None
            self._referral(person, number, came_on, customer_on, ended_on)
        if customer_on is not None:
            self._customer(person, customer_on)
            self._guarantees(person, number, customer_on)
        return person

    def _referral(
        self,
        person: Person,
        number: int,
        on: date,
        converted_on: date | None,
        ended_on: date | None,
    ) -> None:
        recent = max(0, number - 1 - self._spread.randrange(50))
        referrer = self.id_of(self._spread.choice((recent, self._spread.randrange(number))))
        row = Referral(
            referrer_id=referrer, introduced_on=on, via="customer", branch="B1", ended_on=ended_on
        )
        person.put("referral", f"R-{person.id}", row)
        if on <= AS_OF and (ended_on is None or ended_on > AS_OF):
            by_then = converted_on if converted_on and converted_on <= AS_OF else None
            person.told["referrals"].append((person.id, referrer, on, by_then))

    def _customer(self, person: Person, on: date) -> None:
        customer = Customer(
            kind="person",
            opened_on=on,
            profiles=(Profile(on, "retail", "B1"),),
            assignments=(Assignment(on, "RM-1", "owner"),),
        )
        person.put("customer", "", customer)
        account_id = f"A-{person.id}"
        person.put("account", account_id, Account(kind="current", currency=CURRENCY, opened_on=on))
        balance, observed_on = self._spread.randrange(-1_000, 10_000_000), on.replace(day=28)
        days: list[int | None] = [None] * 31
        days[27] = balance
        month = BalanceMonth(tuple(days))
        person.put("balances", f"{account_id}/{observed_on:%Y-%m}", month)
        drawn = self._loan(person, on) if self._spread.random() < 0.3 else 0
        if on <= AS_OF:
            deposits = max(0, balance) if observed_on <= AS_OF else 0
            person.told["nodes"].append((person.id, drawn, deposits))

    def _loan(self, person: Person, on: date) -> int:
        days = [on + timedelta(self._spread.randrange(90)) for _ in range(2)]
        draws = tuple(
            Draw(f"D{n}-{person.id}", day, self._spread.randrange(1, 5_000_000))
            for n, day in enumerate(days)
        )
        row = Loan(approved_on=on, principal=10_000_000, currency=CURRENCY, draws=draws)
        person.put("loan", f"L-{person.id}", row)
        return sum(draw.amount for draw in draws if draw.on <= AS_OF)

    def _guarantees(self, person: Person, number: int, on: date) -> None:
        """Have neighbours stand for them: among a hundred, so that some stand in circles."""
        for n in range(self._spread.choice((0, 0, 1, 1, 2))):
            other = min(self.people - 1, number - number % 100 + self._spread.randrange(100))
            if other == number:
                continue
            amount = self._spread.randrange(1, 1_000_000)
            row = Guarantee(
                loan_id=f"L-{person.id}",
                guarantor_id=self.id_of(other),
                amount=amount,
                currency=CURRENCY,
                given_on=on,
            )
            person.put("guarantee", f"G{n}-{person.id}", row)
            if on <= AS_OF:
                person.told["guarantees"].append((self.id_of(other), person.id, amount))


def make(parts: Parts, bank: Bank, folder: Path) -> None:
    """Put the bank into both views and into the peer's files."""
    with ExitStack() as stack:
        writers = {}
        for name, header in HEADERS.items():
            path = folder / f"{name}.csv"
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            writers[name] = csv.writer(file)
            writers[name].writerow(header)
        views = [_Loading(parts, projection) for projection in (NETWORK, GUARANTEES)]
        for person in bank.persons():
            for name, rows in person.told.items():
                writers[name].writerows(rows)
            for view in views:
                view.put(person.rows)
        for view in views:
            view.commit()


class _Loading:
    """Puts rows into a view, many a transaction."""

    def __init__(self, parts: Parts, projection: Projection) -> None:
        self._views, self._projection = parts.views, projection
        self._generation = parts.views.adopt(projection.name, projection.version, 1)
        self._rows: dict[Key, Row] = {}

    def put(self, rows: Mapping[Key, Row]) -> None:
        """Put in the rows of the kinds that the view keeps."""
        self._rows.update((k, row) for k, row in rows.items() if k[1] in self._projection.kinds)
        if len(self._rows) >= ROWS_A_COMMIT:
            self.commit()

    def commit(self) -> None:
        """Store what waits."""
        lane = self._views.lanes(self._generation)[0]
        change = Change(shard=0, revision=lane.revision, progress=Progress(0), rows=self._rows)
        self._views.commit(self._generation, [change])
        self._rows = {}
