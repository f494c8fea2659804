"""Days of a ledger are closed: in order, each once, and on what was known then."""

from __future__ import annotations

import gc
import shutil
import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consumers.event_store import StoreUnavailableError
from domain.close import BusinessDateClosed, CloseStarted
from domain.errors import BalanceMissingError, CloseOutOfOrderError
from domain.reported import (
    CommitmentBreached,
    CommitmentTested,
    ConsequenceApplied,
)
from infra import closer
from infra.answers import Answers
from infra.audit import replayed_digests
from infra.cli.settings import Settings
from infra.closer import Closer
from infra.composition import opened
from infra.policy.packs import load_packs
from tests.closing_ledger import (
    K1,
    SHORT,
    amending,
    balances,
    close,
    identities,
    march,
    new_bank,
    settings_of,
    tell,
    told_by_closes,
)
from tests.cut_store import Cut
from tests.surfaces.cli import guanxi
from tests.write_side import ACCOUNT, DRAW, LOAN, RELATIONSHIP, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.composition import Parts


PARTY = (
    told("open-relationship", RELATIONSHIP | {"customer_id": "C2"}),
    told("open-account", ACCOUNT | {"customer_id": "C2", "account_id": "B1"}),
    told("agree-commitment", K1 | {"commitment_id": "K2", "accounts": "A1 B1"}),
)


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Parts]:
    """A1 was observed each day from 1 to 8 March; K1 is short and not cured."""
    with new_bank(settings_of(tmp_path), *balances(*SHORT)) as parts:
        yield parts


def kinds(parts: Parts) -> list[str]:
    return [record.type for record in told_by_closes(parts)]


def last_test(parts: Parts) -> CommitmentTested:
    *_, tested = (e for _, e in identities(parts) if isinstance(e, CommitmentTested))
    return tested


def test_a_close_is_told_as_started_then_its_reports_then_as_closed(bank: Parts) -> None:
    [closed] = close(bank, march(8))
    assert kinds(bank) == [
        "close-started",
        "commitment-tested",
        "commitment-breached",
        "consequence-applied",
        "business-date-closed",
    ]
    started, tested, breached, applied, done = [event for _, event in identities(bank)]
    assert isinstance(started, CloseStarted)
    assert (started.business_date, started.balances) == (march(8), "observed")
    assert isinstance(tested, CommitmentTested)
    assert tested.through == told_by_closes(bank)[0].position == closed.through
    assert isinstance(breached, CommitmentBreached)
    assert isinstance(applied, ConsequenceApplied)
    assert (applied.base, applied.rate, applied.divisor) == (2_000, 500_000, 4_000_000)
    assert applied.amount == 250  # half of the 5.00 that were lacking a day
    assert isinstance(done, BusinessDateClosed)
    assert (done.tested, done.reported) == (1, 3)
    assert closed[2:] == (1, 0, 1, 0, 1, 0, 0)


def test_a_close_says_by_whom_and_by_which_close_it_was_caused(bank: Parts) -> None:
    close(bank, march(8))
    start, *others = told_by_closes(bank)
    assert {record.actor for record in (start, *others)} == {"operator"}
    assert {record.source for record in others} == {"close:2024-03-08"}
    assert {record.causation_id for record in others} == {start.id}


def test_only_accounts_of_commitments_in_force_need_a_balance(bank: Parts) -> None:
    assert len(close(bank, march(4), march(12))) == 9


def test_a_missing_balance_names_commitment_account_and_day(tmp_path: Path) -> None:
    with new_bank(settings_of(tmp_path), *balances("120.00", "120.00")) as parts:
        close(parts, march(2))
        before = parts.store.position()
        with pytest.raises(BalanceMissingError, match=r"'A1'.*2024-03-03, commitment K1"):
            close(parts, march(3))
        assert parts.store.position() == before
        assert len(close(parts, march(3), march(4), carry=True)) == 2
        assert last_test(parts).carried_days == 2
        starts = [e for _, e in identities(parts) if isinstance(e, CloseStarted)]
        assert [each.balances for each in starts] == ["observed", "carried", "carried"]


def test_an_account_counts_from_its_opening_on(tmp_path: Path) -> None:
    late = told("open-account", ACCOUNT | {"account_id": "A2", "opened_on": "2024-03-03"})
    with new_bank(settings_of(tmp_path), late, *balances(*SHORT)) as parts:
        close(parts, march(1), march(2))
        with pytest.raises(BalanceMissingError, match="'A2'"):
            close(parts, march(3))


