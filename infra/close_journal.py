"""What a close records: each of its events once, whoever else closes the day at the same time.

Each event claims its id, so that a second run, or another process, adds what is missing.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from consumers.event_store import Append, Claim, ConflictError, NewRecord
from domain.catalogue import BY_CLASS, occurred_on, stream_of
from domain.close import BusinessDateClosed, event_id
from domain.finding import FindingRaised
from infra.closes import FINISHED, STARTED, closes_of
from infra.codec import pack_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from consumers.event_store import EventStore
    from domain.catalogue import Event
    from domain.close import CloseStarted

CONFLICTS_MAX = 30  # of one append: each is another process that closes the same day


class CloseJournal:
    """Appends the events of closes of one ledger."""

    def __init__(self, store: EventStore, ledger_id: str, actor: str) -> None:
        self._store, self._ledger_id, self._actor = store, ledger_id, actor

    def start(self, started: CloseStarted) -> int:
        """Append the start of a close and return its position. Raises `ConflictError`."""
        on = started.business_date
        before, content = closes_of(self._store).started, on.isoformat().encode()
        claims = (
            Claim(f"close:{on}", content, 0),
            Claim(STARTED, content, 0, before.isoformat().encode() if before else None),
        )
        record = self._record(on, self.id(on, "close-started"), started, cause=None)
        [position] = self._store.append(Append(records=(record,), claims=claims))
        return position

    def append(
        self, on: date, through: int, events: Sequence[tuple[str, Event]]
    ) -> Sequence[Event]:
        """Append those of the events that are not there yet, as one; return all that are there.

        Left out are the customers who were forgotten by the position `through`, and findings
        that somebody else has raised. Raises `ConflictError`.
        """
        events = self._of_the_known(events, through)
        keys = {id_: f"close:{on}:{id_}" for id_, _ in events}
        for _ in range(CONFLICTS_MAX):
            held = self._store.held(keys.values())
            missing = [each for each in events if keys[each[0]] not in held]
            raised = self._raised(missing)
            missing = [each for each in missing if each[0] not in raised]
            with suppress(ConflictError):
                if missing:
                    self._store.append(self._as_one(on, missing, keys))
                return [event for id_, event in events if id_ not in raised]
        message = f"the close of {on} met {CONFLICTS_MAX} conflicts: run it again"
        raise ConflictError(message)

    def id(self, on: date, kind: str) -> str:
        """Return the id of an event that there is once a close."""
        return event_id(self._ledger_id, on, kind)

    def _of_the_known(
        self, events: Sequence[tuple[str, Event]], through: int
    ) -> Sequence[tuple[str, Event]]:
        """Leave out the customers forgotten by then: nothing about them is recorded any more."""
        forgotten = self._store.held({f"forgotten:{event.customer_id}" for _, event in events})
        gone = {key for key, held in forgotten.items() if held.position <= through}
        return [each for each in events if f"forgotten:{each[1].customer_id}" not in gone]

    def _raised(self, events: Iterable[tuple[str, Event]]) -> set[str]:
        """Return the ids of the events whose finding is raised already."""
        ids = {stream_of(event): id_ for id_, event in events if isinstance(event, FindingRaised)}
        found = self._store.read_streams(ids) if ids else {}
        return {ids[stream] for stream, records in found.items() if records}

    def _as_one(
        self, on: date, events: Sequence[tuple[str, Event]], keys: Mapping[str, str]
    ) -> Append:
        cause = self.id(on, "close-started")
        records = [self._record(on, id_, event, cause) for id_, event in events]
        claims = [
            Claim(keys[record.id], sha256(record.data).digest(), index)
            for index, record in enumerate(records)
        ]
        if isinstance(events[-1][1], BusinessDateClosed):
            before = closes_of(self._store).finished
            replaces = before.isoformat().encode() if before else None
            claims.append(Claim(FINISHED, on.isoformat().encode(), 0, replaces))
        return Append(records=records, claims=claims)

    def _record(self, on: date, id_: str, event: Event, cause: str | None) -> NewRecord:
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
            source=f"close:{on}",
            correlation_id=cause or id_,
            causation_id=cause,
            data=pack_data(event, _nothing_is_sealed),
        )


def _nothing_is_sealed(field: str, _plaintext: str) -> bytes:
    raise AssertionError(field)
