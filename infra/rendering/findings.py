"""Findings (合规发现) in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from infra.rendering.figures import table, told
from projections.findings import OPEN, assigned_at, finding_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from rich.console import RenderableType

    from infra.policy.judging import Judgement
    from projections.book import Book
    from projections.findings import FindingRow

STYLES = {"high": "bold red", "medium": "bold yellow"}


def findings_view(
    book: Book, rows: Iterable[FindingRow], as_of: date, events: Mapping[str, Iterable[str]]
) -> RenderableType:
    """Return findings as a table, with what was found, the evidence, and who deals with it."""
    names = ("finding", "rule", "severity", "customer", "offended", "status", "what was found")
    made = table(f"Findings as of {as_of}", names)
    for row in rows:
        finding = book.findings[row.finding_id][1]
        assigned = assigned_at(finding, as_of)
        made.add_row(
            Text(row.finding_id),
            Text(f"{row.rule} v{row.rule_version}"),
            Text(row.severity, style=STYLES.get(row.severity, "")),
            Text(row.customer_id),
            told(finding.offended_on),
            Text(f"{row.status}: {assigned}" if assigned else row.status),
            _told(finding.detail, (*finding.facts, *events[row.finding_id])),
        )
    return made


def _told(detail: str, evidence: Iterable[str]) -> Text:
    """Return what was found, and below it facts by their keys and events by their ids."""
    return Text("\n").join([Text(detail), *(Text(key, style="dim") for key in evidence)])


def findings_line(book: Book, customer_id: str, as_of: date) -> Text:
    """Return the open findings of one customer as rules and their number."""
    rows = [
        row
        for row in finding_rows(book, as_of)
        if row.customer_id == customer_id and row.status in OPEN
    ]
    rules = " ".join(sorted({row.rule for row in rows}))
    return Text(f"{len(rows)} open {rules}".rstrip(), style="bold red" if rows else "")


def judgement_view(found: Judgement, *, dry_run: bool) -> RenderableType:
    """Return what a judgement found as a table, and what was recorded of it."""
    names = ("rule", "severity", "customer", "offended", "state", "facts", "what was found")
    made = table(f"Judged as of {found.as_of}", names)
    for finding in found.findings:
        made.add_row(
            Text(f"{finding.rule} v{finding.rule_version}"),
            Text(finding.severity, style=STYLES.get(finding.severity, "")),
            Text(finding.customer_id),
            told(finding.offended_on),
            _state(found, finding.finding_id),
            Text("\n".join(finding.facts)),
            _told(finding.detail, found.events[finding.finding_id]),
        )
    done = "nothing was recorded" if dry_run else f"{len(found.raised)} raised now"
    before = len(found.findings) - len(found.new)
    summary = f"{len(found.findings)} found, {before} raised before, {done}. Not legal advice."
    return Group(made, "", Text(summary))


def _state(found: Judgement, finding_id: str) -> str:
    if finding_id in found.known:
        return "raised before"
    if finding_id in found.refused:
        return "refused"
    return "raised" if finding_id in found.raised else "new"
