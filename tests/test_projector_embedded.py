"""The projector over a real ledger: its log, its views in the same file, and its past."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Stop
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from consumers.event_store import Append, NewRecord
from consumers.projector import Projector
from consumers.rebuild import following, rebuild
from consumers.replay import replay
from domain.loan import LoanDrawn
from infra.clock import wall_clock
from infra.codec import canonical, decode
from infra.databases import open_database
from infra.event_store.ledger import initialise, open_store
from infra.log_source import LogSource
from infra.views import postgresql, sqlite
from infra.views.opening import open_views
from projections.projection import PROJECTIONS, RELATIONSHIP
from tests.deliveries import DAY_ONE, stored, story

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from domain.catalogue import Event
    from infra.event_store.ledger import LedgerStore
    from infra.views.sql import SQLViews

EVENTS = tuple(story(3, customers=20, steps=300))


@dataclass(frozen=True)
class Ledger:
    """A ledger's store and the views beside it."""

    url: str
    store: LedgerStore
    views: SQLViews

    def record(self, events: Iterable[Event]) -> None:
        begin = self.store.position() + 1
        records = [stored(position, event) for position, event in enumerate(events, begin)]
        self.store.append(
            Append(
                records=[
                    NewRecord(
                        expected_version=None,
                        **{
                            name: value
                            for name, value in record._asdict().items()
                            if name not in {"position", "stream_version", "recorded_at"}
                        },
                    )
                    for record in records
                ]
            )
        )

    def projector(self) -> Projector:
        source = LogSource(self.store, batch_records_max=100)
        feeds = following(self.views, PROJECTIONS, source.shards)
        return Projector(source, self.views, decode, feeds, wall_clock)

    def digests(self) -> list[tuple[int, str]]:
        found = (self.views.digest(self.views.live(p.name)) for p in PROJECTIONS)
        return [(digest.position, digest.sha256) for digest in found]


@contextmanager
def ledger_at(url: str) -> Iterator[Ledger]:
    initialise(url, ddl_sqlite=sqlite.TABLES, ddl_postgresql=postgresql.TABLES)
    store = open_store(url)
    try:
        with open_database(url) as database:
            yield Ledger(url, store, open_views(database))
    finally:
        store.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with ledger_at(f"sqlite:{tmp_path / 'ledger.db'}") as opened:
        yield opened


def test_live_and_rebuilt_views_are_the_same(ledger: Ledger) -> None:
    for begin in range(0, len(EVENTS), 150):
        ledger.record(EVENTS[begin : begin + 150])
        ledger.projector().catch_up()
    live = ledger.digests()
    assert {position for position, _ in live} == {len(EVENTS)}
    for projection in PROJECTIONS:
        source = LogSource(ledger.store)
        rebuild(source, ledger.views, decode, projection, wall_clock, Stop())
    assert ledger.digests() == live


def test_a_projector_follows_the_log_as_it_grows(ledger: Ledger) -> None:
    stop, projector = Stop(), ledger.projector()
    running = Thread(target=projector.run, args=(stop,))
    running.start()
    for begin in range(0, len(EVENTS), 100):
        ledger.record(EVENTS[begin : begin + 100])
    deadline = time.monotonic() + 30
    while through(ledger) < len(EVENTS) and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    running.join()
    assert {position for position, _ in ledger.digests()} == {len(EVENTS)}


def test_a_replay_of_the_book_gives_the_rows_of_the_view(ledger: Ledger) -> None:
    half = len(EVENTS) // 2
    ledger.record(EVENTS[:half])
    ledger.projector().catch_up()
    then = dict(ledger.views.rows(RELATIONSHIP.name))
    ledger.record(EVENTS[half:])
    replayed = replay(ledger.store, canonical, decode, half)
    assert replayed.rows == then
    assert replayed.troubles == {}
    of_one = replay(ledger.store, canonical, decode, half, ["C7"])
    assert of_one.rows == {key: row for key, row in then.items() if key[0] == "C7"}


def test_a_replay_leaves_out_a_customer_s_events_from_the_first_that_cannot_be_applied(
    ledger: Ledger,
) -> None:
    poison = LoanDrawn(
        customer_id="C0",
        loan_id="none",
        draw_id="D",
        drawn_on=DAY_ONE,
        amount=1,
        currency="CZK",
    )
    ledger.record([*EVENTS[:200], poison, *EVENTS[200:]])
    ledger.projector().catch_up()
    replayed = replay(ledger.store, canonical, decode, ledger.store.position())
    assert replayed.rows == dict(ledger.views.rows(RELATIONSHIP.name))
    assert list(replayed.troubles) == ["C0"]
    whole = replay(ledger.store, canonical, decode, ledger.store.position(), dropped=[201])
    assert whole.troubles == {}
    assert len(whole.rows) > len(replayed.rows)


@pytest.mark.slow
def test_a_projector_killed_at_any_moment_goes_on_where_it_was(
    ledger: Ledger, tmp_path: Path
) -> None:
    events = tuple(story(4, customers=20, steps=3_000))
    ledger.record(events)
    command = [sys.executable, "-m", "tests.embedded_projector", ledger.url]
    for kill_at in (40, 400, 900):
        with subprocess.Popen(command) as process:
            while through(ledger) < kill_at:
                assert process.poll() is None
                time.sleep(0.002)
            process.kill()
        assert kill_at <= through(ledger) < len(events)
    ledger.projector().catch_up()
    with ledger_at(f"sqlite:{tmp_path / 'calm.db'}") as calm:
        calm.record(events)
        calm.projector().catch_up()
        assert ledger.digests() == calm.digests()


def through(ledger: Ledger) -> int:
    lanes = [
        lane
        for projection in PROJECTIONS
        for lane in ledger.views.lanes(
            ledger.views.adopt(projection.name, projection.version, 1)
        ).values()
    ]
    return min(lane.progress.through for lane in lanes)


@pytest.mark.cluster
def test_views_in_postgresql_and_sqlite_are_the_same(ledger: Ledger, postgresql_url: str) -> None:
    ledger.record(EVENTS)
    ledger.projector().catch_up()
    with ledger_at(postgresql_url) as other:
        other.record(EVENTS)
        other.projector().catch_up()
        assert other.digests() == ledger.digests()
        assert list(other.views.rows("network")) == list(ledger.views.rows("network"))
