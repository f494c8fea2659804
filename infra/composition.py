"""The composition root: builds the adapters of one ledger, and hands them over."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from consumers.projector import Projector
from consumers.rebuild import following
from infra import keyring
from infra.clock import wall_clock
from infra.codec import decode
from infra.databases import POSTGRESQL_SCHEMES, SQLITE_SCHEME
from infra.event_store.ledger import initialise, open_store
from infra.feeds import files_taken
from infra.key_folder import make_keys, read_keys
from infra.keyring import Keyring
from infra.ledger import Ledger
from infra.log_source import LogSource
from infra.personal_index import DDL as PERSONAL_DDL
from infra.personal_index import PersonalIndex
from infra.relay_cursor import DDL as RELAY_DDL
from infra.relay_cursor import open_cursor
from infra.views.opening import open_views
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from consumers.event_store import StoreUnavailableError
    from consumers.projector import Observer
    from consumers.relay_cursor import RelayCursor
    from consumers.source import Source
    from infra.cli.settings import Settings
    from infra.event_store.ledger import LedgerStore
    from infra.event_store.meta import Meta
    from infra.views.sql import SQLViews

Profile: TypeAlias = Literal["embedded", "cluster"]


class WronglyNamedError(Exception):
    """What the call names, or leaves out, is no place for a ledger, its keys or its topics."""

    code: ClassVar[str]
    exit_status: ClassVar[int] = 2  # the call was wrong


class LedgerUnknownError(WronglyNamedError):
    """The ledger is neither a SQLite file nor a PostgreSQL URL."""

    code = "ledger-unknown"


class KeysUnnamedError(WronglyNamedError):
    """The ledger has no folder of keys beside it: name one."""

    code = "keys-unnamed"


class KafkaUnnamedError(WronglyNamedError):
    """The command needs Kafka."""

    code = "kafka-unnamed"


@dataclass(frozen=True, slots=True)
class Parts:
    """The adapters of one ledger."""

    settings: Settings
    store: LedgerStore
    views: SQLViews
    relay_cursor: RelayCursor

    @property
    def meta(self) -> Meta:
        """What was fixed when the ledger was made."""
        return self.store.meta

    @property
    def profile(self) -> Profile:
        """Cluster where Kafka is named or a relay has run on this ledger, else embedded."""
        relayed = self.relay_cursor.status().position > 0
        return "cluster" if self.settings.kafka or relayed else "embedded"

    def keyring(self) -> Keyring:
        """Return the customers' keys. Raises the errors of `read_keys` and `Keyring.verify`."""
        ring = Keyring(self.store.database, read_keys(keys_folder(self.settings)).master)
        ring.verify()
        return ring

    def ledger(
        self,
        *,
        business_date: date | None = None,
        on_outage: Callable[[StoreUnavailableError, float], None] = lambda _error, _pause: None,
        on_append: Callable[[float], None] = lambda _seconds: None,
    ) -> Ledger:
        """Return the write side. Raises the errors of `keyring`."""
        return Ledger(
            self.store,
            self.keyring(),
            business_date=business_date,
            on_outage=on_outage,
            on_append=on_append,
        )

    def personal_index(self) -> PersonalIndex:
        """Return what can be searched of personal data, up to date. Raises as `keyring` does."""
        index = PersonalIndex(self.store, self.keyring())
        index.catch_up()
        return index

    def projector(self, source: Source, observer: Observer | None = None) -> Projector:
        """Return a projector of all projections."""
        feeds = following(self.views, PROJECTIONS, source.shards)
        return Projector(source, self.views, decode, feeds, wall_clock, observer)

    def catch_up(self) -> None:
        """Embedded, apply what is recorded; in the cluster the projectors do."""
        if self.profile == "embedded":
            self.projector(LogSource(self.store)).catch_up()


def keys_folder(settings: Settings) -> Path:
    """Return the folder of keys. Raises `KeysUnnamedError`."""
    if settings.keys_folder is None:
        message = "name the folder of keys with --keys (or GUANXI_KEYS): PostgreSQL has no default"
        raise KeysUnnamedError(message)
    return settings.keys_folder


def make_ledger(settings: Settings, *, partitions: int, topic_prefix: str) -> Meta:
    """Make tables and keys where they are missing; return what the ledger was made with.

    Raises the errors of `initialise`, `make_keys` and `Keyring.install`.
    """
    url = _ledger_of(settings)
    keys = make_keys(keys_folder(settings))
    shared = (*RELAY_DDL, *PERSONAL_DDL, *files_taken.DDL)
    meta = initialise(
        url,
        partitions=partitions,
        topic_prefix=topic_prefix,
        ddl_sqlite=(*shared, keyring.SQLITE_DDL),
        ddl_postgresql=(*shared, keyring.POSTGRESQL_DDL),
    )
    with opened(settings) as parts:
        parts.views.create_tables()
        Keyring(parts.store.database, keys.master).install()
    return meta


def make_topics(settings: Settings) -> Sequence[str]:
    """Create the topics that are missing; return their names.

    Raises `KafkaUnnamedError`, `KafkaUnavailableError`.
    """
    from infra.kafka.topics import KafkaTopics  # noqa: PLC0415 - most calls need no client

    with opened(settings) as parts:
        topics = KafkaTopics(kafka_of(settings), parts.meta.topic_prefix)
        return topics.create(parts.meta.partitions)


def source_of(parts: Parts, *, all_shards: bool = False) -> Source:
    """Return what a projector reads: Kafka where it is named, else the ledger's log.

    With `all_shards` it takes them all, whoever else reads. Close it after use. Raises
    `KafkaUnnamedError` where a relay has carried this ledger to Kafka and nobody says where.
    """
    if parts.profile == "embedded":
        return LogSource(parts.store)
    bootstrap = kafka_of(parts.settings)
    from infra.kafka.source import KafkaSource  # noqa: PLC0415 - as above

    return KafkaSource(
        bootstrap,
        parts.meta.topic_prefix,
        parts.meta.partitions,
        all_shards=all_shards,
    )


def kafka_of(settings: Settings) -> str:
    """Return the bootstrap servers. Raises `KafkaUnnamedError`."""
    if settings.kafka is None:
        message = "name Kafka's bootstrap servers with --kafka (or GUANXI_KAFKA)"
        raise KafkaUnnamedError(message)
    return settings.kafka


def _ledger_of(settings: Settings) -> str:
    """Return the ledger's URL, sound as far as words go. Raises `LedgerUnknownError`."""
    ledger, reason = settings.ledger, "it is neither sqlite:PATH nor a postgresql:// URL"
    if ledger.startswith(SQLITE_SCHEME):
        path = Path(ledger.removeprefix(SQLITE_SCHEME))
        if path != Path() and not path.is_dir():
            return ledger
        reason = "sqlite: needs the path of a file"
    elif ledger.startswith(POSTGRESQL_SCHEMES):
        try:
            conninfo_to_dict(ledger)
        except psycopg.ProgrammingError as error:
            reason = " ".join(str(error).split())
        else:
            return ledger
    message = f"--ledger (or GUANXI_LEDGER) {ledger!r}: {reason}"
    raise LedgerUnknownError(message)


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """Open the ledger that was named.

    Raises `LedgerUnknownError`, `NotInitialisedError`, `StoreUnavailableError`.
    """
    store = open_store(_ledger_of(settings))
    try:
        yield Parts(settings, store, open_views(store.database), open_cursor(store.database))
    finally:
        store.database.close()
