"""JSON Lines files to rows: the fields of the CSV files, an object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from infra.feeds.rows import (
    BOM,
    ROW_BYTES_MAX,
    Broken,
    Columns,
    Lines,
    Read,
    Row,
    UnreadableFileError,
    expected,
    not_utf8,
    too_long,
    without_end,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_jsonl(file: BinaryIO, columns: Columns) -> Iterator[Read]:
    """Yield the rows of JSON Lines: objects of strings, numbers and nulls, one a line.

    A number stands for its own text (`12.50` stays so), null for an empty column.
    """
    lines = Lines(file)
    allowed = frozenset(columns.required + columns.optional)
    number = 0
    while line := lines.take():
        raw = without_end(line.removeprefix(BOM) if lines.number == 1 else line)
        if not raw:
            continue
        number += 1
        if len(line) > ROW_BYTES_MAX:
            lines.finish(line)
            yield too_long(lines.number, number, raw)
        else:
            yield _json_row(raw, lines.number, number, columns, allowed)
    if not number:
        raise UnreadableFileError(
            code="empty-file", message="there is no row in it: leave the file out"
        )


def _json_row(raw: bytes, at: int, number: int, columns: Columns, allowed: frozenset[str]) -> Read:
    try:
        values = _JSON.decode(raw.decode())
        _check_values(values, columns, allowed)
    except UnicodeDecodeError as error:
        return Broken(at, number, raw, "bad-encoding", not_utf8(error))
    except _BadRowError as error:
        return Broken(at, number, raw, error.code, error.message)
    except (ValueError, RecursionError) as error:
        message = f"not a JSON object of one line ({error}): correct it"
        return Broken(at, number, raw, "bad-json", message)
    return Row(at, number, raw, {n: "" if v is None else v for n, v in values.items()})


class _BadRowError(Exception):
    def __init__(self, *, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _check_values(values: object, columns: Columns, allowed: frozenset[str]) -> None:
    if not isinstance(values, dict):
        raise _BadRowError(code="bad-json", message="not a JSON object: write one object a line")
    if unknown := [name for name in values if name not in allowed]:
        message = f"unknown columns {', '.join(map(ascii, unknown))}: leave them out; "
        raise _BadRowError(code="unknown-column", message=message + expected(columns))
    if missing := [name for name in columns.required if name not in values]:
        message = f"missing columns {', '.join(missing)}: add them; " + expected(columns)
        raise _BadRowError(code="missing-column", message=message)
    for name, value in values.items():
        if not (value is None or isinstance(value, str)):
            message = f"{name} is neither a string nor a number: write it as a string"
            raise _BadRowError(code="bad-json", message=message)


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise _BadRowError(
            code="duplicate-column", message="a column is given twice: keep one of each"
        )
    return values


def _no_constant(name: str) -> NoReturn:
    raise _BadRowError(
        code="bad-number", message=f"{name} is not a number: write a decimal number"
    )


_JSON = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=str, parse_int=str, parse_constant=_no_constant
)
