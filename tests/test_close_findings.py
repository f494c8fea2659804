"""A close raises what the policy packs find: once, by the law of the day, whatever kills it."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest

from consumers.event_store import StoreUnavailableError
from domain.close import BusinessDateClosed, CloseStarted, PackUsed
from domain.errors import PacksDifferError
from domain.finding import FindingRaised
from infra import closer
from infra.answers import Answers
from infra.close_journal import CloseJournal
from infra.closer import Closed, Closer
from infra.codec import decode_record
from infra.composition import opened
from infra.http.application import application
from infra.http.ledger_totals import LedgerTotals
from infra.http.served import Served
from infra.policy.judging import judged, raise_findings
from infra.policy.packs import DATA, load_packs
from infra.rules.reading import DATA as RULES
from projections.findings import finding_rows
from projections.projection import FINDINGS
from tests.closing_ledger import (
    SHORT,
    balances,
    close,
    identities,
    march,
    new_bank,
    settings_of,
    tell,
    told_by_closes,
)
from tests.cut_store import Cut, Overtaken
from tests.surfaces.cli import guanxi
from tests.write_side import ACCOUNT, DRAW, LOAN, REFERRAL, RELATIONSHIP, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.composition import Parts
    from infra.ledger import Told

TERM = ACCOUNT | {"account_id": "A2", "kind": "term"}
DRAWN = DRAW | {"drawn_on": "2024-03-05"}
PLACED = balances("250.00", account_id="A2", first=march(8))


def gift(given_on: str, gift_id: str = "G1") -> Told:
    fields = {
        "gift_id": gift_id,
        "customer_id": "C1",
        "given_on": given_on,
        "basis": "deposits",
        "amount": "20.00",
        "currency": "CNY",
        "by": "RM-1",
    }
    return told("record-gift", fields)


STORY = (
    told("approve-loan", LOAN),
    told("draw-loan", DRAWN),
    told("open-account", TERM),
    *balances(*SHORT),
    *balances(*["0.00"] * 8, account_id="A2"),
    *PLACED,
    gift("2024-03-06"),
)


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Parts]:
    """C1 drew on 5 March, was given a gift on the 6th, and placed a deposit on the 8th."""
    with new_bank(settings_of(tmp_path), *STORY) as parts:
        yield parts


def raised(parts: Parts) -> list[FindingRaised]:
    return [event for event in every_event(parts) if isinstance(event, FindingRaised)]


def every_event(parts: Parts) -> list[object]:
    return [decode_record(record).event for record in parts.store.read(0, 5_000)]


def judge(parts: Parts, day: int) -> set[str]:
    parts.catch_up()
    found = judged(parts, load_packs(["cn"]), march(day))
    raise_findings(parts.ledger(), found, "officer")
    return found.raised


def test_each_close_raises_what_its_day_brought(bank: Parts) -> None:
    found = [(each.business_date, each.findings) for each in close(bank, march(5), march(8))]
    assert found == [(march(5), 0), (march(6), 1), (march(7), 0), (march(8), 1)]
    a_gift, deposit = raised(bank)
    assert (a_gift.rule, a_gift.raised_on, a_gift.offended_on) == ("CN-07", march(6), march(6))
    assert (deposit.rule, deposit.facts[0]) == ("CN-01", "balance:A2:2024-03-08")
    types = {record.id: record.type for record in bank.store.read(0, 5_000)}
    assert [types[id_] for id_ in deposit.events] == [
        "balance-corrected",
        "account-opened",
        "loan-drawn",
    ]


def test_findings_follow_the_tests_and_are_counted_as_reported(bank: Parts) -> None:
    close(bank, march(8))
    told_there = told_by_closes(bank)
    assert [record.type for record in told_there] == [
        "close-started",
        "commitment-tested",
        "commitment-breached",
        "consequence-applied",
        "finding-raised",
        "finding-raised",
        "business-date-closed",
    ]
    done = told_there[-1].event
    assert isinstance(done, BusinessDateClosed)
    assert (done.tested, done.reported) == (1, 5)
    finding = told_there[-2]
    assert (finding.source, finding.causation_id) == ("close:2024-03-08", told_there[0].id)


def test_what_was_raised_is_raised_no_more_by_either(bank: Parts) -> None:
    assert len(judge(bank, 6)) == 1
    assert [each.findings for each in close(bank, march(6), march(8))] == [0, 0, 1]
    assert judge(bank, 8) == set()
    assert len(raised(bank)) == 2


def test_the_law_of_the_day_judges_however_late_the_close(tmp_path: Path) -> None:
    gifts = (gift("2014-09-10", "G1"), gift("2014-09-11", "G2"))
    with new_bank(settings_of(tmp_path), *gifts) as parts:
        close(parts, march(1), carry=True)
        [found] = raised(parts)
        assert (found.facts, str(found.in_force_from)) == (("gift:G2",), "2014-09-11")


def test_a_correction_raises_anew_and_what_was_raised_stays(bank: Parts) -> None:
    close(bank, march(6), march(8))
    before = raised(bank)
    tell(bank, *balances("400.00", "400.00", account_id="A2", first=march(6)))
    [closed] = close(bank, march(9), carry=True)
    assert closed.findings == 1
    assert raised(bank)[:2] == before
    assert raised(bank)[2].facts[0] == "balance:A2:2024-03-06"


def test_a_correction_restates_and_judges_in_one_close(bank: Parts) -> None:
    close(bank, march(8))
    tell(bank, *balances("300.00", account_id="A2", first=march(4)))
    tell(bank, gift("2024-03-02", "G2"))
    [closed] = close(bank, march(9), carry=True)
    assert (closed.restated, closed.findings) == (1, 1)


def test_business_told_late_that_closes_a_circle_is_found_by_the_next_close(bank: Parts) -> None:
    other = {"customer_id": "C9", "opened_on": "2024-03-01"}
    back = {"referral_id": "R2", "referrer_id": "C9", "prospect_id": "C1"}
    tell(
        bank,
        told("open-relationship", RELATIONSHIP | other),
        told("introduce-referral", REFERRAL, introduced_on="2024-03-01"),
        told(
            "decline-referral", {"referral_id": "R1", "declined_on": "2024-03-03", "reason": "x"}
        ),
        told("introduce-referral", REFERRAL | back, introduced_on="2024-03-05"),
    )
    close(bank, march(8))
    before = {each.finding_id for each in raised(bank)}
    tell(bank, told("open-account", ACCOUNT | other, account_id="A9", opened_on="2024-03-02"))
    close(bank, march(9), carry=True)
    [found] = [each for each in raised(bank) if each.finding_id not in before]
    assert (found.rule, found.customer_id, found.offended_on) == ("LEDGER-06", "C1", march(5))
    assert found.facts == ("referral:R2", "referral:R1")
    customers = {record.id: record.customer_id for record in bank.store.read(0, 5_000)}
    assert [customers[id_] for id_ in found.events] == ["C1", "C9"]


def test_month_end_deviation_is_the_whole_bank_s(tmp_path: Path) -> None:
    feed = [*balances(*["100.00"] * 30, "200.00")]
    with new_bank(settings_of(tmp_path), *feed) as parts:
        close(parts, march(30), march(31))
        [found] = raised(parts)
        assert (found.rule, found.customer_id, found.raised_on) == ("CN-11", "ledger", march(31))
        assert found.events == ()


def test_nothing_is_raised_of_a_forgotten_customer(bank: Parts) -> None:
    forget = {"customer_id": "C1", "forgotten_on": "2024-03-08", "reason": "asked"}
    tell(bank, told("forget-relationship", forget))
    assert close(bank, march(8))[0].findings == 0


def test_the_packs_told_judge_and_are_kept_with_the_start(bank: Parts, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        (DATA / "us.toml").read_text().replace('"us"', '"ours"').replace("US-", "OURS-")
    )
    assert close(bank, march(8), packs=["us", str(own)])[0].findings == 0
    [(_, started), *_] = identities(bank)
    assert isinstance(started, CloseStarted)
    assert [each.pack for each in started.packs] == ["none", "us", "ours"]
    assert len({each.sha256 for each in started.packs}) == 3


def begin(parts: Parts, *packs: str) -> None:
    """Begin the close of 8 March, and no more."""
    used = [PackUsed(pack.jurisdiction, pack.sha256) for pack in load_packs(packs) if packs]
    journal = CloseJournal(parts.store, parts.meta.ledger_id, "operator")
    journal.start(
        CloseStarted(
            customer_id="ledger", business_date=march(8), balances="observed", packs=tuple(used)
        )
    )


def test_a_close_is_finished_by_the_packs_that_it_was_begun_with(bank: Parts) -> None:
    begin(bank, "cn")
    with pytest.raises(PacksDifferError, match="none, cn"):
        close(bank, march(8), packs=["kr"])
    assert close(bank, march(8))[0].findings == 2


def test_the_same_packs_in_another_order_finish_a_close(bank: Parts) -> None:
    begin(bank, "kr", "cn")
    assert close(bank, march(8), packs=["cn", "kr"])[0].findings == 2


def test_a_rule_changed_since_is_another_pack(bank: Parts, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        (DATA / "us.toml").read_text().replace('"us"', '"ours"').replace("US-", "OURS-")
    )
    begin(bank, str(own))
    own.write_text(own.read_text().replace('severity = "high"', 'severity = "low"'))
    with pytest.raises(PacksDifferError):
        close(bank, march(8), packs=[str(own)])


def test_plans_changed_since_are_another_pack(
    bank: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(bank, "cn")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rewards.toml").write_text((RULES / "rewards.toml").read_text() + "# another\n")
    monkeypatch.setenv("GUANXI_RULES", str(rules))
    with pytest.raises(PacksDifferError, match="none, cn"):
        close(bank, march(8))
    monkeypatch.delenv("GUANXI_RULES")
    assert close(bank, march(8))[0].findings == 2


def test_a_close_begun_before_closes_judged_is_finished_without(bank: Parts) -> None:
    begin(bank)
    assert close(bank, march(8), packs=["kr"])[0].findings == 0
    assert close(bank, march(9), carry=True)[0].findings == 2


def test_an_unjudged_close_raises_nothing_and_the_next_one_that_judges_does(bank: Parts) -> None:
    [closed] = close_unjudged(bank, 8)
    assert (closed.tested, closed.breached, closed.findings) == (1, 1, 0)
    [(_, started), *_] = identities(bank)
    assert isinstance(started, CloseStarted)
    assert started.packs == ()
    [after] = close(bank, march(9), carry=True)
    assert after.findings == 2
    assert {each.raised_on for each in raised(bank)} == {march(9)}


def test_a_close_is_finished_unjudged_whatever_packs_it_was_begun_with(
    bank: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "findings_of", _fails)
    with pytest.raises(OverflowError):
        close(bank, march(8))
    monkeypatch.undo()
    with pytest.raises(PacksDifferError, match="--unjudged"):
        close(bank, march(8), packs=["kr"])
    assert close_unjudged(bank, 8)[0].findings == 0
    assert close(bank, march(8)) == []
    assert close(bank, march(9), carry=True)[0].findings == 2


def test_what_a_close_had_raised_stays_where_it_is_finished_unjudged(
    bank: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "APPEND_EVENTS_MAX", 1)
    with pytest.raises(StoreUnavailableError):  # after the start, three reports and a finding
        close(replace(bank, store=Cut(bank.store, 4)), march(8))  # type: ignore[arg-type]  # a store that fails
    assert len(raised(bank)) == 1
    close_unjudged(bank, 8)
    assert len(raised(bank)) == 1
    done = told_by_closes(bank)[-1].event
    assert isinstance(done, BusinessDateClosed)
    assert done.reported == 3
    assert close(bank, march(9), carry=True)[0].findings == 1


def test_a_close_adds_nothing_to_a_day_that_an_unjudged_one_closed_meanwhile(
    bank: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "APPEND_EVENTS_MAX", 1)
    store = Overtaken(bank.store, 6, lambda: close_unjudged(bank, 8))
    [closed] = close(replace(bank, store=store), march(8))  # type: ignore[arg-type]  # as a store
    assert (closed.tested, closed.breached, closed.findings) == (1, 1, 1)
    assert isinstance(told_by_closes(bank)[-1].event, BusinessDateClosed)
    assert len(raised(bank)) == 1
    assert close(bank, march(9), carry=True)[0].findings == 1


def close_unjudged(parts: Parts, day: int) -> list[Closed]:
    return list(Closer(parts, "operator", ()).close(march(day), march(day), carry=True))


def _fails(*_: object) -> NoReturn:
    raise OverflowError


@pytest.mark.usefixtures("bank")
def test_unjudged_is_told_instead_of_packs(tmp_path: Path) -> None:
    words = ("--ledger", settings_of(tmp_path).ledger, "close", "2024-03-08", "--unjudged")
    assert guanxi(*words, "--pack", "us").status == 2
    [closed] = guanxi(*words, "--json").document()["closed"]
    assert (closed["tested"], closed["findings"]) == (1, 0)


def test_what_a_close_found_can_be_dealt_with(bank: Parts) -> None:
    close(bank, march(8))
    one, other = (each.finding_id for each in raised(bank))
    of_one = {"finding_id": one, "by": "CO-1"}
    tell(
        bank,
        told("assign-finding", of_one | {"assigned_on": "2024-03-09", "assigned_to": "CO-1"}),
        told("remediate-finding", of_one | {"remediated_on": "2024-03-10", "measure": "undone"}),
        told("report-finding", of_one | {"reported_on": "2024-03-11", "reported_to": "NFRA"}),
    )
    justified = {"justified_on": "2024-03-09", "reason": "own", "justified_by": "CO-1"}
    tell(bank, told("justify-finding", {"finding_id": other, "approved_by": "HEAD"} | justified))
    bank.catch_up()
    rows = finding_rows(Answers(bank).book(FINDINGS), march(31))
    assert {row.finding_id: row.status for row in rows} == {one: "reported", other: "justified"}


def test_a_judge_whom_a_close_overtakes_raises_nothing_twice(bank: Parts) -> None:
    bank.catch_up()
    found = judged(bank, load_packs(["cn"]), march(8))
    store = Overtaken(bank.store, 1, lambda: close(bank, march(8)))
    raise_findings(replace(bank, store=store).ledger(), found, "officer")  # type: ignore[arg-type]  # as a store
    assert (len(found.findings), found.raised, found.refused) == (2, set(), {})
    assert len(raised(bank)) == 2


def test_a_finding_raised_by_somebody_while_a_close_lay_dead_is_left_alone(bank: Parts) -> None:
    begin(bank, "cn")
    assert len(judge(bank, 8)) == 2
    assert close(bank, march(8))[0].findings == 0
    assert len(raised(bank)) == 2
    done = told_by_closes(bank)[-1].event
    assert isinstance(done, BusinessDateClosed)
    assert done.reported == 3


@pytest.mark.parametrize("appends", range(1, 12, 2))
def test_a_close_cut_off_anywhere_raises_the_same(
    appends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "APPEND_EVENTS_MAX", 1)
    whole = tmp_path / "whole"
    whole.mkdir()
    with new_bank(settings_of(whole), *STORY):
        pass
    with sqlite3.connect(whole / "ledger.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copytree(whole, tmp_path / "cut")
    with opened(settings_of(whole)) as parts:
        close(parts, march(6), march(8))
        expected = identities(parts)
    with opened(settings_of(tmp_path / "cut")) as parts:
        cut = replace(parts, store=Cut(parts.store, appends))  # type: ignore[arg-type]  # a store that fails
        with pytest.raises(StoreUnavailableError):
            close(cut, march(6), march(8))
        parts.catch_up()  # the views go on beyond the close that was cut off
        close(parts, march(6), march(8))
        assert identities(parts) == expected


def test_every_surface_tells_the_findings_of_a_close(bank: Parts, tmp_path: Path) -> None:
    close(bank, march(8))
    ids = {each.finding_id for each in raised(bank)}
    ledger = ("--ledger", settings_of(tmp_path).ledger)
    shown = guanxi(*ledger, "show", "findings", "--open", "--json").document()
    assert {each["finding_id"] for each in shown["findings"]} == ids
    rows = guanxi(*ledger, "export", "findings", "--json").document()
    exported = next(value for value in rows.values() if isinstance(value, list))
    assert {each["finding_id"] for each in exported} == ids
    bank.catch_up()
    registry, served = CollectorRegistry(), Served()
    registry.register(LedgerTotals(bank))
    served.open(bank, bank.ledger())
    answer = TestClient(application(served, registry)).get("/findings?status=open").json()
    assert {each["finding_id"] for each in answer["findings"]} == ids
    scraped = generate_latest(registry).decode()
    for rule in ("CN-01", "CN-07"):
        assert f'guanxi_findings_open{{rule="{rule}",severity="high"}} 1.0' in scraped


@pytest.mark.usefixtures("bank")
def test_what_was_closed_fits_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = ("--ledger", settings_of(tmp_path).ledger, "close", "2024-03-08")
    told_there = guanxi(*words).out
    assert "…" not in told_there
    assert "2024-03-08" in told_there
    assert "2024-03-08 is closed already" in guanxi(*words, "--pack", "us").out
