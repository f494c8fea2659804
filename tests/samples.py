"""Hypothesis strategies for every event of the catalogue, derived from the dataclasses."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from consumers.event_store import StoredRecord
from domain.catalogue import EVENT_TYPES, EventType
from domain.values import Sealed
from infra.fields import optional

texts = st.text(st.characters(codec="utf-8"), max_size=20)
integers = st.integers(-(2**63), 2**63 - 1)
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))


def strategy_of(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a type's hint
    """Return values of a field's type; a personal value is plain text."""
    rest, nullable = optional(hint)
    if nullable:
        return st.none() | strategy_of(rest)
    members = [member for member in get_args(rest) if member is not Sealed]
    if get_origin(rest) is Literal:
        return st.sampled_from(members)
    if get_origin(rest) is tuple:
        return st.lists(strategy_of(members[0]), max_size=3).map(tuple)
    if is_dataclass(rest) and isinstance(rest, type):
        return instances_of(rest)
    plain = members[0] if members else rest
    return {str: texts, int: integers, date: DATES, NoneType: st.none()}[plain]


def instances_of(cls: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    return st.builds(cls, **{field.name: strategy_of(hints[field.name]) for field in fields(cls)})


def stored(event_type: EventType, data: bytes, **changes: object) -> StoredRecord:
    """Return a stored record of the type, with a plain envelope."""
    envelope: dict[str, Any] = {
        "position": 1,
        "id": "00000000-0000-5000-8000-000000000001",
        "type": event_type.name,
        "version": event_type.version,
        "stream": f"{event_type.stream[0]}-1",
        "stream_version": 1,
        "customer_id": "C1",
        "occurred_on": "1994-03-31",
        "occurred_at": None,
        "recorded_at": 765_158_400_000_000,
        "actor": "teller-1",
        "source": "api",
        "correlation_id": "00000000-0000-5000-8000-000000000002",
        "causation_id": None,
        "data": data,
    }
    return StoredRecord(**envelope | changes)


typed_events = st.one_of(
    *(st.tuples(st.just(each), instances_of(each.cls)) for each in EVENT_TYPES)
)
envelopes = st.fixed_dictionaries(
    {
        "position": st.integers(1, 2**63 - 1),
        "id": st.uuids().map(str),
        "stream": texts,
        "stream_version": st.integers(1, 2**63 - 1),
        "occurred_on": DATES.map(date.isoformat),
        "occurred_at": st.none() | integers,
        "recorded_at": integers,
        "actor": texts,
        "source": texts,
        "correlation_id": texts,
        "causation_id": st.none() | texts,
    }
)
