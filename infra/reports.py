"""What closes reported of commitments, as their own events tell it.

Event ids lie in no view, so the log is read: a commitment's stream `compliance-<id>`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from consumers.codec import UnreadableEventError
from domain.reported import CommitmentTested, ConsequenceApplied
from infra.codec import decode_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from consumers.event_store import EventStore, StoredRecord
    from domain.record import Recorded
    from domain.values import Instant, Minor


class ReportTold(NamedTuple):
    """A test of a window as it was reported.

    `applied` is what this test applied for the window (0 takes back what was applied before), None
    where it applied nothing; `standing` what stands for the window after it, None if never any.
    """

    test_id: str
    tested: CommitmentTested
    applied: Minor | None
    standing: Minor | None

    @property
    def window(self) -> tuple[date, date]:
        """The first and the last day of the window."""
        return self.tested.window_start, self.tested.window_end


def reports_told(
    store: EventStore, commitment_ids: Collection[str], as_of: date, known_at: Instant | None
) -> Mapping[str, Sequence[ReportTold]]:
    """Return the reports made of each commitment by a date, by window and in order.

    As known at an instant, or without one now. Raises `StoreUnavailableError`.
    """
    through = None if known_at is None else store.position_at(known_at)
    streams = store.read_streams([f"compliance-{id_}" for id_ in commitment_ids], through)
    return {
        id_: sorted(
            (
                report
                for report in _reports(_readable(streams[f"compliance-{id_}"]))
                if report.tested.tested_on <= as_of
            ),
            key=attrgetter("tested.window_start"),
        )
        for id_ in commitment_ids
    }


def _reports(events: Iterable[Recorded]) -> Iterator[ReportTold]:
    """Yield the tests in ledger order; what a test applied follows it in the log."""
    reports: dict[str, ReportTold] = {}
    standing: dict[date, Minor] = {}
    for recorded in events:
        event = recorded.event
        if isinstance(event, CommitmentTested):
            before = standing.get(event.window_start)
            reports[recorded.id] = ReportTold(recorded.id, event, None, before)
        elif isinstance(event, ConsequenceApplied):
            standing[event.window_start] = event.amount
            report = reports[event.test_id]
            reports[event.test_id] = report._replace(applied=event.amount, standing=event.amount)
    yield from reports.values()


def _readable(records: Iterable[StoredRecord]) -> Iterator[Recorded]:
    """Yield the events up to the first that cannot be read, as a view takes them."""
    for record in records:
        try:
            yield decode_record(record)
        except UnreadableEventError:
            return
