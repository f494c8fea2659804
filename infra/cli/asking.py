"""Commands that ask: `show`, `export`, `status`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from infra.answers import Answers, NotFoundError, currency_of
from infra.cli.failures import BadCallError, persisting
from infra.cli.moments import AsOf, KnownAt, day, instant
from infra.cli.settings import Settings, with_settings
from infra.composition import opened
from infra.documents import commitment_document, relationship_document, row_document
from infra.exports import FORMATS, write_export
from infra.rendering.commitment import commitment_view
from infra.rendering.network import network_view
from infra.rendering.relationship import relationship_view
from infra.status import status_of
from projections.deposit_compliance import ComplianceRow, compliance_rows
from projections.projection import COMPLIANCE, NETWORK, RELATIONSHIP, Projection
from projections.referral_network import NetworkRow, network_rows, tree
from projections.relationship_state import RelationshipRow, relationship, relationship_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from projections.book import Book

Currency = Annotated[str | None, typer.Option(help="Needed only where the ledger holds several.")]

# What can be exported: the projection, the type of its rows, and who makes them.
EXPORTS: dict[str, tuple[Projection, Any, Callable[[Book, date, str], Iterator[Any]]]] = {
    "compliance": (COMPLIANCE, ComplianceRow, compliance_rows),
    "relationships": (RELATIONSHIP, RelationshipRow, relationship_rows),
    "network": (NETWORK, NetworkRow, network_rows),
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("status")(status)
    show = typer.Typer(help="Show one relationship, commitment or part of the network.")
    show.command("relationship")(show_relationship)
    show.command("compliance")(show_compliance)
    show.command("network")(show_network)
    app.add_typer(show, name="show")


@with_settings
def export(
    settings: Settings,
    view: Annotated[str, typer.Argument(help=" | ".join(EXPORTS))],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"{' | '.join(FORMATS)}. Default: csv.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file. Default: stdout.")] = None,
) -> None:
    """Export a view: rows in key order, amounts in minor units.

    With --json and without --out the rows are in the one JSON document.
    """
    projection, row_type, made = _chosen("view", view, EXPORTS)
    chosen = _chosen("--format", format_ or "csv", {name: name for name in FORMATS})
    on, book = _asked(settings, projection, as_of, known_at)
    rows = made(book, on, currency_of(book, currency))
    if settings.as_json and out is None:
        if format_ is not None:
            message = "--json is a format of its own: leave --format out, or name --out FILE"
            raise BadCallError(message)
        settings.answer(
            {"view": view, "as_of": str(on), "rows": [row_document(row) for row in rows]},
            lambda: None,
        )
        return
    written = write_export(row_type, rows, chosen, out)
    if out is not None:
        document = {"view": view, "as_of": str(on), "rows": written, "out": str(out)}
        settings.answer(
            document, lambda: Console().print(f"{written} rows in {out}", markup=False)
        )


@with_settings
def show_relationship(
    settings: Settings,
    customer_id: str,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
) -> None:
    """Show one customer: owner, contacts, loans, deposits, commitments, referrals."""
    on, book = _asked(settings, RELATIONSHIP, as_of, known_at)
    chosen = currency_of(book, currency)
    found = relationship(book, customer_id, on, chosen)
    if found is None:
        raise _not_found("relationship", customer_id, on)
    document = relationship_document(found, on, chosen)
    settings.answer(document, lambda: Console().print(relationship_view(book, found, on, chosen)))


@with_settings
def show_compliance(
    settings: Settings, commitment_id: str, as_of: AsOf = None, known_at: KnownAt = None
) -> None:
    """Show one commitment: its terms, and each window begun by the date."""
    on, book = _asked(settings, COMPLIANCE, as_of, known_at)
    if commitment_id not in book.commitments or book.commitments[commitment_id][1].agreed_on > on:
        raise _not_found("commitment", commitment_id, on)
    settings.answer(
        commitment_document(book, commitment_id, on),
        lambda: Console().print(commitment_view(book, commitment_id, on)),
    )


@with_settings
def show_network(
    settings: Settings,
    customer_id: str,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    currency: Currency = None,
) -> None:
    """Show everyone whom a customer brought, directly and through others."""
    on, book = _asked(settings, NETWORK, as_of, known_at)
    chosen = currency_of(book, currency)
    found = tree(network_rows(book, on, chosen), customer_id)
    if not found:
        raise _not_found("customer", customer_id, on)
    document = {"as_of": str(on), "currency": chosen, "nodes": [row_document(r) for r in found]}
    settings.answer(document, lambda: Console().print(network_view(found, on, chosen)))


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
            return status_of(parts, digests=digests)

    found = persisting(ask)
    settings.answer(found, lambda: Console().print(_status_table(found)))


def _asked(
    settings: Settings, projection: Projection, as_of: str | None, known_at: str | None
) -> tuple[date, Book]:
    """Return the date asked for and the book that answers."""
    on, known = day("--as-of", as_of), instant("--known-at", known_at)

    def ask() -> tuple[date, Book]:
        with opened(settings) as parts:
            parts.catch_up()
            answers = Answers(parts)
            return answers.as_of(on), answers.book(projection, known)

    return persisting(ask)


def _chosen(what: str, word: str, choices: dict[str, Any]) -> Any:  # noqa: ANN401 - a value of choices
    if word not in choices:
        message = f"{what} {word!r} is not one of {', '.join(choices)}"
        raise BadCallError(message)
    return choices[word]


def _not_found(what: str, id_: str, on: date) -> NotFoundError:
    return NotFoundError(f"no {what} {id_!r} is known as of {on}")


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
