"""A feed directory into the ledger: every sound row, and every other one in the rejects."""

from __future__ import annotations

import csv
import json
import os
from typing import TYPE_CHECKING

import pytest

from domain.account import BalanceCorrected, BalanceObserved
from infra.feeds import files_taken
from infra.feeds import ingest as ingest_module
from infra.feeds.ingest import ingest
from infra.feeds.report import ALL_TAKEN, FAILED, SOME_REJECTED
from tests.write_side import (
    ACCOUNT,
    BALANCE,
    CONTACT,
    FEED,
    REFERRAL,
    RELATIONSHIP,
    events,
    new_ledger,
    recorded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from infra.feeds.report import Report
    from infra.ledger import Ledger


class Feeder:
    """A ledger, a feed directory and the rejects of the last ingest."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.ledger = ledger
        self.feed = folder / "feed"
        self.feed.mkdir()
        self.rejects = folder / "rejects.csv"

    def write(self, kind: str, *rows: Mapping[str, str]) -> Path:
        path = self.feed / f"{kind}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def write_all(self, without: Sequence[str] = ()) -> None:
        for kind, row in FEED.items():
            if kind not in without:
                self.write(kind, row)

    def ingest(self) -> Report:
        return ingest(self.feed, self.ledger, self.rejects)

    def rejected(self) -> list[tuple[str, int, str]]:
        if not self.rejects.exists():
            return []
        with self.rejects.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert all(row["message"] for row in rows)
        return [(row["file"], int(row["line"]), row["code"]) for row in rows]

    @property
    def position(self) -> int:
        return self.ledger.store.position()


@pytest.fixture
def feeder(tmp_path: Path) -> Iterator[Feeder]:
    with new_ledger(tmp_path) as ledger:
        yield Feeder(tmp_path, ledger)


def test_a_sound_feed_is_recorded_file_by_file(feeder: Feeder) -> None:
    feeder.write_all()
    report = feeder.ingest()
    assert [file.file for file in report.files] == [f"{kind}.csv" for kind in FEED]
    assert all(file.recorded == 1 for file in report.files)
    assert report.exit_status == ALL_TAKEN
    assert feeder.position == len(FEED)
    assert not feeder.rejects.exists()


def test_an_events_source_names_the_file_and_the_record(feeder: Feeder) -> None:
    feeder.write("relationships", RELATIONSHIP, {**RELATIONSHIP, "customer_id": "C2"})
    feeder.ingest()
    sources = [record.source.split(":") for record in recorded(feeder.ledger)]
    assert [(way, kind, number) for way, kind, _, number in sources] == [
        ("feed", "relationships", "1"),
        ("feed", "relationships", "2"),
    ]
    assert len(sources[0][2]) == 16


def test_json_lines_are_taken_like_csv(feeder: Feeder) -> None:
    for kind, row in FEED.items():
        path = feeder.feed / f"{kind}.jsonl"
        path.write_text(json.dumps({**row, "note": None} if kind == "contacts" else row) + "\n")
    assert feeder.ingest().exit_status == ALL_TAKEN
    assert feeder.position == len(FEED)
    feeder.write_all()
    assert feeder.ingest().exit_status == ALL_TAKEN
    assert feeder.position == len(FEED), "the same rows in the other format"


@pytest.mark.parametrize("kind", FEED)
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("empty", "empty-value"),
        ("NUL", None),
        ("too long", None),
        ("short", "too-few-columns"),
        ("long", "too-many-columns"),
        ("encoding", "bad-encoding"),
        ("quote", "unbalanced-quotes"),
    ],
)
def test_a_bad_row_of_any_file_is_rejected_alone(
    feeder: Feeder, kind: str, how: str, code: str | None
) -> None:
    feeder.write_all()
    path = feeder.feed / f"{kind}.csv"
    header, row = path.read_bytes().split(b"\r\n")[:2]
    first, rest = row.split(b",", 1)
    bad = {
        "empty": b"," + rest,
        "NUL": b"\0," + rest,
        "too long": b"x" * 1_000 + b"," + rest,
        "short": first,
        "long": row + b",x",
        "encoding": b"\xff," + rest,
        "quote": b'"' + row,
    }[how]
    path.write_bytes(b"\r\n".join((header, bad, row, b"")))
    report = feeder.ingest()
    assert report.exit_status == SOME_REJECTED
    assert feeder.rejected() == [(path.name, 2, code or "bad-id")]
    assert feeder.position == len(FEED), "the good row, and every other file"


BAD = [
    ("relationships", {"kind": "robot"}, "bad-choice"),
    ("relationships", {"opened_on": "2024-13-01"}, "bad-date"),
    ("relationships", {"customer_id": "ledger"}, "reserved-id"),
    ("accounts", {"customer_id": "C404"}, "unknown-customer"),
    ("accounts", {"currency": "yuan"}, "bad-currency"),
    ("accounts", {"kind": "shoebox"}, "bad-choice"),
    ("loans", {"customer_id": "C404"}, "unknown-customer"),
    ("loans", {"principal": "-5"}, "not-positive"),
    ("loans", {"term_months": "a year"}, "bad-number"),
    ("loans", {"annual_rate": "4%"}, "bad-number"),
    ("loans", {"annual_rate": "-1"}, "malformed-rate"),
    ("commitments", {"loan_id": "L404"}, "unknown-loan"),
    ("commitments", {"ends_on": "2023-01-01"}, "dates-out-of-order"),
    ("commitments", {"metric": "median"}, "bad-choice"),
    ("commitments", {"requirement_value": "20000"}, "percentage-out-of-range"),
    ("draws", {"loan_id": "L404"}, "unknown-loan"),
    ("draws", {"currency": "USD"}, "another-currency"),
    ("draws", {"amount": "1.005"}, "too-many-decimals"),
    ("draws", {"amount": "99999999999999999999"}, "number-too-large"),
    ("repayments", {"loan_id": "L404"}, "unknown-loan"),
    ("repayments", {"principal": "0", "interest": "0"}, "nothing-repaid"),
    ("balances", {"account_id": "A404"}, "unknown-account"),
    (
        "balances",
        {"account_id": "A1", "business_date": "2024-02-01", "currency": "USD"},
        "another-currency",
    ),
    ("balances", {"ledger_balance": "ten"}, "bad-amount"),
    ("referrals", {"referrer_id": "C404"}, "unknown-customer"),
    ("referrals", {"prospect_id": "C1"}, "self-referral"),
    ("referrals", {"via": "pigeon"}, "bad-choice"),
    ("contacts", {"customer_id": "C404"}, "unknown-customer"),
    ("contacts", {"happened_at": "2024-03-01T10:00:00"}, "bad-instant"),
    ("contacts", {"duration_seconds": "-1"}, "bad-number"),
    ("contacts", {"channel": "fax"}, "bad-choice"),
    ("contacts", {"follow_up_on": "2024-02-29"}, "dates-out-of-order"),
]


@pytest.mark.parametrize(("kind", "changes", "code"), BAD)
def test_a_refused_row_is_rejected_with_its_code(
    feeder: Feeder, kind: str, changes: dict[str, str], code: str
) -> None:
    feeder.write_all()
    bad = {**FEED[kind], next(iter(FEED[kind])): "other", **changes}
    feeder.write(kind, dict.fromkeys(bad, "") | FEED[kind], bad)
    assert feeder.ingest().exit_status == SOME_REJECTED
    assert feeder.rejected() == [(f"{kind}.csv", 3, code)]
    assert feeder.position == len(FEED)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"account_id,business_date,currency\n", "missing-column"),
        (b"account_id,business_date,ledger_balance,currency,x\n", "unknown-column"),
        (b"account_id,account_id,business_date,ledger_balance,currency\n", "duplicate-column"),
        (b"", "empty-file"),
    ],
)
def test_a_file_with_a_bad_header_is_rejected_and_the_others_taken(
    feeder: Feeder, header: bytes, code: str
) -> None:
    feeder.write_all()
    (feeder.feed / "balances.csv").write_bytes(header)
    assert feeder.ingest().exit_status == SOME_REJECTED
    assert feeder.rejected() == [("balances.csv", 1, code)]
    assert feeder.position == len(FEED) - 1
    feeder.write("balances", BALANCE)
    assert feeder.ingest().exit_status == ALL_TAKEN
    assert feeder.position == len(FEED)


def test_a_reject_names_the_line_of_the_rows_start_and_shows_the_row(feeder: Feeder) -> None:
    feeder.write("relationships", RELATIONSHIP)
    note = {**CONTACT, "note": "one\ntwo\nthree"}
    feeder.write("contacts", note, {**note, "contact_id": "T2", "customer_id": "C404"})
    feeder.ingest()
    assert feeder.rejected() == [("contacts.csv", 5, "unknown-customer")]
    with feeder.rejects.open(encoding="utf-8", newline="") as file:
        [reject] = csv.DictReader(file)
    assert list(reject) == ["file", "line", "code", "message", "row"]
    assert reject["row"].startswith("T2,C404,")
    assert "C404" in reject["message"]
    assert "Open the relationship first" in reject["message"]


def test_files_that_are_none_of_the_feeds_are_reported(feeder: Feeder) -> None:
    feeder.write_all()
    (feeder.feed / "balance.csv").write_text("x")
    (feeder.feed / ".hidden").write_text("x")
    report = feeder.ingest()
    assert report.ignored == ["balance.csv"]
    assert report.exit_status == ALL_TAKEN


@pytest.mark.parametrize("what", ["missing", "file", "empty"])
def test_what_is_no_feed_directory_fails(feeder: Feeder, what: str) -> None:
    directory = feeder.feed / what
    if what == "file":
        directory.write_text("x")
    if what == "empty":
        directory.mkdir()
    report = ingest(directory, feeder.ledger, feeder.rejects)
    assert report.exit_status == FAILED
    assert str(directory) in report.problems[0]


def test_a_file_that_cannot_be_read_fails_and_the_others_are_taken(feeder: Feeder) -> None:
    feeder.write_all(without=["balances"])
    os.mkfifo(feeder.feed / "balances.csv")
    (feeder.feed / "contacts.csv").unlink()
    (feeder.feed / "contacts.csv").symlink_to("nowhere")
    report = feeder.ingest()
    assert report.exit_status == FAILED
    assert len(report.problems) == 2
    assert feeder.position == len(FEED) - 2


def test_a_file_wholly_taken_is_not_read_again(feeder: Feeder) -> None:
    feeder.write_all()
    feeder.ingest()
    report = feeder.ingest()
    assert all(file.taken_before and not file.rows for file in report.files)
    assert report.exit_status == ALL_TAKEN


def test_only_the_rejected_rows_of_a_file_are_tried_again(feeder: Feeder) -> None:
    feeder.write("balances", BALANCE, {**BALANCE, "account_id": "A2"})
    feeder.write("relationships", RELATIONSHIP)
    feeder.write("accounts", ACCOUNT)
    assert feeder.ingest().exit_status == SOME_REJECTED
    feeder.write("balances", {**BALANCE, "ledger_balance": "7.00"})
    assert feeder.ingest().exit_status == ALL_TAKEN
    assert not feeder.rejects.exists(), "the rejects of the run before are gone"

    feeder.write("accounts", {**ACCOUNT, "account_id": "A2"})
    feeder.write("balances", BALANCE, {**BALANCE, "account_id": "A2"})
    report = feeder.ingest()
    balances = next(file for file in report.files if file.file == "balances.csv")
    assert (balances.recorded, balances.unchanged, balances.skipped) == (1, 0, 1)
    assert report.exit_status == ALL_TAKEN
    amounts = [e.ledger_balance for e in events(feeder.ledger) if isinstance(e, BalanceCorrected)]
    assert amounts == [700], "the first row was not told again"


def test_too_many_rejected_rows_are_not_remembered(
    feeder: Feeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_taken, "LINES_REMEMBERED_MAX", 1)
    feeder.write("relationships", RELATIONSHIP)
    feeder.write("accounts", ACCOUNT, *({**ACCOUNT, "account_id": f"X{n} "} for n in range(2)))
    feeder.ingest()
    report = feeder.ingest()
    accounts = report.files[1]
    assert (accounts.unchanged, accounts.skipped, accounts.rejected) == (1, 0, 2)


def test_a_changed_file_corrects_and_the_last_told_counts(feeder: Feeder) -> None:
    feeder.write_all()
    feeder.ingest()
    feeder.write("relationships", {**RELATIONSHIP, "segment": "gold", "manager": "RM-9"})
    feeder.write("balances", {**BALANCE, "ledger_balance": "1.00"})
    feeder.write("contacts", {**CONTACT, "outcome": "came"})
    feeder.write("referrals", {**REFERRAL, "outcome": "lapsed", "outcome_on": "2024-09-01"})
    assert feeder.ingest().exit_status == ALL_TAKEN
    types = [record.type for record in recorded(feeder.ledger)][len(FEED) :]
    assert types == [
        "profile-changed",
        "manager-assigned",
        "balance-corrected",
        "referral-lapsed",
        "contact-corrected",
    ]
    feeder.write("loans", {**FEED["loans"], "principal": "2000.00"})
    assert feeder.ingest().exit_status == SOME_REJECTED
    assert feeder.rejected() == [("loans.csv", 2, "conflict")]


def test_a_day_twice_in_a_file_is_a_correction_and_a_second_run_changes_nothing(
    feeder: Feeder,
) -> None:
    feeder.write("relationships", RELATIONSHIP)
    feeder.write("accounts", ACCOUNT)
    rows = [{**BALANCE, "ledger_balance": f"{amount}.00"} for amount in (1, 2, 1)]
    path = feeder.write("balances", *rows)
    feeder.ingest()
    position = feeder.position
    told = [e for e in events(feeder.ledger) if isinstance(e, BalanceObserved | BalanceCorrected)]
    assert [event.ledger_balance for event in told] == [100, 200, 100]
    with feeder.ledger.store.database.transaction() as connection:
        connection.execute("UPDATE feed_file SET rejected_lines = NULL")  # as if it was killed
    report = feeder.ingest()
    assert report.files[-1].file == path.name
    assert report.files[-1].unchanged == 3
    assert feeder.position == position


def test_a_file_that_changes_while_it_is_read_fails(
    feeder: Feeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter([(1, 1), (2, 2)])
    monkeypatch.setattr(ingest_module, "_stamp", lambda _file: next(stamps))
    feeder.write("relationships", RELATIONSHIP)
    assert feeder.ingest().exit_status == FAILED
    monkeypatch.undo()
    report = feeder.ingest()
    assert report.exit_status == ALL_TAKEN
    assert report.files[0].unchanged == 1, "it was not remembered as taken"


def test_the_rejects_are_their_owners_alone_and_nobody_elses_file_is_removed(
    feeder: Feeder,
) -> None:
    feeder.rejects.write_text("my own notes")
    feeder.write("relationships", RELATIONSHIP)
    feeder.ingest()
    assert feeder.rejects.read_text() == "my own notes"
    feeder.write("relationships", {**RELATIONSHIP, "kind": "robot"})
    feeder.ingest()
    assert feeder.rejects.stat().st_mode & 0o777 == 0o600
    assert not list(feeder.rejects.parent.glob(".rejects*"))


@pytest.mark.parametrize("place", [".", "missing/rejects.csv"])
def test_rejects_that_cannot_be_written_fail_before_anything_is_recorded(
    feeder: Feeder, place: str
) -> None:
    feeder.write_all()
    report = ingest(feeder.feed, feeder.ledger, feeder.feed / place)
    assert report.exit_status == FAILED
    assert "rejects" in report.problems[0]
    assert feeder.position == 0


def test_progress_counts_the_rows_of_each_file(feeder: Feeder) -> None:
    feeder.write_all()
    seen: list[tuple[str, int]] = []
    ingest(
        feeder.feed,
        feeder.ledger,
        feeder.rejects,
        progress=lambda file, rows: seen.append((file, rows)),
    )
    assert seen == [(f"{kind}.csv", 1) for kind in FEED]
