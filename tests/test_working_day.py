"""The working day at the command line: agenda, ownership, judgement, value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.rules.reading import DATA
from projections.contact_agenda import AgendaRow
from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.surfaces.cli import Answer

TOLD: dict[str, dict[str, Any]] = {
    "open-relationship": {
        "customer_id": "C1",
        "name": "王小明",
        "kind": "enterprise",
        "segment": "market",
        "branch": "B1",
        "manager": "RM-1",
        "opened_on": "2024-01-01",
    },
    "open-account": {
        "account_id": "A1",
        "customer_id": "C1",
        "kind": "current",
        "currency": "CNY",
        "opened_on": "2024-01-02",
    },
    "record-balance": {
        "account_id": "A1",
        "business_date": "2024-01-05",
        "ledger_balance": "1000.00",
        "currency": "CNY",
    },
    "approve-loan": {
        "loan_id": "L1",
        "customer_id": "C1",
        "approved_on": "2024-02-01",
        "principal": "50000",
        "currency": "CNY",
        "term_months": "12",
        "annual_rate": "0.06",
        "repayment": "bullet",
        "purpose": "stock",
    },
    "record-cross-check": {
        "customer_id": "C1",
        "cross_check_id": "X1",
        "checked_on": "2024-02-02",
        "inference": "sells 2 million a year",
        "items": ["power bill", "tax return"],
        "by": "RM-1",
    },
    "record-equity-check": {
        "customer_id": "C1",
        "equity_check_id": "E1",
        "checked_on": "2024-02-02",
        "since": "2023-12-31",
        "currency": "CNY",
        "opening_equity": "10000",
        "profit": "-200.50",
        "drawings": "300",
        "injections": "0",
        "revaluation": "-10",
        "depreciation": "100",
        "equity_now": "9000",
        "by": "RM-1",
    },
    "draw-loan": {
        "draw_id": "D1",
        "loan_id": "L1",
        "drawn_on": "2024-02-10",
        "amount": "50000",
        "currency": "CNY",
    },
    "record-contact": {
        "contact_id": "V1",
        "customer_id": "C1",
        "happened_at": "2024-02-15T22:30:00+08:00",
        "channel": "phone",
        "direction": "outbound",
        "purpose": "review",
        "outcome": "reached",
        "duration_seconds": "60",
        "by": "RM-1",
        "follow_up_on": "2024-02-18",
    },
    "assign-manager": {
        "customer_id": "C1",
        "manager": "RM-3",
        "role": "joint",
        "assigned_on": "2024-02-16",
    },
    "propose-handover": {
        "customer_id": "C1",
        "handover_id": "H1",
        "to_manager": "RM-2",
        "proposed_on": "2024-02-19",
    },
    "release-manager": {
        "customer_id": "C1",
        "manager": "RM-1",
        "role": "owner",
        "released_on": "2024-02-21",
        "reason": "left the bank",
    },
}


@pytest.fixture(autouse=True, scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - a generator of None
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("day") / "ledger.db"
        patch.setenv("GUANXI_LEDGER", f"sqlite:{path}")
        patch.delenv("GUANXI_KAFKA", raising=False)
        patch.delenv("GUANXI_KEYS", raising=False)
        assert guanxi("init").status == 0
        for name, told in TOLD.items():
            assert guanxi("record", name, json.dumps(told)).status == 0, name
        yield


def shown(*words: str) -> Answer:
    answer = guanxi("show", *words)
    assert answer.status == 0, answer.err
    return answer


def test_a_day_list_has_what_is_due_and_what_was_overdone_most_urgent_first() -> None:
    found = shown("agenda", "--as-of", "2024-02-20", "--json").document()
    assert [(row["reason"], row["due_on"], row["detail"]) for row in found["rows"]] == [
        ("follow_up", "2024-02-18", "promised on 2024-02-15"),
        ("first_draw", "2024-02-24", "1 of 2 contacts after the first draw of L1"),
        ("quiet_hours", "2024-02-15", "phone at 22:30 by RM-1"),
    ]
    assert [row["status"] for row in found["follow_ups"]] == ["missed"]
    assert "overdue" in shown("agenda", "--as-of", "2024-02-20").out


def test_a_day_list_without_the_keys_says_that_it_has_no_birthdays(tmp_path: Path) -> None:
    for view in (("show", "agenda"), ("export", "agenda")):
        words = (*view, "--as-of", "2024-02-20", "--json")
        assert guanxi(*words).document()["warnings"] == []
        found = guanxi(*words, "--keys", str(tmp_path / "nothing"))
        unknown = "birthdays not known: the keys are not at hand"
        assert found.document()["warnings"] == [unknown]
        assert found.err.count("no birthdays") == 1


def test_a_day_list_is_one_managers() -> None:
    for manager, rows, promises in (("RM-1", 3, 1), ("RM-2", 0, 0), ("RM-3", 3, 1)):  # 3: joint
        words = ("agenda", "--as-of", "2024-02-20", "--manager", manager, "--json")
        found = shown(*words).document()
        assert (len(found["rows"]), len(found["follow_ups"])) == (rows, promises)


def test_the_agenda_is_exported_by_its_columns_without_a_currency() -> None:
    out = guanxi("export", "agenda", "--as-of", "2024-02-22").out.splitlines()
    assert out[0] == ",".join(AgendaRow._fields)
    assert out[1].startswith("C1,,first_draw,2024-02-24,")
    assert any(line.startswith("C1,,no_owner,2024-02-21,") for line in out)


def test_a_handover_and_the_time_without_an_owner_are_shown() -> None:
    found = shown("ownership", "C1", "--as-of", "2024-02-22", "--json").document()
    assert [(row["role"], row["since"], row["until"]) for row in found["periods"]] == [
        ("owner", "2024-01-01", "2024-02-20"),
        ("joint", "2024-02-16", None),
        ("overlap", "2024-02-16", "2024-02-20"),
        ("unowned", "2024-02-21", None),
    ]
    [handover] = found["handovers"]
    assert (handover["answer"], handover["open_follow_ups"]) == ("proposed", ["2024-02-18"])
    assert "unowned" in shown("ownership", "C1", "--as-of", "2024-02-22").out


def test_the_gap_of_an_equity_check_is_shown_in_figures_that_add_up() -> None:
    found = shown("judgement", "C1", "--json").document()
    [equity] = found["equity_checks"]
    assert equity["expected"] == 1_000_000 - 20_050 - 30_000 - 1_000 - 10_000
    assert equity["gap"] == equity["expected"] - 900_000
    assert found["cross_checks"][0]["items"] == ["power bill", "tax return"]
    steps = {row["step"]: row["done_on"] for row in found["checklist"]}
    assert (steps["cross_checked"], steps["visited"]) == ("2024-02-02", None)
    assert "missing" in shown("judgement", "C1").out


def test_value_is_shown_of_all_and_of_one() -> None:
    everyone = shown("value", "--json").document()
    one = shown("value", "C1", "--json").document()
    assert everyone["top"] == {"customers": 1, "of": 1, "share_ppm": 1_000_000}
    [row] = everyone["rows"]
    assert one == {"as_of": everyone["as_of"], "currency": "CNY", **row}
    assert "The best 1 of 1 give 100.0 %" in shown("value").out
    assert "contribution" in shown("value", "C1").out


@pytest.mark.parametrize("view", ["follow-ups", "ownership", "attribution", "checklist", "value"])
def test_each_answer_is_exported_in_every_format(view: str, tmp_path: Path) -> None:
    for format_ in ("csv", "jsonl", "parquet"):
        out = tmp_path / f"{view}.{format_}"
        assert guanxi("export", view, "--format", format_, "--out", str(out)).status == 0
        assert out.stat().st_size > 0


@pytest.mark.parametrize("what", ["ownership", "judgement", "value"])
def test_who_is_not_known_is_not_found(what: str) -> None:
    for words in (("NOBODY",), ("C1", "--as-of", "2023-12-31")):
        answer = guanxi("show", what, *words)
        assert (answer.status, "not-found" in answer.err) == (1, True)


@pytest.mark.parametrize("ending", ["close", "forget"])
def test_who_has_left_has_no_value_and_the_answer_says_why(ending: str) -> None:
    gone = {"customer_id": f"gone-{ending}", "opened_on": "2024-01-01"}
    opened = TOLD["open-relationship"] | gone
    assert guanxi("record", "open-relationship", json.dumps(opened)).status == 0
    day = "closed_on" if ending == "close" else "forgotten_on"
    told = {"customer_id": gone["customer_id"], day: "2024-01-10", "reason": "asked"}
    assert guanxi("record", f"{ending}-relationship", json.dumps(told)).status == 0
    answer = guanxi("show", "value", gone["customer_id"], "--as-of", "2024-01-10")
    assert (answer.status, "not-open" in answer.err) == (1, True)
    assert shown("value", gone["customer_id"], "--as-of", "2024-01-09").out


def test_rules_that_cannot_be_used_fail_with_their_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DATA / "agenda.toml").read_text("utf-8")
    (tmp_path / "agenda.toml").write_text(text.replace("around_days", "round_days"), "utf-8")
    monkeypatch.setenv("GUANXI_RULES", str(tmp_path))
    answer = guanxi("show", "agenda")
    assert answer.status == 1
    assert "bad-rules" in answer.err
    assert "interest_date.round_days" in answer.err


def test_a_bank_may_ask_for_no_step_before_a_first_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "judgement.toml").write_text("steps = []\nwithin_days = 365\n")
    monkeypatch.setenv("GUANXI_RULES", str(tmp_path))
    assert shown("judgement", "C1", "--json").document()["checklist"] == []
    assert "power bill" in shown("judgement", "C1").out
    assert len(guanxi("export", "checklist").out.splitlines()) == 1