def test_an_account_counts_on_the_dates_of_its_list(tmp_path: Path) -> None:
    other = told("open-account", ACCOUNT | {"account_id": "A2"})
    listed = K1 | {"commitment_id": "K2", "accounts": "A2@2024-03-02/2024-03-03"}
    with new_bank(settings_of(tmp_path), other, *balances(*SHORT)) as parts:
        release = {"commitment_id": "K1", "released_on": "2024-03-01", "reason": "moved"}
        tell(parts, told("release-commitment", release))
        tell(parts, told("agree-commitment", listed))
        close(parts, march(1))
        with pytest.raises(BalanceMissingError, match=r"'A2'.*commitment K2"):
            close(parts, march(2))


def test_skipped_days_are_closed_in_order_without_asking_for_their_balances(
    tmp_path: Path,
) -> None:
    observed = [*balances("120.00"), *balances("120.00", first=march(4))]
    with new_bank(settings_of(tmp_path), *observed) as parts:
        close(parts, march(1))
        closed = close(parts, march(4))
        assert [each.business_date for each in closed] == [march(2), march(3), march(4)]
        starts = [e for _, e in identities(parts) if isinstance(e, CloseStarted)]
        assert [e.balances for e in starts] == ["observed", "carried", "carried", "observed"]


def test_a_refused_day_leaves_the_skipped_ones_open(tmp_path: Path) -> None:
    with new_bank(settings_of(tmp_path), *balances("120.00")) as parts:
        close(parts, march(1))
        before = parts.store.position()
        with pytest.raises(BalanceMissingError, match="2024-03-03"):
            close(parts, march(3))
        assert parts.store.position() == before


def test_a_run_that_is_refused_says_how_far_it_came(tmp_path: Path) -> None:
    with new_bank(settings_of(tmp_path), *balances("120.00", "120.00")) as parts:
        with pytest.raises(BalanceMissingError, match=r"2024-03-03.*closed up to 2024-03-02"):
            close(parts, march(1), march(4))
        with pytest.raises(BalanceMissingError, match="closed up to 2024-03-02"):
            close(parts, march(4))


def test_terms_told_after_a_report_are_named_when_a_correction_makes_them_bear(
    tmp_path: Path,
) -> None:
    terms = amending(K1)
    told_on = {"amended_on": "2024-03-09", "effective_on": "2024-03-01", "reason": "a cap"}
    with new_bank(settings_of(tmp_path), *balances("90.00", "90.00", "90.00", "90.00")) as parts:
        close(parts, march(4), march(8), carry=True)
        tell(parts, told("amend-commitment", terms | told_on | {"cap_percent": "100"}))
        amended = parts.store.position()
        assert close(parts, march(9), carry=True)[0].restated == 0
        tell(parts, *balances("500.00"))
        corrected = parts.store.position()
        close(parts, march(10), carry=True)
        assert [cause.position for cause in last_test(parts).causes] == [amended, corrected]


def test_what_was_told_before_terms_that_have_a_window_rest_on_it_is_named_with_them(
    tmp_path: Path,
) -> None:
    terms = amending(K1)
    told_on = {"amended_on": "2024-03-09", "effective_on": "2024-03-02", "reason": "a relative's"}
    party = [
        told("open-relationship", RELATIONSHIP | {"customer_id": "C2"}),
        told("open-account", ACCOUNT | {"customer_id": "C2", "account_id": "B1"}),
        told("agree-commitment", K1 | {"commitment_id": "K2", "accounts": "A1"}),
    ]
    with new_bank(settings_of(tmp_path), *party, *balances(*SHORT)) as parts:
        tell(parts, *balances("1.00", "1.00", account_id="B1"))
        close(parts, march(8), carry=True)
        tell(parts, *balances("30.00", account_id="B1", first=march(2)))
        corrected = parts.store.position()
        assert close(parts, march(9), carry=True)[0].restated == 0
        more = terms | told_on | {"commitment_id": "K2", "accounts": "A1 B1"}
        tell(parts, told("amend-commitment", more))
        amended = parts.store.position()
        close(parts, march(10), carry=True)
        tested = last_test(parts)
        assert (tested.commitment_id, tested.balance_days) == ("K2", 38_000 + 3 * 3_000)
        assert [cause.position for cause in tested.causes] == [corrected, amended]


def test_a_cure_day_told_late_is_named_when_a_correction_makes_it_bear(tmp_path: Path) -> None:
    with new_bank(
        settings_of(tmp_path), *balances("99.00", "101.00", "100.00", "100.00")
    ) as parts:
        close(parts, march(6), carry=True)
        tell(parts, *balances("70.00", first=march(5)))
        of_a_cure_day = parts.store.position()
        assert close(parts, march(7), carry=True)[0].tested == 0
        tell(parts, *balances("50.00"))
        corrected = parts.store.position()
        close(parts, march(8), carry=True)
        tested = last_test(parts)
        assert (tested.outcome, tested.shortfall) == ("breached", 4_900)
        assert [cause.position for cause in tested.causes] == [of_a_cure_day, corrected]


