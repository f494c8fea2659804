"""Judging a ledger by policy packs: as of any date, as known at any instant, recorded or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from domain.finding import RaiseFinding
from infra.answers import Answers
from infra.attempt import Recorded, Refused, Told
from infra.codec import decode_record
from projections.policy.evidence import customers_of, events_of, told_by
from projections.policy.judging import findings_of
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from domain.errors import RefusedError
    from domain.values import Instant
    from infra.composition import Parts
    from infra.ledger import Ledger
    from projections.book import Book
    from projections.policy.rules import Finding, Pack

FINDINGS_MAX = 500  # findings whose customers' events are read, and which are told, at a time

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found as of a date; `known` was raised before; `through` is the ledger's position.

    `raised` and `refused` are filled by `raise_findings`.
    """

    as_of: date
    through: int
    book: Book
    findings: Sequence[Finding]
    known: Collection[str]
    raised: set[str] = field(default_factory=set)
    refused: dict[str, RefusedError] = field(default_factory=dict)

    @property
    def new(self) -> Sequence[Finding]:
        """What was found and never raised."""
        return [found for found in self.findings if found.finding_id not in self.known]


def judged(
    parts: Parts, packs: Sequence[Pack], as_of: date, known_at: Instant | None = None
) -> Judgement:
    """Judge the book as of a date, as now known or as known at an instant. Records nothing."""
    store = parts.store
    through = store.position() if known_at is None else store.position_at(known_at)
    answers = Answers(parts)
    book = answers.book(RELATIONSHIP, known_at)
    now = book if known_at is None else answers.book(RELATIONSHIP)
    return Judgement(as_of, through, book, findings_of(book, packs, as_of), now.findings.keys())


def raise_findings(parts: Parts, ledger: Ledger, found: Judgement, actor: str) -> None:
    """Record what was found and never raised. Told again, nothing happens."""
    for some in _chunks(found.new, FINDINGS_MAX):
        told_facts = _evidence(parts, found, some)
        commands = [_command(finding, found.as_of, told_facts) for finding in some]
        outcomes = ledger.handle([Told(c, actor, "cli", f"judge:{found.as_of}") for c in commands])
        for finding, outcome in zip(some, outcomes, strict=True):
            if isinstance(outcome, Refused):
                found.refused[finding.finding_id] = outcome.error
            elif isinstance(outcome, Recorded):
                found.raised.add(finding.finding_id)


def _evidence(parts: Parts, found: Judgement, some: Sequence[Finding]) -> Mapping[str, str]:
    """Return the id of the event behind each fact, as known where the book ends."""
    customers = {who for finding in some for who in customers_of(found.book, finding)}
    records = parts.store.read_customers(sorted(customers), found.through)
    facts = [fact for finding in some for fact in finding.facts]
    return told_by(facts, (decode_record(record) for record in records))


def _command(finding: Finding, as_of: date, told_facts: Mapping[str, str]) -> RaiseFinding:
    events = tuple(events_of(finding, told_facts))
    return RaiseFinding(raised_on=as_of, events=events, **finding._asdict())


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
