"""What every command is told: which ledger, which Kafka, which keys, and how to answer.

Each option may stand before or after the command's name; the environment gives the rest.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_LEDGER = "sqlite:guanxi.db"

LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        help=f"sqlite:PATH or a PostgreSQL URL. (env GUANXI_LEDGER, else {DEFAULT_LEDGER})",
        show_default=False,
    ),
]
KafkaOption = Annotated[
    str | None,
    typer.Option("--kafka", help="Bootstrap servers. (env GUANXI_KAFKA)", show_default=False),
]
KeysOption = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        help="Folder of the master and signing keys. (env GUANXI_KEYS, else PATH.keys)",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Answer with exactly one JSON document on stdout.")
]
SHARED = {"ledger": LedgerOption, "kafka": KafkaOption, "keys": KeysOption, "as_json": JsonOption}


@dataclass(frozen=True, slots=True)
class Settings:
    """The shared options of one call."""

    ledger: str = DEFAULT_LEDGER
    kafka: str | None = None
    keys: Path | None = None
    as_json: bool = False

    @property
    def keys_folder(self) -> Path | None:
        """The key folder: as told, else beside a SQLite ledger; None where it must be named."""
        if self.keys is not None:
            return self.keys
        if self.ledger.startswith("sqlite:"):
            return Path(self.ledger.removeprefix("sqlite:") + ".keys")
        return None

    def told(self, **options: Any) -> Settings:  # noqa: ANN401 - typer passes any option
        """Return the settings with those options that were given."""
        return replace(self, **{name: value for name, value in options.items() if value})

    def answer(self, document: object, show: Callable[[], None]) -> None:
        """Print the document as JSON where asked, else show it to a person."""
        if self.as_json:
            json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
            sys.stdout.write("\n")
        else:
            show()


def from_environment() -> Settings:
    """Return what the environment tells."""
    keys = os.environ.get("GUANXI_KEYS")
    return Settings(
        ledger=os.environ.get("GUANXI_LEDGER") or DEFAULT_LEDGER,
        kafka=os.environ.get("GUANXI_KAFKA") or None,
        keys=Path(keys) if keys else None,
    )


def with_settings(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it receives them as one `Settings`, first."""
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=False if name == "as_json" else None,
        )
        for name, annotation in SHARED.items()
    ]
    context = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )

    @functools.wraps(function)
    def command(context: typer.Context, **arguments: Any) -> None:  # noqa: ANN401 - typer's own
        options = {name: arguments.pop(name) for name in SHARED}
        settings = (context.obj or from_environment()).told(**options)
        function(settings, **arguments)

    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    command.__signature__ = inspect.Signature([context, *own, *shared])  # type: ignore[attr-defined]  # read by typer
    command.__annotations__ = {p.name: p.annotation for p in [context, *own, *shared]}
    return command
