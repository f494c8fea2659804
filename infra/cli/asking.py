"""Commands that ask: `show`, `export`, `status`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from infra.agenda_answers import agenda_of
from infra.answers import currency_of
from infra.cli import complying, graphs, networks, rewarding, working_day
from infra.cli.failures import BadCallError, persisting
from infra.cli.moments import AsOf, KnownAt  # noqa: TC001 - Typer reads them at run time
from infra.cli.questions import Currency, answered, asked, not_found
from infra.cli.settings import Settings, with_settings
from infra.composition import opened
from infra.documents import finding_document, relationship_document, row_document
from infra.exports import FORMATS, write_export
from infra.graph_files import GRAPH_FORMATS, write_graph
from infra.network_answers import circle_rows_of, network_rows_of
from infra.policy.judging import events_of_raised
from infra.rendering.findings import findings_view
from infra.rendering.relationship import relationship_view
from infra.status import keys_trouble, status_of
from projections.deposit_compliance import ComplianceRow, compliance_rows
from projections.findings import OPEN, FindingRow, finding_rows
from projections.guarantee_network import CircleRow
from projections.projection import (
    FINDINGS,
    RELATIONSHIP,
    WINDOWS,
    Projection,
)
from projections.referral_network import NetworkRow
from projections.relationship_state import RelationshipRow, relationship, relationship_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from domain.values import Instant
    from infra.answers import Answers
    from projections.book import Book

# What can be exported: the projection, the type of its rows, and who makes them.
EXPORTS: dict[str, tuple[Projection, Any, Callable[[Book, date, str], Iterator[Any]]]] = {
    "compliance": (WINDOWS, ComplianceRow, compliance_rows),
    "relationships": (RELATIONSHIP, RelationshipRow, relationship_rows),
    "findings": (FINDINGS, FindingRow, finding_rows),
    **networks.EXPORTS,
    **working_day.EXPORTS,
    **rewarding.EXPORTS,
}

# What needs no book, but is made as the view is read.
STREAMED: dict[str, tuple[Any, Callable[..., Iterator[Any]]]] = {
    "network": (NetworkRow, network_rows_of),
    "circles": (CircleRow, circle_rows_of),
}
VIEWS = STREAMED | EXPORTS
WITHOUT_AMOUNTS = networks.WITHOUT_AMOUNTS | working_day.WITHOUT_AMOUNTS


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("status")(status)
    show = typer.Typer(help="Show one relationship, commitment or part of the network.")
    show.command("relationship")(show_relationship)
    complying.register(show)
    graphs.register(show)
    show.command("findings")(show_findings)
    networks.register(show)
    working_day.register(show)
    rewarding.register_show(show)
    app.add_typer(show, name="show")


@with_settings
def export(
    settings: Settings,
    view: Annotated[str, typer.Argument(help=" | ".join(VIEWS))],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help=f"{' | '.join(FORMATS)}. Default: csv."
            f" The network also as a graph: {' | '.join(GRAPH_FORMATS)}.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file. Default: stdout.")] = None,
) -> None:
    """Export a view: rows in key order, amounts in minor units.

    With --json and without --out the rows are in the one JSON document.
    """
    graph = view == "network" and format_ in GRAPH_FORMATS
    more: dict[str, Any] = {}
    formats = (*FORMATS, *GRAPH_FORMATS) if graph else FORMATS
    _chosen("view", view, VIEWS)
    chosen = _chosen("--format", format_ or "csv", {name: name for name in formats})
    to_json = settings.as_json and out is None
    if to_json and format_ is not None:
        message = "--json is a format of its own: leave --format out, or name --out FILE"
        raise BadCallError(message)
    if graph:
        on, book = asked(settings, RELATIONSHIP, as_of, known_at)
        written = write_graph(book, on, currency_of(book, currency), chosen, out)
    else:
        on, row_type, rows, more = _rows(settings, view, as_of, known_at, currency)
        if to_json:
            found = [row_document(row) for row in rows]
            settings.answer({"view": view, "as_of": str(on), "rows": found, **more}, lambda: None)
            return
        written = write_export(row_type, rows, chosen, out)
    if out is not None:
        document = {"view": view, "as_of": str(on), "rows": written, "out": str(out), **more}
        settings.answer(document, lambda: typer.echo(f"{written} rows in {out}"))


def _rows(
    settings: Settings, view: str, as_of: str | None, known_at: str | None, currency: str | None
) -> tuple[date, Any, Iterator[Any], dict[str, Any]]:
    """Return the date, the type of the rows, the rows, and what a JSON document tells beside."""
    if view in STREAMED:
        row_type, read = STREAMED[view]

        def ask(answers: Answers, on: date, known: Instant | None) -> Iterator[Any]:
            return read(answers, on, currency, known)

        on, rows = answered(settings, as_of, known_at, ask)
        return on, row_type, rows, {}
    projection, row_type, made = EXPORTS[view]
    if view == "agenda":
        on, (book, _, warnings) = answered(settings, as_of, known_at, agenda_of)
        return on, row_type, made(book, on, ""), {"warnings": warnings}
    on, book = asked(settings, projection, as_of, known_at)
    told = "" if view in WITHOUT_AMOUNTS else currency_of(book, currency)
    return on, row_type, made(book, on, told), {}


@with_settings
def show_relationship(
    settings: Settings,
    customer_id: str,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
) -> None:
    """Show one customer: owner, contacts, loans, deposits, commitments, referrals."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    chosen = currency_of(book, currency)
    found = relationship(book, customer_id, on, chosen)
    if found is None:
        raise not_found("relationship", customer_id, on)
    document = relationship_document(found, on, chosen)
    settings.answer(document, lambda: Console().print(relationship_view(book, found, on, chosen)))


