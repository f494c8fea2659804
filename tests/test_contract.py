from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import msgpack
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from consumers.topics import Horizon, event_topic
from domain.catalogue import EVENT_TYPES, EventType
from infra.contract import contract_files, stale_files, write_files
from infra.contract.asyncapi import HEADERS, document
from infra.contract.schemas import ENVELOPE_MEANING, schema_of
from infra.kafka.wire import Headers, pack_horizon
from tests.samples import stored
from tests.test_codec_golden import sample

ASYNCAPI = document()
DOCS = Path(__file__).parent.parent / "docs"
by_name = pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda each: each.name)


def as_json(value: bytes) -> Any:  # noqa: ANN401 - any JSON document
    """Return a msgpack value as JSON shows it: binary in base64."""
    told = json.dumps(
        msgpack.unpackb(value), default=lambda binary: base64.b64encode(binary).decode()
    )
    return json.loads(told)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def golden(event_type: EventType) -> Any:  # noqa: ANN401 - any JSON document
    return as_json(sample(f"{event_type.name}.v{event_type.version}")[1])


def test_the_committed_contract_is_that_of_the_catalogue() -> None:
    assert stale_files(DOCS) == [], "run: python -m infra.contract --write"


def test_a_contract_that_differs_is_told_and_written_anew(tmp_path: Path) -> None:
    assert stale_files(tmp_path) == list(contract_files())
    write_files(tmp_path)
    assert stale_files(tmp_path) == []
    (tmp_path / "events.md").write_text("# Events\n")
    assert stale_files(tmp_path) == ["events.md"]


def test_every_committed_schema_is_of_a_version_there_was() -> None:
    versions = {f"{each.name}.v{n}" for each in EVENT_TYPES for n in range(1, each.version + 1)}
    committed = {path.stem for path in (DOCS / "schemas").glob("*.json")}
    assert committed == versions | {"asyncapi"}


@by_name
def test_golden_events_are_valid_by_their_schema(event_type: EventType) -> None:
    validator(schema_of(event_type)).validate(golden(event_type))


@by_name
def test_a_schema_refuses_what_the_codec_refuses(event_type: EventType) -> None:
    check = validator(schema_of(event_type))
    event = golden(event_type)
    data = event["data"]
    first = next(iter(data))
    for broken in (
        event | {"version": 99},
        event | {"type": "other"},
        event | {"occurred_on": "31.3.1994"},
        event | {"more": 1},
        {name: value for name, value in event.items() if name != "causation_id"},
        event | {"data": data | {"more": 1}},
        event | {"data": {name: value for name, value in data.items() if name != first}},
        event | {"data": data | {first: 1.5}},
    ):
        assert not check.is_valid(broken)


@by_name
def test_a_schema_names_the_fields_in_the_order_of_the_bytes(event_type: EventType) -> None:
    schema, event = schema_of(event_type), golden(event_type)
    assert list(schema["properties"]) == list(event) == list(ENVELOPE_MEANING)
    assert list(schema["properties"]["data"]["properties"]) == list(event["data"])
    personal = {
        name
        for name, each in schema["properties"]["data"]["properties"].items()
        if "x-personal" in each
    }
    assert personal == event_type.personal


@by_name
def test_published_headers_are_those_of_the_contract(event_type: EventType) -> None:
    record = stored(event_type, b"\x80")
    headers = {name: value.decode() for name, value in Headers("demo").of(record, 0)}
    assert list(headers) == list(HEADERS)
    message = ASYNCAPI["components"]["messages"][headers["ce_type"]]
    validator(message["headers"]).validate(headers)


def test_a_horizon_is_valid_by_its_schema() -> None:
    packed = pack_horizon(Horizon(7, {"guanxi.loan.v1": (0, 7)}, 1_763_766_000_000_000))
    payload = ASYNCAPI["components"]["messages"]["horizon"]["payload"]
    validator(payload | {"additionalProperties": False}).validate(as_json(packed))


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    files = contract_files()
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(ASYNCAPI))
    assert len(references) > 2 * len(EVENT_TYPES)
    for reference in references:
        if reference.startswith("./"):
            assert f"schemas/{reference[2:]}" in files
        else:
            found: Any = ASYNCAPI
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]


def test_every_message_is_in_the_channel_of_its_family() -> None:
    channels = ASYNCAPI["channels"]
    for each in EVENT_TYPES:
        name = f"guanxi.{each.family}.{each.name}.v{each.version}"
        assert [key for key, channel in channels.items() if name in channel["messages"]] == [
            each.family
        ]
        assert channels[each.family]["address"] == event_topic("{prefix}", each.family)


def test_the_catalogue_page_names_every_event_and_field() -> None:
    page = contract_files()["events.md"]
    for each in EVENT_TYPES:
        section = page.split(f"\n### {each.name}\n")[1].split("\n#")[0]
        fields = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
        assert fields == list(golden(each)["data"])
