"""What every measure works with: private servers, fresh ledgers, and how much to measure."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.cli.settings import Settings
from infra.composition import make_ledger, make_topics
from tests.servers.kafka import KafkaServer
from tests.servers.postgresql import PostgresqlServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTITIONS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int  # of ours and the peer, in turns
    append_seconds: float  # of one round of single appends
    bulk_events: int  # appended 1,000 a call
    feed_accounts: int  # of the feed that is ingested, relayed and rebuilt from
    runner_events: int  # for the library's ProjectionRunner, which takes a second for 1,500
    latency_seconds: float
    growth_accounts: tuple[int, ...]
    network_people: tuple[int, ...]
    export_commitments: int  # of a year's daily balances each
    close_commitments: int  # of a month's
    growth_commitments: tuple[int, ...]  # of twelve windows each


FULL = Size(
    rounds=3,
    append_seconds=5.0,
    bulk_events=40_000,
    feed_accounts=640,
    runner_events=5_000,
    latency_seconds=20.0,
    growth_accounts=(64, 640, 6_400),
    network_people=(10_000, 100_000, 1_000_000),
    export_commitments=1_000,
    close_commitments=10_000,
    growth_commitments=(84, 834, 8_340),
)
QUICK = Size(
    rounds=2,
    append_seconds=1.5,
    bulk_events=10_000,
    feed_accounts=128,
    runner_events=1_000,
    latency_seconds=8.0,
    growth_accounts=(64, 256),
    network_people=(10_000,),
    export_commitments=50,
    close_commitments=500,
    growth_commitments=(8, 80),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The servers, a folder for files, and the size.

    `postgresql` does not wait for the disk, so that figures tell of the software; `durable` does.
    """

    postgresql: PostgresqlServer
    durable: PostgresqlServer
    kafka: KafkaServer
    folder: Path
    size: Size
    say: Callable[[str], None]

    @contextmanager
    def postgresql_ledger(
        self, *, kafka: bool = False, durable: bool = False
    ) -> Iterator[Settings]:
        """Make a ledger in a database of its own, with topics of its own where asked."""
        server = self.durable if durable else self.postgresql
        with server.fresh_database() as url, self._keys() as keys:
            bootstrap = self.kafka.bootstrap if kafka else None
            settings = Settings(ledger=url, keys=keys, kafka=bootstrap)
            prefix = url.rpartition("/")[2]
            make_ledger(settings, partitions=PARTITIONS, topic_prefix=prefix)
            if kafka:
                make_topics(settings)
            yield settings

    @contextmanager
    def sqlite_ledger(self) -> Iterator[Settings]:
        """Make a ledger in a file of its own."""
        with self._keys() as keys:
            settings = Settings(ledger=f"sqlite:{keys}/ledger.db", keys=keys / "keys")
            make_ledger(settings, partitions=PARTITIONS, topic_prefix="guanxi")
            yield settings

    @contextmanager
    def _keys(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield Path(folder)


@contextmanager
def bench(size: Size, say: Callable[[str], None]) -> Iterator[Bench]:
    """Start the servers, and stop them at the end."""
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="guanxi-bench-")))
        servers = (PostgresqlServer(), PostgresqlServer(durable=True), KafkaServer())
        for server in servers:
            closing.callback(server.stop)
            server.start()
        postgresql, durable, kafka = servers
        yield Bench(
            postgresql=postgresql,
            durable=durable,
            kafka=kafka,
            folder=folder,
            size=size,
            say=say,
        )
