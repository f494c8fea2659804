"""Judging a ledger by policy packs: as of any date, as known at any instant, recorded or not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.codec import UnreadableEventError
from domain.errors import KeyConflictError
from domain.finding import FindingRaised, RaiseFound
from infra.answers import Answers
from infra.attempt import Recorded, Refused, Told
from infra.codec import decode_record
from projections.policy.evidence import customers_of, events_of, tellers, told_by
from projections.policy.judging import findings_of
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from consumers.event_store import EventStore
    from domain.errors import RefusedError
    from domain.values import Instant
    from infra.composition import Parts
    from infra.ledger import Ledger
    from projections.book import Book
    from projections.policy.rules import Finding, Pack

FINDINGS_MAX = 500  # findings whose customers' events are read at a time


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found as of a date; `known` was raised before; `through` is the ledger's position.

    `events` holds the ids of the events behind each finding, by its id. `raised` and `refused` are
    filled by `raise_findings`, and `known` with what somebody raised meanwhile.
    """

    as_of: date
    through: int
    findings: Sequence[Finding]
    known: set[str]
    events: Mapping[str, tuple[str, ...]]
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
    found = findings_of(book, packs, as_of)
    known = now.findings.keys() & {finding.finding_id for finding in found}
    new = [finding for finding in found if finding.finding_id not in known]
    before = [finding.finding_id for finding in found if finding.finding_id in known]
    events = events_of_raised(store, before)
    for finding, behind in _with_evidence(store, book, through, new):
        events[finding.finding_id] = behind
    return Judgement(as_of, through, found, known, events)


def events_of_raised(store: EventStore, finding_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the ids of the events behind findings that were raised, by the findings' ids."""
    streams = {f"finding-{id_}": id_ for id_ in finding_ids}
    found = {}
    for stream, [first, *_] in store.read_streams(streams).items():
        event = decode_record(first).event
        assert isinstance(event, FindingRaised), "nothing is told of a finding before it is raised"
        found[streams[stream]] = event.events
    return found


def raise_findings(ledger: Ledger, found: Judgement, actor: str) -> None:
    """Record what was found and never raised.

    Told again, nothing happens. What somebody raised meanwhile stays as they raised it.
    """
    commands = [
        RaiseFound(raised_on=found.as_of, events=found.events[each.finding_id], **each._asdict())
        for each in found.new
    ]
    outcomes = ledger.handle([Told(c, actor, "cli", f"judge:{found.as_of}") for c in commands])
    for command, outcome in zip(commands, outcomes, strict=True):
        if isinstance(outcome, Recorded):
            found.raised.add(command.finding_id)
        elif isinstance(outcome, Refused) and not isinstance(outcome.error, KeyConflictError):
            found.refused[command.finding_id] = outcome.error
        else:
            found.known.add(command.finding_id)


def raised(
    store: EventStore, book: Book, through: int, findings: Sequence[Finding], on: date
) -> Iterator[FindingRaised]:
    """Yield each finding as it is raised on a day, with the events behind it up to a position."""
    for finding, behind in _with_evidence(store, book, through, findings):
        yield FindingRaised(raised_on=on, events=behind, **finding._asdict())


def _with_evidence(
    store: EventStore, book: Book, through: int, findings: Sequence[Finding]
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """Yield each finding with the ids of the events behind its facts, up to a position."""
    for start in range(0, len(findings), FINDINGS_MAX):
        some = findings[start : start + FINDINGS_MAX]
        yield from zip(some, _evidence(store, book, through, some), strict=True)


def _evidence(
    store: EventStore, book: Book, through: int, some: Sequence[Finding]
) -> Sequence[tuple[str, ...]]:
    customers = {who for finding in some for who in customers_of(book, finding)}
    facts = [fact for finding in some for fact in finding.facts]
    may_tell = tellers(facts)
    records = []
    for record in store.read_customers(sorted(customers), through):
        if (record.type, None) in may_tell or (record.type, record.occurred_on) in may_tell:
            with suppress(UnreadableEventError):  # it is set aside, or dropped
                records.append(decode_record(record))
    told_facts = told_by(facts, records)
    return [tuple(events_of(finding, told_facts)) for finding in some]