@with_settings
def show_findings(
    settings: Settings,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    customer: Annotated[str | None, typer.Option(help="Of this customer alone.")] = None,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those about which nothing was done yet.")
    ] = False,
) -> None:
    """Show what the policy packs raised and what became of it. Not legal advice."""

    def ask(answers: Answers, on: date, known: Instant | None) -> tuple[list[Any], RenderableType]:
        book = answers.book(FINDINGS, known)
        rows = [
            row
            for row in finding_rows(book, on)
            if customer in {None, row.customer_id} and (row.status in OPEN or not only_open)
        ]
        events = events_of_raised(answers.parts.store, (row.finding_id for row in rows))
        found = [finding_document(book, row, on, events[row.finding_id]) for row in rows]
        return found, findings_view(book, rows, on, events)

    on, (found, view) = answered(settings, as_of, known_at, ask)
    settings.answer({"as_of": str(on), "findings": found}, lambda: Console().print(view))


@with_settings
def status(
    settings: Settings,
    digests: Annotated[
        bool, typer.Option("--digests", help="Add the digest of each view (SHA-256).")
    ] = False,
) -> None:
    """Show where the ledger, the relay and the views stand."""

    def ask() -> dict[str, Any]:
        with opened(settings) as parts:
            parts.catch_up()
            if trouble := keys_trouble(parts):
                sys.stderr.write(f"guanxi: warning: {trouble}\n")
            return status_of(parts, digests=digests)

    found = persisting(ask)
    settings.answer(found, lambda: Console().print(_status_table(found)))


def _chosen(what: str, word: str, choices: dict[str, Any]) -> Any:  # noqa: ANN401 - a value of choices
    if word not in choices:
        message = f"{what} {word!r} is not one of {', '.join(choices)}"
        raise BadCallError(message)
    return choices[word]


def _status_table(found: dict[str, Any]) -> Table:
    ledger, relay = found["ledger"], found["relay"]
    table = Table(title=f"Ledger {ledger['id']} ({ledger['profile']})")
    for name in ("", "position", "behind", "parked", "version", "digest"):
        justify: Literal["left", "right"] = "left" if name in {"", "digest"} else "right"
        table.add_column(name, justify=justify, overflow="fold")
    table.add_row("ledger", f"{ledger['position']:,}")
    if relay is not None:
        leader = relay["leader"] or "nobody leads"
        lag = f"{relay['lag_events']:,}"
        table.add_row(f"relay ({leader})", f"{relay['position']:,}", lag)
    for name, state in found["projections"].items():
        figures = (f"{state[each]:,}" for each in ("position", "lag_events", "parked_keys"))
        table.add_row(name, *figures, str(state["version"]), state.get("digest") or "")
    return table
