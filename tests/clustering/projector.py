"""A projector in a process of its own, to be killed: `python -m tests.clustering.projector …`."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from threading import Event as Stop
from typing import TYPE_CHECKING

from consumers.projector import Projector
from consumers.rebuild import following
from infra.clock import wall_clock
from infra.codec import decode
from infra.databases import open_database
from infra.event_store.meta import read_meta
from infra.kafka.source import KafkaSource
from infra.views.opening import open_views
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
    from consumers.projector import Observer
    from infra.databases import Database


def spawn(url: str, bootstrap: str) -> subprocess.Popen[bytes]:
    """Start a projector that runs until it is killed."""
    return subprocess.Popen([sys.executable, "-m", "tests.clustering.projector", url, bootstrap])


def source_of(database: Database, bootstrap: str, *, all_shards: bool = False) -> KafkaSource:
    meta = read_meta(database)
    return KafkaSource(bootstrap, meta.topic_prefix, meta.partitions, all_shards=all_shards)


def projector_of(
    database: Database, source: KafkaSource, observer: Observer | None = None
) -> Projector:
    views = open_views(database)
    feeds = following(views, PROJECTIONS, source.shards)
    return Projector(source, views, decode, feeds, wall_clock, observer)


if __name__ == "__main__":
    _, url, bootstrap = sys.argv
    with open_database(url) as database, closing(source_of(database, bootstrap)) as source:
        projector_of(database, source).run(Stop())
