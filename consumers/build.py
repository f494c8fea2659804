"""What a projector knows of a generation it feeds."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from consumers.views import LostShardError

if TYPE_CHECKING:
    from collections.abc import Collection

    from consumers.applying import Reading
    from consumers.views import Feed, Lane, Views
    from projections.facts import Key, Row

_position_of = attrgetter("delivery.position")


@dataclass(slots=True)
class Build:
    """A generation that is fed, and what is known of it: all of it can be read again.

    `rows` are those of the last batch: the next one mostly changes the same.
    """

    feed: Feed
    lanes: dict[int, Lane] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)
    dropped: frozenset[int] = frozenset()
    rows: dict[Key, Row] = field(default_factory=dict)

    def read(self, views: Views) -> None:
        """Read again what is known. Raises `LostShardError` where it was given up."""
        self.lanes = dict(views.lanes(self.feed.generation))
        self.parked = {waiting.customer_id for waiting in views.parked(self.feed.generation)}
        self.dropped = views.dropped(self.feed.projection.name)
        self.rows = {}
        if not self.lanes:
            message = f"{self.feed.projection.name}: the generation was given up"
            raise LostShardError(message)

    def new(self, shard: int, readings: list[Reading]) -> list[Reading]:
        """Return those of a batch that are not applied yet."""
        through = self.lanes[shard].progress.through
        if not readings or readings[0].delivery.position > through:
            return readings
        return readings[bisect_right(readings, through, key=_position_of) :]

    def load(self, views: Views, keys: Collection[Key]) -> dict[Key, Row]:
        """Return the rows that exist under the keys."""
        known = {key: self.rows[key] for key in keys if key in self.rows}
        missing = [key for key in keys if key not in known]
        return known | views.load(self.feed.generation, missing) if missing else known

    @property
    def is_beside(self) -> bool:
        """Whether it is built beside the live one."""
        return not self.feed.generation.live

    def through(self, shards: frozenset[int]) -> int:
        """Return the position up to which all these shards are applied."""
        return min((self.lanes[shard].progress.through for shard in shards), default=0)
