"""Follow-ups (跟进): what was promised to a customer, and whether it was kept.

A promise is kept by the first contact on its day or later, after the one in which it was made. A
contact before that day keeps it not: the customer was told when the bank would come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from projections.book import ended_on, owner_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from projections.agenda_rules import FollowUps
    from projections.book import Book

_FIRST = -(2**63)  # before any instant: of a promise outside a contact the day alone is known

FollowUpStatus: TypeAlias = Literal["open", "missed", "kept", "kept_late"]


class FollowUpRow(NamedTuple):
    """One promise made by the date; the fields are the columns of the `follow-ups` export."""

    customer_id: str
    due_on: date
    promised_on: date
    manager: str | None
    status: FollowUpStatus
    kept_on: date | None


def follow_up_rows(book: Book, as_of: date, rules: FollowUps) -> Iterator[FollowUpRow]:
    """Yield the promises made up to the date, by customer in code point order and by day."""
    for customer_id, customer in sorted(book.customers.items()):
        if customer.opened_on > as_of:
            continue
        manager = owner_at(customer, as_of)
        for due_on, promised_on, kept_on in sorted(promises(book, customer_id, as_of)):
            status = _status(due_on, kept_on, as_of, rules)
            yield FollowUpRow(customer_id, due_on, promised_on, manager, status, kept_on)


def promises(
    book: Book, customer_id: str, as_of: date
) -> Iterator[tuple[date, date, date | None]]:
    """Yield each promise made up to a day: when it is due, when it was made, when it was kept.

    None for the day on which the relationship ended, or later: it binds nobody any more.
    """
    contacts = [
        ((contact.happened_on, contact.happened_at), contact.follow_up_on)
        for contact in book.contacts_of.get(customer_id, ())
        if contact.happened_on <= as_of
    ]
    told = [(due_on, made) for made, due_on in contacts if due_on is not None]
    told += [
        (follow_up.follow_up_on, (follow_up.promised_on, _FIRST))
        for follow_up in book.follow_ups_of.get(customer_id, ())
        if follow_up.promised_on <= as_of
    ]
    met = sorted(moment for moment, _ in contacts)
    customer = book.customers.get(customer_id)
    over_on = ended_on(customer, as_of) if customer else None
    for due_on, made in told:
        kept_on = next((on for on, at in met if on >= due_on and (on, at) > made), None)
        if over_on is None or due_on < over_on:
            yield due_on, made[0], kept_on


def contact_days(book: Book, customer_id: str, as_of: date) -> list[date]:
    """Return the days of the customer's contacts up to a date, earliest first."""
    contacts = book.contacts_of.get(customer_id, ())
    return sorted(each.happened_on for each in contacts if each.happened_on <= as_of)


def _status(due_on: date, kept_on: date | None, as_of: date, rules: FollowUps) -> FollowUpStatus:
    late_by = ((kept_on or as_of) - due_on).days - rules.late_after_days
    if kept_on is None:
        return "missed" if late_by > 0 else "open"
    return "kept_late" if late_by > 0 else "kept"
