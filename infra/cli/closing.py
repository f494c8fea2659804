"""The command that closes business days: `close`."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from infra.cli.failures import BadCallError, persisting
from infra.cli.judging import Packs  # noqa: TC001 - Typer reads it at run time
from infra.cli.moments import day
from infra.cli.settings import Settings, with_settings
from infra.closer import Closed, Closer
from infra.composition import opened
from infra.documents import row_document
from infra.policy.packs import DEFAULT, load_packs

if TYPE_CHECKING:
    from datetime import date


HEADINGS = (  # of `Closed`, so that they fit a terminal of 80 columns
    "day",
    "through",
    "tested",
    "restated",
    "breached",
    "cured",
    "costs",
    "findings",
    "set aside",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("close")(close)


@with_settings
def close(
    settings: Settings,
    business_date: Annotated[str, typer.Argument(metavar="DATE", help="YYYY-MM-DD.")],
    through: Annotated[
        str | None, typer.Option(metavar="DATE", help="Close a run of days, up to this one.")
    ] = None,
    carry: Annotated[
        bool, typer.Option("--carry", help="Go on where an account has no balance of the day.")
    ] = False,
    pack: Packs = None,
    unjudged: Annotated[
        bool,
        typer.Option("--unjudged", help="Raise no findings: the next close that judges does."),
    ] = False,
) -> None:
    """Close a business day: test the windows that are due, judge, and report what came of it.

    The policy packs are not legal advice.
    """
    if pack and unjudged:
        message = "--pack judges, --unjudged does not: leave one of them out"
        raise BadCallError(message)
    packs = () if unjudged else load_packs(pack or DEFAULT)
    first = day("DATE", business_date)
    last = first if through is None else day("--through", through)
    if first is None or last is None:
        message = "name the day to close"
        raise BadCallError(message)
    closed: dict[date, Closed] = {}

    def work() -> None:
        with (
            opened(settings) as parts,
            Progress(console=Console(stderr=True), transient=True) as bar,
        ):
            task = bar.add_task("closing", total=(last - first).days + 1)
            for each in Closer(parts, getpass.getuser(), packs).close(first, last, carry=carry):
                closed[each.business_date] = each
                bar.update(task, description=str(each.business_date), completed=len(closed))

    persisting(work)
    document: dict[str, Any] = {"closed": [row_document(each) for each in closed.values()]}
    settings.answer(document, lambda: _show(list(closed.values()), last))


def _show(closed: list[Closed], last: date) -> None:
    if not closed:
        Console().print(f"{last} is closed already.")
        return
    table = Table(title="Closed", box=None, padding=(0, 1, 0, 0))
    for name in HEADINGS:
        table.add_column(name, justify="right", no_wrap=True)
    for each in closed:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in each))
    Console().print(table)
