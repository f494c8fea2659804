"""The JSON Schema (2020-12) of an event's canonical map, binary values as base64 strings."""

from __future__ import annotations

from datetime import date
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from infra.codec import ENVELOPE
from infra.contract.units import meaning_of, unit_of
from infra.fields import Column, columns_of, optional

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.catalogue import EventType

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SEALED = "sealed: binary of nonce (12 bytes), ciphertext, tag (16 bytes)"
ENVELOPE_MEANING = {
    "position": "1, 2, 3 … over the whole ledger",
    "id": "UUID of the event",
    "type": "the stored name",
    "version": "of the type, as stored",
    "stream": "the category and the id of what the event is about",
    "stream_version": "1, 2, 3 … within the stream",
    "customer_id": "the partition key; `ledger` is reserved",
    "occurred_on": "business date on which it took place",
    "occurred_at": "the instant, where it matters: microseconds since 1970 UTC",
    "recorded_at": "microseconds since 1970 UTC, set by the ledger, in the order of positions",
    "actor": "who did it",
    "source": "what told it: `api`, `cli`, `feed:<kind>:<file>:<record>`, `close:<date>`",
    "correlation_id": "of the command or run that it belongs to",
    "causation_id": "of the event that caused it",
    "data": "the event's own fields",
}
_JSON_TYPES = {int: "integer", str: "string", NoneType: "null", dict: "object"}


def data_columns(event_type: EventType) -> list[Column]:
    """Return the entries of an event's `data`, in their order."""
    return [each for each in columns_of(event_type.cls) if each.path != "customer_id"]


def schema_of(event_type: EventType) -> Schema:
    """Return the schema of a type of event in its current version."""
    properties = {name: _envelope_schema(name) for name in ENVELOPE}
    properties["type"] |= {"const": event_type.name}
    properties["version"] |= {"const": event_type.version}
    properties["occurred_on"] |= {"format": "date"}
    properties["id"] |= {"format": "uuid"}
    properties["data"] |= _object(data_columns(event_type))
    return {
        "$schema": DIALECT,
        "$id": f"urn:guanxi:event:{event_type.name}:{event_type.version}",
        "title": f"{event_type.name}, version {event_type.version}",
        "description": meaning_of(event_type),
        "type": "object",
        "properties": properties,
        "required": list(ENVELOPE),
        "additionalProperties": False,
    }


def _envelope_schema(name: str) -> Schema:
    types = [_JSON_TYPES[each] for each in ENVELOPE[name]]
    return {
        "type": types[0] if len(types) == 1 else types,
        "description": ENVELOPE_MEANING[name],
    }


def _object(columns: Iterable[Column]) -> Schema:
    properties = {column.name: _field(column) for column in columns}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _field(column: Column) -> Schema:
    hint, nullable = optional(column.hint)
    if column.personal:
        schema: Schema = {"type": "string", "contentEncoding": "base64", "x-personal": True}
        schema["description"] = SEALED
    else:
        schema = _value(hint)
        if unit := unit_of(column):
            schema["description"] = unit
    if nullable:
        schema["type"] = [schema["type"], "null"]
    return schema


def _value(hint: Any) -> Schema:  # noqa: ANN401 - a type as `get_type_hints` gives it
    if hint is date:
        return {"type": "string", "format": "date"}
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _value(get_args(hint)[0])}
    if hint in _JSON_TYPES:
        return {"type": _JSON_TYPES[hint]}
    return _object(columns_of(hint))
