"""`guanxi reward` and `guanxi referral`: what is due, taken back or over, by plans and rules."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from domain.deciding import NAMES
from infra.cli.failures import persisting
from infra.cli.moments import AsOf, KnownAt, day
from infra.cli.questions import asked, not_found
from infra.cli.settings import Settings, with_settings
from infra.composition import opened
from infra.documents import attribution_document, row_document
from infra.outages import tell_outage
from infra.rendering.rewards import attribution_view, rewards_view, run_view
from infra.rewarding import Run, following, id_of, record
from infra.rules.reading import attribution_rules, lapse_rules, reward_plans
from projections.projection import RELATIONSHIP
from projections.referral_attribution import attribution
from projections.referral_lapse import moved, overdue
from projections.rewards import RewardRow, claw_backs, due, reward_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infra.rewarding import Following
    from projections.book import Book

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what follows; record nothing.")]
Actor = Annotated[str | None, typer.Option(help="Who. Default: the login name.")]
EXPORTS: dict[str, Any] = {"rewards": (RELATIONSHIP, RewardRow, reward_rows)}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    reward = typer.Typer(help="Accrue what the reward plans give, and take back what they say.")
    reward.command("accrue")(accrue)
    reward.command("claw-back")(claw_back)
    app.add_typer(reward, name="reward")
    referral = typer.Typer(help="Let referrals lapse whose time ran out.")
    referral.callback()(lambda: None)  # so that its one command keeps its name
    referral.command("lapse")(lapse)
    app.add_typer(referral, name="referral")


def register_show(show: typer.Typer) -> None:
    """Add what can be shown."""
    show.command("rewards")(show_rewards)
    show.command("attribution")(show_attribution)


@with_settings
def accrue(
    settings: Settings, as_of: AsOf = None, dry_run: DryRun = False, actor: Actor = None
) -> None:
    """Accrue what the plans give for the milestones reached: each reward once."""
    by, plans, versions = actor or getpass.getuser(), reward_plans(), attribution_rules()
    _run(settings, as_of, by, lambda book, on: due(book, on, plans, versions, by), dry_run=dry_run)


@with_settings
def claw_back(
    settings: Settings, as_of: AsOf = None, dry_run: DryRun = False, actor: Actor = None
) -> None:
    """Take back what was not owed, or whose draw was reversed, or customer left or never came."""
    by, plans, versions = actor or getpass.getuser(), reward_plans(), attribution_rules()

    def taken(book: Book, on: date) -> Iterable[Following]:
        return claw_backs(book, on, plans, versions, by)

    _run(settings, as_of, by, taken, dry_run=dry_run)


@with_settings
def lapse(
    settings: Settings, as_of: AsOf = None, dry_run: DryRun = False, actor: Actor = None
) -> None:
    """Let the referrals lapse that came to nothing in the days that the rule gives them."""
    by, rules = actor or getpass.getuser(), lapse_rules()

    def lapses(book: Book, on: date) -> Iterable[Following]:
        return chain(overdue(book, on, rules), moved(book, on, rules))

    _run(settings, as_of, by, lapses, dry_run=dry_run)


def _run(
    settings: Settings,
    as_of: str | None,
    actor: str,
    find: Callable[[Book, date], Iterable[Following]],
    *,
    dry_run: bool,
) -> None:
    on = day("--as-of", as_of)

    def work() -> Run:
        with opened(settings) as parts:
            parts.catch_up()
            run = following(parts, on, find)
            if not dry_run:
                record(parts.ledger(on_outage=tell_outage), run, actor)
            return run

    run = persisting(work)
    document = {
        "as_of": str(run.as_of),
        "dry_run": dry_run,
        "recorded": len(run.recorded),
        "refused": {
            id_: {"code": error.code, "message": str(error)}
            for id_, error in sorted(run.refused.items())
        },
        "rows": [
            _plain(command) | {"recorded": id_of(command) in run.recorded}
            for command in run.commands
        ],
    }
    settings.answer(document, lambda: Console().print(run_view(run, dry_run=dry_run)))


def _plain(command: Following) -> dict[str, Any]:
    told = {n: str(v) if isinstance(v, date) else v for n, v in asdict(command).items()}
    return {"command": NAMES[type(command)], **told}


@with_settings
def show_rewards(
    settings: Settings,
    id_: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="A referral, prospect or payee. Default: all."),
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> None:
    """Show rewards: to whom, for whom, by which plan and formula, and how far each came."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    rows = list(reward_rows(book, on, of=id_))
    document = {"as_of": str(on), "rewards": [row_document(row) for row in rows]}
    settings.answer(document, lambda: Console().print(rewards_view(rows, on)))


@with_settings
def show_attribution(
    settings: Settings, prospect_id: str, as_of: AsOf = None, known_at: KnownAt = None
) -> None:
    """Show to whom a prospect's conversion is owed if it is claimed on the date."""
    on, book = asked(settings, RELATIONSHIP, as_of, known_at)
    if prospect_id not in book.referrals_of_prospect:
        raise not_found("prospect", prospect_id, on)
    owed = attribution(book, prospect_id, on, attribution_rules())
    document = {"as_of": str(on), **attribution_document(owed)}
    settings.answer(document, lambda: Console().print(attribution_view(owed, on)))
