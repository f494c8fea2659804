"""Findings (合规发现): what the policy packs raised, and what became of each, as of a date."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from domain.finding import Severity
    from projections.book import Book
    from projections.facts import Finding, FindingStatus

OPEN: frozenset[FindingStatus] = frozenset({"open", "assigned"})  # nothing was done about it yet


class FindingRow(NamedTuple):
    """The columns of the export `findings`, in order."""

    finding_id: str
    rule: str
    rule_version: int
    severity: Severity
    customer_id: str
    raised_on: date
    status: FindingStatus


def finding_rows(book: Book, as_of: date, currency: str = "") -> Iterator[FindingRow]:
    """Yield a row for each finding raised by the date, by id; of all currencies."""
    del currency
    for finding_id, (customer_id, finding) in sorted(book.findings.items(), key=itemgetter(0)):
        if finding.raised_on <= as_of:
            yield FindingRow(
                finding_id,
                finding.rule,
                finding.rule_version,
                finding.severity,
                customer_id,
                finding.raised_on,
                status_at(finding, as_of),
            )


def status_at(finding: Finding, as_of: date) -> FindingStatus:
    """Return what was last done about the finding by a date; to assign it undoes nothing."""
    told = (each for each in reversed(finding.dispositions) if each.since <= as_of)
    last = max(told, key=lambda each: (each.status != "assigned", each.since), default=None)
    return "open" if last is None else last.status


def assigned_at(finding: Finding, as_of: date) -> str | None:
    """Return who has to deal with the finding on a day, or had to when it was disposed of."""
    told = [d for d in finding.dispositions if d.since <= as_of and d.status == "assigned"]
    last = max(reversed(told), key=attrgetter("since"), default=None)
    return None if last is None else last.by


def open_findings(book: Book, customer_id: str, as_of: date) -> tuple[str, ...]:
    """Return the ids of a customer's findings about which nothing was done by a date, sorted."""
    own = ((id_, book.findings[id_][1]) for id_ in book.findings_of.get(customer_id, ()))
    return tuple(
        sorted(
            id_
            for id_, finding in own
            if finding.raised_on <= as_of and status_at(finding, as_of) in OPEN
        )
    )
