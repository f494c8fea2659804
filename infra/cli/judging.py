"""`guanxi judge`: find what the policy packs flag, and record it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from infra.answers import Answers
from infra.cli.failures import persisting
from infra.cli.moments import AsOf, KnownAt, day, instant
from infra.cli.settings import Settings, with_settings
from infra.composition import opened
from infra.documents import row_document
from infra.outages import tell_outage
from infra.policy.judging import Judgement, judged, raise_findings
from infra.policy.packs import DEFAULT, NAMES, load_packs
from infra.rendering.findings import judgement_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.policy.rules import Pack

Packs = Annotated[
    list[str] | None,
    typer.Option(
        "--pack", help=f"{' | '.join(NAMES)}, or a file *.toml; may be repeated. Default: cn."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what is found; record nothing.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("judge")(judge)


@with_settings
def judge(
    settings: Settings,
    pack: Packs = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    dry_run: DryRun = False,
    actor: Annotated[str | None, typer.Option(help="Who. Default: the login name.")] = None,
) -> None:
    """Judge each fact by the law of its own day, and raise what was not raised before.

    The packs are not legal advice. With --known-at, what the ledger knew then is judged.
    """
    packs = load_packs(pack or DEFAULT)
    on, known = day("--as-of", as_of), instant("--known-at", known_at)

    def ask() -> Judgement:
        with opened(settings) as parts:
            parts.catch_up()
            found = judged(parts, packs, Answers(parts).as_of(on), known)
            if not dry_run:
                ledger = parts.ledger(on_outage=tell_outage)
                raise_findings(ledger, found, actor or getpass.getuser())
            return found

    found = persisting(ask)
    document = _document(found, packs, dry_run=dry_run)
    settings.answer(document, lambda: Console().print(judgement_view(found, dry_run=dry_run)))


def _document(found: Judgement, packs: Sequence[Pack], *, dry_run: bool) -> dict[str, Any]:
    return {
        "as_of": found.as_of.isoformat(),
        "known_through": found.through,
        "packs": [pack.jurisdiction for pack in packs],
        "dry_run": dry_run,
        "raised": len(found.raised),
        "raised_before": len(found.findings) - len(found.new),
        "refused": {id_: str(error) for id_, error in sorted(found.refused.items())},
        "findings": [
            row_document(finding)
            | {
                "events": list(found.events[finding.finding_id]),
                "raised_before": finding.finding_id in found.known,
            }
            for finding in found.findings
        ],
    }