def test_an_account_opened_after_a_window_restates_nothing_of_it(bank: Parts) -> None:
    close(bank, march(8))
    later = ACCOUNT | {"account_id": "A2", "opened_on": "2024-03-09"}
    ahead = ACCOUNT | {"account_id": "A3", "opened_on": "2024-03-20"}
    tell(bank, told("open-account", later), told("open-account", ahead))
    assert close(bank, march(9), carry=True)[0].tested == 0
    tell(bank, told("open-account", ACCOUNT | {"account_id": "A4", "opened_on": "2024-03-04"}))
    opened_late = bank.store.position()
    assert close(bank, march(10), carry=True)[0].restated == 1
    assert [cause.position for cause in last_test(bank).causes] == [opened_late]


def test_days_that_reach_beyond_the_calendar_are_closed_as_any(tmp_path: Path) -> None:
    far = K1 | {"commitment_id": "K2", "ends_on": "9999-12-31", "window": "term"}
    far |= {"missing_days": "1000000", "cure_days": "1000000", "grace_days": "1000000"}
    endless = far | {"commitment_id": "K3", "window": "month"}
    with new_bank(settings_of(tmp_path), *balances(*SHORT)) as parts:
        tell(parts, told("agree-commitment", far), told("agree-commitment", endless))
        close(parts, march(4), march(31), carry=True)
        assert (last_test(parts).commitment_id, last_test(parts).outcome) == ("K3", "in_grace")


def test_a_closed_day_is_closed_once(bank: Parts) -> None:
    close(bank, march(4), march(6))
    before = bank.store.position()
    assert close(bank, march(5)) == []
    assert bank.store.position() == before
    with pytest.raises(CloseOutOfOrderError):
        close(bank, march(3))


def test_a_correction_restates_at_the_next_close_and_is_named(bank: Parts) -> None:
    close(bank, march(7), march(8))
    [test_id] = [id_ for id_, e in identities(bank) if isinstance(e, CommitmentTested)][-1:]
    tell(bank, *balances("70.00", first=march(3)))
    correction = bank.store.position()
    [closed] = close(bank, march(9))
    assert (closed.tested, closed.restated) == (1, 1)
    tested = last_test(bank)
    assert (tested.outcome, tested.restates) == ("met", test_id)
    [cause] = tested.causes
    assert cause.position == correction
    assert cause.event_id == bank.store.read(correction - 1, 1)[0].id
    assert kinds(bank)[-2] == "consequence-applied"
    assert close(bank, march(10))[0].tested == 0


def test_a_correction_of_a_related_partys_balance_restates_too(tmp_path: Path) -> None:
    with new_bank(settings_of(tmp_path), *PARTY, *balances(*SHORT)) as parts:
        tell(parts, *balances(*["0.00"] * 8, account_id="B1"))
        close(parts, march(8))
        tell(parts, *balances("30.00", account_id="B1", first=march(2)))
        close(parts, march(9))
        tested = last_test(parts)
        assert (tested.commitment_id, tested.outcome) == ("K2", "met")
        assert tested.causes_count == 1


def test_who_rests_on_a_party_set_aside_is_set_aside_too_and_caught_up_with(
    tmp_path: Path,
) -> None:
    settings = settings_of(tmp_path)
    with new_bank(settings, *PARTY, *balances(*SHORT)) as parts:
        tell(parts, *balances(*["0.00"] * 8, account_id="B1"))
        close(parts, march(8))
        before = {
            e.commitment_id: e for _, e in identities(parts) if isinstance(e, CommitmentTested)
        }
        assert sorted(before) == ["K1", "K2"]
        tell(parts, *balances("30.00", account_id="B1", first=march(2)))
        corrected = parts.store.position()
        written(settings, corrected, version=99)
        assert close(parts, march(9), carry=True)[0][2:] == (0, 0, 0, 0, 0, 0, 1)
        assert close(parts, march(10))[0].set_aside == 1
        written(settings, corrected, version=1)
        for view in ("relationship", "compliance", "network", "guarantees"):
            guanxi("--ledger", settings.ledger, "parked", "retry", view, "C2", "--why", "mended")
        [closed] = close(parts, march(11), carry=True)
        assert (closed.tested, closed.restated, closed.set_aside) == (1, 1, 0)
        tested = last_test(parts)
        assert (tested.commitment_id, tested.outcome) == ("K2", "met")
        assert [cause.position for cause in tested.causes] == [corrected]
        assert close(parts, march(12), carry=True)[0].tested == 0


