"""What a record looks like in Kafka: CloudEvents 1.0, Kafka binding, binary mode.

The key is the customer id, the value the canonical bytes; headers are copies of what the value
says, and two extensions: `ce_position`, and `ce_previous`, the position of the record before it
in this partition of this topic.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import msgpack

from consumers.topics import Horizon
from domain.catalogue import BY_NAME

if TYPE_CHECKING:
    from consumers.event_store import StoredRecord
    from domain.values import Instant

CONTENT_TYPE = "application/msgpack"
HORIZON_KEY = b"horizon"
POSITION_HEADER = "ce_position"
PREVIOUS_HEADER = "ce_previous"

_MICROSECONDS = 1_000_000


class Headers:
    """Makes the headers of a ledger's records."""

    def __init__(self, ledger_id: str) -> None:
        self._spec_version = ("ce_specversion", b"1.0")
        self._source = ("ce_source", f"/ledgers/{ledger_id}".encode())
        self._content_type = ("content-type", CONTENT_TYPE.encode())

    def of(self, record: StoredRecord, previous: int) -> list[tuple[str, bytes]]:
        """Return the headers of a record; `previous` is 0 for the first of its partition."""
        return [
            self._spec_version,
            ("ce_id", record.id.encode()),
            self._source,
            _type(record.type, record.version),
            ("ce_subject", record.stream.encode()),
            ("ce_time", rfc3339(record.recorded_at).encode()),
            self._content_type,
            (POSITION_HEADER, b"%d" % record.position),
            (PREVIOUS_HEADER, b"%d" % previous),
        ]


def rfc3339(instant: Instant) -> str:
    """Return an instant in UTC, always with six decimals: `1994-03-31T16:00:00.000001Z`."""
    seconds, microseconds = divmod(instant, _MICROSECONDS)
    return f"{_second(seconds)}.{microseconds:06d}Z"


def pack_horizon(horizon: Horizon) -> bytes:
    """Return the value of a horizon's record."""
    packed: bytes = msgpack.packb(
        {
            "complete_through": horizon.complete_through,
            "last": {topic: list(positions) for topic, positions in horizon.last.items()},
            "recorded_at": horizon.recorded_at,
        }
    )
    return packed


def unpack_horizon(value: bytes) -> Horizon:
    """Return the horizon of a record's value."""
    fields = msgpack.unpackb(value)
    last = {topic: tuple(positions) for topic, positions in fields["last"].items()}
    return Horizon(fields["complete_through"], last, fields["recorded_at"])


@lru_cache(maxsize=256)
def _type(name: str, version: int) -> tuple[str, bytes]:
    return ("ce_type", f"guanxi.{BY_NAME[name].family}.{name}.v{version}".encode())


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
