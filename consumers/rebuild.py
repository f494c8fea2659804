"""What a projector feeds, and building a view afresh while queries read the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.cycles import search_for_cycles_of_new_objects
from consumers.projector import Projector
from consumers.views import Feed, LostShardError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Stop

    from consumers.codec import Decode
    from consumers.projector import Observer
    from consumers.source import Source
    from consumers.views import Views
    from domain.values import Instant
    from projections.projection import Projection


def following(
    views: Views, projections: Sequence[Projection], shards: int
) -> Callable[[], Sequence[Feed]]:
    """Return what a projector feeds: of each projection the generation of its version."""

    def feeds() -> Sequence[Feed]:
        return [Feed(p, views.adopt(p.name, p.version, shards)) for p in projections]

    return feeds


def rebuild(  # noqa: PLR0913, PLR0917 - as the projector's
    source: Source,
    views: Views,
    decode: Decode,
    projection: Projection,
    now: Callable[[], Instant],
    stop: Stop,
    observer: Observer | None = None,
) -> None:
    """Build a fresh generation from all the source has; return once queries read it.

    The source must deliver every shard. Stopped or killed before, the live view is as it was;
    called again, it begins afresh. Raises `LostShardError` where another rebuild took over.
    """
    begun = views.begin(projection.name, projection.version, source.shards)
    feed = Feed(projection, begun)
    projector = Projector(source, views, decode, lambda: [feed], now, observer)
    target = source.head()
    with search_for_cycles_of_new_objects():
        while not stop.is_set():
            projector.step_or_wait(stop)
            lanes = views.lanes(begun).values()
            if not lanes:
                message = f"{projection.name}: another rebuild took over"
                raise LostShardError(message)
            is_live = views.live(projection.name).number == begun.number
            if is_live and all(lane.progress.through >= target for lane in lanes):
                break
    while not stop.is_set() and views.sweep():
        pass
