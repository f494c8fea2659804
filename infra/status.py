"""Where a ledger stands: its position, the relay's, and those of the views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumers.views import DigestUnavailableError, NoViewError
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
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
