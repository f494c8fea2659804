"""Contact agenda (联系日程): whom to see, why, and by when; and what was overdone.

Only what is dated up to the date counts, and only relationships open on it are listed. Every
threshold is in the rules. Birthdays are sealed, and no view holds them in clear: who asks with
the keys puts them into the book, and other lists have none.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

from projections.book import (
    first_drawn_on,
    joint_at,
    later,
    outstanding,
    owner_at,
    owner_since,
    served_at,
    valid_tier_at,
)
from projections.deposit_compliance import assessed
from projections.follow_ups import contact_days, promises

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from domain.compliance import Test
    from projections.agenda_rules import AgendaRules, Reason
    from projections.book import Book
    from projections.facts import Contact, Customer
Due: TypeAlias = tuple[date, str]  # by when, and the detail
SHORT = frozenset({"at_risk", "in_grace", "in_cure"})


class AgendaRow(NamedTuple):
    """One thing to do or to leave; the fields are the columns of the `agenda` export."""

    customer_id: str
    manager: str | None
    reason: Reason
    due_on: date
    detail: str


def agenda_rows(book: Book, as_of: date, rules: AgendaRules) -> Iterator[AgendaRow]:
    """Yield what is due as of a date, by customer, reason and day, by code point.

    What was overdone is due on the day on which it happened.
    """
    for customer_id, customer in sorted(book.customers.items()):
        if served_at(customer, as_of):
            case = _Case(book, customer_id, customer, as_of, rules)
            manager = owner_at(customer, as_of)
            for reason in sorted(rules.reasons):
                for due_on, detail in sorted(_FINDERS[reason](case)):
                    yield AgendaRow(customer_id, manager, reason, due_on, detail)


def ranked(rows: Iterable[AgendaRow], rules: AgendaRules) -> list[AgendaRow]:
    """Return the rows in the order of a day list: by reason, most urgent first, then by day."""
    rank = {reason: number for number, reason in enumerate(rules.reasons)}
    return sorted(rows, key=lambda row: (rank[row.reason], row.due_on, row.customer_id))


class ManagersRow(Protocol):
    """A row about a customer, with who owns the relationship."""

    @property
    def customer_id(self) -> str: ...  # noqa: D102 - a field
    @property
    def manager(self) -> str | None: ...  # noqa: D102 - a field


Row = TypeVar("Row", bound=ManagersRow)


def of_manager(book: Book, rows: Iterable[Row], manager: str, as_of: date) -> Iterator[Row]:
    """Yield the rows of a manager's customers, those jointly maintained too."""
    for row in rows:
        if manager in {row.manager, *joint_at(book.customers[row.customer_id], as_of)}:
            yield row


@dataclass(frozen=True)
class _Case:
    """One customer as of the date."""

    book: Book
    customer_id: str
    customer: Customer
    as_of: date
    rules: AgendaRules

    @cached_property
    def days(self) -> list[date]:
        """The days of all contacts up to the date, earliest first."""
        return contact_days(self.book, self.customer_id, self.as_of)

    @property
    def last_seen(self) -> date:
        """The day of the last contact; without any, that on which the relationship began."""
        return max(self.days, default=self.customer.opened_on)

    @property
    def tier(self) -> str | None:
        """The customer's tier, if it holds on the date."""
        return valid_tier_at(self.customer, self.as_of, self.rules.tier_valid_days)

    @property
    def is_key(self) -> bool:
        return self.tier in self.rules.key_customer.tiers

    def seen_since(self, first: date) -> int:
        """Return how many contacts there were from a day on."""
        return sum(day >= first for day in self.days)

    def outbound(self, days: int) -> list[Contact]:
        """Return the bank's own contacts of so many days up to the date."""
        after = self.as_of - timedelta(days)
        return [
            contact
            for contact in self.book.contacts_of.get(self.customer_id, ())
            if after < contact.happened_on <= self.as_of and contact.direction == "outbound"
        ]


def _first_draw(case: _Case) -> Iterator[Due]:
    """Yield the loans with too few contacts after their first draw.

    The day of the draw itself does not count: then the contract is signed.
    """
    rule = case.rules.first_draw
    for loan_id in case.book.loans_of.get(case.customer_id, ()):
        drawn_on = first_drawn_on(case.book.loans[loan_id][1], case.as_of)
        if drawn_on is None:
            continue
        due_on = later(drawn_on, rule.within_days)
        had = case.seen_since(later(drawn_on, 1))
        if had < rule.contacts and (case.as_of - due_on).days <= rule.overdue_days:
            yield due_on, f"{had} of {rule.contacts} contacts after the first draw of {loan_id}"


def _interest_date(case: _Case) -> Iterator[Due]:
    around = timedelta(case.rules.interest_date.around_days)
    loans = (case.book.loans[id_][1] for id_ in case.book.loans_of.get(case.customer_id, ()))
    if any(outstanding(loan, case.as_of) > 0 for loan in loans):
        for on in _near(case.as_of, case.rules.interest_date.dates, around):
            if not case.seen_since(on - around):
                yield on, "interest is settled: ask about deposits too"


