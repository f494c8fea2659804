"""What both stores work out of an append before they take the lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.event_store import RECORD_BYTES_MAX, ConflictError, RecordTooLargeError
from consumers.event_store import StoredRecord as _Fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumers.event_store import Append, Claim, NewRecord
    from domain.values import Instant

# A map of 15 fields: its header, then each name, shorter than 32 bytes, with a header of one.
_NAMES_BYTES = 1 + sum(1 + len(name) for name in _Fields._fields)
_STRING_HEADER_BYTES_MAX = 3  # of a string that fits into a record at all
_UTF8_BYTES_MAX = 4  # a character
_SURELY_SMALL = RECORD_BYTES_MAX - _NAMES_BYTES - 9 * _STRING_HEADER_BYTES_MAX - 5 * 9


@dataclass(frozen=True, slots=True)
class Batch:
    """An append in the form in which it is checked and stored.

    `streams` are those the append writes to or has read, each once. `required` is beside it:
    the version that the stream must have, or None. Of each record, `stream_index` points into
    `streams` and `nth` counts (from 1) the records of its stream: its version will be the
    stream's version plus `nth`. `free` claims must not be held, `replacing` ones must.
    `sizes` is empty, unless a record may be too large: then the bytes of each record's
    canonical form but for its position, stream version and `recorded_at`.
    """

    streams: Sequence[str]
    required: Sequence[int | None]
    stream_index: Sequence[int]
    nth: Sequence[int]
    free: Sequence[Claim]
    replacing: Sequence[Claim]
    sizes: Sequence[int]
    latest_occurred_on: str


def prepare(append: Append) -> Batch:
    """Return the batch of an append that holds records.

    Raises `ConflictError` where it claims one key twice, `RecordTooLargeError`.
    """
    required: dict[str, int | None] = dict(append.reads)
    places: dict[str, int] = {stream: place for place, stream in enumerate(required)}
    counts = [0] * len(required)
    stream_index, nth = [], []
    for record in append.records:
        place = places.setdefault(record.stream, len(counts))
        if place == len(counts):
            counts.append(0)
            required[record.stream] = None
        counts[place] += 1
        stream_index.append(place)
        nth.append(counts[place])
        if record.expected_version is not None:
            base = record.expected_version + 1 - counts[place]
            known = required[record.stream]
            assert known in (None, base), f"{record.stream}: two versions are expected"
            required[record.stream] = base
    claims = _net(append.claims)
    return Batch(
        streams=list(required),
        required=list(required.values()),
        stream_index=stream_index,
        nth=nth,
        free=[claim for claim in claims if claim.replaces is None],
        replacing=[claim for claim in claims if claim.replaces is not None],
        sizes=_sizes(append.records),
        latest_occurred_on=max(record.occurred_on for record in append.records),
    )


def rotated(key: str) -> str:
    """Return a claim's key with its parts in reverse, as it is stored; or back again.

    `balance:A7:1994-03-31` becomes `1994-03-31:A7:balance`. Feeds come in the order of their
    dates, so neighbours in time share a page of the index.
    """
    return ":".join(key.split(":")[::-1])


def check_size(size: int, position: int, stream_version: int, recorded_at: Instant) -> None:
    """Raise `RecordTooLargeError` where the canonical bytes exceed 60,000."""
    total = size + sum(map(_integer_bytes, (position, stream_version, recorded_at)))
    if total > RECORD_BYTES_MAX:
        message = f"an event of {total} bytes, {RECORD_BYTES_MAX} at most: shorten its text"
        raise RecordTooLargeError(message)


def _net(claims: Sequence[Claim]) -> Iterable[Claim]:
    """Join a claim and its replacement in the same append into one."""
    net: dict[str, Claim] = {}
    for claim in claims:
        before = net.get(claim.key)
        if before is None:
            net[claim.key] = claim
        elif claim.replaces == before.content:
            net[claim.key] = claim._replace(replaces=before.replaces)
        else:
            message = f"{claim.key} is claimed twice in one append"
            raise ConflictError(message)
    return net.values()


def _sizes(records: Sequence[NewRecord]) -> Sequence[int]:
    longest = [max(map(len, texts)) for texts in zip(*map(_strings, records), strict=True)]
    data = max(len(record.data) for record in records)
    if data + _UTF8_BYTES_MAX * sum(longest) <= _SURELY_SMALL:
        return []
    sizes = [_size(record) for record in records]
    for size in sizes:
        check_size(size, position=0, stream_version=0, recorded_at=0)
    return sizes


def _strings(record: NewRecord) -> tuple[str, ...]:
    return (
        record.id,
        record.type,
        record.stream,
        record.customer_id,
        record.occurred_on,
        record.actor,
        record.source,
        record.correlation_id,
        record.causation_id or "",
    )


def _size(record: NewRecord) -> int:
    """Return the canonical bytes of a record, without its position, version and instant."""
    size = _NAMES_BYTES + _integer_bytes(record.version) + len(record.data)
    size += 1 if record.occurred_at is None else _integer_bytes(record.occurred_at)
    return size + sum(map(_string_bytes, _strings(record)))  # nil takes a byte, as "" does


def _string_bytes(text: str) -> int:
    """Return the bytes of a msgpack str: header and UTF-8."""
    length = len(text.encode())
    return length + (1 if length < 1 << 5 else 2 if length < 1 << 8 else 3)


def _integer_bytes(value: int) -> int:
    """Return the bytes of a msgpack integer."""
    if -(1 << 5) <= value < 1 << 7:
        return 1
    limit = value if value >= 0 else (-value - 1) << 1  # a signed one has a bit less
    return 2 if limit < 1 << 8 else 3 if limit < 1 << 16 else 5 if limit < 1 << 32 else 9
