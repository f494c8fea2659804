from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import exports
from infra.cli.asking import EXPORTS
from infra.exports import FORMATS, parquet_schema, write_export
from projections.deposit_compliance import ComplianceRow
from projections.guarantee_network import CircleRow
from projections.referral_network import NetworkRow
from projections.relationship_state import RelationshipRow

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = [
    NetworkRow("C1", None, "C1", 0, 1, 1, 1, 12_00, 3, None, None, None),
    NetworkRow("C,2", "C1", "C1", 1, 0, 0, 0, 0, 0, date(2024, 2, 1), date(2024, 2, 3), 2),
]
DESIGN = {
    ComplianceRow: "commitment_id, customer_id, loan_id, metric, window_start, window_end, days,"
    " carried_days, unknown_days, balance_days, required_days, shortfall, needed_run_rate,"
    " status, cured_on",
    RelationshipRow: "customer_id, kind, segment, branch, manager, opened_on, contacts,"
    " last_contact_on, next_contact_on, approved, drawn, outstanding, deposits, adb_month,"
    " adb_quarter, adb_year, commitments, commitments_at_risk, commitments_breached, referrer_id,"
    " referrals_made, referrals_converted, guarantees_given, guarantees_received",
    NetworkRow: "customer_id, referrer_id, root_id, depth, children, descendants,"
    " converted_descendants, subtree_drawn, subtree_deposits, introduced_on, converted_on,"
    " days_to_convert",
    CircleRow: "circle_id, size, members, guarantees, exposure",
}


@pytest.mark.parametrize("row_type", DESIGN)
def test_the_columns_are_exactly_those_that_others_depend_on(row_type: type[NamedTuple]) -> None:
    assert list(row_type._fields) == DESIGN[row_type].split(", ")


def test_a_sum_beyond_64_bits_is_refused_by_parquet_alone(tmp_path: Path) -> None:
    rows = [ROWS[0]._replace(subtree_drawn=1 << 63)]
    assert write_export(NetworkRow, rows, "csv", tmp_path / "network.csv") == 1
    with pytest.raises(exports.TooLargeForParquetError, match="subtree_drawn"):
        write_export(NetworkRow, rows, "parquet", tmp_path / "network.parquet")
    assert not (tmp_path / "network.parquet").exists()


def test_csv_is_rfc_4180_with_empty_for_none(tmp_path: Path) -> None:
    out = tmp_path / "network.csv"
    assert write_export(NetworkRow, ROWS, "csv", out) == 2
    header, first, second, end = out.read_bytes().split(b"\r\n")
    assert header == ",".join(NetworkRow._fields).encode()
    assert first == b"C1,,C1,0,1,1,1,1200,3,,,"
    assert second == b'"C,2",C1,C1,1,0,0,0,0,0,2024-02-01,2024-02-03,2'
    assert end == b""


def test_json_lines_are_objects_in_column_order(tmp_path: Path) -> None:
    out = tmp_path / "network.jsonl"
    write_export(NetworkRow, ROWS, "jsonl", out)
    first, second = (json.loads(line) for line in out.read_text("utf-8").splitlines())
    assert list(first) == list(NetworkRow._fields)
    assert first["referrer_id"] is None
    assert second["converted_on"] == "2024-02-03"


def test_parquet_has_dates_and_integers(tmp_path: Path) -> None:
    out = tmp_path / "network.parquet"
    assert write_export(NetworkRow, ROWS, "parquet", out) == 2
    table = pq.read_table(out)
    assert [NetworkRow(**row) for row in table.to_pylist()] == ROWS
    kinds = {field.name: field.type for field in table.schema}
    assert kinds["introduced_on"] == pa.date32()
    assert kinds["subtree_drawn"] == kinds["days_to_convert"] == pa.int64()
    assert kinds["referrer_id"] == pa.string()


