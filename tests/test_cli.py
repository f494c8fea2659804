from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from infra.cli.main import MODULES
from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = ("--as-of", "1993-02-21")
QUESTIONS = (
    ("status",),
    ("show", "relationship", "GX-001"),
    ("show", "compliance", "GC-003"),
    ("show", "network", "GX-001"),
    ("export", "compliance"),
    ("export", "relationships"),
    ("export", "network"),
    ("parked", "list"),
    ("audit", "replay"),
    ("audit", "replay", "--customer", "GX-001"),
    ("record",),
    ("schema",),
)


@pytest.fixture(autouse=True)
def environment(demo_ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUANXI_LEDGER", f"sqlite:{demo_ledger}")
    monkeypatch.delenv("GUANXI_KAFKA", raising=False)
    monkeypatch.delenv("GUANXI_KEYS", raising=False)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_json_is_one_document_wherever_it_stands(question: tuple[str, ...]) -> None:
    before, after = guanxi("--json", *question), guanxi(*question, "--json")
    assert before.status == after.status == 0
    assert before.document() == after.document()
    assert before.err == ""


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_a_person_gets_words_on_stdout_alone(question: tuple[str, ...]) -> None:
    answer = guanxi(*question)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.strip()


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("show", "relationship", "NOBODY"), 1, "not-found"),
        (("show", "compliance", "NOTHING"), 1, "not-found"),
        (("show", "network", "NOBODY"), 1, "not-found"),
        (("show", "compliance", "GC-001", "--as-of", "1993-01-07"), 1, "not-found"),
        (("show", "network", "GX-001", "--known-at", "2001-01-01T00:00:00Z"), 1, "not-found"),
        (("show", "relationship", "GX-001", "--as-of", "1993-2-1"), 2, "bad-call"),
        (("show", "relationship", "GX-001", "--known-at", "1993-02-01"), 2, "bad-call"),
        (("export", "gossip"), 2, "bad-call"),
        (("export", "network", "--format", "xml"), 2, "bad-call"),
        (("export", "network", "--gossip"), 2, "bad-call"),
        (("gossip",), 2, "bad-call"),
        (("show",), 2, "bad-call"),
        (("topics",), 2, "kafka-unnamed"),
        (("relay",), 2, "kafka-unnamed"),
        (("rebuild", "gossip"), 2, "bad-call"),
        (("parked", "retry", "network", "GX-001"), 2, "bad-call"),
        (("schema", "gossip"), 2, "bad-call"),
        (("record", "gossip"), 2, "bad-call"),
        (("record", "open-relationship", "{"), 2, "bad-call"),
        (("record", "open-relationship", "[]"), 2, "bad-call"),
        (("record", "open-relationship", "--name", "N", "X"), 2, "bad-call"),
        (("record", "open-relationship", "--name", "N", "--name", "M"), 2, "bad-call"),
        (("record", "open-relationship"), 1, "missing-column"),
        (("audit", "replay", "--through", "1", "--known-at", "2026-01-01T00:00Z"), 2, "bad-call"),
        (("--ledger", "mysql://x/y", "status"), 2, "ledger-unknown"),
        (("--ledger", "sqlite:", "status"), 2, "ledger-unknown"),
        (("--ledger", "sqlite:/", "init"), 2, "ledger-unknown"),
        (("--ledger", "postgresql://[::1", "status"), 2, "ledger-unknown"),
        (("--ledger", "postgresql://127.0.0.1/x", "init"), 2, "keys-unnamed"),
        (("--ledger", "sqlite:/proc/none/x.db", "init"), 1, "system"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_an_error_is_a_line_with_its_code_and_a_document_where_json_is_asked_for(
    words: tuple[str, ...], status: int, code: str
) -> None:
    answer = guanxi(*words)
    assert (answer.status, answer.out) == (status, "")
    assert "Traceback" not in answer.err
    assert f"guanxi: {code}: " in answer.err or answer.err.startswith("Usage: ")
    for asked in (guanxi("--json", *words), guanxi(*words, "--json")):
        assert asked.status == status
        assert asked.document()["error"]["code"] == code
        assert asked.document()["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("ingest", "."),
        ("record", "open-relationship", "{}"),
        ("show", "network", "X"),
        ("export", "network"),
        ("rebuild",),
        ("parked", "list"),
        ("audit", "replay"),
        ("topics", "--kafka", "127.0.0.1:1"),
    ],
    ids=" ".join,
)
def test_a_ledger_that_was_never_made_is_told_so(words: tuple[str, ...], tmp_path: Path) -> None:
    answer = guanxi("--ledger", f"sqlite:{tmp_path / 'missing' / 'x.db'}", *words)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.startswith("guanxi: not-initialised: ")
    assert "guanxi init" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("gossip " * 1_000)
    answer = guanxi("--ledger", f"sqlite:{tmp_path / 'x.db'}", "status")
    assert answer.status == 1
    assert "Traceback" not in answer.err
    (line,) = answer.err.splitlines()
    assert line.startswith("guanxi: ")


