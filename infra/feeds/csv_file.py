"""CSV files to rows: RFC 4180, read as a stream, one bad row at a time.

A row that cannot be read is `Broken`; it never takes a neighbour with it. A quote that is never
closed would, by RFC 4180, swallow the rows after it: where what it opened is no sound record
(no end within `ROW_BYTES_MAX`, another number of columns, a line break in a column that holds
none), its first line alone is broken and reading goes on at the very next line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from infra.feeds.rows import (
    BOM,
    ROW_BYTES_MAX,
    Broken,
    Columns,
    Lines,
    Read,
    Row,
    UnreadableFileError,
    excerpt,
    expected,
    not_utf8,
    too_long,
    without_end,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_CELL = re.compile(rb'(?:"((?:[^"]|"")*)"|([^",]*))(,|\Z)')
_UNBALANCED = (
    "a quote is not closed, or stands inside a value: quote the whole value and double each "
    "quote in it"
)


def read_csv(file: BinaryIO, columns: Columns) -> Iterator[Read]:
    """Yield the rows below the header. Raises `UnreadableFileError` for a bad header."""
    lines = Lines(file)
    header = _header(lines, columns)
    breakable = [name in columns.multiline for name in header]
    number = 0
    while line := lines.take():
        raw = without_end(line)
        if not raw:
            continue
        number += 1
        at = lines.number
        if len(line) > ROW_BYTES_MAX:
            lines.finish(line)
            yield too_long(at, number, raw)
        elif b'"' in line:
            raw, cells = _quoted(lines, line, breakable)
            yield _csv_row(header, at, number, raw, cells)
        else:
            yield _plain_row(header, at, number, raw)


def _header(lines: Lines, columns: Columns) -> list[str]:
    line = lines.take().removeprefix(BOM)
    raw = without_end(line)
    if not raw:
        raise UnreadableFileError(
            code="empty-file", message="there is no header row: " + expected(columns)
        )
    try:
        header = [cell.decode() for cell in _split(raw) or ()]
    except UnicodeDecodeError as error:
        raise UnreadableFileError(code="bad-encoding", message=not_utf8(error), raw=raw) from error
    unknown = [name for name in header if name not in columns.required + columns.optional]
    if unknown or not header:
        names = ", ".join(map(repr, unknown)) or repr(excerpt(raw))
        message = f"unknown columns {names}: leave them out; " + expected(columns)
        raise UnreadableFileError(code="unknown-column", message=message, raw=raw)
    if twice := sorted({name for name in header if header.count(name) > 1}):
        message = f"columns given twice: {', '.join(twice)}; keep one of each"
        raise UnreadableFileError(code="duplicate-column", message=message, raw=raw)
    if missing := [name for name in columns.required if name not in header]:
        message = f"missing columns {', '.join(missing)}: add them; " + expected(columns)
        raise UnreadableFileError(code="missing-column", message=message, raw=raw)
    return header


def _quoted(lines: Lines, first: bytes, breakable: list[bool]) -> tuple[bytes, list[bytes] | None]:
    """Return the record that a line begins and its cells; the line and None if it is not sound."""
    taken, quotes, size = [first], first.count(b'"'), len(first)
    while quotes % 2 and size <= ROW_BYTES_MAX and (line := lines.take()):
        taken.append(line)
        quotes += line.count(b'"')
        size += len(line)
    if size <= ROW_BYTES_MAX:
        raw = without_end(b"".join(taken))
        cells = _split(raw)
        if len(taken) == 1 or (cells and _is_one(cells, taken[1:], breakable)):
            return raw, cells
    lines.put_back(taken[1:])
    return without_end(first), None


def _split(raw: bytes) -> list[bytes] | None:
    """Return the cells of a record, None where its quotes are not those of RFC 4180."""
    cells, at, end = [], 0, b","
    while end:
        cell = _CELL.match(raw, at)
        if cell is None:
            return None
        quoted, plain, end = cell.groups()
        cells.append(plain if quoted is None else quoted.replace(b'""', b'"'))
        at = cell.end()
    return cells


def _is_one(cells: list[bytes], continuation: list[bytes], breakable: list[bool]) -> bool:
    """Tell a record of several lines from two stray quotes with sound rows between them.

    Where a line may break it is one; elsewhere only if no further line is a row by itself.
    """
    if len(cells) != len(breakable):
        return False
    broken = any(b"\n" in cell for cell, may in zip(cells, breakable, strict=True) if not may)
    return not broken or not any(
        len(_split(without_end(line)) or ()) == len(breakable) for line in continuation
    )


def _plain_row(header: list[str], at: int, number: int, raw: bytes) -> Read:
    """Return a row without quotes: decoded whole, unless something is wrong with it."""
    try:
        values = raw.decode().split(",")
    except UnicodeDecodeError:
        values = []
    if len(values) != len(header):
        return _csv_row(header, at, number, raw, raw.split(b","))
    return Row(at, number, raw, dict(zip(header, values, strict=True)))


def _csv_row(
    header: list[str], at: int, number: int, raw: bytes, cells: list[bytes] | None
) -> Read:
    if cells is None:
        return Broken(at, number, raw, "unbalanced-quotes", _UNBALANCED)
    if len(cells) != len(header):
        code = "too-few-columns" if len(cells) < len(header) else "too-many-columns"
        message = f"{len(cells)} columns, the header has {len(header)}: quote what holds commas"
        return Broken(at, number, raw, code, message)
    try:
        values = [cell.decode() for cell in cells]
    except UnicodeDecodeError as error:
        return Broken(at, number, raw, "bad-encoding", not_utf8(error))
    return Row(at, number, raw, dict(zip(header, values, strict=True)))
