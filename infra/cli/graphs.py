"""Commands that show the referral network and the circles: in the terminal, or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from infra.answers import currency_of
from infra.cli.failures import BadCallError
from infra.cli.moments import AsOf, KnownAt  # noqa: TC001 - Typer reads them at run time
from infra.cli.questions import Currency, answered, asked, not_found
from infra.cli.settings import Settings, with_settings
from infra.documents import circle_document, loss_walk_document, row_document
from infra.network_answers import network_of
from infra.pages import circles_page, network_page, write_page
from infra.rendering.circles import circles_view, loss_walk_view
from infra.rendering.network import network_view
from projections.guarantee_network import circles, group_rows, joint_liability_groups
from projections.loss_walk import loss_walk
from projections.projection import GUARANTEES

if TYPE_CHECKING:
    from datetime import date

    from infra.pages import Page
    from projections.book import Book

Html = Annotated[
    Path | None,
    typer.Option(
        "--html", metavar="FILE", help="Write a page for a browser, which needs no network."
    ),
]


def register(show: typer.Typer) -> None:
    """Add the commands to `show`."""
    show.command("network")(show_network)
    show.command("circles")(show_circles)


@with_settings
def show_network(
    settings: Settings,
    customer_id: Annotated[
        str | None, typer.Argument(help="Needed in the terminal. Default with --html: all.")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
    html: Html = None,
) -> None:
    """Show everyone whom a customer brought, directly and through others."""
    if customer_id is None and html is None:
        message = "name a customer, or --html FILE for a page of the whole network"
        raise BadCallError(message)
    on, (network, chosen) = answered(
        settings,
        as_of,
        known_at,
        lambda answers, on, known: network_of(answers, on, currency, known),
    )
    if customer_id is None:
        found = list(network.rows(all_referrers=True))
    elif not (found := network.tree(customer_id)):
        raise not_found("customer", customer_id, on)
    if html is not None:
        _answer_page(settings, network_page(found, on, chosen, customer_id), html, on)
        return
    document = {"as_of": str(on), "currency": chosen, "nodes": [row_document(r) for r in found]}
    settings.answer(document, lambda: Console().print(network_view(found, on, chosen)))


@with_settings
def show_circles(
    settings: Settings,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
    default: Annotated[
        str | None, typer.Option(help="A borrower: the losses if that one defaults, by steps.")
    ] = None,
    html: Html = None,
) -> None:
    """Show who stands for whom in circles and groups, or what one default pulls after it."""
    if default is not None and html is not None:
        message = "--html shows circles and groups: leave --default out"
        raise BadCallError(message)
    on, book = asked(settings, GUARANTEES, as_of, known_at)
    chosen = currency_of(book, currency)
    if html is not None:
        _answer_page(settings, circles_page(book, on, chosen), html, on)
    elif default is not None:
        _answer_losses(settings, book, default, on, chosen)
    else:
        _answer_circles(settings, book, on, chosen)


def _answer_page(settings: Settings, page: Page, out: Path, on: date) -> None:
    write_page(page, out)
    told = {"nodes": len(page.nodes), "edges": len(page.links), "html": str(out)}
    text = f"{told['nodes']} nodes and {told['edges']} edges in {out}"
    settings.answer({"as_of": str(on), **told}, lambda: typer.echo(text))


def _answer_losses(
    settings: Settings, book: Book, borrower_id: str, on: date, currency: str
) -> None:
    if borrower_id not in book.loans_of:
        raise not_found("borrower", borrower_id, on)
    walk = loss_walk(book, borrower_id, on, currency)
    document = loss_walk_document(walk, on, currency)
    settings.answer(document, lambda: Console().print(loss_walk_view(walk, on, currency)))


def _answer_circles(settings: Settings, book: Book, on: date, currency: str) -> None:
    found, groups = list(circles(book, on, currency)), list(group_rows(book, on, currency))
    joint = joint_liability_groups(book, on)
    document = {
        "as_of": str(on),
        "currency": currency,
        "circles": [circle_document(circle) for circle in found],
        "groups": [row_document(row) for row in groups],
        "joint_liability_groups": joint,
    }
    settings.answer(
        document, lambda: Console().print(circles_view(found, groups, joint, on, currency))
    )
