"""Rows of facts to bytes and back: a msgpack array of the fields, dates as ISO strings.

Canonical: the same row gives the same bytes. A changed fact is a new version of its projections,
so nothing here reads an older form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from datetime import date
from functools import lru_cache, partial
from hashlib import sha256
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

import msgpack

from consumers.packed_rows import RowCodec
from infra.packing import pack
from projections.facts import KINDS

if TYPE_CHECKING:
    from projections.book import Days
    from projections.facts import Row

Convert: TypeAlias = Callable[[Any], Any]

ROWS_SHARED_MAX = 8_192
_ALIKE = frozenset({"account", "customer"})  # kinds of which many rows are the same, read once


class _Shape:
    """A dataclass as a list, and the fields that need a conversion."""

    def __init__(self, cls: type[Any]) -> None:
        hints = get_type_hints(cls)
        self._cls = cls
        self._names = tuple(field.name for field in fields(cls))
        self._by_name = any(field.kw_only for field in fields(cls))
        self._get = attrgetter(*self._names)
        converts = [_converts(hints[name]) for name in self._names]
        self._dumps = [(i, dump) for i, (dump, _) in enumerate(converts) if dump]
        self._loads = [(i, load) for i, (_, load) in enumerate(converts) if load]

    def dump(self, value: object) -> list[Any]:
        got = self._get(value)
        values = list(got) if len(self._names) > 1 else [got]
        for index, dump in self._dumps:
            if values[index] is not None:
                values[index] = dump(values[index])
        return values

    def load(self, stored: tuple[Any, ...]) -> Any:  # noqa: ANN401 - an instance of the class
        values = list(stored)
        for index, load in self._loads:
            if values[index]:  # neither None nor an empty tuple
                values[index] = load(values[index])
        if self._by_name:
            return self._cls(**dict(zip(self._names, values, strict=True)))
        return self._cls(*values)


def _converts(hint: Any) -> tuple[Convert | None, Convert | None]:  # noqa: ANN401 - a type
    members = [member for member in get_args(hint) if member is not NoneType]
    if get_origin(hint) is tuple:
        dump, load = _converts(members[0])
        return dump and _each(dump), load and _each(load)
    if NoneType in get_args(hint):
        return _converts(members[0])
    if hint is date:
        return date.isoformat, date.fromisoformat
    if is_dataclass(hint) and isinstance(hint, type):
        shape = _Shape(hint)
        return shape.dump, shape.load
    return None, None


def _each(convert: Convert) -> Convert:
    return lambda items: tuple(map(convert, items))


_SHAPES = {kind: _Shape(cls) for kind, cls in KINDS.items()}


def pack_row(kind: str, row: Row) -> bytes:
    """Return the bytes of a row of the kind."""
    return pack(_SHAPES[kind].dump(row))


def unpack_row(kind: str, value: bytes) -> Row:
    """Return the row of bytes that `pack_row` made."""
    return _shared(kind, value) if kind in _ALIKE else _unpacked(kind, value)


def _unpacked(kind: str, value: bytes) -> Row:
    row: Row = _SHAPES[kind].load(msgpack.unpackb(value, use_list=False))
    return row


_shared = lru_cache(ROWS_SHARED_MAX)(_unpacked)


def unpack_days(value: bytes) -> Days:
    """Return the days of a month of balances, all that its row holds."""
    days: Days = msgpack.unpackb(value, use_list=False)[0]
    return days


ROWS = RowCodec(pack_row, unpack_row, unpack_days)


def reader_of(kind: str, part: type[NamedTuple]) -> Callable[[bytes], Any]:
    """Return what reads of a row of the kind only the fields that a NamedTuple names."""
    names, hints = [each.name for each in fields(KINDS[kind])], get_type_hints(KINDS[kind])
    places = [names.index(name) for name in part._fields]
    converts = [_converts(hints[name])[1] for name in part._fields]
    loads = [(index, load) for index, load in enumerate(converts) if load]
    unpack, made = partial(msgpack.unpackb, use_list=False), partial(tuple.__new__, part)

    def read(value: bytes) -> Any:  # noqa: ANN401 - an instance of the part
        stored = unpack(value)
        values = [stored[place] for place in places]
        for index, load in loads:
            if values[index] is not None:
                values[index] = load(values[index])
        return made(values)

    return lru_cache(ROWS_SHARED_MAX)(read) if kind in _ALIKE else read


def digest_of(stored: Iterable[tuple[str, str, str, bytes]]) -> str:
    """Return the SHA-256 (hex) of rows in key order: each part behind its length in 4 bytes."""
    hashed = sha256()
    for *key, value in stored:
        for part in (*(text.encode() for text in key), value):
            hashed.update(len(part).to_bytes(4, "big") + part)
    return hashed.hexdigest()
