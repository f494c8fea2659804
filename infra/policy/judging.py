"""Judging a ledger by policy packs: as of any date, as known at any instant, recorded or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from domain.errors import KeyConflictError
from domain.finding import FindingRaised, RaiseFinding
from infra.answers import Answers
from infra.attempt import Recorded, Refused, Told
from infra.codec import decode_record
from projections.policy.evidence import customers_of, events_of, tellers, told_by
from projections.policy.judging import findings_of
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date

    from consumers.event_store import EventStore
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
    """Record what was found and never raised.

    Told again, nothing happens. What somebody raised meanwhile stays as they raised it.
    """
    for some in _chunks(found.new, FINDINGS_MAX):
        events = evidence(parts.store, found.book, found.through, some)
        commands = [
            RaiseFinding(raised_on=found.as_of, events=behind, **finding._asdict())
            for finding, behind in zip(some, events, strict=True)
        ]
        outcomes = ledger.handle([Told(c, actor, "cli", f"judge:{found.as_of}") for c in commands])
        for finding, outcome in zip(some, outcomes, strict=True):
            if isinstance(outcome, Recorded):
                found.raised.add(finding.finding_id)
            elif isinstance(outcome, Refused) and not isinstance(outcome.error, KeyConflictError):
                found.refused[finding.finding_id] = outcome.error


def raised(
    store: EventStore, book: Book, through: int, findings: Sequence[Finding], on: date
) -> Iterator[FindingRaised]:
    """Yield each finding as it is raised on a day, with the events behind it up to a position."""
    for some in _chunks(findings, FINDINGS_MAX):
        events = evidence(store, book, through, some)
        for finding, behind in zip(some, events, strict=True):
            yield FindingRaised(raised_on=on, events=behind, **finding._asdict())


def evidence(
    store: EventStore, book: Book, through: int, some: Sequence[Finding]
) -> Sequence[tuple[str, ...]]:
    """Return, for each finding, the ids of the events behind its facts, up to a position."""
    customers = {who for finding in some for who in customers_of(book, finding)}
    facts = [fact for finding in some for fact in finding.facts]
    may_tell = tellers(facts)
    records = [
        decode_record(record)
        for record in store.read_customers(sorted(customers), through)
        if (record.type, None) in may_tell or (record.type, record.occurred_on) in may_tell
    ]
    told_facts = told_by(facts, records)
    return [tuple(events_of(finding, told_facts)) for finding in some]


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
