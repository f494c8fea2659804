"""Commands of the working day: whom to see, who looks after whom; and the exports of it."""

from __future__ import annotations

from dataclasses import asdict
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from infra.agenda_answers import agenda_of
from infra.answers import NotOpenError, currency_of
from infra.cli.moments import AsOf, KnownAt  # noqa: TC001 - Typer reads them at run time
from infra.cli.questions import Currency, answered, asked, not_found
from infra.cli.settings import Settings, with_settings
from infra.documents import (
    agenda_document,
    handover_document,
    judgement_document,
    row_document,
)
from infra.rendering.agenda import agenda_view
from infra.rendering.judgement import judgement_view
from infra.rendering.ownership import ownership_view
from infra.rendering.value import value_view, values_view
from infra.rules.reading import agenda_rules, judgement_rules, value_rules
from projections.contact_agenda import AgendaRow, agenda_rows, of_manager, ranked
from projections.customer_value import ValueRow, top_share, value_rows
from projections.follow_ups import FollowUpRow, follow_up_rows
from projections.judgement import ChecklistRow, checklist_rows, judgement
from projections.ownership import (
    AttributionRow,
    OwnershipRow,
    attribution_rows,
    handovers,
    ownership_rows,
    periods,
)
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from infra.answers import QuestionError
    from projections.book import Book


def _agenda(book: Book, as_of: date, _: str) -> Iterator[AgendaRow]:
    return agenda_rows(book, as_of, agenda_rules())


def _follow_ups(book: Book, as_of: date, _: str) -> Iterator[FollowUpRow]:
    return follow_up_rows(book, as_of, agenda_rules().follow_up)


def _ownership(book: Book, as_of: date, _: str) -> Iterator[OwnershipRow]:
    return ownership_rows(book, as_of)


def _checklist(book: Book, as_of: date, _: str) -> Iterator[ChecklistRow]:
    return checklist_rows(book, as_of, judgement_rules())


def _value(book: Book, as_of: date, currency: str) -> list[ValueRow]:
    rows = value_rows(book, as_of, currency, value_rules())
    return sorted(rows, key=attrgetter("customer_id"))


EXPORTS: dict[str, Any] = {
    "agenda": (RELATIONSHIP, AgendaRow, _agenda),
    "follow-ups": (RELATIONSHIP, FollowUpRow, _follow_ups),
    "ownership": (RELATIONSHIP, OwnershipRow, _ownership),
    "attribution": (RELATIONSHIP, AttributionRow, attribution_rows),
    "checklist": (RELATIONSHIP, ChecklistRow, _checklist),
    "value": (RELATIONSHIP, ValueRow, _value),
}
WITHOUT_AMOUNTS = frozenset(
    {"agenda", "follow-ups", "ownership", "checklist", "findings", "rewards"}
)


def register(show: typer.Typer) -> None:
    """Add what can be shown."""
    show.command("agenda")(show_agenda)
    show.command("ownership")(show_ownership)
    show.command("judgement")(show_judgement)
    show.command("value")(show_value)


@with_settings
def show_agenda(
    settings: Settings,
    manager: Annotated[
        str | None, typer.Option(help="One manager's day list, jointly kept customers too.")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> None:
    """Show whom to see, why, and by when; what was overdone; promises kept and missed."""
    on, (book, rules, warnings) = answered(settings, as_of, known_at, agenda_of)
    rows, promises = agenda_rows(book, on, rules), follow_up_rows(book, on, rules.follow_up)
    if manager is not None:
        rows = of_manager(book, rows, manager, on)
        promises = of_manager(book, promises, manager, on)
    found, promised = ranked(rows, rules), list(promises)
    document = {
        "as_of": str(on),
        "manager": manager,
        "rows": [agenda_document(row, rules) for row in found],
        "follow_ups": [row_document(row) for row in promised],
        "warnings": warnings,
    }
    settings.answer(document, lambda: Console().print(agenda_view(found, promised, on, manager)))


@with_settings
def show_ownership(
    settings: Settings, customer_id: str, as_of: AsOf = None, known_at: KnownAt = None
) -> None:
    """Show who looked after a customer when, and what each handover hands over."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    customer = book.customers.get(customer_id)
    if customer is None or customer.opened_on > on:
        raise not_found("relationship", customer_id, on)
    rows = periods(customer_id, customer, on)
    states = list(handovers(book, customer_id, on))
    document = {
        "as_of": str(on),
        "customer_id": customer_id,
        "periods": [row_document(row) for row in rows],
        "handovers": [handover_document(state) for state in states],
    }
    settings.answer(
        document, lambda: Console().print(ownership_view(customer_id, rows, states, on))
    )


@with_settings
def show_judgement(
    settings: Settings, customer_id: str, as_of: AsOf = None, known_at: KnownAt = None
) -> None:
    """Show a customer's cross-checks, equity checks, and what came before each first draw."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    found = judgement(book, customer_id, on, judgement_rules())
    if found is None:
        raise not_found("relationship", customer_id, on)
    document = {"as_of": str(on), "customer_id": customer_id, **judgement_document(found)}
    settings.answer(document, lambda: Console().print(judgement_view(customer_id, found, on)))


@with_settings
def show_value(
    settings: Settings,
    customer_id: Annotated[str | None, typer.Argument(help="One customer. Default: all.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
) -> None:
    """Show what customers contribute, who the best are, and which tier fits."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    chosen, rules = currency_of(book, currency), value_rules()
    rows = list(value_rows(book, on, chosen, rules))
    document: dict[str, Any] = {"as_of": str(on), "currency": chosen}
    if customer_id is None:
        top = top_share(rows, rules)
        document |= {"top": asdict(top), "rows": [row_document(row) for row in rows]}
        settings.answer(document, lambda: Console().print(values_view(rows, top, on, chosen)))
        return
    found = next((row for row in rows if row.customer_id == customer_id), None)
    if found is None:
        raise _unranked(book, customer_id, on)
    settings.answer(
        document | row_document(found), lambda: Console().print(value_view(found, on, chosen))
    )


def _unranked(book: Book, customer_id: str, on: date) -> QuestionError:
    """Return why a customer has no value: nobody of that id is known, or they have left."""
    customer = book.customers.get(customer_id)
    if customer is None or customer.opened_on > on:
        return not_found("relationship", customer_id, on)
    message = f"relationship {customer_id!r} has ended by {on}: open ones alone have a value"
    return NotOpenError(message)
