"""The entries of a file of rules: what each may hold, in words, and the reading of what it holds.

Both go by the types of the rules' dataclasses, so a refusal says what `docs/rules.md` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from infra.fields import optional
from infra.toml_values import as_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projections.allowed import Allowed

Table = TypeVar("Table")

_PLAIN = {int: "a whole number", date: "a date without quotes or a time, YYYY-MM-DD"}


def entries_of(cls: type) -> Mapping[str, Any]:
    """Return the types of a table's entries, by their names."""
    return get_type_hints(cls, include_extras=True)


def table_in(hint: Any) -> type | None:  # noqa: ANN401 - a type as `entries_of` gives it
    """Return the dataclass of a table, or of the tables of a list; None for any other type."""
    rest, _ = optional(hint)
    if get_origin(rest) is tuple:
        rest = get_args(rest)[0]
    return rest if isinstance(rest, type) and is_dataclass(rest) else None


def may_hold(hint: Any) -> str:  # noqa: ANN401 - as above
    """Return in words what an entry may hold, if it is there; names to write are in quotes."""
    hint, _ = optional(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return f"a table of {', '.join(each.name for each in fields(hint))}"
    if origin is tuple:
        tables = " ([[…]])" if is_dataclass(parts[0]) else ""
        return f"a list{tables}, of each: {may_hold(parts[0])}"
    if origin is Mapping:
        return f"a table, for each name: {may_hold(parts[1])}"
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    return str(parts[1]) if origin is Annotated else _PLAIN[hint]


def read_table(table: dict[str, Any], cls: type[Table], where: str = "") -> Table:
    """Return a table of a file as the dataclass that its entries are told by.

    Raises `ValueError`, which names the entry, its value and what it may hold.
    """
    hints, read = entries_of(cls), {}
    for name in table:
        if name not in hints:
            message = f"{_entry(where, name)} is not one of {', '.join(hints)}"
            raise ValueError(message)
    for field in fields(cls):  # type: ignore[arg-type]  # tables are dataclasses
        entry, hint = _entry(where, field.name), hints[field.name]
        if field.name in table:
            read[field.name] = _read(table[field.name], hint, entry)
        elif field.default is MISSING:
            message = f"{entry}: is missing; it may hold {may_hold(hint)}"
            raise ValueError(message)
    try:
        return cls(**read)
    except ValueError as error:
        raise ValueError(_entry(where, error)) from None  # it begins with an entry of the table


def _entry(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _read(value: Any, hint: Any, entry: str) -> Any:  # noqa: ANN401 - any TOML value, any type
    """Return what an entry holds. Raises `ValueError`, as above."""
    hint, _ = optional(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        if isinstance(value, dict):
            return read_table(value, hint, entry)
    elif origin is tuple:
        if isinstance(value, list):
            return tuple(_items(value, parts[0], entry))
    elif origin is Mapping:
        if isinstance(value, dict):
            return dict(_named(value, parts, entry))
    elif _is_one(value, hint):
        return value
    message = f"{entry}: {as_told(value)} is not {may_hold(hint)}"
    raise ValueError(message)


def _is_one(value: Any, hint: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether a value that holds no others is one of a type."""
    if get_origin(hint) is Annotated:
        allowed: Allowed = get_args(hint)[1]
        return allowed.allows(value)
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    return type(value) is hint  # True is no whole number, an instant no date


def _items(items: list[Any], hint: Any, entry: str) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Yield the items of a list, none of them twice; of tables, their own rules know."""
    for number, item in enumerate(items):
        yield _read(item, hint, f"{entry}.{number}")
        if not isinstance(item, dict) and item in items[:number]:
            message = f"{entry}.{number}: {as_told(item)} is there twice"
            raise ValueError(message)


def _named(values: dict[str, Any], hints: Sequence[Any], entry: str) -> Iterator[tuple[Any, Any]]:
    """Yield the entries of a table of names that a bank chooses."""
    of_names, of_values = hints
    for name, value in values.items():
        within = _entry(entry, name)
        yield _read(name, of_names, within), _read(value, of_values, within)
