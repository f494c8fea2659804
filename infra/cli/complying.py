"""The command that explains a commitment: `show compliance`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group

from infra.answers import Answers
from infra.cli.failures import BadCallError, persisting
from infra.cli.moments import AsOf, KnownAt, day, instant
from infra.cli.questions import not_found
from infra.cli.settings import Settings, with_settings
from infra.composition import opened
from infra.rendering.balances import balances_view
from infra.rendering.commitment import commitment_view
from infra.rendering.headroom import headroom_view
from infra.rendering.reported import reported_view
from infra.rendering.window import costs_view, days_view
from infra.reported_documents import (
    explained,
    explained_commitment_document,
    report_document,
)
from infra.reports import reports_told
from projections.deposit_compliance import begun, currency_of
from projections.headroom import headroom
from projections.projection import COMPLIANCE

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.values import Instant
    from infra.composition import Parts


def register(show: typer.Typer) -> None:
    """Add the command to `show`."""
    show.command("compliance")(show_compliance)


@with_settings
def show_compliance(
    settings: Settings,
    commitment_id: str,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="A day of the window to explain. Default: the one begun last."
        ),
    ] = None,
    as_reported: Annotated[
        bool,
        typer.Option(
            "--as-reported/--as-known",
            help="Add what closes have reported, beside what is known. Default: what is known.",
        ),
    ] = False,
) -> None:
    """Show one commitment: its terms, its windows begun by the date, one of them day by day."""
    on, known, within = (
        day("--as-of", as_of),
        instant("--known-at", known_at),
        day("--window", window),
    )

    def ask() -> tuple[dict[str, Any], RenderableType]:
        with opened(settings) as parts:
            parts.catch_up()
            return _explained(parts, commitment_id, (on, known), within, as_reported=as_reported)

    document, view = persisting(ask)
    settings.answer(document, lambda: Console().print(view))


def _explained(
    parts: Parts,
    commitment_id: str,
    asked: tuple[date | None, Instant | None],
    within: date | None,
    *,
    as_reported: bool,
) -> tuple[dict[str, Any], RenderableType]:
    """Return the answer for programs and for people. Raises `NotFoundError`, `BadCallError`."""
    answers = Answers(parts)
    on, book = answers.as_of(asked[0]), answers.book(COMPLIANCE, asked[1])
    if commitment_id not in book.commitments or book.commitments[commitment_id][1].agreed_on > on:
        raise not_found("commitment", commitment_id, on)
    currency = currency_of(book.commitments[commitment_id][1])
    told = explained(book, commitment_id, on, within)
    document = explained_commitment_document(parts, book, commitment_id, on, asked[1], told)
    views: list[RenderableType] = [commitment_view(book, commitment_id, on)]
    if months := list(headroom(book, commitment_id, on)):
        views += ["", headroom_view({commitment_id: months})]
    if told.costs:
        views += ["", costs_view(told.costs, currency)]
    if told.test is not None:
        views += ["", balances_view(told.days, currency)]
        views += ["", days_view(told.test, told.days, currency)]
    elif within is not None:
        message = f"--window: no window of {commitment_id!r} begun by {on} has the day {within}"
        raise BadCallError(message)
    if as_reported:
        reports = reports_told(parts.store, [commitment_id], on, asked[1])[commitment_id]
        document["reported"] = [report_document(each) for each in reports]
        views += ["", reported_view(reports, begun(book, commitment_id, on), currency)]
    return document, Group(*views)
