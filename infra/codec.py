"""Events to canonical bytes and back. Stored names never follow Python paths.

The canonical bytes of an event are one msgpack map of the 15 fields of `ENVELOPE`, in that
order, as `msgpack.packb` writes it by default. `data` is stored packed and spliced in as it is.
Personal fields are sealed before they are packed and stay `Sealed` when read, unless the caller
brings the key to open them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias

import msgpack

from consumers.codec import UnreadableEventError
from domain.catalogue import EVENT_TYPES
from domain.record import Recorded
from domain.values import Sealed
from infra.fields import Layout, load_date
from infra.packing import pack
from infra.upcasters import UPCASTERS

if TYPE_CHECKING:
    from consumers.event_store import StoredRecord
    from domain.catalogue import Event, EventType
    from infra.upcasters import Data, Upcaster

Seal: TypeAlias = Callable[[str, str], bytes]  # field, plaintext → nonce ‖ ciphertext ‖ tag
Unseal: TypeAlias = Callable[[str, str, bytes], str]  # event id, field, box → plaintext

ENVELOPE: Mapping[str, tuple[type, ...]] = {
    "position": (int,),
    "id": (str,),
    "type": (str,),
    "version": (int,),
    "stream": (str,),
    "stream_version": (int,),
    "customer_id": (str,),
    "occurred_on": (str,),
    "occurred_at": (int, NoneType),
    "recorded_at": (int,),
    "actor": (str,),
    "source": (str,),
    "correlation_id": (str,),
    "causation_id": (str, NoneType),
    "data": (dict,),
}
_NAMES = tuple(ENVELOPE)
_BEFORE_DATA = _NAMES[:-1]
_SHAPES = frozenset(product(*ENVELOPE.values()))
# What malformed bytes raise: the last three where something else lies in the place of a map, and
# from an upcaster.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError)
_MAP_OF_15 = b"\x8f"
_DATA_KEY = pack("data")


def canonical(record: StoredRecord) -> bytes:
    """Return the canonical bytes of a stored record, of the version that was stored."""
    return b"".join((_MAP_OF_15, pack(_before_data(record))[1:], _DATA_KEY, record.data))


def _before_data(record: StoredRecord) -> dict[str, Any]:
    return dict(zip(_BEFORE_DATA, record, strict=False))  # the shorter ends before `data`


def _envelope(canonical: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = msgpack.unpackb(canonical)
    if tuple(fields) != _NAMES:
        msg = "the envelope has not its 15 fields"
        raise ValueError(msg)
    if tuple(map(type, fields.values())) not in _SHAPES:
        msg = "a field of the envelope is not of its type"
        raise ValueError(msg)
    return fields


class Codec:
    """The codec of a catalogue: the current version of each type, and how old ones get there."""

    def __init__(
        self,
        event_types: Iterable[EventType] = EVENT_TYPES,
        upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
    ) -> None:
        self._layouts: dict[type[Event], Layout] = {}
        self._readers: dict[tuple[str, int], tuple[Layout, tuple[Upcaster, ...]]] = {}
        for event_type in event_types:
            layout = Layout(event_type.cls, omit="customer_id")
            self._layouts[event_type.cls] = layout
            for stored in range(1, event_type.version + 1):
                steps = range(stored, event_type.version)
                chain = tuple(upcasters[event_type.name, version] for version in steps)
                self._readers[event_type.name, stored] = (layout, chain)

    def layout_of(self, cls: type[Event]) -> Layout:
        """Return how the `data` of a type of event is laid out."""
        return self._layouts[cls]

    def pack_data(self, event: Event, seal: Seal) -> bytes:
        """Return the packed `data` of an event, each personal field given through `seal`.

        Raises `OverflowError` for an integer beyond 64 bits and `UnicodeEncodeError` for a lone
        surrogate: commands refuse both before.
        """
        layout = self._layouts[type(event)]
        data = layout.dump(event)
        for name in layout.personal:
            if data[name] is not None:
                assert type(data[name]) is str, name
                data[name] = seal(name, data[name])
        return pack(data)

    def decode(self, canonical: bytes, unseal: Unseal | None = None) -> Recorded:
        """Return the event of canonical bytes, upcast to its current version.

        Raises `UnreadableEventError` for an unknown type or version and for any other bytes.
        """
        try:
            return self._recorded(_envelope(canonical), unseal)
        except _MALFORMED as error:
            msg = f"not a canonical event: {error}"
            raise UnreadableEventError(msg) from error

    def decode_record(self, record: StoredRecord, unseal: Unseal | None = None) -> Recorded:
        """Return the event of a stored record, upcast. Raises `UnreadableEventError`."""
        try:
            fields = _before_data(record)
            fields["data"] = msgpack.unpackb(record.data)
            return self._recorded(fields, unseal)
        except _MALFORMED as error:
            msg = f"position {record.position} ({record.type}) cannot be read: {error}"
            raise UnreadableEventError(msg) from error

    def _recorded(self, fields: dict[str, Any], unseal: Unseal | None) -> Recorded:
        reader = self._readers.get((fields["type"], fields["version"]))
        if reader is None:
            msg = "{type} version {version} is not known to this program".format_map(fields)
            raise UnreadableEventError(msg)
        layout, chain = reader
        data = _upcast(fields["data"], chain, layout) if chain else fields["data"]
        layout.load(data)
        for name in layout.personal:
            box = data[name]
            if box is not None:
                data[name] = Sealed(box) if unseal is None else unseal(fields["id"], name, box)
        data["customer_id"] = fields["customer_id"]
        fields["occurred_on"] = load_date(fields["occurred_on"])
        fields["data"] = layout.cls(**data)
        return Recorded._make(fields.values())  # the envelope's order, the event for `data`


def _upcast(data: Data, chain: tuple[Upcaster, ...], layout: Layout) -> Data:
    """Apply the upcasters to all but the sealed values, which alone are binary."""
    sealed = {name: value for name, value in data.items() if type(value) is bytes}
    plain = {name: value for name, value in data.items() if name not in sealed}
    for upcast in chain:
        plain = upcast(plain)
    data = {**plain, **sealed}
    return {name: data.pop(name) for name in layout.names if name in data} | data


CODEC = Codec()
pack_data = CODEC.pack_data
decode = CODEC.decode
decode_record = CODEC.decode_record