def test_the_options_may_stand_before_or_after_or_in_the_environment(
    demo_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = f"sqlite:{demo_ledger}"
    by_environment = guanxi("status", "--json").document()
    monkeypatch.delenv("GUANXI_LEDGER")
    assert guanxi("--ledger", ledger, "status", "--json").document() == by_environment
    assert guanxi("status", "--json", "--ledger", ledger).document() == by_environment
    monkeypatch.setenv("GUANXI_LEDGER", "sqlite:/elsewhere.db")
    assert guanxi("status", "--ledger", ledger, "--json").document() == by_environment


def test_status_tells_positions_lags_and_digests() -> None:
    plain, more = guanxi("status", "--json").document(), guanxi("status", "--digests", "--json")
    assert set(plain) == {"ledger", "relay", "projections"}
    assert set(plain["ledger"]) == {"id", "position", "profile"}
    assert plain["ledger"]["profile"] == "embedded"
    assert plain["relay"] is None
    end = plain["ledger"]["position"]
    for name in ("relationship", "compliance", "network"):
        state = plain["projections"][name]
        assert state == {"position": end, "version": state["version"], "lag_events": 0} | {
            "parked_keys": 0
        }
        assert len(more.document()["projections"][name]["digest"]) == 64
    shown = "".join(guanxi("status", "--digests").out.split())
    assert shown.count("│") > 0


def test_a_digest_is_shown_whole_however_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    digest = guanxi("status", "--digests", "--json").document()["projections"]["network"]["digest"]
    rows = guanxi("status", "--digests").out.splitlines()
    start = next(n for n, row in enumerate(rows) if row.startswith("│ network"))
    cells = [row.split("│")[-2].strip() for row in rows[start:] if row.count("│") > 2]
    assert "".join(cells).startswith(digest)


def test_a_replay_matches_the_live_views_and_says_where_it_does_not(
    demo_ledger: Path, tmp_path: Path
) -> None:
    views = guanxi("audit", "replay", "--json").document()["views"]
    assert {view["matches"] for view in views.values()} == {True}
    earlier = guanxi("audit", "replay", "--through", "5", "--json").document()
    assert earlier["position"] == 5
    assert {view["matches"] for view in earlier["views"].values()} == {None}
    copied = tmp_path / "copy.db"
    with sqlite3.connect(demo_ledger) as source, sqlite3.connect(copied) as target:
        source.backup(target)
        target.execute("DELETE FROM view_row WHERE customer_id = 'GX-001'")
    target.close()
    source.close()
    tampered = guanxi("--ledger", f"sqlite:{copied}", "audit", "replay")
    assert tampered.status == 1
    assert "DIFFERENT" in tampered.out


def test_history_shows_what_was_stored_and_keeps_personal_fields_sealed() -> None:
    found = guanxi("audit", "replay", "--customer", "GX-001", "--json").document()["events"]
    assert found[0]["type"] == "relationship-opened"
    assert found[0]["data"]["name"] == "(sealed)"
    assert "Supermarket" not in json.dumps(found)


def test_an_export_has_the_same_rows_in_each_format(tmp_path: Path) -> None:
    csv = guanxi("export", "network").out.splitlines()
    jsonl = guanxi("export", "network", "--format", "jsonl").out.splitlines()
    rows = guanxi("export", "network", "--json").document()["rows"]
    assert [json.loads(line) for line in jsonl] == rows
    assert csv[0] == ",".join(rows[0])
    assert len(csv) == len(rows) + 1
    out = tmp_path / "network.csv"
    told = guanxi("export", "network", "--out", str(out), "--json").document()
    assert told == {"view": "network", "as_of": "1993-02-21", "rows": len(rows), "out": str(out)}
    assert out.read_text("utf-8").splitlines() == csv
    assert guanxi("export", "network", "--json", "--format", "csv").status == 2


def test_an_export_of_the_past_differs_by_what_was_dated_or_told_later() -> None:
    now = guanxi("export", "relationships", *AS_OF, "--json").document()["rows"]
    then = guanxi("export", "relationships", "--as-of", "1993-01-10", "--json").document()["rows"]
    before = guanxi("export", "relationships", "--known-at", "2001-01-01T00:00:00+08:00").out
    assert {row["customer_id"] for row in then} < {row["customer_id"] for row in now}
    assert len(before.splitlines()) == 1


def test_known_at_now_is_what_the_live_view_says() -> None:
    live = guanxi("export", "compliance").out
    assert guanxi("export", "compliance", "--known-at", "2999-01-01T00:00:00Z").out == live


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_command_explains_itself(
    name: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    answer = guanxi(name, "--help")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: guanxi {name}")
