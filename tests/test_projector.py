"""The projector over a listed source and a SQLite file of views."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event as Stop
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.codec import UnreadableEventError
from consumers.event_store import StoreUnavailableError
from consumers.merging import RecordsMissingError
from consumers.parking import Parking
from consumers.projector import Projector, Standing
from consumers.rebuild import following, rebuild
from consumers.topics import KafkaUnavailableError
from consumers.views import Change, DigestUnavailableError, Feed, LostShardError
from domain.loan import LoanDrawn
from infra.codec import decode
from infra.databases import open_database
from infra.views.opening import open_views
from projections.facts import Loan
from projections.projection import COMPLIANCE, NETWORK, PROJECTIONS, RELATIONSHIP, Projection
from tests.deliveries import DAY_ONE, NOW, ListedSource, delivery, log_of, story, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from consumers.codec import Decode
    from consumers.projector import Observer
    from consumers.source import Delivery, ShardBatch
    from domain.record import Recorded
    from infra.views.sql import SQLViews


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back off briefly, and tell where a projector stands at every step."""
    monkeypatch.setattr("consumers.projector.BACK_OFF_FIRST_SECONDS", 0.001)
    monkeypatch.setattr("consumers.projector.STANDING_INTERVAL_SECONDS", 0.0)


@contextmanager
def views_at(path: Path) -> Iterator[SQLViews]:
    with open_database(f"sqlite:{path}", create=True) as database:
        views = open_views(database)
        views.create_tables()
        yield views


@pytest.fixture
def views(tmp_path: Path) -> Iterator[SQLViews]:
    with views_at(tmp_path / "ledger.db") as opened:
        yield opened


def projector(
    source: ListedSource,
    views: SQLViews,
    projections: Sequence[Projection] = PROJECTIONS,
    decoder: Decode = decode,
    observer: Observer | None = None,
) -> Projector:
    feeds = following(views, projections, source.shards)
    return Projector(source, views, decoder, feeds, lambda: NOW, observer)


def digests(views: SQLViews) -> dict[str, tuple[int, str]]:
    found = {p.name: views.digest(views.live(p.name)) for p in PROJECTIONS}
    return {name: (digest.position, digest.sha256) for name, digest in found.items()}


def feed_of(views: SQLViews, projection: Projection = RELATIONSHIP) -> Feed:
    return Feed(projection, views.live(projection.name))


def drawn(loan_id: str, draw_id: str, customer_id: str = "C0") -> LoanDrawn:
    return LoanDrawn(
        customer_id=customer_id,
        loan_id=loan_id,
        draw_id=draw_id,
        drawn_on=DAY_ONE,
        amount=1,
        currency="CZK",
    )


LOG = log_of(story(8))
POISON = delivery(50, drawn("no-such-loan", "D"))
OF_LOANS = [projection for projection in PROJECTIONS if "loan" in projection.kinds]
NOWHERE = Standing("", 0, 0, 0, 0)
POISONED = [*LOG[:49], POISON, *LOG[50:]]


class Told:
    """What the observer was told."""

    def __init__(self) -> None:
        self.events: dict[str, int] = {}
        self.standings: dict[str, Standing] = {}
        self.left_out = 0
        self.faults: list[Exception] = []
        self.stood_at_faults: list[int | None] = []

    def applied(self, projection: str, events: int, seconds: float) -> None:
        assert seconds >= 0
        self.events[projection] = self.events.get(projection, 0) + events

    def skipped(self, projection: str, events: int) -> None:
        assert projection
        self.left_out += events

    def stands(self, standings: Sequence[Standing]) -> None:
        self.standings.update({standing.projection: standing for standing in standings})

    def fault(self, error: Exception) -> None:
        self.faults.append(error)
        standing = self.standings.get(NETWORK.name)
        self.stood_at_faults.append(standing.position if standing else None)


# The same view, however it was fed.


@given(
    seed=st.integers(0, 10),
    cuts=st.lists(st.integers(9, 60), min_size=1, max_size=5),
    again=st.integers(0, 40),
    shards=st.integers(1, 4),
    stops=st.lists(st.integers(1, 5), max_size=4),
)
def test_cuts_redelivery_shards_and_restarts_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    cuts: list[int],
    again: int,
    shards: int,
    stops: list[int],
) -> None:
    log = log_of(story(seed))
    folder = tmp_path_factory.mktemp("views")
    with views_at(folder / "once.db") as once, views_at(folder / "cut.db") as cut:
        projector(ListedSource(log), once).catch_up()
        for steps in stops:
            started = projector(ListedSource(log, shards, cuts, again), cut)
            for _ in range(steps):
                started.step(0)
        projector(ListedSource(log, shards, cuts, again), cut).catch_up()
        assert digests(cut) == digests(once)


