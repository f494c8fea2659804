"""`docs/events.md`: the catalogue for people."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from consumers.topics import DEFAULT_PREFIX, event_topic
from domain.catalogue import EVENT_TYPES, FAMILIES
from infra.contract.schemas import ENVELOPE_MEANING, data_columns
from infra.contract.units import meaning_of, unit_of
from infra.fields import columns_of, optional

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.catalogue import EventType, Family
    from infra.fields import Column

HEAD = """\
# Events

Generated from the catalogue in `domain/catalogue.py` by `python -m infra.contract --write`; do
not edit. The JSON Schemas and the AsyncAPI document of the same catalogue lie in `schemas/`.

An event is stored, published and hashed as one msgpack map of exactly these fields in this
order, its **canonical bytes** (at most 60,000 of them):
"""
_NAMES = {str: "string", int: "integer", date: "date"}
AFTER_ENVELOPE = """\
`data` holds the event's own fields, in the order of the tables below. A field of type *x or nil*
is always there. A **personal** field is binary: a random nonce (12 bytes), the ciphertext, and
the tag (16 bytes) of AES-256-GCM under the customer's key, with `<event id> NUL <field name>` as
associated data. Events are never changed: a new version comes beside the old one, and readers
see old events in the newest version.
"""


def events_page() -> str:
    """Return the page, a section a family."""
    envelope = _table(("field", "meaning"), ((f"`{n}`", m) for n, m in ENVELOPE_MEANING.items()))
    families = (_family(family) for family in FAMILIES if _types(family))
    return "\n".join((HEAD, envelope, AFTER_ENVELOPE, *families))


def _types(family: Family) -> list[EventType]:
    return [each for each in EVENT_TYPES if each.family == family]


def _family(family: Family) -> str:
    rows = (
        (
            f"[`{each.name}`](#{each.name})",
            str(each.version),
            f"`{each.stream[0]}-<{each.stream[1]}>`",
            f"`{each.occurred_on}`",
            f"`{each.occurred_at}`" if each.occurred_at else "",
        )
        for each in _types(family)
    )
    overview = _table(("event", "version", "stream", "business date", "instant"), rows)
    topic = f"Topic `{event_topic(DEFAULT_PREFIX, family)}`.\n"
    sections = (_event(each) for each in _types(family))
    return "\n".join((f"## {family.capitalize()}\n", topic, overview, *sections))


def _event(event_type: EventType) -> str:
    rows = (
        (
            f"`{column.name}`",
            _type_name(column),
            unit_of(column),
            "personal" if column.personal else "",
        )
        for column in data_columns(event_type)
    )
    table = _table(("field", "type", "unit", ""), rows)
    return f"### {event_type.name}\n\n{meaning_of(event_type)}\n\n{table}"


def _type_name(column: Column) -> str:
    hint, nullable = optional(column.hint)
    name = "binary" if column.personal else _name_of(hint)
    return f"{name} or nil" if nullable else name


def _name_of(hint: Any) -> str:  # noqa: ANN401 - a type as `get_type_hints` gives it
    if get_origin(hint) is Literal:
        return ", ".join(f"`{member}`" for member in get_args(hint))
    if get_origin(hint) is tuple:
        return f"array of {_name_of(get_args(hint)[0])}"
    if hint in _NAMES:
        return _NAMES[hint]
    entries = (f"`{each.name}` ({_type_name(each)})" for each in columns_of(hint))
    return f"map of {', '.join(entries)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