def written(settings: Settings, position: int, version: int) -> None:
    """Write an event's version into the ledger, and to where it waits to be applied."""
    with sqlite3.connect(settings.ledger.removeprefix("sqlite:")) as connection:
        connection.execute("UPDATE event SET version = ? WHERE position = ?", (version, position))
        for (waiting,) in connection.execute("SELECT value FROM view_parked").fetchall():
            told = waiting.replace(b"\xa7version\x63", b"\xa7version" + bytes([version]))
            connection.execute("UPDATE view_parked SET value = ? WHERE value = ?", (told, waiting))
    connection.close()


def test_what_was_dropped_is_no_cause_and_stops_no_close(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with new_bank(settings, *PARTY, *balances(*SHORT)) as parts:
        tell(parts, *balances(*["0.00"] * 8, account_id="B1"))
        close(parts, march(8))
        tell(parts, *balances("30.00", account_id="B1", first=march(2)))
        written(settings, parts.store.position(), version=99)
        parts.catch_up()
        for view in ("relationship", "compliance", "network", "guarantees"):
            guanxi("--ledger", settings.ledger, "parked", "drop", view, "C2", "--why", "lost")
        tell(parts, *balances("2.00", account_id="B1", first=march(3)))
        corrected = parts.store.position()
        assert close(parts, march(9), carry=True)[0].restated == 1
        assert [cause.position for cause in last_test(parts).causes] == [corrected]
        words = ("show", "compliance", "K2", "--as-of", "2024-03-09", "--json")
        shown = guanxi("--ledger", settings.ledger, *words).document()["explained"]["days"][1]
        [of_b1] = [each for each in shown["accounts"] if each["account_id"] == "B1"]
        told = parts.store.read(of_b1["position"] - 1, 1)[0]
        assert (of_b1["balance"], told.type, told.occurred_on) == (
            0,
            "balance-observed",
            "2024-03-02",
        )


def test_no_balance_is_asked_for_of_who_was_forgotten(tmp_path: Path) -> None:
    with new_bank(settings_of(tmp_path), *PARTY, *balances(*SHORT)) as parts:
        tell(parts, *balances("0.00", account_id="B1"))
        close(parts, march(1))
        gone = {"forgotten_on": "2024-03-02", "reason": "asked"}
        tell(parts, told("forget-relationship", gone | {"customer_id": "C2"}))
        close(parts, march(2))
        tell(parts, told("forget-relationship", gone | {"customer_id": "C1"}))
        assert len(close(parts, march(12))) == 10


def test_what_happens_to_another_loan_is_no_cause(tmp_path: Path) -> None:
    first, other = LOAN, LOAN | {"loan_id": "L2"}
    of_one = K1 | {
        "commitment_id": "K2",
        "loan_id": "L1",
        "requirement_kind": "percent_of_drawn",
        "requirement_value": "10",
    }
    loans = [
        told("approve-loan", first),
        told("approve-loan", other),
        told("draw-loan", DRAW),
        told("agree-commitment", of_one),
    ]
    with new_bank(settings_of(tmp_path), *loans, *balances(*SHORT)) as parts:
        close(parts, march(8))
        late = DRAW | {"drawn_on": "2024-03-02", "amount": "50.00"}
        tell(parts, told("draw-loan", late | {"draw_id": "W2", "loan_id": "L2"}))
        tell(parts, told("draw-loan", late | {"draw_id": "W3"}))
        [closed] = close(parts, march(9))
        assert closed.restated == 1
        tested = last_test(parts)
        assert (tested.commitment_id, tested.required_days) == ("K2", 41_500)
        assert [cause.position for cause in tested.causes] == [closed.through - 1]


def test_a_waiver_told_ahead_is_reported_on_its_day(bank: Parts) -> None:
    waiver = {
        "commitment_id": "K1",
        "waiver_id": "V1",
        "waived_on": "2024-03-10",
        "windows_from": "2024-03-01",
        "windows_to": "2024-03-01",
        "requested_by": "RM-1",
        "approved_by": "HEAD-1",
        "reason": "flood",
    }
    tell(bank, told("waive-commitment", waiver))
    told_at = bank.store.position()
    close(bank, march(8), march(9))
    assert last_test(bank).outcome == "breached"
    close(bank, march(10))
    tested = last_test(bank)
    assert (tested.outcome, tested.restates) == ("waived", None)
    assert [cause.position for cause in tested.causes] == [told_at]


def test_the_books_are_on_the_day_after_the_last_close(bank: Parts) -> None:
    answers = Answers(bank)
    assert bank.ledger().business_date() == answers.as_of(None) == march(8)
    close(bank, march(4), march(5))
    assert bank.ledger().business_date() == march(6)
    assert answers.as_of(None) == march(5)
    assert answers.as_of(march(1)) == march(1)


def test_a_profile_changed_after_a_close_holds_from_the_open_day_on(bank: Parts) -> None:
    close(bank, march(4))
    tell(bank, told("open-relationship", RELATIONSHIP | {"branch": "D2"}))
    [record] = bank.store.read(bank.store.position() - 1, 1)
    assert (record.type, record.occurred_on) == ("profile-changed", "2024-03-05")


def test_nothing_is_reported_of_a_forgotten_customer(bank: Parts) -> None:
    forget = {"customer_id": "C1", "forgotten_on": "2024-03-08", "reason": "asked"}
    tell(bank, told("forget-relationship", forget))
    [closed] = close(bank, march(8))
    assert closed.tested == 0
    assert kinds(bank) == ["close-started", "business-date-closed"]


def test_views_of_what_was_reported_have_the_digests_of_a_replay(bank: Parts) -> None:
    close(bank, march(4), march(8))
    bank.catch_up()
    found = replayed_digests(bank, bank.store.position())
    assert {name: each["matches"] for name, each in found.items()} == dict.fromkeys(found, True)
    assert not any(bank.views.parked(bank.views.live(name)) for name in found)


def test_a_close_leaves_no_cycles_of_objects_behind(bank: Parts) -> None:
    closes = Closer(bank, "operator", load_packs(())).close(march(4), march(6), carry=True)
    next(closes)
    gc.collect()
    gc.disable()
    try:
        next(closes)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("appends", range(10))
def test_a_close_cut_off_anywhere_is_finished_with_the_same_ids_and_data(
    appends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "APPEND_EVENTS_MAX", 1)
    whole = tmp_path / "whole"
    whole.mkdir()
    with new_bank(settings_of(whole), *balances(*SHORT)):
        pass
    with sqlite3.connect(whole / "ledger.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copytree(whole, tmp_path / "cut")
    with opened(settings_of(whole)) as parts:
        close(parts, march(7), march(9))
        expected = identities(parts)
    with opened(settings_of(tmp_path / "cut")) as parts:
        cut = replace(parts, store=Cut(parts.store, appends))  # type: ignore[arg-type]  # a store that fails
        with pytest.raises(StoreUnavailableError):
            close(cut, march(7), march(9))
        parts.catch_up()  # the view goes on beyond the close that was cut off
        close(parts, march(7), march(9))
        assert identities(parts) == expected


def test_a_close_cut_off_rests_on_what_was_known_when_it_began(
    bank: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "APPEND_EVENTS_MAX", 1)
    with pytest.raises(StoreUnavailableError):
        close(replace(bank, store=Cut(bank.store, 1)), march(8))  # type: ignore[arg-type]  # a store that fails
    tell(bank, *balances("999.00", first=march(3)))
    bank.catch_up()
    close(bank, march(8))
    assert last_test(bank).outcome == "breached"
    close(bank, march(9))
    assert last_test(bank).outcome == "met"


def test_two_closes_at_once_report_everything_once(bank: Parts, tmp_path: Path) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            with opened(settings_of(tmp_path)) as parts:
                close(parts, march(4), march(9))
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    told_ids = [id_ for id_, _ in identities(bank)]
    assert len(told_ids) == len(set(told_ids))
    assert kinds(bank).count("business-date-closed") == 6
    assert kinds(bank).count("commitment-tested") == 2


@pytest.mark.cluster
def test_a_close_on_postgresql_reports_the_same(
    bank: Parts, postgresql_url: str, tmp_path: Path
) -> None:
    close(bank, march(7), march(9))
    settings = Settings(ledger=postgresql_url, keys=tmp_path / "keys")
    with new_bank(settings, *balances(*SHORT)) as parts:
        close(parts, march(7), march(8))
        assert close(parts, march(7), march(8)) == []
        close(parts, march(9))
        told_there, told_here = (told_by_closes(each) for each in (parts, bank))
        assert [record.type for record in told_there] == [record.type for record in told_here]
        assert [record.position for record in told_there] == [r.position for r in told_here]
        hashes = [
            [r.event.inputs_sha256 for r in told if isinstance(r.event, CommitmentTested)]
            for told in (told_there, told_here)
        ]
        assert hashes[0] == hashes[1]