def test_three_projectors_with_a_rebalance_agree_with_one(views: SQLViews, tmp_path: Path) -> None:
    told = Told()
    sources = [ListedSource(LOG, 4, [7], again=3) for _ in range(3)]
    team = [projector(source, views, observer=told) for source in sources]
    assignments = [({0, 1}, {2}, {3}), ({0}, {1, 2}, {3}), ({0, 1, 2, 3}, set(), set())]
    for assignment in assignments:
        for source, mine in zip(sources, assignment, strict=True):
            source.mine = frozenset(mine)
        for _ in range(5):
            for member in team:
                member.step(0)
    team[0].catch_up()
    assert told.faults == []
    with views_at(tmp_path / "alone.db") as alone:
        projector(ListedSource(LOG), alone).catch_up()
        assert digests(views) == digests(alone)


def test_a_shard_that_comes_back_is_taken_up_where_another_left_it(
    views: SQLViews, tmp_path: Path
) -> None:
    sources = [ListedSource(LOG, cuts=[60]), ListedSource(LOG, cuts=[60])]
    ours, theirs = (projector(source, views) for source in sources)
    ours.step(0)
    sources[0].mine = frozenset()
    ours.step(0)
    theirs.step(0)
    sources[0].mine = frozenset({0})
    ours.catch_up()
    with views_at(tmp_path / "once.db") as once:
        projector(ListedSource(LOG), once).catch_up()
        assert digests(views) == digests(once)


def test_a_zombie_that_still_writes_loses_the_shard_and_changes_nothing(views: SQLViews) -> None:
    zombie_told = Told()
    zombie = projector(ListedSource(LOG, cuts=[10]), views, observer=zombie_told)
    zombie.step(0)
    projector(ListedSource(LOG), views).catch_up()
    expected = digests(views)
    for _ in range(3):
        zombie.step(0)
    assert [getattr(fault, "code", "") for fault in zombie_told.faults] == ["shard-lost"]
    assert digests(views) == expected


def test_each_projection_keeps_its_own_place(views: SQLViews, tmp_path: Path) -> None:
    half = ListedSource(LOG)
    half.complete_through = len(LOG) // 2
    projector(half, views, [NETWORK]).catch_up()
    told = Told()
    projector(ListedSource(LOG), views, observer=told).catch_up()
    assert told.events[NETWORK.name] < told.events[RELATIONSHIP.name]
    with views_at(tmp_path / "once.db") as once:
        projector(ListedSource(LOG), once).catch_up()
        assert digests(views) == digests(once)


def test_a_view_keeps_the_kinds_of_its_projection_alone(views: SQLViews) -> None:
    projector(ListedSource(LOG), views).catch_up()
    for projection in PROJECTIONS:
        assert {kind for (_, kind, _), _ in views.rows(projection.name)} <= projection.kinds
    assert {kind for (_, kind, _), _ in views.rows(COMPLIANCE.name)} == {
        "account",
        "balances",
        "loan",
    }


def test_the_observer_is_told_what_was_applied_and_where_it_stands(views: SQLViews) -> None:
    told = Told()
    source = ListedSource(LOG, cuts=[40])
    member = projector(source, views, [RELATIONSHIP], observer=told)
    member.step(0)
    assert told.standings[RELATIONSHIP.name].position == 40
    assert told.standings[RELATIONSHIP.name].lag_events == len(LOG) - 40
    member.catch_up()
    assert told.standings[RELATIONSHIP.name] == Standing(
        RELATIONSHIP.name, RELATIONSHIP.version, len(LOG), 0, 0
    )
    assert told.events == {RELATIONSHIP.name: len(LOG)}


# Outages.


class Flickering(ListedSource):
    """A source whose store is away every other time."""

    away = False

    def poll(self, timeout_seconds: float) -> Sequence[ShardBatch]:
        self.away = not self.away
        if self.away:
            message = "the database is restarting"
            raise StoreUnavailableError(message)
        return super().poll(timeout_seconds)


