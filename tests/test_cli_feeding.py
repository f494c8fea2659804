from __future__ import annotations

import json
import re
import shlex
import stat
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from infra.commands import FORMS
from tests.surfaces.cli import Answer, guanxi

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMER = {
    "customer_id": "C1",
    "name": "王小明",
    "kind": "person",
    "segment": "retail",
    "branch": "D1",
    "manager": "RM-1",
    "opened_on": "2024-01-02",
}
OPEN = ("record", "open-relationship")
HEAD = "account_id,customer_id,kind,currency,opened_on\n"


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ledger, named by the environment; the working directory is its folder."""
    monkeypatch.setenv("GUANXI_LEDGER", f"sqlite:{tmp_path / 'ledger.db'}")
    monkeypatch.delenv("GUANXI_KAFKA", raising=False)
    monkeypatch.delenv("GUANXI_KEYS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert guanxi("init").status == 0
    return tmp_path / "ledger.db"


def options(fields: dict[str, str]) -> tuple[str, ...]:
    return tuple(word for name, value in fields.items() for word in (f"--{name}", value))


def position(answer: Answer) -> int:
    assert answer.status == 0, answer.err
    found: int = answer.document()["position"]
    return found


def test_init_again_changes_nothing_and_says_what_the_ledger_was_made_with(ledger: Path) -> None:
    keys = ledger.with_name("ledger.db.keys")
    before = [(path.name, path.read_bytes()) for path in sorted(keys.iterdir())]
    made = guanxi("init", "--partitions", "3", "--prefix", "other", "--json").document()
    assert (made["partitions"], made["topic_prefix"]) == (12, "guanxi")
    assert made["keys"] == str(keys)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert [(path.name, path.read_bytes()) for path in sorted(keys.iterdir())] == before


@pytest.mark.parametrize("view", ["compliance", "relationships", "network"])
def test_an_empty_ledger_has_no_date_to_answer_for_until_one_is_named(view: str) -> None:
    answer = guanxi("export", view)
    assert answer.status == 1
    assert answer.err.startswith("guanxi: nothing-recorded: ")
    assert guanxi("export", view, "--as-of", "2024-01-01").out.count("\n") == 1
    assert guanxi("status", "--json").document()["ledger"]["position"] == 0


def test_a_command_is_told_as_json_by_stdin_or_by_options() -> None:
    assert position(guanxi(*OPEN, json.dumps(CUSTOMER), "--json")) == 1
    on_stdin = json.dumps({**CUSTOMER, "customer_id": "C2"})
    assert position(guanxi(*OPEN, "-", "--json", stdin=on_stdin)) == 2
    assert position(guanxi(*OPEN, *options({**CUSTOMER, "customer_id": "C3"}), "--json")) == 3
    joined = [
        f"--{n.replace('_', '-')}={v}" for n, v in (CUSTOMER | {"customer_id": "C4"}).items()
    ]
    assert position(guanxi("--json", *OPEN, *joined)) == 4


@pytest.mark.parametrize("told", ["options", "lines", "list", "json"])
def test_a_list_of_items_is_an_option_for_each_or_a_line_or_a_json_list(told: str) -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER))
    check = {
        "customer_id": "C1",
        "cross_check_id": "X1",
        "checked_on": "2024-02-01",
        "inference": "sells 2 million a year",
        "by": "RM-1",
    }
    items = ["power bill", "tax return; paid"]
    words = {
        "options": [*options(check), "--items", items[0], f"--items={items[1]}"],
        "list": [*options(check), "--items", json.dumps(items)],
        "lines": [*options(check), "--items", "\n".join(items)],
        "json": [json.dumps(check | {"items": items})],
    }[told]
    answer = guanxi("record", "record-cross-check", *words, "--json")
    assert answer.status == 0, answer.err
    shown = guanxi("show", "judgement", "C1", "--json").document()
    assert shown["cross_checks"][0]["items"] == items


def test_a_negative_amount_is_a_value_and_not_an_option() -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER))
    account = {"account_id": "A1", "customer_id": "C1", "kind": "current", "currency": "CNY"}
    guanxi("record", "open-account", json.dumps({**account, "opened_on": "2024-01-02"}))
    balance = ("--account_id", "A1", "--business_date", "2024-01-03", "--currency", "CNY")
    told = guanxi("record", "record-balance", *balance, "--ledger_balance", "-5", "--json")
    assert told.document()["recorded"], told.err


def test_the_same_row_or_the_same_command_id_gives_the_first_result() -> None:
    first = guanxi(*OPEN, json.dumps(CUSTOMER), "--command-id", "told-1", "--json").document()
    again = guanxi(*OPEN, json.dumps(CUSTOMER), "--command-id", "told-1", "--json").document()
    assert first == {"command": "open-relationship", "position": 1, "recorded": True}
    assert again == {"command": "open-relationship", "position": 1, "recorded": False}
    assert "Holds since position 1" in guanxi(*OPEN, json.dumps(CUSTOMER)).out
    other = json.dumps({**CUSTOMER, "customer_id": "C2"})
    conflict = guanxi(*OPEN, other, "--command-id", "told-1", "--json")
    assert conflict.status == 1
    assert conflict.document()["error"]["code"] == "conflict"


def test_a_refused_command_says_its_rule_and_records_nothing() -> None:
    approved = {"loan_id": "L1", "customer_id": "C9"}
    refused = guanxi("record", "open-account", json.dumps(approved), "--json")
    assert refused.status == 1
    assert refused.err.count("\n") == 1
    assert guanxi("status", "--json").document()["ledger"]["position"] == 0


def test_the_actor_and_the_business_date_are_recorded_as_told() -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER), "--actor", "RM-9", "--business-date", "2024-02-01")
    (event,) = guanxi("audit", "replay", "--customer", "C1", "--json").document()["events"]
    assert (event["actor"], event["source"]) == ("RM-9", "cli")
    wrong = guanxi(*OPEN, json.dumps(CUSTOMER), "--business-date", "tomorrow")
    assert (wrong.status, wrong.err.startswith("guanxi: bad-call: ")) == (2, True)


def test_every_command_is_listed_with_its_fields() -> None:
    listed = guanxi("record", "--json").document()
    assert set(listed) == set(FORMS)
    shown = guanxi("record").out
    assert all(name in shown for name in FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_the_help_of_a_command_tells_each_field_and_an_example_that_holds(name: str) -> None:
    shown = guanxi("record", name, "--help")
    assert shown.status == 0
    table, example = shown.out.split("For example:")
    told = dict(re.findall(r"^--(\w+) +(required|optional) +\w", table, re.MULTILINE))
    form = FORMS[name]
    assert told == dict.fromkeys(form.required, "required") | dict.fromkeys(
        form.optional, "optional"
    )
    program, verb, command, *options = shlex.split(example.replace("\\\n", " "))
    assert (program, verb, command) == ("guanxi", "record", name)
    fields = {word.removeprefix("--"): options[2 * n + 1] for n, word in enumerate(options[::2])}
    assert set(fields) == set(form.required)
    form.command(fields | {name: json.loads(fields[name]) for name in form.lists & set(fields)})


def test_the_help_of_a_command_tells_types_units_and_choices() -> None:
    shown = " ".join(guanxi("record", "--help", "approve-loan").out.split())
    for told in (
        "--loan_id required id: up to 64 printable characters without spaces",
        "--approved_on required date, YYYY-MM-DD",
        "--principal required decimal number in units of the currency",
        "--term_months required whole number of months",
        "--repayment required equal_instalment | interest_first | bullet",
        "0.045 is 4.5 %",
    ):
        assert told in shown
    assert "Usage: guanxi record" in guanxi("record", "no-such-command", "--help").out
    assert guanxi("status", "--json").document()["ledger"]["position"] == 0


def test_the_example_of_a_command_is_recorded_as_it_stands() -> None:
    for number, name in enumerate(("open-relationship", "record-cross-check"), 1):
        shown = guanxi("record", name, "--help").out.partition("For example:")[2]
        _, *words = shlex.split(shown.replace("\\\n", " "))
        assert position(guanxi(*words, "--json")) == number


def test_no_example_is_refused_for_its_items() -> None:
    for name in (name for name, form in FORMS.items() if form.lists & set(form.required)):
        shown = guanxi("record", name, "--help").out.partition("For example:")[2]
        _, *words = shlex.split(shown.replace("\\\n", " "))
        refused = json.loads(guanxi(*words, "--json").out)["error"]
        assert refused["code"] == "unknown-customer", refused


def test_a_text_that_begins_like_a_json_list_is_one_item() -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER))
    check = {"customer_id": "C1", "cross_check_id": "X1", "checked_on": "2024-02-01"}
    words = options(check | {"inference": "sells well", "by": "RM-1"})
    told = ["--items", "[draft] bill", "--items", "2024"]
    assert guanxi("record", "record-cross-check", *words, *told).status == 0
    shown = guanxi("show", "judgement", "C1", "--json").document()
    assert shown["cross_checks"][0]["items"] == ["[draft] bill", "2024"]


def test_a_sound_feed_is_taken_and_a_rejected_row_is_told(ledger: Path) -> None:
    feed = ledger.with_name("feed")
    feed.mkdir()
    (feed / "relationships.csv").write_text(
        ",".join(CUSTOMER) + "\n" + ",".join(CUSTOMER.values()) + "\n"
    )
    taken = guanxi("ingest", "feed", "--json")
    assert (taken.status, taken.document()["files"][0]["recorded"]) == (0, 1)
    assert not ledger.with_name("rejects.csv").exists()
    (feed / "accounts.csv").write_text(HEAD + "A1,C1,current,CNY,2024-01-02\nA2,C9,x,CNY,-\n")
    rejected = guanxi("ingest", "feed", "--json")
    assert rejected.status == 3
    accounts = rejected.document()["files"][1]
    assert (accounts["recorded"], accounts["rejected"]) == (1, 1)
    assert "accounts.csv,3,bad-choice," in ledger.with_name("rejects.csv").read_text("utf-8")
    shown = guanxi("ingest", "feed", "--rejects", "again.csv")
    assert (shown.status, "relationships.csv (taken before)" in shown.out) == (3, True)
    assert ledger.with_name("again.csv").exists()


def test_a_feed_that_is_not_there_fails_and_says_so() -> None:
    answer = guanxi("ingest", "nowhere")
    assert (answer.status, "Traceback" in answer.err) == (1, False)
    assert "nowhere" in answer.out
    asked = guanxi("ingest", "nowhere", "--json")
    assert asked.status == 1
    assert asked.document()["problems"]
    assert asked.err.startswith("guanxi: not-ingested: ")


def test_a_ledger_of_several_currencies_needs_one_named(ledger: Path) -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER))
    for number, currency in enumerate(("CNY", "USD")):
        account = {"account_id": f"A{number}", "customer_id": "C1", "kind": "current"}
        fields = json.dumps({**account, "currency": currency, "opened_on": "2024-01-02"})
        assert guanxi("record", "open-account", fields).status == 0
    answer = guanxi("export", "relationships")
    assert answer.status == 1
    assert answer.err.startswith("guanxi: currency-needed: the ledger holds CNY, USD")
    assert guanxi("export", "relationships", "--currency", "USD").status == 0
    assert guanxi("show", "relationship", "C1", "--currency", "CNY").status == 0
    assert ledger.exists()


def test_a_currency_of_settlements_alone_is_answered_for_where_it_is_named(ledger: Path) -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER))
    settled = {"settlement_id": "S1", "customer_id": "C1", "seen_on": "2024-02-01", "by": "RM-1"}
    settled |= {"from_on": "2024-01-01", "to_on": "2024-01-31", "currency": "USD"}
    settled |= {"total": "100.00", "through_us": "50.00"}
    assert guanxi("record", "record-settlement", json.dumps(settled)).status == 0
    [row] = guanxi("show", "value", "--json").document()["rows"]
    assert row["settlement_ppm"] == 500_000
    account = {"account_id": "A1", "customer_id": "C1", "kind": "current", "currency": "CNY"}
    account |= {"opened_on": "2024-01-02"}
    assert guanxi("record", "open-account", json.dumps(account)).status == 0
    [row] = guanxi("show", "value", "--json").document()["rows"]
    assert row["settlement_ppm"] is None
    [row] = guanxi("show", "value", "--currency", "USD", "--json").document()["rows"]
    assert row["settlement_ppm"] == 500_000
    assert guanxi("show", "value", "--currency", "EUR").status == 1
    out = ledger.parent / "value.parquet"
    words = ("--currency", "USD", "--format", "parquet", "--out", str(out))
    assert guanxi("export", "value", *words).status == 0
    assert pq.read_table(out).to_pylist()[0]["settlement_ppm"] == 500_000


def test_blanks_around_a_text_are_no_part_of_it(ledger: Path) -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER))
    told = {
        "customer_id": CUSTOMER["customer_id"],
        "tier": " vip\u3000",
        "assigned_on": "2024-02-01",
    }
    assert guanxi("record", "assign-tier", json.dumps(told)).status == 0
    [row] = guanxi("show", "value", "--json").document()["rows"]
    assert (row["tier"], ledger.exists()) == ("vip", True)


def test_without_its_keys_a_ledger_answers_and_takes_nothing(ledger: Path) -> None:
    guanxi(*OPEN, json.dumps(CUSTOMER))
    ledger.with_name("ledger.db.keys").rename(ledger.with_name("elsewhere"))
    assert guanxi("show", "relationship", "C1").status == 0
    refused = guanxi(*OPEN, json.dumps({**CUSTOMER, "customer_id": "C2"}))
    assert (refused.status, refused.err.startswith("guanxi: keys-missing: ")) == (1, True)
    named = guanxi(*OPEN, json.dumps({**CUSTOMER, "customer_id": "C2"}), "--keys", "elsewhere")
    assert named.status == 0
