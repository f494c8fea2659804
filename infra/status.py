"""Where a ledger stands: its position, the relay's, and those of the views."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from consumers.views import DigestUnavailableError, NoViewError
from infra.composition import WronglyNamedError
from infra.key_folder import KeysError
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
    from consumers.event_store import EventStore
    from infra.composition import Parts
    from projections.projection import Projection


def status_of(parts: Parts, *, digests: bool = False) -> dict[str, Any]:
    """Return the status document, for JSON: `ledger`, `relay` (null when embedded), `projections`.

    With `digests` each projection has its `digest` (SHA-256, hex), null where its shards stand
    at different positions or something is parked. Raises `StoreUnavailableError`.
    """
    position = parts.store.position()
    relay = None
    if parts.profile == "cluster":
        state = parts.relay_cursor.status()
        relay = {
            "position": state.position,
            "leader": state.leader,
            "lag_events": max(0, position - state.position),
        }
    return {
        "ledger": {
            "id": parts.meta.ledger_id,
            "position": position,
            "profile": parts.profile,
        },
        "relay": relay,
        "projections": {
            each.name: _projection(parts, each, position, digests=digests) for each in PROJECTIONS
        },
    }


def keys_trouble(parts: Parts) -> str | None:
    """Return in words why the keys cannot be used with this ledger, None where they can."""
    try:
        parts.keyring()
    except (KeysError, WronglyNamedError) as error:
        return f"{error.code}: {error}"
    except OSError as error:
        return f"keys: {error}"
    return None


def seconds_waited(store: EventStore, position: int) -> float:
    """Return the age of the first event after a position, 0 where there is none."""
    waiting = store.read(position, 1)
    return max(0.0, time.time() - waiting[0].recorded_at / 1_000_000) if waiting else 0.0


def _projection(
    parts: Parts, projection: Projection, position: int, *, digests: bool
) -> dict[str, Any]:
    try:
        live = parts.views.live(projection.name)
    except NoViewError:
        nowhere = {"position": 0, "version": projection.version, "lag_events": position}
        return nowhere | {"parked_keys": 0} | ({"digest": None} if digests else {})
    lanes = parts.views.lanes(live).values()
    through = min((lane.progress.through for lane in lanes), default=0)
    state: dict[str, Any] = {
        "position": through,
        "version": live.version,
        "lag_events": max(0, position - through),
        "parked_keys": len(parts.views.parked(live)),
    }
    if digests:
        try:
            state["digest"] = parts.views.digest(live).sha256
        except DigestUnavailableError:
            state["digest"] = None
    return state
