"""Broken feeds of every kind: never a traceback, never a good row lost."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.feeds.ingest import ingest
from infra.feeds.rows import ROW_BYTES_MAX
from tests.write_side import ACCOUNT, CONTACT, RELATIONSHIP, new_ledger, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.ledger import Ledger

HEADER = b"customer_id,name,kind,segment,branch,manager,opened_on,birth_date,phone"
NOISE = st.one_of(
    st.sampled_from(
        [
            b'"',
            b'""',
            b'",',
            b',"',
            b'","',
            b",",
            b"\0",
            b"\xff",
            b"\xc3",
            b"\xed\xa0\x80",
            b"\r",
            b"\x1a",
            b"\xef\xbb\xbf",
            "\u2028".encode(),
            b"x" * 600,
            b"y" * (ROW_BYTES_MAX + 10),
        ]
    ),
    st.binary(max_size=8).map(lambda noise: noise.replace(b"\n", b"")),
)
BREAKS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), NOISE), max_size=4)
_names = count()


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder, new_ledger(Path(folder)) as ledger:
        yield ledger


def broken(line: bytes, breaks: list[tuple[float, bytes]]) -> bytes:
    for place, noise in breaks:
        at = int(place * (len(line) + 1))
        line = line[:at] + noise + line[at:]
    return line


def take(ledger: Ledger, name: str, content: bytes) -> tuple[int, int]:
    """Ingest one file; return its rows, and how many of them were rejected."""
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "feed"
        feed.mkdir()
        (feed / name).write_bytes(content)
        rejects = Path(folder) / "rejects.csv"
        report = ingest(feed, ledger, rejects)
        assert report.problems == []
        [file] = report.files
        assert rejects.exists() == bool(file.rejected)
        return file.rows, file.rejected


@given(st.lists(BREAKS, min_size=1, max_size=8), st.sampled_from([b"\n", b"\r\n"]))
def test_broken_rows_cost_no_good_one(
    ledger: Ledger, rows: list[list[tuple[float, bytes]]], end: bytes
) -> None:
    """Good and broken rows take turns; each good customer is there afterwards."""
    name = f"F{next(_names)}"
    lines, good = [HEADER], []
    for n, breaks in enumerate(rows):
        row = b'%s,"A, ""b""",person,retail,D1,RM-1,2024-01-02,,'
        lines.append(broken(row % f"{name}-bad-{n}".encode(), breaks))
        lines.append(row % f"{name}-good-{n}".encode())
        good.append(f"relationship:{name}-good-{n}")
    found, rejected = take(ledger, "relationships.csv", end.join(lines) + end)
    assert set(ledger.store.held(good)) == set(good)
    assert found == sum(1 for line in lines[1:] if line.strip(b"\r"))
    assert rejected <= len(rows)


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_rejected(ledger: Ledger, content: bytes) -> None:
    for name in ("relationships.csv", "balances.csv", "contacts.jsonl"):
        found, rejected = take(ledger, name, content)
        assert rejected <= max(found, 1)


@given(BREAKS)
def test_a_broken_header_rejects_the_file_or_none_of_it(
    ledger: Ledger, breaks: list[tuple[float, bytes]]
) -> None:
    name = f"H{next(_names)}"
    row = f"{name},Ada,person,retail,D1,RM-1,2024-01-02,,".encode()
    _, rejected = take(ledger, "relationships.csv", broken(HEADER, breaks) + b"\n" + row + b"\n")
    held = ledger.store.held([f"relationship:{name}"])
    assert bool(held) != bool(rejected)


@given(note=st.text(max_size=200), purpose=st.text(max_size=50))
def test_any_text_is_recorded_as_told_or_rejected(ledger: Ledger, note: str, purpose: str) -> None:
    ledger.handle([told("open-relationship", RELATIONSHIP), told("open-account", ACCOUNT)])
    contact_id = f"T{next(_names)}"
    cells = {**CONTACT, "contact_id": contact_id, "purpose": purpose, "note": note}
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells.values())
    content = f"{','.join(cells)}\n{quoted}\n".encode(errors="surrogatepass")
    _, rejected = take(ledger, "contacts.csv", content)
    held = ledger.store.held([f"contact:{contact_id}"])
    assert bool(held) != bool(rejected)
