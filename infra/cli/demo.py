"""`guanxi demo`: first weeks of a real bank's feed and a small story, in a throw-away ledger."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

import infra.demo
from infra.answers import Answers
from infra.cli.settings import Settings, with_settings
from infra.composition import make_ledger, opened
from infra.event_store.ledger import PARTITIONS, TOPIC_PREFIX
from infra.feeds.ingest import ingest
from infra.rendering.commitment import commitment_view, commitments_view
from infra.rendering.leaders import leaders_view
from infra.rendering.network import network_view
from infra.rendering.relationship import relationship_view
from infra.rules.reading import network_rules
from projections.deposit_compliance import compliance_rows
from projections.leaders import best, leader_rows
from projections.network_node import nodes
from projections.projection import COMPLIANCE, NETWORK, RELATIONSHIP
from projections.referral_network import Network
from projections.relationship_state import relationship

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from infra.composition import Parts
    from projections.book import Book

FEEDS = {"feed": "A real bank's feed, its first weeks", "story": "A small story of our own"}
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
    _next_steps(console, told.ledger)
    settings.answer({"ledger": told.ledger, "as_of": AS_OF.isoformat(), **shown}, lambda: None)


def _feed(console: Console, parts: Parts, folder: Path) -> None:
    """Record the feeds, from copies: the ledger remembers where a file lay."""
    ledger = parts.ledger()
    source = Path(infra.demo.__file__).parent
    _heading(console, "What is recorded", "CSV files, each row a command, each command an event")
    for name, title in FEEDS.items():
        copied = shutil.copytree(source / name, folder / name)
        with console.status(f"recording {name}"):
            report = ingest(copied, ledger, folder / "rejects.csv")
        rows = ", ".join(f"{f.recorded:,} {f.file.removesuffix('.csv')}" for f in report.files)
        console.print(Text.assemble((title, "bold"), f": {rows}"))


def _answers(console: Console, answers: Answers) -> dict[str, object]:
    book = answers.book(RELATIONSHIP)
    found = relationship(book, CUSTOMER, AS_OF, CURRENCY)
    assert found is not None, "the story opens it"
    _heading(console, "One customer", "what the bank knows, and what was promised for its loan")
    console.print(relationship_view(book, found, AS_OF, CURRENCY))
    compliance = answers.book(COMPLIANCE)
    groups = _grouped(compliance)
    for title, ids in groups.items():
        if title == MISSED:
            _heading(console, title, f"{len(ids)} commitments; the first, window by window")
            console.print(commitment_view(compliance, ids[0], AS_OF))
        else:
            _heading(console, title, f"{len(ids)} commitments; the first {COMMITMENTS_MAX}")
            console.print(commitments_view(compliance, ids[:COMMITMENTS_MAX], AS_OF))
    book = answers.book(NETWORK)
    network = Network(nodes(book, AS_OF, CURRENCY))
    top = best(
        leader_rows(book, list(network.rows()), AS_OF, network_rules(AS_OF)), "conversions", 5
    )
    _heading(console, "Referrals", "who brought whom, and what came of it")
    console.print(leaders_view(top, AS_OF, CURRENCY))
    console.print(network_view(network.tree(top[0].customer_id), AS_OF, CURRENCY))
    return {
        "customer": CUSTOMER,
        "commitments": {title: len(ids) for title, ids in groups.items()},
        "best_referrer": top[0].customer_id,
    }


def _heading(console: Console, title: str, words: str) -> None:
    console.print()
    console.rule(Text.assemble((title, "bold cyan"), f" · {words}"), align="left")


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


def _next_steps(console: Console, ledger: str) -> None:
    """Print lines that work when they are pasted: never wrapped, with this program's path."""
    program = _program()
    _heading(console, "What to try next", "paste the first line, then any other")
    for command, why in (
        (f"export GUANXI_LEDGER={shlex.quote(ledger)}", ""),
        (f"{program} show relationship GX-002 --as-of 1993-02-01", "a customer, as of a day"),
        (f"{program} show compliance GC-002", "a commitment, window by window"),
        (f"{program} export compliance", "every window, for a spreadsheet"),
        (f"{program} record", "what can be recorded, and with which fields"),
        (f"{program} audit replay", "fold the whole history again and compare"),
        (f"{program} serve", "the same over HTTP, with /metrics; Ctrl-C ends it"),
    ):
        if why:
            console.print(Text(f"# {why}", style="dim"))
        console.print(Text(command, style="green"), soft_wrap=True)


def _program() -> str:
    """Return how this program was called, so that the same words call it again."""
    called = Path(sys.argv[0])
    if shutil.which("guanxi") == str(called):
        return "guanxi"
    here = called.is_absolute() and called.is_relative_to(Path.cwd())
    return shlex.quote(str(called.relative_to(Path.cwd()) if here else called))
