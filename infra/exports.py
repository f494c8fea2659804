"""Exports: rows of an answer as CSV, JSON Lines or Parquet, to a file or to stdout.

* **csv**: RFC 4180: header row, CRLF, UTF-8, quotes only where needed, empty for none.
* **jsonl**: an object a line, keys in column order, dates as ISO strings, null for none.
* **parquet**: strings, int64 and date32, all nullable; amounts are integers of minor units.

Rows are NamedTuples of one type, whose fields are the columns. They are written as they come,
so memory does not grow with their number. A file appears whole or not at all.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

Format: TypeAlias = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)

PARQUET_GROUP_ROWS_MAX = 65_536


def write_export(
    row_type: type[NamedTuple],
    rows: Iterable[tuple[object, ...]],
    format: Format,  # noqa: A002 - named as the option it answers
    out: Path | None = None,
) -> int:
    """Write the rows to a file, or to stdout where none is named; return how many.

    Raises `OSError`; the file is then as it was before.
    """
    counted = _Counted(rows)
    with opened_sink(out) as sink:
        _WRITERS[format](row_type, counted, sink)
    return counted.rows


class _Counted:
    """Rows, and how many have gone by."""

    def __init__(self, rows: Iterable[tuple[object, ...]]) -> None:
        self._rows = rows
        self.rows = 0

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        for row in self._rows:
            self.rows += 1
            yield row


@contextmanager
def opened_sink(out: Path | None) -> Iterator[IO[bytes]]:
    """Open stdout, a device or pipe, or a file that appears whole or not at all."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif out.exists() and not out.is_file():  # a device or a pipe cannot be replaced
        with out.open("wb") as sink:
            yield sink
    else:
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as sink:
                yield sink
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def utf8(sink: IO[bytes]) -> Iterator[TextIOWrapper]:
    """Write UTF-8 text and leave the sink open."""
    text = TextIOWrapper(sink, encoding="utf-8", newline="", write_through=False)
    try:
        yield text
    finally:
        text.detach()


def _write_csv(
    row_type: type[NamedTuple], rows: Iterable[tuple[object, ...]], sink: IO[bytes]
) -> None:
    with utf8(sink) as text:
        writer = csv.writer(text)
        writer.writerow(row_type._fields)
        writer.writerows(rows)


def _write_jsonl(
    row_type: type[NamedTuple], rows: Iterable[tuple[object, ...]], sink: IO[bytes]
) -> None:
    with utf8(sink) as text:
        for row in rows:
            named = dict(zip(row_type._fields, row, strict=True))
            text.write(json.dumps(named, ensure_ascii=False, default=_iso) + "\n")


def _iso(on: date) -> str:
    return on.isoformat()


def _write_parquet(
    row_type: type[NamedTuple], rows: Iterable[tuple[object, ...]], sink: IO[bytes]
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - 0.3 s that no other command should wait for
    import pyarrow.parquet as pq  # noqa: PLC0415 - the same

    schema = parquet_schema(row_type)
    left = iter(rows)
    with pq.ParquetWriter(_Stream(sink), schema) as writer:
        while group := list(islice(left, PARQUET_GROUP_ROWS_MAX)):
            columns = zip(*group, strict=True)
            arrays = [_array(column, field) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _array(column: tuple[object, ...], field: pa.Field) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        return pa.array(column, field.type)
    except OverflowError:
        message = f"a {field.name} does not fit the 64 bits of Parquet: use csv or jsonl"
        raise TooLargeForParquetError(message) from None


class TooLargeForParquetError(Exception):
    """A sum of balance-days is beyond 64 bits, which only the text formats can hold."""

    code = "too-large-for-parquet"


class _Stream:
    """A sink that knows its place, which a pipe does not; pyarrow asks for it."""

    closed = False

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._place = 0

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        self._place += len(data)
        return len(data)

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        self._sink.flush()

    def close(self) -> None:
        """Leave the sink open: it is its owner's."""


def parquet_schema(row_type: type[NamedTuple]) -> pa.Schema:
    """Return the columns with their Parquet types, as the row's annotations say."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    kinds = {**dict.fromkeys(("int", "Minor", "Ppm"), pa.int64()), "date": pa.date32()}
    told = row_type.__annotations__
    names = {field: told[field].__forward_arg__.removesuffix(" | None") for field in told}
    return pa.schema([(field, kinds.get(name, pa.string())) for field, name in names.items()])


_WRITERS: dict[Format, Callable[[type[NamedTuple], Iterable[Any], IO[bytes]], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}
