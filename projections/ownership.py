"""Ownership (管户): who looked after whom when, what a handover hands over, whose the sums are.

A sum belongs to a branch and to a manager at once (双重归属): two tables of the same sums, each
of which adds up to the total, and which are never added to each other.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from projections.book import ended_on, joint_at, outstanding, owner_at, profile_at
from projections.deposit_compliance import statuses
from projections.follow_ups import promises

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.values import Minor
    from projections.book import Book
    from projections.facts import Customer, Handover

Role: TypeAlias = Literal["owner", "joint", "unowned", "overlap"]
Answer: TypeAlias = Literal["proposed", "accepted", "declined"]
Dimension: TypeAlias = Literal["branch", "manager"]

_ONE_DAY = timedelta(days=1)


class OwnershipRow(NamedTuple):
    """One period; the fields are the columns of the `ownership` export.

    `until` is the last day, None while it runs. `unowned` (无管户) has no manager; `overlap` is a
    period in which several looked after the customer at once, joined by spaces.
    """

    customer_id: str
    since: date
    until: date | None
    role: Role
    manager: str | None


def ownership_rows(book: Book, as_of: date) -> Iterator[OwnershipRow]:
    """Yield each relationship's periods begun by the date, by customer, day, role and manager."""
    for customer_id, customer in sorted(book.customers.items()):
        if customer.opened_on <= as_of:
            yield from periods(customer_id, customer, as_of)


def _in_order(row: OwnershipRow) -> tuple[date, str, str]:
    return row.since, row.role, row.manager or ""


def periods(customer_id: str, customer: Customer, as_of: date) -> list[OwnershipRow]:
    """Return the periods of one relationship begun by the date, until it ended if it did."""
    found = [OwnershipRow(customer_id, *each) for each in _stretches(customer, as_of)]
    return sorted(found, key=_in_order)


def _stretches(
    customer: Customer, as_of: date
) -> Iterator[tuple[date, date | None, Role, str | None]]:
    over_on = ended_on(customer, as_of)
    last = as_of if over_on is None else over_on - _ONE_DAY
    first = customer.opened_on
    changes = {told.since for told in customer.assignments if first < told.since <= last}
    begun = sorted({first, *changes}) if first <= last else []
    stretches: dict[tuple[Role, str | None], list[int]] = defaultdict(list)
    for number, since in enumerate(begun):
        for held in _held(customer, since):
            stretches[held].append(number)
    for (role, manager), numbers in stretches.items():
        for start, end in _runs(numbers):
            runs = end + 1 == len(begun)
            until = last if runs else begun[end + 1] - _ONE_DAY
            still = runs and over_on is None
            yield begun[start], None if still else until, role, manager


def _held(customer: Customer, on: date) -> Iterator[tuple[Role, str | None]]:
    owner, joint = owner_at(customer, on), joint_at(customer, on)
    yield ("unowned", None) if owner is None else ("owner", owner)
    for manager in joint:
        yield "joint", manager
    several = [owner, *joint] if owner else [*joint]
    if len(several) > 1:
        yield "overlap", " ".join(several)


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of consecutive numbers."""
    for _, run in groupby(enumerate(numbers), key=lambda each: each[1] - each[0]):
        found = [number for _, number in run]
        yield found[0], found[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverState:
    """A handover as of a date, and what goes over with the relationship (移交事项).

    The open items are those of the day on which it was accepted, else of the date.
    """

    handover: Handover
    answer: Answer
    answered_on: date | None
    follow_ups: tuple[date, ...]
    commitments: tuple[str, ...]


def handovers(book: Book, customer_id: str, as_of: date) -> Iterator[HandoverState]:
    """Yield the handovers proposed up to a date, in ledger order."""
    for handover in book.customers[customer_id].handovers:
        if handover.proposed_on <= as_of:
            answer, answered_on = _answer(handover, as_of)
            on = answered_on if answered_on and answer == "accepted" else as_of
            yield HandoverState(
                handover=handover,
                answer=answer,
                answered_on=answered_on,
                follow_ups=tuple(sorted(_open_follow_ups(book, customer_id, on))),
                commitments=tuple(sorted(_at_risk(book, customer_id, on))),
            )


def _answer(handover: Handover, as_of: date) -> tuple[Answer, date | None]:
    if handover.accepted_on and handover.accepted_on <= as_of:
        return "accepted", handover.accepted_on
    if handover.declined_on and handover.declined_on <= as_of:
        return "declined", handover.declined_on
    return "proposed", None


def _open_follow_ups(book: Book, customer_id: str, as_of: date) -> Iterator[date]:
    for due_on, _, kept_on in promises(book, customer_id, as_of):
        if kept_on is None:
            yield due_on


def _at_risk(book: Book, customer_id: str, as_of: date) -> Iterator[str]:
    for commitment_id in book.commitments_of.get(customer_id, ()):
        if "at_risk" in statuses(book, commitment_id, as_of):
            yield commitment_id


class AttributionRow(NamedTuple):
    """What belongs to one branch, or to one manager; the columns of the `attribution` export.

    An account belongs to the branch where the customer was when it was opened, a loan to the one
    where it was approved (原账户留原网点), and both to the manager who owns the relationship now.
    A manager of None has what nobody owns. `joint` counts customers of another owner's, with no
    sum. `balance_days_month` is the exact sum behind the month's ADB.
    """

    dimension: Dimension
    name: str | None
    customers: int
    joint: int
    deposits: Minor
    balance_days_month: int
    outstanding: Minor


class _Sums(NamedTuple):
    deposits: Minor
    balance_days_month: int
    outstanding: Minor


_NOTHING = (0, 0, 0, 0, 0)


def attribution_rows(book: Book, as_of: date, currency: str) -> Iterator[AttributionRow]:
    """Yield the branches, then the managers, by name in code point order, nobody first.

    Of all relationships opened by the date. Each dimension adds up to the same totals.
    """
    found: dict[Dimension, dict[str | None, tuple[int, ...]]] = {"branch": {}, "manager": {}}

    def add(dimension: Dimension, name: str | None, *more: int) -> None:
        held = found[dimension].get(name, _NOTHING)
        found[dimension][name] = tuple(map(sum, zip(held, more, strict=True)))

    for customer_id, customer in book.customers.items():
        if customer.opened_on > as_of:
            continue
        owner = owner_at(customer, as_of)
        add("branch", profile_at(customer, as_of).branch, 1, 0, 0, 0, 0)
        add("manager", owner, 1, 0, 0, 0, 0)
        for manager in joint_at(customer, as_of):
            add("manager", manager, 0, 1, 0, 0, 0)
        for began_on, sums in _sums(book, customer_id, as_of, currency):
            add("branch", profile_at(customer, min(began_on, as_of)).branch, 0, 0, *sums)
            add("manager", owner, 0, 0, *sums)
    for dimension, held in found.items():
        for name, figures in sorted(held.items(), key=lambda each: each[0] or ""):
            yield AttributionRow(dimension, name, *figures)


def _sums(
    book: Book, customer_id: str, as_of: date, currency: str
) -> Iterator[tuple[date, _Sums]]:
    """Yield the sums of each account and loan, and the day on which it began."""
    month = as_of.replace(day=1)
    for account_id in book.accounts_in(customer_id, currency):
        opened_on = book.accounts[account_id][1].opened_on
        days = book.balance_days(account_id, month, as_of)
        yield opened_on, _Sums(book.deposit(account_id, as_of), days, 0)
    for loan in book.loans_in(customer_id, currency):
        yield loan.approved_on, _Sums(0, 0, outstanding(loan, as_of))
