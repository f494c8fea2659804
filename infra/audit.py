"""What an auditor asks: a customer's events as they were stored, and replays to compare."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgpack

from consumers.replay import replay
from consumers.views import DigestUnavailableError, NoViewError
from infra.codec import canonical, decode
from infra.views.row_codec import digest_of, pack_row
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
    from infra.composition import Parts
    from projections.projection import Projection


def history(parts: Parts, customer_id: str, through: int) -> list[dict[str, Any]]:
    """Return a customer's events up to a position, as stored; personal fields stay sealed."""
    return [
        {
            "position": record.position,
            "id": record.id,
            "type": record.type,
            "version": record.version,
            "stream": record.stream,
            "stream_version": record.stream_version,
            "occurred_on": record.occurred_on,
            "recorded_at": utc_text(record.recorded_at),
            "actor": record.actor,
            "source": record.source,
            "data": {
                name: "(sealed)" if isinstance(value, bytes) else value
                for name, value in msgpack.unpackb(record.data).items()
            },
        }
        for record in parts.store.read_customers([customer_id], through)
    ]


def replayed_digests(parts: Parts, through: int) -> dict[str, dict[str, Any]]:
    """Fold all events up to a position and return each view's digest.

    `matches` tells whether the live view has the same, None where it stands at another position
    or has none.
    """
    found = {}
    for projection in PROJECTIONS:
        dropped = parts.views.dropped(projection.name)
        past = replay(parts.store, canonical, decode, through, dropped=dropped)
        kept = sorted(key for key in past.rows if key[1] in projection.kinds)
        digest = digest_of((*key, pack_row(key[1], past.rows[key])) for key in kept)
        live = _live_digest(parts, projection, through)
        found[projection.name] = {
            "digest": digest,
            "matches": None if live is None else live == digest,
            "unreadable_customers": sorted(past.troubles),
        }
    return found


def _live_digest(parts: Parts, projection: Projection, position: int) -> str | None:
    try:
        digest = parts.views.digest(parts.views.live(projection.name))
    except (DigestUnavailableError, NoViewError):
        return None
    return digest.sha256 if digest.position == position else None


def utc_text(instant: int) -> str:
    """Return an instant in microseconds since 1970 as ISO 8601 in UTC."""
    seconds, microseconds = divmod(instant, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    return moment.isoformat()