def test_an_outage_is_waited_for_and_nothing_is_lost(views: SQLViews, tmp_path: Path) -> None:
    stop, told = Stop(), Told()
    member = projector(Flickering(LOG, cuts=[40]), views, observer=told)
    running = Thread(target=member.run, args=(stop,))
    running.start()
    while told.standings.get(NETWORK.name, NOWHERE).position < len(LOG):
        stop.wait(0.01)
    stop.set()
    running.join()
    assert {type(fault) for fault in told.faults} == {StoreUnavailableError}
    with views_at(tmp_path / "once.db") as once:
        projector(ListedSource(LOG), once).catch_up()
        assert digests(views) == digests(once)


class Deaf(ListedSource):
    """A source that fails to deliver for a while."""

    def __init__(self, log: Sequence[Delivery], error: Exception) -> None:
        super().__init__(log)
        self.polls, self._error = 0, error

    def poll(self, timeout_seconds: float) -> Sequence[ShardBatch]:
        self.polls += 1
        if self.polls <= 3:
            raise self._error
        return super().poll(timeout_seconds)


@pytest.mark.parametrize("error", [KafkaUnavailableError("away"), RecordsMissingError("gone")])
def test_a_projector_that_gets_no_records_says_so_each_time_and_where_it_stands(
    views: SQLViews, error: Exception
) -> None:
    stop, told = Stop(), Told()
    source = Deaf(LOG, error)
    running = Thread(target=projector(source, views, observer=told).run, args=(stop,))
    running.start()
    while told.standings.get(NETWORK.name, NOWHERE).position < len(LOG) and running.is_alive():
        stop.wait(0.001)
    stop.set()
    running.join()
    assert told.faults == [error] * 3
    assert told.stood_at_faults == [0] * 3, "where it stands is told whatever happens"
    assert told.standings[NETWORK.name].position == len(LOG)


def test_a_rebuild_from_topics_that_lack_records_fails(views: SQLViews) -> None:
    source = Deaf(LOG, RecordsMissingError("gone"))
    with pytest.raises(RecordsMissingError, match="gone"):
        rebuild(source, views, decode, RELATIONSHIP, lambda: NOW, Stop())


# Parking.


def others(views: SQLViews, but: str) -> list[object]:
    return [item for item in views.rows(RELATIONSHIP.name) if item[0][0] != but]


def test_a_poison_event_parks_its_customer_alone(views: SQLViews, tmp_path: Path) -> None:
    told = Told()
    projector(ListedSource(POISONED, cuts=[9]), views, observer=told).catch_up()
    with views_at(tmp_path / "well.db") as well:
        projector(ListedSource(POISONED[:49] + LOG[50:]), well).catch_up()
        assert others(views, but="C0") == others(well, but="C0")
    generation = views.live(RELATIONSHIP.name)
    [parked] = views.parked(generation)
    assert (parked.customer_id, parked.position) == ("C0", 50)
    assert parked.code == "event-inapplicable"
    later = [d.position for d in POISONED[50:] if d.customer_id == "C0"]
    assert [w.position for w in views.queue(generation, "C0")] == [50, *later]
    assert told.standings[RELATIONSHIP.name].parked_keys == 1
    with pytest.raises(DigestUnavailableError):
        views.digest(generation)


def test_a_poison_event_parks_only_the_projections_that_need_it(views: SQLViews) -> None:
    contact = next(d for d in LOG if b"contact-corrected" in d.value)
    log = [d for d in LOG if d.position != contact.position - 1]
    projector(ListedSource(log), views).catch_up()
    assert len(views.parked(views.live(RELATIONSHIP.name))) == 1
    assert views.parked(views.live(NETWORK.name)) == []


def test_a_dropped_event_is_left_out_and_what_waited_is_applied(
    views: SQLViews, tmp_path: Path
) -> None:
    projector(ListedSource(POISONED), views).catch_up()
    parking = Parking(views, decode, lambda: NOW)
    for projection in OF_LOANS:
        parking.drop(feed_of(views, projection), "C0", "eve", "a test event")
    with views_at(tmp_path / "well.db") as well:
        projector(ListedSource(POISONED[:49] + LOG[50:]), well).catch_up()
        assert digests(views) == digests(well)
    deal = next(deal for deal in views.deals(RELATIONSHIP.name) if deal.deed == "dropped")
    assert (deal.position, deal.by, deal.why) == (50, "eve", "a test event")


def test_a_rebuild_leaves_out_what_was_dropped(views: SQLViews) -> None:
    projector(ListedSource(POISONED), views).catch_up()
    for projection in OF_LOANS:
        Parking(views, decode, lambda: NOW).drop(feed_of(views, projection), "C0", "eve", "why")
    expected, told = digests(views), Told()
    for projection in PROJECTIONS:
        source = ListedSource(POISONED)
        rebuild(source, views, decode, projection, lambda: NOW, Stop(), told)
    assert digests(views) == expected
    assert told.left_out == len(OF_LOANS)


