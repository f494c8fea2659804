"""Commands that tell the ledger something: `init`, `ingest`, `record`."""

from __future__ import annotations

import getpass
import json
import sys
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

from infra.attempt import Refused, Told, Unchanged
from infra.cli.failures import BadCallError, persisting
from infra.cli.moments import BusinessDate, day
from infra.cli.settings import Settings, with_settings
from infra.commands import FORMS
from infra.composition import make_ledger, make_topics, opened
from infra.event_store.ledger import PARTITIONS, TOPIC_PREFIX
from infra.feeds.ingest import ingest as ingest_feed
from infra.outages import tell_outage
from infra.rendering.command_help import command_help

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.ledger import Ledger


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init")(init)
    app.command("ingest")(ingest)
    anything = {"ignore_unknown_options": True}
    app.command("record", cls=RecordCommand, context_settings=anything)(record)


class RecordCommand(TyperCommand):
    """`record`: asked for help on a command of the ledger, it gives that."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer publishes no type
        """Show the fields of the command that stands beside `--help`, if one does."""
        named = next((word for word in args if word in FORMS), None)
        if named is not None and not set(ctx.help_option_names).isdisjoint(args):
            Console().print(command_help(FORMS[named]))
            ctx.exit()
        return super().parse_args(ctx, args)


@with_settings
def init(
    settings: Settings,
    partitions: Annotated[int, typer.Option(min=1, help="Of each event topic.")] = PARTITIONS,
    prefix: Annotated[str, typer.Option(help="What topics' names begin with.")] = TOPIC_PREFIX,
) -> None:
    """Make a ledger: tables and keys, and topics where Kafka is named. Safe to call again."""

    def make() -> dict[str, Any]:
        meta = make_ledger(settings, partitions=partitions, topic_prefix=prefix)
        topics = list(make_topics(settings)) if settings.kafka else []
        return {
            "ledger_id": meta.ledger_id,
            "ledger": settings.ledger,
            "keys": str(settings.keys_folder),
            "partitions": meta.partitions,
            "topic_prefix": meta.topic_prefix,
            "topics_created": topics,
        }

    made = persisting(make)

    def show() -> None:
        console = Console()
        console.print(f"Ledger {made['ledger_id']} is ready at {settings.ledger}")
        console.print(f"Keys: {made['keys']} — back this folder up; without it names are lost")
        for topic in made["topics_created"]:
            console.print(f"Topic {topic}")

    settings.answer(made, show)


@with_settings
def ingest(
    settings: Settings,
    directory: Annotated[Path, typer.Argument(help="A folder of CSV or JSON Lines files.")],
    rejects: Annotated[
        Path, typer.Option(help="Where rejected rows go; made only where there are any.")
    ] = Path("rejects.csv"),
    business_date: BusinessDate = None,
) -> None:
    """Record a feed. Exit status: 0 all taken, 3 some rejected, 1 failed."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:>10,.0f} rows"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with _writing(settings, business_date) as ledger, progress:
        tasks: dict[str, Any] = {}

        def advance(file: str, rows: int) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(file, total=None)
            progress.update(tasks[file], completed=rows)

        report = ingest_feed(directory, ledger, rejects, progress=advance)
    for problem in report.problems if settings.as_json else ():  # a person sees them below
        sys.stderr.write(f"guanxi: not-ingested: {problem}\n")
    settings.answer(report.document(), lambda: Console().print(report.table()))
    raise typer.Exit(report.exit_status)