def _near(as_of: date, month_days: Iterable[str], around: timedelta) -> Iterator[date]:
    """Yield the days `MM-DD` of any year that lie around the date.

    29 February is kept on the 28th of a year that has none.
    """
    first, last = max(as_of.year - 1, date.min.year), min(as_of.year + 1, date.max.year)
    for month_day in month_days:
        month, day = int(month_day[:2]), int(month_day[3:])
        for year in range(first, last + 1):
            on = date(year, month, min(day, monthrange(year, month)[1]))
            if abs(as_of - on) <= around:
                yield on


def _follow_up(case: _Case) -> Iterator[Due]:
    ahead_days = case.rules.follow_up.ahead_days
    for due_on, promised_on, kept_on in promises(case.book, case.customer_id, case.as_of):
        if kept_on is None and (due_on - case.as_of).days <= ahead_days:
            yield due_on, f"promised on {promised_on}"


def _commitment_at_risk(case: _Case) -> Iterator[Due]:
    for commitment_id in case.book.commitments_of.get(case.customer_id, ()):
        for test in assessed(case.book, commitment_id, case.as_of):
            result = test.result
            if result.window_start > case.as_of:
                break
            if result.status in SHORT:
                due_on = _last_chance(test)
                window = f"{result.window_start}/{result.window_end}"
                yield due_on, f"{commitment_id} {result.status} in the window {window}"


def _last_chance(test: Test) -> date:
    """Return the last day of a window that runs, of one that has ended its last cure day.

    Cure days follow the grace days; without any it is the last grace day.
    """
    terms, end = test.window.terms, test.result.window_end
    after = 0 if test.result.status == "at_risk" else terms.grace_days + terms.cure_days
    return later(end, after)


def _key_customer(case: _Case) -> Iterator[Due]:
    rule = case.rules.key_customer
    due_on = later(case.last_seen, rule.every_days)
    if case.is_key and (due_on - case.as_of).days <= rule.ahead_days:
        yield due_on, f"last contact {_last_contact(case)}"


def _festival(case: _Case) -> Iterator[Due]:
    before = timedelta(case.rules.festival.before_days)
    if not case.is_key:
        return
    for festival in case.rules.greeted:
        on = festival.next_on(case.as_of)
        if on is not None and on - before <= case.as_of and not case.seen_since(on - before):
            yield on, festival.name


def _birthday(case: _Case) -> Iterator[Due]:
    """Yield the coming birthday of who was not yet spoken with. Enterprises have none."""
    rule = case.rules.birthday
    month_day = case.book.birthdays.get(case.customer_id)
    if month_day is None or case.customer.kind != "person":
        return
    if rule.tiers and case.tier not in rule.tiers:
        return
    before = timedelta(rule.before_days)
    for on in _near(case.as_of, [month_day], before):
        if on >= case.as_of and not case.seen_since(on - before):
            yield on, "birthday"


def _cold(case: _Case) -> Iterator[Due]:
    due_on = later(case.last_seen, case.rules.cold.after_days)
    if due_on <= case.as_of:
        yield due_on, f"last contact {_last_contact(case)}"


def _last_contact(case: _Case) -> str:
    return str(case.days[-1]) if case.days else "never"


def _no_owner(case: _Case) -> Iterator[Due]:
    if owner_at(case.customer, case.as_of) is None:
        yield owner_since(case.customer, case.as_of), "nobody owns the relationship"


def _quiet_hours(case: _Case) -> Iterator[Due]:
    rule = case.rules.quiet_hours
    for contact in case.outbound(rule.told_days):
        minute = contact.local_minute
        if minute is not None and contact.channel in rule.channels and rule.covers(minute):
            time = f"{minute // 60:02}:{minute % 60:02}"
            yield contact.happened_on, f"{contact.channel} at {time} by {contact.by}"


def _too_many_contacts(case: _Case) -> Iterator[Due]:
    """Yield the last day, of those still told, on which a contact was one too many."""
    rule = case.rules.too_many_contacts
    days = [each.happened_on for each in case.outbound(rule.told_days + rule.within_days)]
    for on in sorted(set(days), reverse=True):
        if (case.as_of - on).days >= rule.told_days:
            return
        found = sum(0 <= (on - day).days < rule.within_days for day in days)
        if found > rule.contacts_max:
            yield on, f"{found} in {rule.within_days} days, at most {rule.contacts_max}"
            return


_FINDERS: Mapping[Reason, Callable[[_Case], Iterator[Due]]] = {
    "commitment_at_risk": _commitment_at_risk,
    "follow_up": _follow_up,
    "first_draw": _first_draw,
    "interest_date": _interest_date,
    "no_owner": _no_owner,
    "key_customer": _key_customer,
    "festival": _festival,
    "birthday": _birthday,
    "cold": _cold,
    "quiet_hours": _quiet_hours,
    "too_many_contacts": _too_many_contacts,
}
