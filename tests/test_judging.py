"""Judging a ledger: the law of the day, ids that stay, raising once, evidence, the past."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, generate_latest

from domain.finding import FindingRaised, finding_id
from infra.answers import Answers
from infra.attempt import Refused, Told
from infra.cli.settings import Settings
from infra.codec import decode_record
from infra.commands import FORMS
from infra.composition import make_ledger, opened
from infra.http.application import application
from infra.http.ledger_totals import LedgerTotals
from infra.http.served import Served
from infra.policy.judging import Judgement, judged, raise_findings
from infra.policy.packs import load_packs
from projections.findings import finding_rows
from projections.policy.evidence import tellers
from projections.policy.judging import findings_of
from projections.projection import FINDINGS
from projections.projection import RELATIONSHIP as CARD
from tests.policy_cases import AVERAGE, approved, balance, book_of, committed, drawn, held
from tests.policy_cases import opened as account
from tests.surfaces.cli import guanxi
from tests.write_side import (
    ACCOUNT,
    BALANCE,
    COMMITMENT,
    CONTACT,
    DRAW,
    LOAN,
    REFERRAL,
    RELATIONSHIP,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.composition import Parts

TERM = ACCOUNT | {"account_id": "A2", "kind": "term", "opened_on": "2024-01-05"}
PLACED = BALANCE | {"account_id": "A2", "business_date": "2024-01-08", "ledger_balance": "250.00"}
GIFT = {
    "gift_id": "G1",
    "customer_id": "C1",
    "given_on": "2024-01-09",
    "basis": "deposits",
    "amount": "20.00",
    "currency": "CNY",
    "by": "RM-1",
}
STORY: list[tuple[str, dict[str, str]]] = [
    ("open-relationship", RELATIONSHIP),
    ("open-account", ACCOUNT),
    ("approve-loan", LOAN),
    ("draw-loan", DRAW),
    ("open-account", TERM),
    ("record-balance", PLACED),
    ("record-gift", GIFT),
]
AS_OF = date(2024, 1, 31)
CN = load_packs(["cn"])


def tell(parts: Parts, *told: tuple[str, dict[str, str]]) -> None:
    ledger = parts.ledger()
    for name, fields in told:
        [outcome] = ledger.handle([Told(FORMS[name].command(fields), "tester", "api", "test")])
        assert not isinstance(outcome, Refused), outcome
    parts.catch_up()


def judge(parts: Parts, as_of: date = AS_OF, known_at: int | None = None) -> Judgement:
    parts.catch_up()
    found = judged(parts, CN, as_of, known_at)
    raise_findings(parts.ledger(), found, "officer")
    parts.catch_up()
    return found


def raised(parts: Parts) -> list[FindingRaised]:
    events = [decode_record(record).event for record in parts.store.read(0, 1_000)]
    return [event for event in events if isinstance(event, FindingRaised)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(ledger=f"sqlite:{tmp_path / 'ledger.db'}")
    make_ledger(settings, partitions=12, topic_prefix="guanxi")
    return settings


@pytest.fixture
def parts(settings: Settings) -> Iterator[Parts]:
    with opened(settings) as found:
        tell(found, *STORY)
        yield found


# The pure part.

PLEDGED = (
    account("2016-01-01"),
    approved("2020-05-28"),
    committed("2020-05-29", AVERAGE),
    drawn("2020-05-30"),
    balance("2020-05-31", 30_000),
    held("2020-05-31"),
)


def test_a_days_balance_is_looked_for_on_that_day_and_a_draw_on_any() -> None:
    assert tellers(["balance:A1:2024-01-08", "draw:D1"]) == {
        ("balance-observed", "2024-01-08"),
        ("balance-corrected", "2024-01-08"),
        ("loan-drawn", None),
    }


def test_the_same_facts_give_the_same_findings_whatever_the_order_of_rows() -> None:
    one = findings_of(book_of(*PLEDGED), CN, AS_OF)
    other = findings_of(book_of(*PLEDGED), tuple(reversed(CN)), AS_OF)
    assert one == other
    assert [(each.rule, each.rule_version) for each in one] == [("CN-02", 1), ("CN-01", 1)]


def test_the_id_of_a_finding_is_fixed_by_rule_version_customer_and_facts() -> None:
    facts = ("commitment:K1", "loan:L1")
    fixed = finding_id("cn", "CN-02", 1, "C1", facts)
    assert fixed == "73f22387-9c6b-5b4e-9092-5886018a6392"
    others = {
        finding_id("ours", "CN-02", 1, "C1", facts),
        finding_id("cn", "CN-02", 2, "C1", facts),
        finding_id("cn", "CN-01", 1, "C1", facts),
        finding_id("cn", "CN-02", 1, "C2", facts),
        finding_id("cn", "CN-02", 1, "C1", facts[:1]),
        finding_id("cn", "CN-02", 1, "C1", tuple(reversed(facts))),
    }
    assert len(others | {fixed}) == 7


def test_the_same_story_ten_days_later_is_judged_by_another_law() -> None:
    later = (
        account("2016-01-01"),
        approved("2020-06-07"),
        committed("2020-06-08", AVERAGE),
        drawn("2020-06-09"),
        balance("2020-06-10", 30_000),
        held("2020-06-09"),
    )
    assert findings_of(book_of(*later), CN, AS_OF) == []


def test_no_pack_knows_of_an_offence_before_its_day() -> None:
    book = book_of(*PLEDGED)
    assert [each.rule for each in findings_of(book, CN, date(2020, 5, 30))] == ["CN-02"]
    assert findings_of(book, CN, date(2020, 5, 28)) == []


# The ledger.


def test_what_is_found_is_raised_once_with_its_facts_and_events(parts: Parts) -> None:
    first = judge(parts)
    assert [each.rule for each in first.findings] == ["CN-01", "CN-07"]
    deposit, gift = raised(parts)
    assert deposit.facts == ("balance:A2:2024-01-08", "account:A2", "draw:W1")
    ids = {record.id: record.type for record in parts.store.read(0, 1_000)}
    assert [ids[id_] for id_ in deposit.events] == [
        "balance-observed",
        "account-opened",
        "loan-drawn",
    ]
    assert [ids[id_] for id_ in gift.events] == ["gift-given"]
    assert (deposit.raised_on, deposit.offended_on) == (AS_OF, date(2024, 1, 8))
    assert (deposit.in_force_from, deposit.in_force_to) == (date(2020, 6, 1), None)
    again = judge(parts)
    assert (again.new, again.raised) == ([], set())
    assert len(raised(parts)) == 2


def test_a_correction_names_the_event_that_told_last(parts: Parts) -> None:
    tell(parts, ("record-balance", PLACED | {"ledger_balance": "300.00"}))
    judge(parts)
    ids = {record.id: record.type for record in parts.store.read(0, 1_000)}
    assert ids[raised(parts)[0].events[0]] == "balance-corrected"


def test_a_matter_that_was_raised_is_raised_no_second_time_while_it_offends(parts: Parts) -> None:
    prospect = RELATIONSHIP | {"customer_id": "C9", "opened_on": "2024-02-02"}
    tell(parts, ("introduce-referral", REFERRAL), ("open-relationship", prospect))
    end_of_february = date(2024, 2, 29)

    def contacted(contact_id: str, day: str, direction: str = "outbound") -> list[str]:
        """Return what is raised of C9 once a contact was told too."""
        told = {"contact_id": contact_id, "happened_at": f"{day}T10:00:00+08:00"}
        told |= {"customer_id": "C9", "direction": direction}
        tell(parts, ("record-contact", CONTACT | told))
        judge(parts, end_of_february)
        return [each.facts[0] for each in raised(parts) if each.customer_id == "C9"]

    assert contacted("T1", "2024-02-05") == ["contact:T1"]
    assert contacted("T0", "2024-02-04") == ["contact:T1"]
    assert contacted("T1", "2024-02-05", "inbound") == ["contact:T1", "contact:T0"]


def test_the_evidence_is_that_of_the_instant_judged(parts: Parts) -> None:
    [last] = parts.store.read(parts.store.position() - 1, 1)
    tell(parts, ("record-balance", PLACED | {"ledger_balance": "300.00"}))
    judge(parts, AS_OF, last.recorded_at)
    ids = {record.id: record.type for record in parts.store.read(0, 1_000)}
    assert ids[raised(parts)[0].events[0]] == "balance-observed"


TIED: list[tuple[str, dict[str, str]]] = [
    ("open-relationship", RELATIONSHIP | {"customer_id": "C2"}),
    ("open-account", TERM | {"account_id": "A3", "customer_id": "C2", "opened_on": "2024-01-02"}),
    ("agree-commitment", COMMITMENT | {"accounts": "A3"}),
    ("record-balance", PLACED | {"account_id": "A3"}),
    ("approve-loan", LOAN | {"loan_id": "L2", "approved_on": "2024-01-10"}),
    (
        "place-hold",
        {
            "hold_id": "H1",
            "account_id": "A3",
            "placed_on": "2024-01-11",
            "amount": "250.00",
            "currency": "CNY",
            "basis": "pledge",
            "loan_id": "L2",
            "contract_id": "P-1",
        },
    ),
    *(
        (
            "change-rate",
            {"loan_id": "L1", "changed_on": day, "annual_rate": rate, "reason": "deposit missed"},
        )
        for day, rate in (("2024-01-12", "4.2"), ("2024-01-13", "4.5"))
    ),
    (
        "introduce-referral",
        REFERRAL | {"prospect_id": "P1", "referrer_id": "C1", "introduced_on": "2024-01-05"},
    ),
    ("contact-referral", {"referral_id": "R1", "contacted_on": "2024-01-06", "by": "RM-1"}),
]


def test_every_fact_of_a_finding_was_told_by_an_event_of_its_own(parts: Parts) -> None:
    tell(parts, *TIED)
    found = judge(parts)
    assert {each.rule for each in found.findings} == {
        *("CN-01", "CN-02", "CN-03", "CN-07", "CN-09", "CN-10")
    }
    for event in raised(parts):
        assert len(set(event.events)) == len(event.facts), event


def test_two_judges_at_once_raise_a_finding_once(parts: Parts) -> None:
    parts.catch_up()
    one, other = judged(parts, CN, AS_OF), judged(parts, CN, AS_OF)
    raise_findings(parts.ledger(), one, "officer")
    raise_findings(parts.ledger(), other, "another officer")
    assert (len(one.raised), len(other.raised)) == (2, 0)
    assert (other.new, other.known) == ([], one.raised)
    assert len(raised(parts)) == 2


def test_what_somebody_raised_meanwhile_as_of_another_day_is_left_to_them(parts: Parts) -> None:
    parts.catch_up()
    one, other = judged(parts, CN, AS_OF), judged(parts, CN, AS_OF + timedelta(days=1))
    raise_findings(parts.ledger(), one, "officer")
    raise_findings(parts.ledger(), other, "another officer")
    assert (other.raised, other.refused) == (set(), {})
    assert {event.raised_on for event in raised(parts)} == {AS_OF}


def test_the_past_is_judged_as_it_was_known(parts: Parts) -> None:
    [last] = parts.store.read(parts.store.position() - 1, 1)
    before_the_gift = last.recorded_at - 1
    found = judged(parts, CN, AS_OF, before_the_gift)
    assert [each.rule for each in found.findings] == ["CN-01"]
    assert found.known == {}.keys()
    known = judge(parts, AS_OF, before_the_gift)
    assert known.raised == {known.findings[0].finding_id}
    assert judged(parts, CN, AS_OF, before_the_gift).new == []
    assert [each.rule for each in judge(parts).new] == ["CN-07"]


def test_judging_never_blocks_recording_and_skips_the_forgotten(parts: Parts) -> None:
    tell(
        parts,
        (
            "forget-relationship",
            {"customer_id": "C1", "forgotten_on": "2024-02-01", "reason": "x"},
        ),
    )
    found = judge(parts)
    assert not found.raised
    assert {type(error).__name__ for error in found.refused.values()} == {"CustomerForgottenError"}
    assert len(found.refused) == 2


def test_a_disposed_finding_is_open_no_more_from_that_day_on(parts: Parts) -> None:
    found = judge(parts)
    id_ = found.findings[0].finding_id
    tell(
        parts,
        ("assign-finding", told(id_, assigned_on="2024-02-01", assigned_to="CO-1", by="HEAD")),
        (
            "justify-finding",
            told(
                id_,
                justified_on="2024-02-03",
                reason="own funds",
                justified_by="CO-1",
                approved_by="HEAD",
            ),
        ),
    )
    book = Answers(parts).book(FINDINGS)
    for day, status in ((31, "open"), (32, "assigned"), (33, "assigned"), (34, "justified")):
        on = date(2023, 12, 31) + timedelta(days=day)
        rows = {row.finding_id: row.status for row in finding_rows(book, on)}
        assert rows[id_] == status
    assert list(finding_rows(book, date(2024, 1, 30))) == []
    assert Answers(parts).book(CARD).findings == book.findings


def told(finding_id: str, **fields: str) -> dict[str, str]:
    return {"finding_id": finding_id, **fields}


def test_a_whole_bank_s_finding_lies_under_the_ledger_s_own_key(parts: Parts) -> None:
    spike = [
        (
            "record-balance",
            BALANCE
            | {"business_date": f"2024-02-{day:02}", "ledger_balance": "999" if day > 28 else "9"},
        )
        for day in range(1, 30)
    ]
    tell(parts, *spike)
    judge(parts, date(2024, 2, 29))
    [deviation] = [event for event in raised(parts) if event.rule == "CN-11"]
    assert (deviation.customer_id, deviation.events) == ("ledger", ())


def test_findings_are_asked_for_over_http_and_the_open_ones_counted(parts: Parts) -> None:
    found = judge(parts)
    deposit, gift = (each.finding_id for each in found.findings)
    remediated = told(deposit, remediated_on="2024-02-01", measure="set free", by="CO-1")
    tell(parts, ("remediate-finding", remediated))
    registry, served = CollectorRegistry(), Served()
    registry.register(LedgerTotals(parts))
    served.open(parts, parts.ledger())
    client = TestClient(application(served, registry))
    for query, expected in (
        ("", {deposit, gift}),
        ("?as_of=2024-01-30", set()),
        ("?status=open", {gift}),
        ("?status=remediated", {deposit}),
        ("?rule=CN-07", {gift}),
        ("?customer_id=C2", set()),
    ):
        answer = client.get(f"/findings{query}").json()
        assert {each["finding_id"] for each in answer["findings"]} == expected
    told_by = {event.finding_id: list(event.events) for event in raised(parts)}
    answer = client.get("/findings").json()
    assert {each["finding_id"]: each["events"] for each in answer["findings"]} == told_by
    bogus = client.get("/findings?status=bogus")
    assert (bogus.status_code, bogus.json()["field"]) == (400, "status")
    first = client.get("/findings?limit=1").json()
    rest = client.get(f"/findings?after={first['next']}").json()
    assert [each["finding_id"] for each in first["findings"] + rest["findings"]] == sorted(
        (deposit, gift)
    )
    assert rest["next"] is None
    scraped = generate_latest(registry).decode()
    assert 'guanxi_findings_open{rule="CN-07",severity="high"} 1.0' in scraped
    assert 'guanxi_findings_open{rule="CN-01"' not in scraped


# The command line.


def command(settings: Settings, *words: str) -> dict[str, Any]:
    answer = guanxi("--ledger", settings.ledger, *words, "--json")
    assert answer.status == 0, answer.err
    document: dict[str, Any] = answer.document()
    return document


@pytest.mark.usefixtures("parts")
def test_a_dry_run_names_the_facts_of_each_row(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = ("judge", "--as-of", "2024-01-31", "--dry-run")
    table = guanxi("--ledger", settings.ledger, *words).out
    found = command(settings, *words)["findings"]
    facts = [fact for finding in found for fact in finding["facts"]]
    assert facts == ["balance:A2:2024-01-08", "account:A2", "draw:W1", "gift:G1"]
    events = [event for finding in found for event in finding["events"]]
    assert len(events) == len(facts)
    for key in (*facts, *events):
        assert key in table


@pytest.mark.usefixtures("parts")
def test_the_command_judges_raises_shows_and_exports(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "220")
    dry = command(settings, "judge", "--as-of", "2024-01-31", "--dry-run")
    assert (dry["raised"], len(dry["findings"])) == (0, 2)
    assert command(settings, "show", "findings")["findings"] == []
    done = command(settings, "judge", "--as-of", "2024-01-31")
    assert (done["raised"], done["raised_before"], done["packs"]) == (2, 0, ["none", "cn"])
    again = command(settings, "judge", "--as-of", "2024-01-31")
    assert (again["raised"], again["raised_before"]) == (0, 2)
    behind = {each["finding_id"]: each["events"] for each in dry["findings"]}
    assert {each["finding_id"]: each["events"] for each in again["findings"]} == behind
    shown = command(settings, "show", "findings", "--open", "--customer", "C1")["findings"]
    assert [(each["rule"], each["status"], each["pack"]) for each in shown] == [
        (each["rule"], "open", "cn")
        for each in sorted(done["findings"], key=lambda each: str(each["finding_id"]))
    ]
    assert {each["finding_id"]: each["events"] for each in shown} == behind
    table = guanxi("--ledger", settings.ledger, "show", "findings").out
    for each in shown:
        for key in (*each["facts"], *each["events"]):
            assert key in table
    exported = guanxi("--ledger", settings.ledger, "export", "findings").out.splitlines()
    assert exported[0] == "finding_id,rule,rule_version,severity,customer_id,raised_on,status"
    assert len(exported) == 3
    card = command(settings, "show", "relationship", "C1")
    assert card["open_findings"] == sorted(each["finding_id"] for each in done["findings"])
    assert (
        "2 open CN-01 CN-07"
        in guanxi("--ledger", settings.ledger, "show", "relationship", "C1").out
    )
    assert "CN-07 v1" in guanxi("--ledger", settings.ledger, "show", "findings").out
    assert "2 raised before" in guanxi("--ledger", settings.ledger, "judge").out


def test_a_past_date_is_judged_by_the_law_of_that_date(parts: Parts, settings: Settings) -> None:
    position = parts.store.position()
    now = datetime.now(UTC).isoformat()
    words = ("judge", "--as-of", "2024-01-08", "--known-at", now, "--dry-run", "--pack", "cn")
    found = command(settings, *words)
    assert [each["rule"] for each in found["findings"]] == ["CN-01"]
    assert parts.store.position() == position
    assert command(settings, "judge", "--pack", "us", "--dry-run")["findings"] == []


def test_an_unknown_pack_is_a_wrong_call(settings: Settings) -> None:
    answer = guanxi("--ledger", settings.ledger, "judge", "--pack", "atlantis", "--json")
    assert answer.status == 2
    assert answer.document()["error"]["code"] == "pack-unreadable"
