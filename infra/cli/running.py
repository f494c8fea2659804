"""Commands that run until told to stop: `relay`, `project`, `serve`.

They do not exit for a broker or a database that is away: `/readyz` says what they wait for.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import structlog
import typer
from prometheus_client import CollectorRegistry

from consumers.relay import Relay, RelayPorts
from infra.cli.failures import persisting
from infra.cli.settings import Settings, with_settings
from infra.clock import wall_clock
from infra.codec import canonical
from infra.composition import kafka_of, opened, source_of
from infra.http.application import application
from infra.http.ledger_totals import LedgerTotals
from infra.http.operations import offered, operations_app
from infra.http.served import Served
from infra.kafka.publisher import KafkaPublisher
from infra.kafka.topics import KafkaTopics
from infra.log_source import LogSource
from infra.observers import ProjectorMetrics, RelayMetrics, ServedMetrics
from infra.rules.reading import check_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumers.projector import Observer
    from infra.composition import Parts
    from infra.outages import Waiting

HOST = "127.0.0.1"
SERVE_PORT = 8080
RELAY_PORT = 8081
PROJECT_PORT = 8082

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port of /metrics, /healthz, /readyz; 0: any free one.")]

T = TypeVar("T")
log = structlog.get_logger()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("relay")(relay)
    app.command("project")(project)
    app.command("serve")(serve)


@with_settings
def relay(
    settings: Settings,
    republish: Annotated[
        bool, typer.Option("--republish", help="Send everything again, into emptied topics.")
    ] = False,
    host: Host = HOST,
    port: Port = RELAY_PORT,
) -> None:
    """Carry the ledger to Kafka. One relay leads, others stand by. Stops at SIGTERM."""
    bootstrap = kafka_of(settings)
    registry = CollectorRegistry()
    observer = RelayMetrics(registry)
    app = operations_app(registry, observer.waits_for)
    with (
        _stopping() as stop,
        offered(app, host, port),
        _opened_persisting(settings, stop, observer) as parts,
    ):
        observer.goes_on_to(f"Kafka at {bootstrap}")
        prefix, ledger_id = parts.meta.topic_prefix, parts.meta.ledger_id
        ports = RelayPorts(
            store=parts.store,
            cursor=parts.relay_cursor,
            topics=KafkaTopics(bootstrap, prefix),
            publisher=lambda: KafkaPublisher(bootstrap, prefix, ledger_id, canonical),
            canonical=canonical,
            observer=observer,
            clock=wall_clock,
        )
        name = f"{socket.gethostname()}:{os.getpid()}"
        log.info("relay started", name=name, kafka=bootstrap)
        leading = Relay(ports=ports, prefix=prefix, name=name, partitions=parts.meta.partitions)
        leading.run(stop, republish=republish)
    log.info("relay stopped")


@with_settings
def project(settings: Settings, host: Host = HOST, port: Port = PROJECT_PORT) -> None:
    """Keep the views up to date: from Kafka where it is named, else from the ledger's log."""
    registry = CollectorRegistry()
    observer = ProjectorMetrics(registry)
    app = operations_app(registry, observer.waits_for)
    with (
        _stopping() as stop,
        offered(app, host, port),
        _opened_persisting(settings, stop, observer) as parts,
        closing(_persisting(lambda: source_of(parts), stop, observer)) as source,
    ):
        observer.follows(parts.store, source)
        log.info("projector started", shards=source.shards)
        parts.projector(source, observer).run(stop)
    log.info("projector stopped")


@with_settings
def serve(settings: Settings, host: Host = HOST, port: Port = SERVE_PORT) -> None:
    """Answer queries and take commands over HTTP; show the whole ledger's metrics."""
    check_rules()
    registry = CollectorRegistry()
    served = Served()
    observer = ServedMetrics(registry, served.lost)
    app = application(served, registry)
    with (
        _stopping() as stop,
        offered(app, host, port),
        _opened_persisting(settings, stop, served) as parts,
    ):
        ledger = _persisting(lambda: parts.ledger(on_append=observer.appended), stop, served)
        with _projecting(parts, observer, stop):
            registry.register(LedgerTotals(parts))
            served.open(parts, ledger)
            log.info("serving")
            threading.Thread(target=served.watch, args=(stop,), name="watch").start()
            stop.wait()
    log.info("stopped serving")


@contextmanager
def _projecting(parts: Parts, observer: Observer, stop: threading.Event) -> Iterator[None]:
    """Embedded, keep the views up to date from a thread; where that fails, the command does."""
    failure: list[Exception] = []

    def project() -> None:
        try:
            parts.projector(LogSource(parts.store), observer).run(stop)
        except Exception as error:  # noqa: BLE001 - raised below, by the thread that waits
            failure.append(error)
            stop.set()

    thread = threading.Thread(target=project, name="projector")
    if parts.profile == "embedded":
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if thread.ident is not None:
            thread.join()
    if failure:
        raise failure[0]


@contextmanager
def _opened_persisting(
    settings: Settings, stop: threading.Event, waiting: Waiting
) -> Iterator[Parts]:
    """Open the ledger, waiting for its database as long as it takes."""
    with ExitStack() as stack:
        yield _persisting(lambda: stack.enter_context(opened(settings)), stop, waiting)


def _persisting(attempt: Callable[[], T], stop: threading.Event, waiting: Waiting) -> T:
    """Return what the attempt returns, for as long as it takes; `/readyz` says why."""
    return persisting(attempt, None, stop, waiting.outage)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    yield stop
