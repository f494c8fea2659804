"""Commands that run until told to stop: `relay`, `project`, `serve`."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

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
from infra.http.operations import offered, operations_app
from infra.kafka.publisher import KafkaPublisher
from infra.kafka.topics import KafkaTopics
from infra.observers import ProjectorMetrics, RelayMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.composition import Parts

HOST = "127.0.0.1"
SERVE_PORT = 8080
RELAY_PORT = 8081
PROJECT_PORT = 8082

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port of /metrics, /healthz, /readyz; 0: any free one.")]

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
    with _opened_persisting(settings) as parts, _stopping() as stop:
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
        with offered(operations_app(registry, observer.waits_for), host, port) as listening:
            log.info("relay started", name=name, kafka=bootstrap, port=listening)
            leading = Relay(
                ports=ports, prefix=prefix, name=name, partitions=parts.meta.partitions
            )
            leading.run(stop, republish=republish)
    log.info("relay stopped")


@with_settings
def project(settings: Settings, host: Host = HOST, port: Port = PROJECT_PORT) -> None:
    """Keep the views up to date: from Kafka where it is named, else from the ledger's log."""
    registry = CollectorRegistry()
    observer = ProjectorMetrics(registry)
    with _opened_persisting(settings) as parts, _stopping() as stop:
        source = source_of(parts)
        try:
            with offered(operations_app(registry, observer.waits_for), host, port) as listening:
                log.info("projector started", shards=source.shards, port=listening)
                parts.projector(source, observer).run(stop)
        finally:
            source.close()
    log.info("projector stopped")


@with_settings
def serve(settings: Settings, host: Host = HOST, port: Port = SERVE_PORT) -> None:
    """Answer queries and take commands over HTTP; show the whole ledger's metrics."""
    with (
        _opened_persisting(settings) as parts,
        _stopping() as stop,
        offered(application(parts, stop), host, port) as listening,
    ):
        log.info("serving", address=f"http://{host}:{listening}")
        stop.wait()
    log.info("stopped serving")


@contextmanager
def _opened_persisting(settings: Settings) -> Iterator[Parts]:
    """Open the ledger, waiting for its database as long as it takes."""
    with ExitStack() as stack:
        yield persisting(lambda: stack.enter_context(opened(settings)), attempts_max=None)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    yield stop
