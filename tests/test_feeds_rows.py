"""Feed files to rows: what RFC 4180 says, and what becomes of what it does not."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from infra.feeds.csv_file import read_csv
from infra.feeds.jsonl_file import read_jsonl
from infra.feeds.rows import ROW_BYTES_MAX, Broken, Columns, Row, UnreadableFileError

if TYPE_CHECKING:
    from infra.feeds.rows import Read

COLUMNS = Columns(("id", "name"), ("note",), frozenset({"note"}))


def csv_rows(content: bytes, columns: Columns = COLUMNS) -> list[Read]:
    return list(read_csv(io.BytesIO(content), columns))


def json_rows(content: bytes) -> list[Read]:
    return list(read_jsonl(io.BytesIO(content), COLUMNS))


def seen(rows: list[Read]) -> list[tuple[int, str]]:
    """Return each row's line, and its id or what is wrong with it."""
    return [(row.line, row.values["id"] if isinstance(row, Row) else row.code) for row in rows]


def test_a_row_has_its_line_its_number_and_its_columns() -> None:
    assert csv_rows(b"name,id\r\nAda,1\r\nBob,2\r\n") == [
        Row(2, 1, b"Ada,1", {"name": "Ada", "id": "1"}),
        Row(3, 2, b"Bob,2", {"name": "Bob", "id": "2"}),
    ]


def test_the_last_line_needs_no_break_and_a_blank_one_is_no_row() -> None:
    assert seen(csv_rows(b"id,name\n1,a\n\n\r\n2,b")) == [(2, "1"), (5, "2")]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert seen(csv_rows(b"\xef\xbb\xbfid,name\n1,a\n")) == [(2, "1")]


def test_quotes_hold_commas_quotes_and_in_a_note_line_breaks() -> None:
    rows = csv_rows(b'id,name,note\n1,"a,""b""","x\r\ny"\n2,b,\n')
    assert isinstance(rows[0], Row)
    assert rows[0].values == {"id": "1", "name": 'a,"b"', "note": "x\r\ny"}
    assert seen(rows) == [(2, "1"), (4, "2")]


@pytest.mark.parametrize(
    "broken",
    [
        b'1,"a\n',
        b'1,a"b\n',
        b'"1,a\n',
        b'1,"a"b\n',
        b'1,"a\n2,b",c\n',
        b'1,"a" \n',
    ],
)
def test_a_bad_quote_breaks_its_own_line_alone(broken: bytes) -> None:
    rows = csv_rows(b"id,name\n" + broken + b"3,c\n4,d\n")
    assert (2, "unbalanced-quotes") in seen(rows)
    assert [id_ for _, id_ in seen(rows) if id_.isdigit()] == ["3", "4"]


def test_a_record_broken_where_it_may_not_be_is_one_record() -> None:
    first, second = csv_rows(b"id,name,note\n" + b'1,"a\nb",n\n2,c,n\n')
    assert (first.line, first.raw) == (2, b'1,"a\nb",n')
    assert (second.line, second.raw) == (4, b"2,c,n")


def test_two_stray_quotes_in_one_column_do_not_swallow_the_rows_between() -> None:
    rows = csv_rows(b'id,name\n1,"a\n2,b\n3,c\n4,d"\n5,e\n')
    assert seen(rows) == [
        (2, "unbalanced-quotes"),
        (3, "2"),
        (4, "3"),
        (5, "unbalanced-quotes"),
        (6, "5"),
    ]


