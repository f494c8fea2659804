"""`guanxi demo`: first weeks of a real bank's feed and a small story, in a throw-away ledger."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

import infra.demo
from infra.answers import Answers
from infra.cli.settings import Settings, with_settings
from infra.composition import make_ledger, opened
from infra.event_store.ledger import PARTITIONS, TOPIC_PREFIX
from infra.feeds.ingest import ingest
from infra.rendering.commitment import commitment_view, commitments_view
from infra.rendering.network import leaders_view, network_view
from infra.rendering.relationship import relationship_view
from projections.deposit_compliance import compliance_rows
from projections.projection import COMPLIANCE, NETWORK, RELATIONSHIP
from projections.referral_network import leaders, network_rows, tree
from projections.relationship_state import relationship

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from infra.composition import Parts
    from projections.book import Book

FEEDS = ("feed", "story")
CUSTOMER = "GX-001"
CURRENCY = "CZK"
AS_OF = date(1993, 2, 21)
# What a relationship manager wants to see first of each.
GROUPS = (
    ("On track", ("on_track", "met", "cured")),
    ("At risk", ("at_risk", "in_grace", "in_cure")),
)
MISSED = "Missed"
STORY = "GC"  # the story's commitments come first
COMMITMENTS_MAX = 4  # of each group


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


@with_settings
def demo(settings: Settings) -> None:
    """Show the ledger at work in half a minute, on one SQLite file; nothing else is needed."""
    folder = Path(tempfile.mkdtemp(prefix="guanxi-demo-"))
    told = replace(settings, ledger=f"sqlite:{folder / 'demo.db'}", kafka=None, keys=None)
    make_ledger(told, partitions=PARTITIONS, topic_prefix=TOPIC_PREFIX)
    console = Console(stderr=settings.as_json)
    with opened(told) as parts:
        _feed(console, parts, folder)
        parts.catch_up()
        shown = _answers(console, Answers(parts))
    console.print(_next_steps(told.ledger))
    settings.answer({"ledger": told.ledger, "as_of": AS_OF.isoformat(), **shown}, lambda: None)


def _feed(console: Console, parts: Parts, folder: Path) -> None:
    ledger = parts.ledger()
    source = Path(infra.demo.__file__).parent
    for name in FEEDS:
        copied = shutil.copytree(source / name, folder / name)
        with console.status(f"recording {name}"):
            report = ingest(copied, ledger, folder / "rejects.csv")
        console.print(report.table())


def _answers(console: Console, answers: Answers) -> dict[str, object]:
    book = answers.book(RELATIONSHIP)
    found = relationship(book, CUSTOMER, AS_OF, CURRENCY)
    assert found is not None, "the story opens it"
    console.print(relationship_view(book, found, AS_OF, CURRENCY))
    compliance = answers.book(COMPLIANCE)
    groups = _grouped(compliance)
    for title, ids in groups.items():
        console.rule(f"{title}: {len(ids)} commitments")
        if title == MISSED:
            console.print(commitment_view(compliance, ids[0], AS_OF))
        else:
            console.print(commitments_view(compliance, ids[:COMMITMENTS_MAX], AS_OF))
    console.rule("Referrals")
    rows = list(network_rows(answers.book(NETWORK), AS_OF, CURRENCY))
    best = leaders(rows, "converted_descendants", 5)
    console.print(leaders_view(best, AS_OF, CURRENCY))
    console.print(network_view(tree(rows, best[0].customer_id), AS_OF, CURRENCY))
    return {
        "customer": CUSTOMER,
        "commitments": {title: len(ids) for title, ids in groups.items()},
        "best_referrer": best[0].customer_id,
    }


def _grouped(book: Book) -> dict[str, Sequence[str]]:
    """Return who missed any window, and of the others how their last one stands."""
    windows: dict[str, list[str]] = {}
    for row in compliance_rows(book, AS_OF, CURRENCY):
        windows.setdefault(row.commitment_id, []).append(row.status)
    by_id = sorted(windows, key=lambda id_: (not id_.startswith(STORY), id_))
    missed = [id_ for id_ in by_id if "breached" in windows[id_]]
    groups: dict[str, Sequence[str]] = {
        title: [id_ for id_ in by_id if windows[id_][-1] in statuses and id_ not in missed]
        for title, statuses in GROUPS
    }
    return {**groups, MISSED: missed}


def _next_steps(ledger: str) -> Panel:
    steps = Table.grid(padding=(0, 2))
    for command, why in (
        ("guanxi show relationship GX-002", "another customer, as of any day: --as-of 1993-02-01"),
        ("guanxi show compliance GC-003", "a missed commitment, window by window"),
        ("guanxi export compliance --format csv", "every window, for a spreadsheet"),
        ("guanxi record", "what can be recorded, and with which fields"),
        ("guanxi audit replay", "fold the whole history again and compare"),
        ("guanxi serve", "the same over HTTP, with /metrics"),
    ):
        steps.add_row(command, why)
    where = f"export GUANXI_LEDGER={ledger}"
    return Panel(steps, title="What to try next", subtitle=where)
