"""How the fields of a dataclass stand in a msgpack map, worked out once from their types.

| in the domain | on the wire |
|---|---|
| `str`, `int`, a `Literal` of strings | the same |
| `date` | ISO string, `1994-03-31` |
| a personal `str` | binary: sealed |
| a tuple | array |
| a dataclass | map; `terms` stands flat among its neighbours |
| None | nil |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache, reduce
from itertools import product
from operator import attrgetter, or_
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from domain.commitment import Terms

Convert: TypeAlias = Callable[[Any], Any]
DATES_CACHED_MAX = 65_536  # distinct business dates kept, parsed or written: 180 years of them


@dataclass(frozen=True, slots=True)
class Wire:
    """The Python types msgpack gives for a value, and the conversions where one is needed."""

    types: frozenset[type]
    dump: Convert | None = None
    load: Convert | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One entry of the map, the attribute path of its value, and its type as resolved and written.

    The written one still tells `Minor` from `int`.
    """

    name: str
    path: str
    hint: Any
    written: str
    personal: bool


def columns_of(cls: type, prefix: str = "") -> Iterator[Column]:
    """Yield the entries of a dataclass' map in order of declaration; `Terms` are inlined."""
    hints = get_type_hints(cls)
    for field in fields(cls):
        if hints[field.name] is Terms:
            yield from columns_of(Terms, f"{field.name}.")
        else:
            path = prefix + field.name
            personal = bool(field.metadata.get("personal"))
            yield Column(field.name, path, hints[field.name], str(field.type), personal)


def optional(hint: object) -> tuple[Any, bool]:
    """Return the type without None, and whether None was among its members."""
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    rest = tuple(member for member in members if member is not NoneType)
    return reduce(or_, rest), NoneType in members


class Layout:
    """A dataclass as a map: all that the hot path needs, computed once.

    `shapes` holds every tuple of value types a well-formed map can have, so that names, order
    and types are checked by two comparisons.
    """

    def __init__(self, cls: type, omit: str = "") -> None:
        columns = [column for column in columns_of(cls) if column.path != omit]
        assert len(columns) > 1, cls
        self.cls = cls
        self.names = tuple(column.name for column in columns)
        self.values_of = attrgetter(*(column.path for column in columns))
        self.personal = tuple(column.name for column in columns if column.personal)
        self.terms = tuple(c.name for c in columns if c.path.startswith("terms."))
        wires = {column.name: _wire(column) for column in columns}
        self.shapes = frozenset(product(*(wire.types for wire in wires.values())))
        self.dumps = tuple((n, wire.dump) for n, wire in wires.items() if wire.dump)
        self.loads = tuple((n, wire.load) for n, wire in wires.items() if wire.load)

    def dump(self, value: object) -> dict[str, Any]:
        """Return the map of a value; personal fields stay as they are."""
        packed = dict(zip(self.names, self.values_of(value), strict=True))
        for name, dump in self.dumps:
            if (part := packed[name]) is not None:
                packed[name] = dump(part)
        return packed

    def load(self, data: dict[str, Any]) -> dict[str, Any]:
        """Turn a map into the constructor's arguments, in place. Raises `ValueError`."""
        if tuple(data) != self.names:
            expected = ", ".join(self.names)
            msg = f"the fields are not {expected}"
            raise ValueError(msg)
        if tuple(map(type, data.values())) not in self.shapes:
            msg = "a field is not of its type"
            raise ValueError(msg)
        for name, load in self.loads:
            data[name] = load(data[name])
        if self.terms:
            data["terms"] = Terms(**{name: data.pop(name) for name in self.terms})
        return data


def _wire(column: Column) -> Wire:
    hint, nullable = optional(column.hint)
    wire = Wire(frozenset({bytes})) if column.personal else _wire_of(hint)
    if not nullable:
        return wire
    return Wire(wire.types | {NoneType}, wire.dump, _or_none(wire.load))


def _wire_of(hint: Any) -> Wire:  # noqa: ANN401 - a type as `get_type_hints` gives it
    if hint in (str, int):
        return Wire(frozenset({hint}))
    if hint is date:
        return Wire(frozenset({str}), dump_date, load_date)
    if get_origin(hint) is Literal:
        return Wire(frozenset({str}), load=_one_of(get_args(hint)))
    if get_origin(hint) is tuple:
        return _array(_wire_of(get_args(hint)[0]))
    layout = Layout(hint)  # raises TypeError for a type without a wire form
    return Wire(frozenset({dict}), layout.dump, lambda data: hint(**layout.load(data)))


@lru_cache(maxsize=DATES_CACHED_MAX)
def load_date(text: str) -> date:
    """Return the date of a string that is exactly `YYYY-MM-DD`. Raises `ValueError`."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        msg = f"{text!r} is not a date as YYYY-MM-DD"
        raise ValueError(msg)
    return day


dump_date = lru_cache(maxsize=DATES_CACHED_MAX)(date.isoformat)


def _one_of(members: tuple[str, ...]) -> Convert:
    def load(text: str) -> str:
        if text not in members:
            msg = f"{text!r} is none of {', '.join(members)}"
            raise ValueError(msg)
        return text

    return load


def _array(item: Wire) -> Wire:
    def load(items: list[Any]) -> tuple[Any, ...]:
        if not item.types.issuperset(map(type, items)):
            msg = "an item of an array is not of its type"
            raise ValueError(msg)
        return tuple(map(item.load, items)) if item.load else tuple(items)

    def dump(items: tuple[Any, ...]) -> list[Any]:
        return list(map(item.dump, items)) if item.dump else list(items)

    return Wire(frozenset({list}), dump if item.dump else None, load)


def _or_none(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda value: None if value is None else convert(value)
