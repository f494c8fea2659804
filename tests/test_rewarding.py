"""Rewards and lapses from end to end: plans of one's own, runs told again, writers that race."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from domain.finding import FindingRaised
from domain.referral import ReferralConverted, ReferralLapsed
from domain.reward import RewardAccrued, RewardClawedBack, RewardPaid
from infra.attempt import Recorded, Refused, Unchanged
from infra.cli.settings import from_environment
from infra.codec import decode_record
from infra.composition import opened
from infra.rewarding import following, record
from infra.rules.reading import attribution_rules, reward_plans
from projections.rewards import claw_backs, due
from tests.surfaces.cli import guanxi
from tests.write_side import ACCOUNT, DRAW, LOAN, RELATIONSHIP, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.event_store import StoredRecord

pytestmark = pytest.mark.usefixtures("ledger")
PLANS = """
[[plans]]
id = "friend"
version = 1
in_force_from = 2024-01-01
milestone = "first_draw"
basis = "loan"
currency = "CNY"
bands = [{ above = 0, rate_ppm = 5000 }, { above = 50000, rate_ppm = 1000 }]
payees = ["customer", "employee"]
via = ["customer"]
claim_days = 60
claw_back_days = 90
"""
ATTRIBUTION = """
[[versions]]
version = 1
in_force_from = 1990-01-01
touch = "first"
look_back_days = 365
claim_days = 365
branch_conflict = "touch"
split = { referrer = 70, teller = 30 }
"""
BEN = RELATIONSHIP | {"customer_id": "C2"}
BROUGHT = {
    "referral_id": "R1",
    "referrer_id": "C1",
    "prospect_id": "C2",
    "introduced_on": "2024-01-02",
    "via": "customer",
    "by": "RM-1",
    "branch": "D1",
}
STORY: list[tuple[str, dict[str, str]]] = [
    ("open-relationship", RELATIONSHIP),
    ("introduce-referral", BROUGHT),
    ("open-relationship", BEN),
    ("open-account", ACCOUNT | {"customer_id": "C2"}),
    ("approve-loan", LOAN | {"customer_id": "C2"}),
    ("draw-loan", DRAW),
]


@pytest.fixture(params=["sqlite"])
def ledger(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make a ledger with a prospect who was brought, came, and drew 1,000.00."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rewards.toml").write_text(PLANS)
    (rules / "attribution.toml").write_text(ATTRIBUTION)
    embedded = f"sqlite:{tmp_path / 'ledger.db'}"
    cluster = request.param == "postgresql"
    url = request.getfixturevalue("postgresql_url") if cluster else embedded
    monkeypatch.setenv("GUANXI_LEDGER", url)
    monkeypatch.setenv("GUANXI_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("GUANXI_RULES", str(rules))
    assert guanxi("init").status == 0
    with opened(from_environment()) as parts:
        outcomes = parts.ledger().handle([told(*each) for each in STORY])
    assert {type(outcome) for outcome in outcomes} == {Recorded}


both = pytest.mark.parametrize(
    "ledger",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)],
    indirect=True,
)


def say(name: str, /, **fields: str) -> Any:  # noqa: ANN401 - any JSON document
    words = (word for field, value in fields.items() for word in (f"--{field}", value))
    answer = guanxi("record", name, *words, "--json")
    assert answer.status == 0, answer.err
    return answer.document()


def ask(*words: str) -> Any:  # noqa: ANN401 - any JSON document
    answer = guanxi(*words, "--json")
    assert answer.status == 0, answer.err
    return answer.document()


def stored() -> Sequence[StoredRecord]:
    with opened(from_environment()) as parts:
        return parts.store.read(0, 1_000)


def events(*types: type) -> list[Any]:
    found = [decode_record(each).event for each in stored()]
    return [event for event in found if isinstance(event, types)]


def accrued() -> list[RewardAccrued]:
    assert guanxi("reward", "accrue", "--as-of", "2024-01-31", "--actor", "RM-1").status == 0
    return events(RewardAccrued)


def bring_another(opened_on: str, *, drawn_on: str) -> None:
    """Instead of C2, whose draw is reversed, C1 brings C3, who comes on a day and draws later."""
    say("reverse-draw", draw_id="W1", reversed_on="2024-01-31")
    told_of = {"customer_id": "C3", "opened_on": opened_on}
    say("introduce-referral", **BROUGHT | {"referral_id": "R3", "prospect_id": "C3"})
    say("open-relationship", **RELATIONSHIP | told_of)
    say("open-account", **ACCOUNT | told_of | {"account_id": "A3"})
    say("approve-loan", **LOAN | {"customer_id": "C3", "loan_id": "L3"})
    say("draw-loan", **DRAW | {"loan_id": "L3", "draw_id": "W3", "drawn_on": drawn_on})


def test_a_draw_earns_each_payee_a_share_and_the_formula_is_shown() -> None:
    [referrer, teller] = sorted(accrued(), key=lambda each: each.payee_id)
    assert (referrer.payee_id, referrer.payee_role, referrer.amount) == ("C1", "customer", 210)
    assert (teller.payee_id, teller.payee_role, teller.amount) == ("RM-1", "employee", 90)
    assert referrer.formula == "marginal: 500.00 CNY × 0.5% + 500.00 CNY × 0.1% = 3.00 CNY"
    shown = guanxi("show", "rewards", "R1", "--as-of", "2024-01-31")
    assert referrer.reward_id in shown.out
    assert "0.5%" in shown.out
    assert "accrued" in shown.out


def test_a_run_told_again_accrues_nothing_twice() -> None:
    first = accrued()
    again = ask("reward", "accrue", "--as-of", "2024-02-15", "--actor", "RM-2")
    assert again["rows"] == []
    assert events(RewardAccrued) == first


def test_a_dry_run_records_nothing() -> None:
    run = ask("reward", "accrue", "--as-of", "2024-01-31", "--dry-run")
    assert [row["recorded"] for row in run["rows"]] == [False, False]
    assert events(RewardAccrued) == []


def test_a_reward_goes_from_accrued_to_clawed_back() -> None:
    [reward, _] = sorted(accrued(), key=lambda each: each.payee_id)
    id_ = reward.reward_id
    alone = ("--approved_on", "2024-02-01", "--approved_by", "RM-1")
    assert "approved-alone" in guanxi("record", "approve-reward", "--reward_id", id_, *alone).err
    say("approve-reward", reward_id=id_, approved_on="2024-02-01", approved_by="HEAD")
    say("pay-reward", reward_id=id_, paid_on="2024-02-02", booked="yes", by="CASH-1")
    say("reverse-draw", draw_id="W1", reversed_on="2024-03-01")
    run = ask("reward", "claw-back", "--as-of", "2024-03-31")
    assert {row["reason"] for row in run["rows"]} == {"draw_reversed"}
    assert run["recorded"] == 2
    assert ask("reward", "claw-back", "--as-of", "2024-04-30")["rows"] == []
    states = [
        {row["status"] for row in ask("export", "rewards", "--as-of", day)["rows"]}
        for day in ("2024-01-30", "2024-01-31", "2024-02-29", "2024-03-31")
    ]
    assert states == [set(), {"accrued"}, {"paid", "accrued"}, {"clawed_back"}]


def test_what_is_earned_again_after_all_was_taken_back_is_accrued_anew() -> None:
    first = {each.payee_id: each.reward_id for each in accrued()}
    say("reverse-draw", draw_id="W1", reversed_on="2024-02-10")
    assert ask("reward", "claw-back", "--as-of", "2024-02-12")["recorded"] == 2
    assert ask("reward", "accrue", "--as-of", "2024-02-12", "--actor", "RM-1")["rows"] == []
    say("draw-loan", **DRAW | {"draw_id": "W2", "drawn_on": "2024-02-20", "amount": "900.00"})
    run = ask("reward", "accrue", "--as-of", "2024-02-25", "--actor", "RM-1")
    assert {(row["payee_id"], row["amount"]) for row in run["rows"]} == {("C1", 203), ("RM-1", 87)}
    assert run["recorded"] == 2
    assert not {row["reward_id"] for row in run["rows"]} & {*first.values()}
    for command in ("accrue", "claw-back"):
        assert ask("reward", command, "--as-of", "2024-02-26", "--actor", "RM-1")["rows"] == []
    found = ask("judge", "--as-of", "2024-02-26", "--dry-run")["findings"]
    assert [row for row in found if row["rule"] == "LEDGER-05"] == []
    say("reverse-draw", draw_id="W2", reversed_on="2024-02-27")
    assert ask("reward", "claw-back", "--as-of", "2024-02-27")["recorded"] == 2


def test_a_decline_told_by_mistake_and_taken_back_leaves_the_reward() -> None:
    bring_another("2024-01-10", drawn_on="2024-01-12")
    assert len(accrued()) == 2
    say("decline-referral", referral_id="R3", declined_on="2024-01-05", reason="by mistake")
    run = ask("reward", "claw-back", "--as-of", "2024-02-01")
    assert {row["reason"] for row in run["rows"]} == {"not_converted"}
    say("convert-referral", referral_id="R3", converted_on="2024-01-10")
    run = ask("reward", "accrue", "--as-of", "2024-02-02", "--actor", "RM-1")
    assert sorted(row["amount"] for row in run["rows"]) == [90, 210]
    assert run["recorded"] == 2
    assert ask("reward", "claw-back", "--as-of", "2024-02-03")["rows"] == []


def test_claw_backs_add_up_and_what_is_left_is_paid() -> None:
    say("draw-loan", **DRAW | {"draw_id": "W2", "amount": "500.00"})
    rewards = accrued()
    assert sorted(each.amount for each in rewards) == [105, 245]
    say("reverse-draw", draw_id="W1", reversed_on="2024-02-10")
    run = ask("reward", "claw-back", "--as-of", "2024-02-10")
    assert sorted(row["amount"] for row in run["rows"]) == [30, 70]
    assert ask("reward", "claw-back", "--as-of", "2024-02-11")["rows"] == []
    [id_] = [each.reward_id for each in rewards if each.payee_id == "C1"]
    say("approve-reward", reward_id=id_, approved_on="2024-02-12", approved_by="HEAD")
    say("pay-reward", reward_id=id_, paid_on="2024-02-13", booked="yes", by="CASH-1")
    assert [each.amount for each in events(RewardPaid)] == [175]
    shown = guanxi("show", "rewards", "C1", "--as-of", "2024-02-13").out
    assert "1.75 paid 2024-02-13, 0.70 clawed back 2024-02-10" in " ".join(shown.split())
    say("reverse-draw", draw_id="W2", reversed_on="2024-02-20")
    run = ask("reward", "claw-back", "--as-of", "2024-02-20")
    assert sorted((row["amount"], row["recorded"]) for row in run["rows"]) == [
        (105, True),
        (245, True),
    ]
    rows = {
        day: next(
            row
            for row in ask("export", "rewards", "--as-of", day)["rows"]
            if row["reward_id"] == id_
        )
        for day in ("2024-02-09", "2024-02-13", "2024-02-20")
    }
    assert [
        (row["status"], row["paid"], row["clawed_back"], row["clawed_back_on"])
        for row in rows.values()
    ] == [
        ("accrued", 0, 0, None),
        ("paid", 175, 70, "2024-02-10"),
        ("clawed_back", 175, 245, "2024-02-20"),
    ]


def test_nothing_is_taken_back_for_a_reversal_after_the_claw_back_days() -> None:
    accrued()
    say("reverse-draw", draw_id="W1", reversed_on="2024-04-04")
    assert ask("reward", "claw-back", "--as-of", "2024-06-30")["rows"] == []


def test_what_is_claimed_too_late_is_owed_to_nobody() -> None:
    assert ask("reward", "accrue", "--as-of", "2024-03-05", "--dry-run")["rows"] == []
    owed = ask("show", "attribution", "C2", "--as-of", "2024-03-05")
    assert [share["share_ppm"] for share in owed["shares"]] == [700_000, 300_000]
    assert guanxi("show", "attribution", "C9", "--as-of", "2024-03-05").status == 1
    late = ask("show", "attribution", "C2", "--as-of", "2025-01-05")
    assert (late["shares"], late["nobody"]) == ([], "claimed more than 365 days after it")


@both
def test_writers_that_race_accrue_each_reward_once() -> None:
    plans, versions = reward_plans(), attribution_rules()
    as_of = date(2024, 1, 31)

    def accrue(number: int) -> None:
        with opened(from_environment()) as parts:
            parts.catch_up()
            by = f"RM-{number}"
            run = following(parts, as_of, lambda book, on: due(book, on, plans, versions, by))
            record(parts.ledger(), run, by)
            assert not run.refused

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(accrue, range(8)))
    assert sorted(each.payee_id for each in events(RewardAccrued)) == ["C1", "RM-1"]


@both
def test_writers_that_race_pay_a_reward_once() -> None:
    rewards = accrued()
    for each in rewards:
        say(
            "approve-reward",
            reward_id=each.reward_id,
            approved_on="2024-02-01",
            approved_by="HEAD",
        )

    def pay(number: int) -> list[type]:
        paid = {"paid_on": "2024-02-02", "booked": "yes"}
        by = f"CASH-{number % 2}"  # half of them are retries of the other half
        told_them = [told("pay-reward", paid, reward_id=r.reward_id, by=by) for r in rewards]
        with opened(from_environment()) as parts:
            return [type(outcome) for outcome in parts.ledger().handle(told_them)]

    with ThreadPoolExecutor(4) as pool:
        outcomes = Counter(kind for kinds in pool.map(pay, range(8)) for kind in kinds)
    assert outcomes == {Recorded: 2, Unchanged: 6, Refused: 8}
    paid = Counter(each.reward_id for each in events(RewardPaid))
    assert paid == {each.reward_id: 1 for each in rewards}


@both
def test_writers_that_race_take_a_total_back_once() -> None:
    accrued()
    say("reverse-draw", draw_id="W1", reversed_on="2024-02-10")
    plans, versions, as_of = reward_plans(), attribution_rules(), date(2024, 2, 10)

    def take_back(number: int) -> None:
        with opened(from_environment()) as parts:
            parts.catch_up()
            by = f"RM-{number}"
            run = following(
                parts, as_of, lambda book, on: claw_backs(book, on, plans, versions, by)
            )
            record(parts.ledger(), run, by)
            assert not run.refused

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take_back, range(8)))
    assert sorted(each.amount for each in events(RewardClawedBack)) == [90, 210]


def test_a_close_and_a_judgement_look_at_rewards() -> None:
    [reward, _] = sorted(accrued(), key=lambda each: each.payee_id)
    by_hand = {"reward_id": "W7", "basis": "deposits", "plan": "by hand"}
    fields = {name: str(value) for name, value in asdict(reward).items()} | by_hand
    fields |= {"whole": "3.00", "amount": "2.10", "payee_role": "counterparty_staff"}
    del fields["customer_id"]
    say("accrue-reward", **fields)
    say("approve-reward", reward_id="W7", approved_on="2024-02-01", approved_by="HEAD")
    say("pay-reward", reward_id="W7", paid_on="2024-02-02", booked="yes", by="CASH-1")
    ask("close", "2024-01-31", "--carry")
    raised = ask("export", "findings")["rows"]
    assert {(row["rule"], row["customer_id"]) for row in raised} == {
        ("CN-07", "C2"),
        ("LEDGER-05", "C2"),
    }
    found = ask("judge", "--as-of", "2024-02-02")["findings"]
    assert {row["facts"][0] for row in found} == {"reward:W7", "reward-paid:W7"}
    assert {row["rule"]: row["raised_before"] for row in found} == {
        "CN-06": False,
        "CN-07": True,
        "LEDGER-05": True,
    }


def test_a_reward_told_by_hand_is_held_against_the_bank_s_own_plan() -> None:
    [reward, _] = sorted(accrued(), key=lambda each: each.payee_id)
    by_hand = {name: str(value) for name, value in asdict(reward).items()}
    by_hand |= {"reward_id": "W8", "payee_id": "C7", "whole": "3.00", "amount": "2.10"}
    del by_hand["customer_id"]
    say("reverse-draw", draw_id="W1", reversed_on="2024-02-01")
    ask("reward", "claw-back", "--as-of", "2024-02-01")
    say("accrue-reward", **by_hand)
    assert ask("judge", "--as-of", "2024-01-30", "--dry-run")["findings"] == []
    [found] = ask("judge", "--as-of", "2024-02-01")["findings"]
    assert (found["rule"], found["offended_on"]) == ("LEDGER-05", "2024-01-31")
    assert found["facts"] == ["reward:W8", "referral:R1"]
    assert found["detail"] == (
        "2.10 CNY for C7 by friend version 1: nothing of it is owed to C7, but to C1, RM-1"
    )
    told_by = {record.id: record.type for record in stored()}
    [raised] = events(FindingRaised)
    assert [told_by[id_] for id_ in raised.events] == ["reward-accrued", "referral-introduced"]


def test_what_late_facts_give_somebody_else_is_taken_back_and_accrued_for_them() -> None:
    rules = Path(os.environ["GUANXI_RULES"], "attribution.toml")
    rules.write_text(ATTRIBUTION.replace('"first"', '"last"'))
    bring_another("2024-01-20", drawn_on="2024-01-20")
    assert len(accrued()) == 2
    say("decline-referral", referral_id="R3", declined_on="2024-01-05", reason="no interest")
    say("open-relationship", **RELATIONSHIP | {"customer_id": "C7"})
    another = {"referral_id": "R7", "referrer_id": "C7", "introduced_on": "2024-01-06"}
    say("introduce-referral", **BROUGHT | another | {"prospect_id": "C3"})
    refused = ask("reward", "accrue", "--as-of", "2024-02-01", "--actor", "RM-1")["refused"]
    assert [each["code"] for each in refused.values()] == ["reward-over-whole"]
    assert all(each["message"].startswith("amount ") for each in refused.values())
    run = ask("reward", "claw-back", "--as-of", "2024-02-01")
    assert {(row["amount"], row["reason"], row["recorded"]) for row in run["rows"]} == {
        (210, "not_owed", True),
        (90, "not_owed", True),
    }
    run = ask("reward", "accrue", "--as-of", "2024-02-01", "--actor", "RM-1")
    assert {(row["payee_id"], row["amount"], row["referral_id"]) for row in run["rows"]} == {
        ("C7", 210, "R7"),
        ("RM-1", 90, "R7"),
    }
    assert (run["recorded"], run["refused"]) == (2, {})
    assert ask("reward", "claw-back", "--as-of", "2024-02-01")["rows"] == []
    found = ask("judge", "--as-of", "2024-02-01", "--dry-run")["findings"]
    assert {row["offended_on"] for row in found if row["rule"] == "LEDGER-05"} == {"2024-01-31"}


def test_a_referral_lapses_by_time_once() -> None:
    say("introduce-referral", **BROUGHT | {"referral_id": "R2", "prospect_id": "C3"})
    assert ask("referral", "lapse", "--as-of", "2024-06-29")["rows"] == []
    run = ask("referral", "lapse", "--as-of", "2024-06-30")
    assert [(row["referral_id"], row["lapsed_on"]) for row in run["rows"]] == [
        ("R2", "2024-06-30")
    ]
    assert ask("referral", "lapse", "--as-of", "2024-09-01")["rows"] == []
    [lapsed] = events(ReferralLapsed)
    assert (lapsed.referral_id, lapsed.lapsed_on) == ("R2", date(2024, 6, 30))


def test_the_referral_of_a_forgotten_prospect_is_left_alone() -> None:
    say("introduce-referral", **BROUGHT | {"referral_id": "R2", "prospect_id": "C3"})
    forgotten = {"forgotten_on": "2024-02-01", "reason": "asked for"}
    say("forget-relationship", customer_id="C3", **forgotten)
    run = ask("referral", "lapse", "--as-of", "2024-09-01")
    assert (run["recorded"], run["refused"]) == (0, {})
    assert events(ReferralLapsed) == []


def test_no_lapse_by_time_undoes_what_was_told_meanwhile() -> None:
    say("introduce-referral", **BROUGHT | {"referral_id": "R2", "prospect_id": "C3"})
    say("convert-referral", referral_id="R2", converted_on="2024-07-15")
    overdue = told("lapse-overdue-referral", {"referral_id": "R2", "lapsed_on": "2024-06-30"})
    with opened(from_environment()) as parts:
        [outcome] = parts.ledger().handle([overdue])
    assert isinstance(outcome, Unchanged)
    assert events(ReferralConverted, ReferralLapsed)[-1].referral_id == "R2"
    assert events(ReferralLapsed) == []


def test_a_lapse_by_time_does_not_depend_on_the_day_it_is_run() -> None:
    for n in ("2", "3"):
        told_of = {"referral_id": f"R{n}", "prospect_id": f"P{n}", "introduced_on": "2024-01-01"}
        say("introduce-referral", **BROUGHT | told_of)
    say("open-relationship", **BEN | {"customer_id": "P2", "opened_on": "2024-06-30"})
    opened_late = {"account_id": "A2", "customer_id": "P2", "opened_on": "2024-06-30"}
    say("open-account", **ACCOUNT | opened_late)
    say("decline-referral", referral_id="R3", declined_on="2024-07-31", reason="rate")
    assert ask("show", "network", "P2", "--as-of", "2024-06-30")["nodes"][0]["converted_on"]
    late = ask("referral", "lapse", "--as-of", "2024-12-31", "--dry-run")["rows"]
    first = ask("referral", "lapse", "--as-of", "2024-06-29")["rows"]
    assert [(row["referral_id"], row["lapsed_on"]) for row in first] == [("R2", "2024-06-29")]
    assert [row | {"recorded": True} for row in late] == first
    assert ask("referral", "lapse", "--as-of", "2024-12-31")["rows"] == []
    [alone] = ask("show", "network", "P2", "--as-of", "2024-06-30")["nodes"]
    assert (alone["referrer_id"], alone["root_id"]) == (None, "P2")


def lapse(as_of: str) -> list[tuple[str, str, bool]]:
    rows = ask("referral", "lapse", "--as-of", as_of)["rows"]
    return [(row["referral_id"], row["lapsed_on"], row["recorded"]) for row in rows]


def referrer_of_p2(as_of: str) -> str | None:
    rows = ask("export", "network", "--as-of", as_of)["rows"]
    found: dict[str, str | None] = {row["customer_id"]: row["referrer_id"] for row in rows}
    return found.get("P2")


@both
def test_a_first_contact_told_after_a_lapse_by_time_moves_it_there_and_back() -> None:
    brought = {"referral_id": "R2", "prospect_id": "P2", "introduced_on": "2024-01-01"}
    say("introduce-referral", **BROUGHT | brought)
    assert lapse("2024-12-31") == [("R2", "2024-06-29", True)]
    for contacted_on, moves_to in (
        ("2024-03-01", "2024-08-28"),
        ("2024-01-01", "2024-06-29"),
        ("2024-03-01", "2024-08-28"),
    ):
        say("contact-referral", referral_id="R2", contacted_on=contacted_on, by="RM-1")
        assert lapse("2024-06-28") == []
        assert lapse("2024-12-31") == [("R2", moves_to, True)]
        assert lapse("2024-12-31") == []
    assert (referrer_of_p2("2024-08-27"), referrer_of_p2("2024-08-28")) == ("C1", None)
    assert "not on 2024-08-28" not in guanxi("referral", "lapse").out


def test_a_lapse_that_somebody_told_stays_where_it_was_told() -> None:
    brought = {"referral_id": "R2", "prospect_id": "P2", "introduced_on": "2024-01-01"}
    say("introduce-referral", **BROUGHT | brought)
    say("contact-referral", referral_id="R2", contacted_on="2024-02-01", by="RM-1")
    say("lapse-referral", referral_id="R2", lapsed_on="2024-06-29")
    say("contact-referral", referral_id="R2", contacted_on="2024-03-01", by="RM-1")
    assert lapse("2024-12-31") == []
    assert referrer_of_p2("2024-06-29") is None


def test_a_moved_lapse_counts_what_converted_in_the_days_it_gained() -> None:
    brought = {"referral_id": "R2", "prospect_id": "P2", "introduced_on": "2024-01-01"}
    say("introduce-referral", **BROUGHT | brought)
    say("open-relationship", **BEN | {"customer_id": "P2", "opened_on": "2024-07-10"})
    opened_late = {"account_id": "A2", "customer_id": "P2", "opened_on": "2024-07-10"}
    say("open-account", **ACCOUNT | opened_late)
    assert lapse("2024-07-31") == [("R2", "2024-06-29", True)]
    assert referrer_of_p2("2024-12-31") is None
    say("contact-referral", referral_id="R2", contacted_on="2024-03-01", by="RM-1")
    shown = guanxi("referral", "lapse", "--as-of", "2024-12-31", "--dry-run")
    assert "its time ran out on 2024-08-28, not on 2024-06-29" in " ".join(shown.out.split())
    assert lapse("2024-12-31") == [("R2", "2024-08-28", True)]
    assert referrer_of_p2("2024-12-31") == "C1"
