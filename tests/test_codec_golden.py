"""Golden bytes: what was once written is read, and written, the same for ever.

A sample of every version of every event lies in `golden/`: its fields with personal values in
plain text, and the canonical bytes in hex. A new version adds a sample; none is ever changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest

from consumers.event_store import StoredRecord
from domain.catalogue import BY_NAME, EVENT_TYPES
from infra.codec import CODEC, canonical, decode
from infra.customer_key import CustomerKey

SAMPLES = {path.stem: path for path in sorted(Path(__file__).with_name("golden").glob("*.json"))}
KEY = CustomerKey("C0001", bytes(range(32)))
NONCE = b"golden nonce"


def nonce(length: int) -> bytes:
    assert length == len(NONCE)
    return NONCE


def sample(name: str) -> tuple[dict[str, Any], bytes]:
    """Return the fields of a sample, personal values in plain text, and its bytes."""
    told = json.loads(SAMPLES[name].read_text())
    return told["event"], bytes.fromhex(told["canonical"])


def in_clear(value: bytes) -> dict[str, Any]:
    """Return the canonical map with every sealed value opened."""
    fields: dict[str, Any] = msgpack.unpackb(value)
    for name, box in fields["data"].items():
        if isinstance(box, bytes):
            fields["data"][name] = KEY.unseal(fields["id"], name, box)
    return fields


def test_every_version_of_every_event_has_a_sample() -> None:
    versions = [(each.name, old) for each in EVENT_TYPES for old in range(1, each.version + 1)]
    assert sorted(SAMPLES) == sorted(f"{name}.v{version}" for name, version in versions)


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_bytes_hold_what_the_sample_says_in_its_order(name: str) -> None:
    event, value = sample(name)
    assert json.dumps(in_clear(value)) == json.dumps(event)


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_bytes_are_decoded(name: str) -> None:
    event, value = sample(name)
    recorded = decode(value, KEY.unseal)
    assert (recorded.type, recorded.version) == (event["type"], event["version"])
    assert type(recorded.event) is BY_NAME[event["type"]].cls
    assert decode(value)._replace(event=recorded.event) == recorded


@pytest.mark.parametrize("name", [f"{each.name}.v{each.version}" for each in EVENT_TYPES])
def test_golden_bytes_are_encoded_again(name: str) -> None:
    event, value = sample(name)
    recorded = decode(value, KEY.unseal)
    data = CODEC.pack_data(
        recorded.event, lambda field, text: KEY.seal(recorded.id, field, text, nonce)
    )
    assert canonical(StoredRecord(**event | {"data": data})).hex() == value.hex()