def test_every_export_has_numbers_and_dates_for_numbers_and_dates_in_parquet() -> None:
    told: dict[str, set[str]] = {}
    for row_type in (*DESIGN, *(row_type for _, row_type, _ in EXPORTS.values())):
        for field in parquet_schema(row_type):
            name = row_type.__annotations__[field.name].__forward_arg__.removesuffix(" | None")
            told.setdefault(str(field.type), set()).add(name)
    assert told.pop("int64") == {"int", "Minor", "Ppm"}
    assert told.pop("date32[day]") == {"date"}
    [texts] = told.values()
    assert not texts & {"Instant", "float", "bool", "Decimal"}  # none of them is a text


def test_every_row_type_has_dates_and_amounts_in_parquet() -> None:
    kinds = {
        field.name: str(field.type) for row_type in DESIGN for field in parquet_schema(row_type)
    }
    days = {name for name, kind in kinds.items() if kind == "date32[day]"}
    assert days == {
        name for name in kinds if name.endswith("_on") or name in ("window_start", "window_end")
    }
    texts = {name for name, kind in kinds.items() if kind == "string"}
    ids = {name for name in kinds if name.endswith("_id")}
    names = {"metric", "status", "kind", "segment", "branch", "manager", "members"}
    assert texts == ids | names


@pytest.mark.parametrize("format_", FORMATS)
def test_no_rows_make_an_export_all_the_same(tmp_path: Path, format_: exports.Format) -> None:
    out = tmp_path / "empty"
    assert write_export(NetworkRow, [], format_, out) == 0
    assert out.exists()
    if format_ == "parquet":
        assert pq.read_table(out).column_names == list(NetworkRow._fields)


def test_parquet_is_written_group_by_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PARQUET_GROUP_ROWS_MAX", 3)
    out = tmp_path / "many.parquet"
    write_export(NetworkRow, ROWS * 4, "parquet", out)
    assert pq.ParquetFile(out).num_row_groups == 3
    assert pq.read_table(out).num_rows == 8


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_appears_whole_or_stays_as_it_was(tmp_path: Path, format_: exports.Format) -> None:
    def broken() -> Iterator[NetworkRow]:
        yield ROWS[0]
        raise ZeroDivisionError

    out = tmp_path / "out"
    out.write_text("before")
    with pytest.raises(ZeroDivisionError):
        write_export(NetworkRow, broken(), format_, out)
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_export(NetworkRow, ROWS, "csv", pipe)
        assert pipe.is_fifo()
        assert os.read(reading, 2).decode() == "cu"
    finally:
        os.close(reading)


@pytest.mark.parametrize("format_", FORMATS)
def test_stdout_through_a_pipe_is_the_same_as_a_file(
    tmp_path: Path, format_: exports.Format
) -> None:
    out = tmp_path / "out"
    write_export(NetworkRow, ROWS, format_, out)
    program = (
        "import datetime\n"
        "from infra.exports import write_export\n"
        "from projections.referral_network import NetworkRow\n"
        f"write_export(NetworkRow, {ROWS!r}, {format_!r})"
    )
    root = Path(__file__).parents[1]
    piped = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, check=True
    )
    assert piped.stdout == out.read_bytes()


class Note(NamedTuple):
    text: str
    more: str | None
    amount: int


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
notes = st.builds(Note, texts, st.none() | texts, st.integers(-(2**63), 2**63 - 1))


@given(rows=st.lists(notes, max_size=5))
def test_whatever_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Note]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    for format_ in FORMATS:
        write_export(Note, rows, format_, folder / format_)
    text = (folder / "csv").read_bytes().decode()
    _, *told = csv.reader(io.StringIO(text, newline=""))
    assert [(a, b or None, int(c)) for a, b, c in told] == rows
    lines = (folder / "jsonl").read_bytes().decode().split("\n")[:-1]
    assert [Note(**json.loads(line)) for line in lines] == rows
    assert [Note(**row) for row in pq.read_table(folder / "parquet").to_pylist()] == rows
