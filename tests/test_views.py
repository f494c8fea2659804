"""One suite for both adapters of the views."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import date
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from consumers.source import Progress
from consumers.views import (
    Change,
    Deal,
    DigestUnavailableError,
    Generation,
    LostShardError,
    NoViewError,
    OutdatedProgramError,
    Waiting,
)
from infra.databases import open_database
from infra.views.opening import open_views
from projections.facts import Account, BalanceMonth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from infra.views.sql import SQLViews
    from projections.facts import Key, Row

ACCOUNT = Account(kind="current", currency="CZK", opened_on=date(1994, 1, 1))
KEY = ("C1", "account", "A1")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)])
def views(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SQLViews]:
    with ExitStack() as stack:
        url = f"sqlite:{tmp_path / 'ledger.db'}"
        if request.param == "postgresql":
            url = request.getfixturevalue("postgresql_url")
        database = open_database(url, create=True)
        stack.enter_context(database)
        opened = open_views(database)
        opened.create_tables()
        yield opened


def change(
    revision: int = 0,
    through: int = 10,
    rows: Mapping[Key, Row] | None = None,
    shard: int = 0,
    park: tuple[Waiting, ...] = (),
) -> Change:
    return Change(
        shard=shard,
        revision=revision,
        progress=Progress(through, {"guanxi.deposit.v1": through}),
        rows=rows or {},
        park=park,
    )


def waiting(customer_id: str, position: int, code: str = "") -> Waiting:
    return Waiting(customer_id, position, 0, b"bytes", code, code and "why", 1)


def test_what_is_committed_can_be_loaded(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 1)
    views.commit(generation, [change(rows={KEY: ACCOUNT})])
    assert views.load(generation, [KEY, ("C1", "account", "A2")]) == {KEY: ACCOUNT}
    assert views.load(generation, []) == {}
    [lane] = views.lanes(generation).values()
    assert lane.progress == Progress(10, {"guanxi.deposit.v1": 10})


def test_a_later_commit_replaces_a_row(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 1)
    lanes = views.commit(generation, [change(rows={KEY: ACCOUNT})])
    changed = replace(ACCOUNT, currency="EUR")
    assert lanes == views.lanes(generation)
    views.commit(generation, [change(lanes[0].revision, 20, {KEY: changed})])
    assert dict(views.rows("network")) == {KEY: changed}


def test_whoever_lost_a_shard_changes_nothing(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 2)
    views.commit(generation, [change(shard=1)])
    stale = [change(rows={KEY: ACCOUNT}), change(shard=1, park=(waiting("C1", 3, "x"),))]
    with pytest.raises(LostShardError):
        views.commit(generation, stale)
    assert list(views.rows("network")) == []
    assert views.parked(generation) == []
    assert [lane.progress.through for lane in views.lanes(generation).values()] == [0, 10]


def test_of_two_writers_at_once_one_loses_the_shard(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 1)
    lost = []

    def write(currency: str) -> None:
        for _ in range(10):
            [lane] = views.lanes(generation).values()
            row = replace(ACCOUNT, currency=currency)
            try:
                through = lane.progress.through + 1
                views.commit(generation, [change(lane.revision, through, {KEY: row})])
            except LostShardError:
                lost.append(currency)

    writers = [Thread(target=write, args=(currency,)) for currency in ("CZK", "EUR", "USD")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    [lane] = views.lanes(generation).values()
    assert lane.progress.through == lane.revision == 30 - len(lost)


def test_rows_come_in_key_order_by_code_point(views: SQLViews) -> None:
    keys = [(c, "account", i) for c in ("C", "C1", "Z", "a", "é", "中") for i in ("1", "B", "a")]
    generation = views.adopt("network", 1, 1)
    views.commit(generation, [change(rows=dict.fromkeys(reversed(keys), ACCOUNT))])
    assert [key for key, _ in views.rows("network")] == sorted(keys)


def test_rows_can_be_narrowed_to_kinds_and_customers(views: SQLViews) -> None:
    balances = ("C1", "balances", "A1/1994-03")
    month = BalanceMonth((1, None) * 15 + (2**62,))
    generation = views.adopt("network", 1, 1)
    rows: dict[Key, Row] = {KEY: ACCOUNT, ("C2", "account", "A2"): ACCOUNT, balances: month}
    views.commit(generation, [change(rows=rows)])
    assert [key for key, _ in views.rows("network", customer_ids=["C1"])] == [KEY, balances]
    assert list(views.rows("network", ["balances"], ["C1", "C2"])) == [(balances, month)]
    assert list(views.rows("network", [])) == []


def test_a_reader_sees_one_instant(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 1)
    keys: list[Key] = [("C", "account", f"{number:04}") for number in range(3_000)]
    lanes = views.commit(generation, [change(rows=dict.fromkeys(keys, ACCOUNT))])
    with closing(views.rows("network")) as rows:  # type: ignore[type-var]  # it is a generator
        first = next(rows)
        changed = dict.fromkeys(keys, replace(ACCOUNT, currency="EUR"))
        views.commit(generation, [change(lanes[0].revision, 20, changed)])
        assert {row for _, row in (first, *rows)} == {ACCOUNT}


def test_a_view_that_was_never_built_cannot_be_read(views: SQLViews) -> None:
    with pytest.raises(NoViewError, match="network has not been built"):
        list(views.rows("network"))


def test_the_first_generation_is_live_at_once_and_adopted_ever_after(views: SQLViews) -> None:
    first = views.adopt("network", 1, 3)
    assert first.live
    assert views.adopt("network", 1, 3) == first == views.live("network")
    assert set(views.lanes(first)) == {0, 1, 2}


def test_a_new_version_is_built_beside_the_live_one_and_takes_over(views: SQLViews) -> None:
    old = views.adopt("network", 1, 1)
    views.commit(old, [change(through=10, rows={KEY: ACCOUNT})])
    new = views.adopt("network", 2, 1)
    assert not new.live
    assert views.adopt("network", 2, 1) == new
    lanes = views.commit(new, [change(through=9)])
    assert not views.promote(new)
    assert dict(views.rows("network")) == {KEY: ACCOUNT}
    views.commit(new, [change(lanes[0].revision, through=10)])
    assert views.promote(new)
    assert views.live("network") == replace(new, live=True)
    assert list(views.rows("network")) == []


def test_nobody_can_commit_to_what_was_retired(views: SQLViews) -> None:
    old = views.adopt("network", 1, 1)
    assert views.promote(views.adopt("network", 2, 1))
    with pytest.raises(LostShardError):
        views.commit(old, [change()])
    assert views.lanes(old) == {}


def test_an_older_program_cannot_feed_a_newer_view(views: SQLViews) -> None:
    views.adopt("network", 2, 1)
    with pytest.raises(OutdatedProgramError, match="at version 2, this program at 1"):
        views.adopt("network", 1, 1)


def test_a_second_rebuild_gives_the_first_up(views: SQLViews) -> None:
    live = views.adopt("network", 1, 1)
    views.commit(live, [change()])
    first = views.begin("network", 1, 1)
    second = views.begin("network", 1, 1)
    assert not views.promote(first)
    assert second.number not in {first.number, live.number}
    assert views.live("network") == live


def test_retired_rows_are_swept_in_slices(
    views: SQLViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.views.generations.DELETE_ROWS_MAX", 2)
    old = views.adopt("network", 1, 1)
    keys: list[Key] = [("C", "account", str(number)) for number in range(5)]
    views.commit(old, [change(rows=dict.fromkeys(keys, ACCOUNT))])
    new = views.adopt("network", 2, 1)
    views.commit(new, [change(rows={KEY: ACCOUNT})])
    views.promote(new)
    assert len(views.load(old, keys)) == 5
    assert views.sweep()
    assert len(views.load(old, keys)) == 3
    while views.sweep():
        pass
    assert views.load(old, keys) == {}
    assert views.load(new, [KEY]) == {KEY: ACCOUNT}


def test_parked_events_wait_in_order_behind_their_first(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 1)
    park = (waiting("C1", 3, "x"), waiting("C1", 12), waiting("C1", 5), waiting("C2", 4, "y"))
    [lane] = views.commit(generation, [change(park=park)]).values()
    assert views.parked(generation) == [park[0], park[3]]
    assert views.queue(generation, "C1") == [park[0], park[2], park[1]]
    again = Change(
        shard=0,
        revision=lane.revision,
        progress=lane.progress,
        unpark=[3],
        park=[waiting("C1", 5, "z")],
    )
    views.commit(generation, [again])
    assert [(w.position, w.code) for w in views.queue(generation, "C1")] == [(5, "z"), (12, "")]


def test_every_deed_leaves_a_trail_that_outlives_generations(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 1)
    dropped = Deal("C1", 3, "dropped", 17, "eve", "a test event")
    retried = Deal("C1", 5, "retried", 18, "eve", "once more")
    views.commit(generation, [replace(change(), deals=[dropped, retried])])
    views.promote(views.adopt("network", 2, 1))
    assert views.deals("network") == [dropped, retried]
    assert views.dropped("network") == frozenset({3})
    assert views.dropped("relationship") == frozenset()


def test_a_digest_is_of_keys_and_values_whatever_their_order(views: SQLViews) -> None:
    other = ("C2", "account", "A1")
    forth = views.adopt("forth", 1, 1)
    back = views.adopt("back", 1, 1)
    lanes = views.commit(forth, [change(rows={KEY: ACCOUNT})])
    views.commit(forth, [change(lanes[0].revision, 20, {other: ACCOUNT})])
    views.commit(back, [change(through=20, rows={other: ACCOUNT, KEY: ACCOUNT})])
    assert views.digest(forth) == views.digest(back)
    assert views.digest(forth).position == 20
    moved = views.adopt("moved", 1, 1)
    other_id: dict[Key, Row] = {("C1", "account", "A"): ACCOUNT, other: ACCOUNT}
    views.commit(moved, [change(through=20, rows=other_id)])
    assert views.digest(moved) != views.digest(back)


def test_no_digest_while_shards_stand_apart(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 2)
    views.commit(generation, [change(shard=0, through=10)])
    with pytest.raises(DigestUnavailableError, match="shards stand at 0, 10"):
        views.digest(generation)
    views.commit(generation, [change(shard=1, through=10)])
    assert views.digest(generation).position == 10


def test_no_digest_while_something_is_parked(views: SQLViews) -> None:
    generation = views.adopt("network", 1, 1)
    views.commit(generation, [change(park=(waiting("C1", 3, "x"), waiting("C1", 4)))])
    with pytest.raises(DigestUnavailableError, match="1 keys are parked"):
        views.digest(generation)


def test_no_digest_of_a_generation_that_is_gone(views: SQLViews) -> None:
    with pytest.raises(DigestUnavailableError, match="nowhere"):
        views.digest(Generation(99, "network", 1, live=True))