def test_a_whole_queue_can_be_dropped(views: SQLViews) -> None:
    projector(ListedSource(POISONED), views, [RELATIONSHIP]).catch_up()
    before = list(views.rows(RELATIONSHIP.name))
    feed = feed_of(views)
    assert Parking(views, decode, lambda: NOW).drop_all(feed, "C0", "eve", "a test") == 0
    assert views.queue(feed.generation, "C0") == []
    assert list(views.rows(RELATIONSHIP.name)) == before
    dropped = [d.position for d in POISONED[49:] if d.customer_id == "C0"]
    assert views.dropped(RELATIONSHIP.name) == frozenset(dropped)


def test_the_next_poison_event_of_a_queue_parks_it_again(
    views: SQLViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.views.sql.QUEUE_EVENTS_MAX", 3)
    again = delivery(len(POISONED) + 1, drawn("another", "E"))
    projector(ListedSource([*POISONED, again]), views, [RELATIONSHIP]).catch_up()
    feed = feed_of(views)
    waited = sum(d.customer_id == "C0" for d in POISONED[50:])
    applied = Parking(views, decode, lambda: NOW).drop(feed, "C0", "eve", "a test")
    assert applied == waited > 3
    [parked] = views.parked(feed.generation)
    assert (parked.position, parked.code) == (again.position, "event-inapplicable")
    assert views.dropped(RELATIONSHIP.name) == frozenset({50})


def test_a_retry_that_fails_leaves_everything_parked_with_a_trail(views: SQLViews) -> None:
    projector(ListedSource(POISONED), views, [RELATIONSHIP]).catch_up()
    feed = feed_of(views)
    before = views.queue(feed.generation, "C0")
    assert Parking(views, decode, lambda: NOW).retry(feed, "C0", "eve", "perhaps") == 0
    assert views.queue(feed.generation, "C0") == before
    assert [deal.deed for deal in views.deals(RELATIONSHIP.name)] == ["parked", "failed"]


def early(canonical: bytes) -> Recorded:
    """A program from before draws: it knows no `loan-drawn`."""
    if b"loan-drawn" in canonical:
        message = "loan-drawn version 1 is not known to this program"
        raise UnreadableEventError(message)
    return decode(canonical)


def test_an_unknown_type_waits_for_a_program_that_knows_it(
    views: SQLViews, tmp_path: Path
) -> None:
    projector(ListedSource(LOG, cuts=[11]), views, decoder=early).catch_up()
    assert views.parked(views.live(NETWORK.name))[0].code == "event-unreadable"
    projector(ListedSource(LOG), views).catch_up()
    with views_at(tmp_path / "once.db") as once:
        projector(ListedSource(LOG), once).catch_up()
        assert digests(views) == digests(once)
    assert {deal.by for deal in views.deals(NETWORK.name)} == {"projector"}


def test_an_unknown_type_parks_every_projection(views: SQLViews) -> None:
    log = [*LOG, unknown(len(LOG) + 1, "C1")]
    projector(ListedSource(log), views).catch_up()
    for projection in PROJECTIONS:
        [parked] = views.parked(views.live(projection.name))
        assert (parked.customer_id, parked.position) == ("C1", len(LOG) + 1)


def test_a_retry_beside_a_running_projector_is_noticed_by_it(
    views: SQLViews, tmp_path: Path
) -> None:
    told = Told()
    running = projector(ListedSource(LOG, cuts=[60]), views, decoder=early, observer=told)
    running.step(0)
    for projection in PROJECTIONS:
        feed = feed_of(views, projection)
        for waiting in views.parked(feed.generation):
            parking = Parking(views, decode, lambda: NOW)
            applied = parking.retry(feed, waiting.customer_id, "eve", "known now")
            assert applied > 0 or projection not in OF_LOANS
    running.catch_up()
    assert told.faults
    projector(ListedSource(LOG), views).catch_up()
    with views_at(tmp_path / "once.db") as once:
        projector(ListedSource(LOG), once).catch_up()
        assert digests(views) == digests(once)


def test_a_long_queue_is_retried_by_the_page(
    views: SQLViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.views.sql.QUEUE_EVENTS_MAX", 3)
    projector(ListedSource(LOG), views, [NETWORK], decoder=early).catch_up()
    feed = feed_of(views, NETWORK)
    for waiting in views.parked(feed.generation):
        parking = Parking(views, decode, lambda: NOW)
        assert parking.retry(feed, waiting.customer_id, "eve", "known now") > 3
    assert views.parked(feed.generation) == []
    expected = [d for d in LOG if b"loan-drawn" in d.value]
    loans = [row for _, row in views.rows(NETWORK.name) if isinstance(row, Loan)]
    assert sum(len(loan.draws) for loan in loans) == len(expected)


# Versions and rebuilds.


class Growing(ListedSource):
    """A source to which more comes with every poll."""

    def poll(self, timeout_seconds: float) -> Sequence[ShardBatch]:
        self.complete_through = min(self.complete_through + 30, self.log[-1].position)
        return super().poll(timeout_seconds)


def growing(log: Sequence[Delivery], begin: int) -> Growing:
    source = Growing(log, cuts=[40])
    source.complete_through = begin
    return source


def test_a_view_is_rebuilt_beside_the_live_one_while_events_arrive(views: SQLViews) -> None:
    live = projector(growing(LOG, 30), views)
    live.step(0)
    before = {p.name: views.live(p.name).number for p in PROJECTIONS}
    for projection in PROJECTIONS:
        rebuild(growing(LOG, 30), views, decode, projection, lambda: NOW, Stop())
        live.step(0)
    live.catch_up(len(LOG))
    rebuilt = digests(views)
    assert all(views.live(name).number > number for name, number in before.items())
    assert {position for position, _ in rebuilt.values()} == {len(LOG)}
    for projection in PROJECTIONS:
        rebuild(ListedSource(LOG), views, decode, projection, lambda: NOW, Stop())
    assert digests(views) == rebuilt


def test_a_rebuild_that_was_stopped_leaves_the_live_view_and_can_begin_afresh(
    views: SQLViews,
) -> None:
    projector(ListedSource(LOG), views).catch_up()
    expected, live = digests(views), views.live(NETWORK.name)
    stopped = Stop()
    stopped.set()
    rebuild(ListedSource(LOG), views, decode, NETWORK, lambda: NOW, stopped)
    begun = Projector(
        ListedSource(LOG, cuts=[10]),
        views,
        decode,
        lambda: [Feed(NETWORK, views.begin(NETWORK.name, NETWORK.version, 1))],
        lambda: NOW,
    )
    begun.step(0)
    assert views.live(NETWORK.name) == live
    rebuild(ListedSource(LOG), views, decode, NETWORK, lambda: NOW, Stop())
    assert views.live(NETWORK.name) != live
    assert digests(views) == expected


def test_a_new_version_takes_over_when_it_has_caught_up(views: SQLViews) -> None:
    projector(ListedSource(LOG), views, [NETWORK]).catch_up()
    raised = Projection(NETWORK.name, NETWORK.version + 1, NETWORK.kinds | {"contact"})
    upgrade = projector(ListedSource(LOG, cuts=[40]), views, [raised])
    upgrade.step(0)
    assert views.live(NETWORK.name).version == NETWORK.version
    assert "contact" not in {kind for (_, kind, _), _ in views.rows(NETWORK.name)}
    upgrade.catch_up()
    assert views.live(NETWORK.name).version == raised.version
    assert "contact" in {kind for (_, kind, _), _ in views.rows(NETWORK.name)}


def test_a_new_version_ahead_of_a_live_one_that_lags_waits_for_the_head(views: SQLViews) -> None:
    projector(ListedSource(LOG, cuts=[40]), views, [NETWORK]).step(0)
    raised = Projection(NETWORK.name, NETWORK.version + 1, NETWORK.kinds)
    upgrade = projector(ListedSource(LOG, cuts=[60]), views, [raised])
    upgrade.step(0)
    assert views.live(NETWORK.name).version == NETWORK.version
    upgrade.catch_up()
    assert views.live(NETWORK.name).version == raised.version


def test_an_empty_ledger_has_a_digest_at_nought(views: SQLViews) -> None:
    projector(ListedSource([]), views).step(0)
    assert {position for position, _ in digests(views).values()} == {0}


def test_a_stale_revision_cannot_undo_a_drop(views: SQLViews) -> None:
    projector(ListedSource(POISONED), views, [RELATIONSHIP]).catch_up()
    feed = feed_of(views)
    [before] = views.lanes(feed.generation).values()
    Parking(views, decode, lambda: NOW).drop(feed, "C0", "eve", "why")
    stale = Change(shard=0, revision=before.revision, progress=before.progress)
    with pytest.raises(LostShardError):
        views.commit(feed.generation, [stale])
