"""Commands that tend views and topics: `rebuild`, `parked`, `topics`, `schema`."""

from __future__ import annotations

import getpass
import json
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from consumers.parking import Parking
from consumers.rebuild import rebuild as rebuild_view
from consumers.views import Feed, NoViewError
from infra.cli.failures import BadCallError, persisting
from infra.cli.settings import Settings, with_settings
from infra.clock import wall_clock
from infra.codec import decode
from infra.composition import kafka_of, make_topics, opened, source_of
from infra.contract import contract_files
from infra.kafka.topics import KafkaTopics
from projections.projection import PROJECTIONS, Projection

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.composition import Parts

View = Annotated[str, typer.Argument(help=" | ".join(each.name for each in PROJECTIONS))]
Why = Annotated[str, typer.Option(help="Goes into the audit trail.")]
PROGRESS_POLL_SECONDS = 0.2


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("rebuild")(rebuild)
    parked = typer.Typer(help="Events that could not be applied, and what waits behind them.")
    parked.command("list")(parked_list)
    parked.command("retry")(parked_retry)
    parked.command("drop")(parked_drop)
    app.add_typer(parked, name="parked")
    app.command("topics")(topics)
    app.command("schema")(schema)


@with_settings
def rebuild(
    settings: Settings,
    views: Annotated[
        list[str] | None, typer.Argument(metavar="[VIEW …]", help="Default: all of them.")
    ] = None,
) -> None:
    """Build views afresh beside the live ones; return when queries read the new ones."""
    chosen = [_projection(name) for name in views or []] or list(PROJECTIONS)
    positions = {}
    with opened(settings) as parts:
        for projection in chosen:
            positions[projection.name] = persisting(lambda p=projection: _rebuilt(parts, p))  # type: ignore[misc]  # a default binds it
    document = {"rebuilt": positions}

    def show() -> None:
        for name, position in positions.items():
            Console().print(f"{name}: built afresh up to position {position:,}")

    settings.answer(document, show)


def _rebuilt(parts: Parts, projection: Projection) -> int:
    source = source_of(parts, all_shards=True)
    stop, failure = threading.Event(), []

    def build() -> None:
        try:
            rebuild_view(source, parts.views, decode, projection, wall_clock, stop)
        except Exception as error:  # noqa: BLE001 - raised by the thread that waits
            failure.append(error)

    worker = threading.Thread(target=build, name="rebuild", daemon=True)
    try:
        with Progress(
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
        ) as progress:
            progress.add_task(projection.name, total=None)
            worker.start()
            while worker.is_alive():
                worker.join(PROGRESS_POLL_SECONDS)
    finally:
        stop.set()
        worker.join()
        source.close()
    if failure:
        raise failure[0]
    lanes = parts.views.lanes(parts.views.live(projection.name)).values()
    return min((lane.progress.through for lane in lanes), default=0)


@with_settings
def parked_list(settings: Settings) -> None:
    """List the first parked event of each customer, and why it is parked."""

    def ask() -> list[dict[str, Any]]:
        with opened(settings) as parts:
            return [
                {
                    "projection": projection.name,
                    "customer_id": waiting.customer_id,
                    "position": waiting.position,
                    "code": waiting.code,
                    "reason": waiting.reason,
                    "parked_at": waiting.parked_at,
                }
                for projection in PROJECTIONS
                for feed in _feeds(parts, projection)
                for waiting in parts.views.parked(feed.generation)
            ]

    found = persisting(ask)

    def show() -> None:
        if not found:
            Console().print("Nothing is parked.")
            return
        table = Table("view", "customer", "position", "code", "reason", "since (UTC)")
        for each in found:
            since = datetime.fromtimestamp(each["parked_at"] / 1_000_000, UTC)
            words = (each["projection"], each["customer_id"], str(each["position"]))
            table.add_row(*words, each["code"], each["reason"], f"{since:%Y-%m-%d %H:%M:%S}")
        Console().print(table)

    settings.answer({"parked": found}, show)


@with_settings
def parked_retry(
    settings: Settings, view: View, customer_id: str, why: Why = "tried again by hand"
) -> None:
    """Apply a customer's parked events again, in order, as far as it goes."""
    _dealt(settings, view, customer_id, lambda parking: parking.retry, why)


@with_settings
def parked_drop(
    settings: Settings,
    view: View,
    customer_id: str,
    why: Annotated[str, typer.Option(help="Goes into the audit trail; needed.")],
    everything: Annotated[
        bool, typer.Option("--all", help="The customer's whole queue, not its first event alone.")
    ] = False,
) -> None:
    """Leave a customer's first parked event out of the view for good; apply what waits behind."""

    def deed(parking: Parking) -> Callable[[Feed, str, str, str], int]:
        return parking.drop_all if everything else parking.drop

    _dealt(settings, view, customer_id, deed, why)


def _dealt(
    settings: Settings,
    view: str,
    customer_id: str,
    deed: Callable[[Parking], Callable[[Feed, str, str, str], int]],
    why: str,
) -> None:
    projection = _projection(view)

    def deal() -> dict[str, Any]:
        with opened(settings) as parts:
            parking = Parking(parts.views, decode, wall_clock)
            applied = 0
            left = 0
            for feed in _feeds(parts, projection):
                if not parts.views.queue(feed.generation, customer_id):
                    message = f"nothing of {customer_id!r} is parked in {view}"
                    raise BadCallError(message)
                applied = deed(parking)(feed, customer_id, getpass.getuser(), why)
                left = len(parts.views.queue(feed.generation, customer_id))
            return {"applied": applied, "still_parked": left}

    done = persisting(deal)
    text = f"{done['applied']} events applied, {done['still_parked']} still parked"
    settings.answer(done, lambda: Console().print(text))


def _feeds(parts: Parts, projection: Projection) -> list[Feed]:
    """Return the live generation, none where no projector has run yet."""
    try:
        return [Feed(projection, parts.views.live(projection.name))]
    except NoViewError:
        return []


@with_settings
def topics(
    settings: Settings,
    create: Annotated[
        bool, typer.Option("--create", help="Create those that are missing.")
    ] = False,
) -> None:
    """List the ledger's topics and their partitions."""

    def ask() -> dict[str, Any]:
        created = list(make_topics(settings)) if create else []
        with opened(settings) as parts:
            there = KafkaTopics(kafka_of(settings), parts.meta.topic_prefix).partitions()
        return {"topics": dict(there), "created": created}

    found = persisting(ask)

    def show() -> None:
        table = Table("topic", "partitions", "")
        for name, partitions in sorted(found["topics"].items()):
            table.add_row(name, str(partitions), "created" if name in found["created"] else "")
        Console().print(table)

    settings.answer(found, show)


@with_settings
def schema(
    settings: Settings,
    event: Annotated[
        str | None, typer.Argument(help="A type of event, such as loan-drawn. Default: AsyncAPI.")
    ] = None,
) -> None:
    """Print the JSON Schema of an event, or the whole contract as AsyncAPI 3."""
    del settings  # always JSON
    files = contract_files()
    wanted = "schemas/asyncapi.json" if event is None else f"schemas/{event}"
    names = [name for name in files if name == wanted or name.startswith(f"{wanted}.v")]
    if not names:
        message = f"there is no type of event {event!r}; docs/events.md lists them"
        raise BadCallError(message)
    typer.echo(json.dumps(json.loads(files[max(names)]), ensure_ascii=False, indent=2))


def _projection(name: str) -> Projection:
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    message = f"there is no view {name!r}: {', '.join(each.name for each in PROJECTIONS)}"
    raise BadCallError(message)
