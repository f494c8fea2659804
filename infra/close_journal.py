"""What a close records: each of its events once, whoever else closes the day at the same time.

A claim of the day holds the last event that its close reported. Every append moves it on by
compare-and-set: who finds it moved reads what was reported meanwhile, and adds what is missing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.event_store import READ_RECORDS_MAX, Append, Claim, ConflictError, NewRecord
from domain.catalogue import BY_CLASS, occurred_on, stream_of
from domain.close import BusinessDateClosed, event_id
from domain.finding import FindingRaised
from infra.closes import FINISHED, STARTED, closes_of
from infra.codec import pack_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from consumers.event_store import EventStore
    from domain.catalogue import Event
    from domain.close import CloseStarted

CONFLICTS_MAX = 30  # of one append: each is another process that closes the same day


@dataclass(slots=True)
class _Reported:
    """What the close of a day has reported, as read up to a position: the ids of its events.

    `last` is what the day's claim held then.
    """

    on: date
    position: int
    last: bytes
    ids: set[str] = field(default_factory=set)


class CloseJournal:
    """Appends the events of closes of one ledger."""

    def __init__(self, store: EventStore, ledger_id: str, actor: str) -> None:
        self._store, self._ledger_id, self._actor = store, ledger_id, actor
        self._reported: _Reported | None = None

    def start(self, started: CloseStarted) -> int:
        """Append the start of a close and return its position. Raises `ConflictError`."""
        on = started.business_date
        before, content = closes_of(self._store).started, on.isoformat().encode()
        id_ = self.id(on, "close-started")
        claims = (
            Claim(f"close:{on}", content, 0),
            Claim(_last_of(on), id_.encode(), 0),
            Claim(STARTED, content, 0, before.isoformat().encode() if before else None),
        )
        record = self._record(f"close:{on}", id_, started, cause=None)
        [position] = self._store.append(Append(records=(record,), claims=claims))
        return position

    def append(
        self, on: date, through: int, events: Sequence[tuple[str, Event]]
    ) -> Sequence[Event]:
        """Append those of the events that are not there yet, as one; return all that are there.

        Left out are findings of who was forgotten by the position `through`, those that somebody
        else has raised, and all of a day that somebody else has closed. Raises `ConflictError`.
        """
        events = self._of_the_known(events, through)
        for _ in range(CONFLICTS_MAX):
            reported = self._read_on(on, through)
            if self.id(on, "business-date-closed") in reported.ids:
                return [event for id_, event in events if id_ in reported.ids]
            missing = [each for each in events if each[0] not in reported.ids]
            raised = self._raised(missing)
            missing = [each for each in missing if each[0] not in raised]
            with suppress(ConflictError):
                if missing:
                    self._append(reported, missing)
                return [event for id_, event in events if id_ not in raised]
        message = f"the close of {on} met {CONFLICTS_MAX} conflicts: run it again"
        raise ConflictError(message)

    def id(self, on: date, kind: str) -> str:
        """Return the id of an event that there is once a close."""
        return event_id(self._ledger_id, on, kind)

    def _of_the_known(
        self, events: Sequence[tuple[str, Event]], through: int
    ) -> Sequence[tuple[str, Event]]:
        """Leave out findings of who was forgotten by then, whom no book knows: mere prospects."""
        customers = {event.customer_id for _, event in events if isinstance(event, FindingRaised)}
        forgotten = self._store.held(f"forgotten:{each}" for each in customers)
        gone = {key for key, held in forgotten.items() if held.position <= through}
        if not gone:
            return events
        return [each for each in events if f"forgotten:{each[1].customer_id}" not in gone]

    def _read_on(self, on: date, through: int) -> _Reported:
        """Return what the close has reported; the log is read where somebody else reported."""
        reported, key = self._reported, _last_of(on)
        if reported is None or reported.on != on:
            first = self.id(on, "close-started").encode()
            self._reported = reported = _Reported(on, through, first)
        last = self._store.held([key])[key].content
        while last != reported.last and (
            page := self._store.read(reported.position, READ_RECORDS_MAX)
        ):
            reported.ids.update(record.id for record in page if record.source == f"close:{on}")
            reported.position = page[-1].position
        reported.last = last
        return reported

    def _raised(self, events: Iterable[tuple[str, Event]]) -> set[str]:
        """Return the ids of the events whose finding is raised already."""
        ids = {stream_of(event): id_ for id_, event in events if isinstance(event, FindingRaised)}
        found = self._store.read_streams(ids) if ids else {}
        return {ids[stream] for stream, records in found.items() if records}

    def _append(self, reported: _Reported, events: Sequence[tuple[str, Event]]) -> None:
        """Append the events as one, as the next after what was reported."""
        on, source, cause = (
            reported.on,
            f"close:{reported.on}",
            self.id(reported.on, "close-started"),
        )
        records = [self._record(source, id_, event, cause) for id_, event in events]
        last = records[-1].id.encode()
        claims = [Claim(_last_of(on), last, len(records) - 1, reported.last)]
        claims += [  # by which commands know of it
            Claim(f"finding:{event.finding_id}", id_.encode(), place)
            for place, (id_, event) in enumerate(events)
            if isinstance(event, FindingRaised)
        ]
        if isinstance(events[-1][1], BusinessDateClosed):
            before = closes_of(self._store).finished
            replaces = before.isoformat().encode() if before else None
            claims.append(Claim(FINISHED, on.isoformat().encode(), 0, replaces))
        self._store.append(Append(records=records, claims=claims))
        reported.last = last

    def _record(self, source: str, id_: str, event: Event, cause: str | None) -> NewRecord:
        event_type = BY_CLASS[type(event)]
        return NewRecord(
            id=id_,
            type=event_type.name,
            version=event_type.version,
            stream=stream_of(event),
            expected_version=0 if isinstance(event, FindingRaised) else None,
            customer_id=event.customer_id,
            occurred_on=occurred_on(event).isoformat(),
            occurred_at=None,
            actor=self._actor,
            source=source,
            correlation_id=cause or id_,
            causation_id=cause,
            data=pack_data(event, _nothing_is_sealed),
        )


def _last_of(on: date) -> str:
    return f"close:{on}:last"


def _nothing_is_sealed(field: str, _plaintext: str) -> bytes:
    raise AssertionError(field)