def test_a_quote_never_closed_swallows_nothing_however_long_the_file() -> None:
    good = b"".join(b"%d,x\n" % n for n in range(30_000))
    rows = csv_rows(b'id,name\nq,"a\n' + good)
    assert rows[0][3] == "unbalanced-quotes"
    assert len(rows) == 30_001
    assert all(isinstance(row, Row) for row in rows[1:])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"1", "too-few-columns"),
        (b"1,a,b,c", "too-many-columns"),
        (b"1,\xff\xfe", "bad-encoding"),
        (b"1,\xc3", "bad-encoding"),
        (b'1,"\xe7\x8e"', "bad-encoding"),
        (b"1," + b"x" * ROW_BYTES_MAX, "row-too-long"),
        (b"1," + b"x" * (5 * ROW_BYTES_MAX), "row-too-long"),
        (b'1,"' + b"x" * ROW_BYTES_MAX, "row-too-long"),
    ],
)
def test_a_broken_row_leaves_its_neighbours(line: bytes, code: str) -> None:
    rows = csv_rows(b"id,name\n0,a\n" + line + b"\n2,b\n")
    assert seen(rows) == [(2, "0"), (3, code), (4, "2")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"\xef\xbb\xbf", "empty-file"),
        (b"\n1,a\n", "empty-file"),
        (b"id\n1\n", "missing-column"),
        (b"id,name,colour\n", "unknown-column"),
        (b"id,name,id\n", "duplicate-column"),
        (b"id;name\n1;a\n", "unknown-column"),
        (b"ID,Name\n", "unknown-column"),
        (b'"id,name\n1,a\n', "unknown-column"),
        (b"id,\xff\n", "bad-encoding"),
        ("id,name\n1,a\n".encode("utf-16"), "bad-encoding"),
        (b"PK\x03\x04\x00", "unknown-column"),
    ],
)
def test_a_header_that_is_not_ours_stops_the_file(content: bytes, code: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        csv_rows(content)
    assert caught.value.code == code
    assert "id, name [note]" in caught.value.message or code in {
        "bad-encoding",
        "duplicate-column",
    }


def test_json_lines_hold_the_same_columns() -> None:
    lines = [
        {"id": "1", "name": "a", "note": "x\ny"},
        {"id": 2, "name": "b", "note": None},
    ]
    content = "\n\n".join(json.dumps(line) for line in lines).encode()
    assert json_rows(content) == [
        Row(1, 1, content.split(b"\n")[0], {"id": "1", "name": "a", "note": "x\ny"}),
        Row(3, 2, content.split(b"\n")[2], {"id": "2", "name": "b", "note": ""}),
    ]


def test_a_json_number_stands_for_its_own_text() -> None:
    [row] = json_rows(b'{"id": 12.50, "name": 10000000000000000000000.1}')
    assert isinstance(row, Row)
    assert row.values == {"id": "12.50", "name": "10000000000000000000000.1"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "bad-json"),
        (b"[1, 2]", "bad-json"),
        (b"7", "bad-json"),
        (b'{"id": true, "name": "a"}', "bad-json"),
        (b'{"id": ["1"], "name": "a"}', "bad-json"),
        (b'{"id": "1", "name": "a"} {}', "bad-json"),
        (b"[" * 60_000, "bad-json"),
        (b'{"id": NaN, "name": "a"}', "bad-number"),
        (b'{"id": "1"}', "missing-column"),
        (b'{"id": "1", "name": "a", "x": 1}', "unknown-column"),
        (b'{"id": "1", "name": "a", "\\ud800": 1}', "unknown-column"),
        (b'{"id": "1", "id": "2", "name": "a"}', "duplicate-column"),
        (b'{"id": "\xff", "name": "a"}', "bad-encoding"),
        (b'{"id": "' + b"x" * ROW_BYTES_MAX + b'"}', "row-too-long"),
    ],
)
def test_a_broken_json_line_leaves_its_neighbours(line: bytes, code: str) -> None:
    rows = json_rows(b'{"id":"0","name":"a"}\n' + line + b'\n{"id":"2","name":"b"}\n')
    assert seen(rows) == [(1, "0"), (2, code), (3, "2")]
    broken = rows[1]
    assert isinstance(broken, Broken)
    broken.message.encode()


def test_a_file_of_no_json_line_is_empty() -> None:
    with pytest.raises(UnreadableFileError, match="no row"):
        json_rows(b"\n\n")
