"""A process that projects a SQLite ledger in small batches until it is killed."""

from __future__ import annotations

import sys
from threading import Event as Stop

from consumers.projector import Projector
from consumers.rebuild import following
from infra.clock import wall_clock
from infra.codec import decode
from infra.databases import open_database
from infra.event_store.ledger import open_store
from infra.log_source import LogSource
from infra.views.opening import open_views
from projections.projection import PROJECTIONS

BATCH_RECORDS_MAX = 20


def main(url: str) -> None:
    """Project for ever."""
    with open_database(url) as database:
        views = open_views(database)
        source = LogSource(open_store(url), BATCH_RECORDS_MAX)
        feeds = following(views, PROJECTIONS, source.shards)
        Projector(source, views, decode, feeds, wall_clock).run(Stop())


if __name__ == "__main__":
    main(sys.argv[1])