@with_settings
def record(
    settings: Settings,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND [JSON | - | --FIELD VALUE …]",
            help="A command and its fields: one JSON object, - for stdin, or options. What holds"
            " items is a JSON list, or its option once for each.",
        ),
    ] = None,
    command_id: Annotated[
        str | None, typer.Option(help="Told again with the same id, the first result returns.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="Who. Default: the login name.")] = None,
    business_date: BusinessDate = None,
) -> None:
    """Record one command. Without one: list the commands and their fields.

    COMMAND --help tells what each field of a command holds, with an example.
    """
    if not words:
        settings.answer(_commands(), _show_commands)
        return
    name, *rest = words
    if name not in FORMS:
        message = f"there is no command {name!r}; `guanxi record` lists them"
        raise BadCallError(message)
    fields = _fields(name, rest)
    with _writing(settings, business_date) as ledger:
        position, changed = _told(ledger, name, fields, actor, command_id)
    document = {"command": name, "position": position, "recorded": changed}
    text = f"Recorded at position {position}" if changed else f"Holds since position {position}"
    settings.answer(document, lambda: Console().print(text))


@contextmanager
def _writing(settings: Settings, business_date: str | None) -> Iterator[Ledger]:
    """Open the write side, waiting a while for a database that is away."""
    today = day("--business-date", business_date)

    def open_it(stack: ExitStack) -> Ledger:
        parts = stack.enter_context(opened(settings))
        return parts.ledger(business_date=today, on_outage=tell_outage)

    with ExitStack() as stack:
        yield persisting(lambda: open_it(stack))


def _told(
    ledger: Ledger, name: str, fields: dict[str, Any], actor: str | None, command_id: str | None
) -> tuple[int, bool]:
    command = FORMS[name].command(fields)
    correlation_id = command_id or str(uuid.uuid4())
    told = Told(command, actor or getpass.getuser(), "cli", correlation_id, command_id)
    [outcome] = ledger.handle([told])
    if isinstance(outcome, Refused):
        raise outcome.error
    return outcome.position, not isinstance(outcome, Unchanged)


def _fields(name: str, rest: list[str]) -> dict[str, Any]:
    """Return the fields from one JSON object, from stdin, or from `--field value` pairs."""
    if len(rest) == 1 and not rest[0].startswith("--"):
        text = sys.stdin.read() if rest[0] == "-" else rest[0]
        try:
            fields = json.loads(text)
        except ValueError as error:
            message = f"{name}: the fields are not JSON ({error})"
            raise BadCallError(message) from None
        if not isinstance(fields, dict):
            message = f"{name}: the fields must be one JSON object"
            raise BadCallError(message)
        return fields
    fields = {}
    words = iter(rest)
    for word in words:
        option, equals, value = word.partition("=")
        if not option.startswith("--"):
            message = f"{name}: {word!r} is not an option; write --FIELD VALUE"
            raise BadCallError(message)
        if not equals:
            value = next(words, "")
        _add(name, fields, option.removeprefix("--").replace("-", "_"), value)
    return fields


def _add(name: str, fields: dict[str, Any], field: str, value: str) -> None:
    """Add the value of an option: of what holds items some more, of all else the only one."""
    if field in FORMS[name].lists:
        fields.setdefault(field, []).extend(_items(value))
    elif field in fields:
        message = f"{name}: --{field} is there twice, and is no list"
        raise BadCallError(message)
    else:
        fields[field] = value


def _items(value: str) -> list[Any]:
    """Return the items of a JSON list; a text that is none, though it begins like one, is one."""
    try:
        items = json.loads(value)
    except ValueError:
        return [value]
    return items if isinstance(items, list) else [value]


def _commands() -> dict[str, dict[str, list[str]]]:
    return {
        name: {"required": list(form.required), "optional": list(form.optional)}
        for name, form in FORMS.items()
    }


def _show_commands() -> None:
    table = Table("command", "its fields (optional ones in brackets)", box=SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for name, form in FORMS.items():
        optional = (f"[{each}]" for each in form.optional)
        table.add_row(name, Text(", ".join((*form.required, *optional))))
    console = Console()
    console.print(table)
    console.print("guanxi record COMMAND --FIELD VALUE …, or the fields as one JSON object")
    console.print("A list of items is a JSON list, text with one a line, or an option for each.")
    console.print("guanxi record COMMAND --help tells what each field holds, with an example")
