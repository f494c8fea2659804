"""Commands for auditors: `audit replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from infra.audit import history, replayed_digests
from infra.cli.failures import BadCallError, persisting
from infra.cli.moments import KnownAt, instant
from infra.cli.settings import Settings, with_settings
from infra.composition import opened

if TYPE_CHECKING:
    from infra.composition import Parts

Through = Annotated[
    int | None, typer.Option(min=0, help="The last position to replay. Default: all there is.")
]
Customer = Annotated[
    str | None, typer.Option("--customer", help="Show this customer's events, one a line.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="Replay history and compare what it gives.")
    audit.command("replay")(replay)
    # A group of one command would take its place; `audit` keeps its own name.
    audit.callback()(lambda: None)
    app.add_typer(audit, name="audit")


@with_settings
def replay(
    settings: Settings,
    customer: Customer = None,
    through: Through = None,
    known_at: KnownAt = None,
) -> None:
    """Fold the ledger's events again and compare the digests with those of the live views.

    Exit status 1 where a live view at the same position differs.
    """
    if through is not None and known_at is not None:
        message = "name --through or --known-at, not both"
        raise BadCallError(message)
    known = instant("--known-at", known_at)

    def ask() -> dict[str, Any]:
        with opened(settings) as parts:
            parts.catch_up()
            position = _position(parts, through, known)
            if customer is not None:
                return {"position": position, "events": history(parts, customer, position)}
            return {"position": position, "views": replayed_digests(parts, position)}

    found = persisting(ask)
    settings.answer(found, lambda: Console().print(_table(found)))
    if any(view["matches"] is False for view in found.get("views", {}).values()):
        raise typer.Exit(1)


def _position(parts: Parts, through: int | None, known: int | None) -> int:
    last = parts.store.position()
    if through is not None:
        return min(through, last)
    return last if known is None else parts.store.position_at(known)


def _table(found: dict[str, Any]) -> Table:
    if "events" in found:
        table = Table("position", "occurred on", "recorded at (UTC)", "event", "facts", "source")
        for each in found["events"]:
            facts = ", ".join(f"{name} {value}" for name, value in each["data"].items())
            when = (str(each["position"]), each["occurred_on"], each["recorded_at"])
            table.add_row(*when, each["type"], facts, each["source"])
        return table
    words = {True: "the same", False: "DIFFERENT", None: "stands elsewhere"}
    table = Table("view", Column("digest of the replay", overflow="fold"), "the live view is")
    table.title = f"Replayed up to position {found['position']:,}"
    for name, view in found["views"].items():
        table.add_row(name, view["digest"], words[view["matches"]])
    return table
