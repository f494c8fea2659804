"""The AsyncAPI 3 document of the topics: what a subscriber may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumers.topics import DEFAULT_PREFIX, event_topic, progress_topic
from domain.catalogue import EVENT_TYPES, FAMILIES
from infra.contract.units import meaning_of
from infra.kafka.wire import CONTENT_TYPE, HORIZON_KEY, POSITION_HEADER, PREVIOUS_HEADER

if TYPE_CHECKING:
    from domain.catalogue import EventType, Family

VERSION = "1.0.0"
DESCRIPTION = """\
Every event of the ledger, as CloudEvents 1.0 in the binary mode of the Kafka binding. A value is
one msgpack map, the event's canonical bytes; the schemas show binary values as base64. All event
topics have the same number of partitions and are keyed by the customer id.

To prove that nothing was missed, of each partition: a `ce_position` at or below the last one
applied is dropped; a `ce_previous` equal to it is applied; anything else is left aside, for the
relay will send what is missing, and it, again. A horizon's `last` above what could be applied
once the partition was read to its end is a loss: stop and raise an alarm."""
PREFIX = {"prefix": {"default": DEFAULT_PREFIX, "description": "of this installation's topics"}}
HEADERS = {
    "ce_specversion": "always `1.0`",
    "ce_id": "the event's id",
    "ce_source": "`/ledgers/<ledger id>`",
    "ce_type": "whatever the topics' prefix",
    "ce_subject": "the stream",
    "ce_time": "recorded at, RFC 3339 in UTC",
    "content-type": f"always `{CONTENT_TYPE}`",
    POSITION_HEADER: "position in the ledger, decimal",
    PREVIOUS_HEADER: "position of the record before it in this partition of this topic, `0`: none",
}
HORIZON = {
    "type": "object",
    "description": "All events at or below `complete_through` are in the topics.",
    "properties": {
        "complete_through": {"type": "integer"},
        "last": {
            "type": "object",
            "description": "topic to the last position of each partition, 0 where empty",
            "additionalProperties": {"type": "array", "items": {"type": "integer"}},
        },
        "recorded_at": {"type": "integer", "description": "microseconds since 1970 UTC"},
    },
    "required": ["complete_through", "last", "recorded_at"],
}


def schema_file(event_type: EventType) -> str:
    """Return the name of the file of a type's schema."""
    return f"{event_type.name}.v{event_type.version}.json"


def ce_type(event_type: EventType) -> str:
    """Return the CloudEvents type: `guanxi.loan.loan-drawn.v1`."""
    return f"guanxi.{event_type.family}.{event_type.name}.v{event_type.version}"


def document() -> dict[str, Any]:
    """Return the whole document; it lies beside the schemas it refers to."""
    messages = {ce_type(each): _message(each) for each in EVENT_TYPES}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Guanxi Ledger", "version": VERSION, "description": DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "channels": {family: _channel(family) for family in FAMILIES} | {"progress": _progress()},
        "operations": {
            f"publish-{channel}": {"action": "send", "channel": _ref("channels", channel)}
            for channel in (*FAMILIES, "progress")
        },
        "components": {"messages": messages | {"horizon": _horizon()}},
    }


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def _channel(family: Family) -> dict[str, Any]:
    names = [ce_type(each) for each in EVENT_TYPES if each.family == family]
    return {
        "address": event_topic("{prefix}", family),
        "parameters": PREFIX,
        "messages": {name: _ref("components", "messages", name) for name in names},
        "bindings": _topic("delete"),
    }


def _progress() -> dict[str, Any]:
    return {
        "address": progress_topic("{prefix}"),
        "parameters": PREFIX,
        "messages": {"horizon": _ref("components", "messages", "horizon")},
        "bindings": _topic("compact"),
    }


def _topic(policy: str) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": [policy]}
    if policy == "delete":
        configuration["retention.ms"] = -1
    return {"kafka": {"topicConfiguration": configuration}}


def _message(event_type: EventType) -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {"type": "string", "description": meaning} for name, meaning in HEADERS.items()
    }
    properties["ce_type"]["const"] = ce_type(event_type)
    return {
        "name": event_type.name,
        "summary": meaning_of(event_type),
        "contentType": CONTENT_TYPE,
        "headers": {"type": "object", "properties": properties, "required": list(HEADERS)},
        "payload": {"$ref": f"./{schema_file(event_type)}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "the customer id"}}},
    }


def _horizon() -> dict[str, Any]:
    return {
        "name": "horizon",
        "summary": "How far the topics are complete; of several the highest counts.",
        "contentType": CONTENT_TYPE,
        "payload": HORIZON,
        "bindings": {"kafka": {"key": {"type": "string", "const": HORIZON_KEY.decode()}}},
    }
