"""`guanxi`: the commands, and what becomes of an error (see `infra/cli/failures.py`)."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import structlog
import typer

from infra.cli.failures import failed
from infra.cli.settings import JsonOption, KafkaOption, KeysOption, LedgerOption, from_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130

# Which module has which command: only what a call names is imported, so that it starts quickly.
MODULES = {
    "demo": "infra.cli.demo",
    "init": "infra.cli.feeding",
    "ingest": "infra.cli.feeding",
    "record": "infra.cli.feeding",
    "judge": "infra.cli.judging",
    "close": "infra.cli.closing",
    "relay": "infra.cli.running",
    "project": "infra.cli.running",
    "serve": "infra.cli.running",
    "status": "infra.cli.asking",
    "find": "infra.cli.finding_people",
    "show": "infra.cli.asking",
    "export": "infra.cli.asking",
    "rebuild": "infra.cli.tending",
    "parked": "infra.cli.tending",
    "topics": "infra.cli.tending",
    "schema": "infra.cli.tending",
    "reward": "infra.cli.rewarding",
    "referral": "infra.cli.rewarding",
    "audit": "infra.cli.auditing",
}


def root(
    context: typer.Context,
    ledger: LedgerOption = None,
    kafka: KafkaOption = None,
    keys: KeysOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record what happened between a bank and its customers, and answer for it."""
    told = {"ledger": ledger, "kafka": kafka, "keys": keys, "as_json": as_json}
    context.obj = from_environment().told(**told)


def command_line(words: Sequence[str] = ()) -> typer.Typer:
    """Return the commands that the words name, or all where they name none."""
    app = typer.Typer(
        name="guanxi", pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True
    )
    app.callback()(root)
    named = dict.fromkeys(MODULES[word] for word in words if word in MODULES)
    for module in named or dict.fromkeys(MODULES.values()):
        import_module(module).register(app)
    return app


def run() -> None:
    """Run the command line; every foreseeable error is one clear line on stderr."""
    logs_to_stderr()
    app = command_line(sys.argv[1:])
    try:
        sys.exit(app(prog_name="guanxi", standalone_mode=False))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - told by its code, or re-raised
        sys.exit(failed(error))


def logs_to_stderr() -> None:
    """Send logs to stderr, one line each; stdout is for answers."""
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
