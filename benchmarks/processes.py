"""Commands of ours in processes of their own, as an operator starts them."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.servers.process import spawn, terminate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.cli.settings import Settings

GUANXI = "from infra.cli.main import run; run()"  # the command, of the code that runs here


@contextmanager
def running(settings: Settings, log: Path, command: str) -> Iterator[None]:
    """Run `guanxi relay` or `guanxi project` until the block ends, or this process does."""
    where = ["--ledger", settings.ledger, "--kafka", str(settings.kafka)]
    where += ["--keys", str(settings.keys)]
    process = spawn([sys.executable, "-c", GUANXI, *where, command, "--port", "0"], log)
    try:
        yield
        assert process.poll() is None, f"guanxi {command} has ended: {log.read_text()}"
    finally:
        terminate(process, signal.SIGTERM)


def environment(settings: Settings) -> dict[str, str]:
    """Return the settings as the variables that every command reads."""
    told = {
        "GUANXI_LEDGER": settings.ledger,
        "GUANXI_KAFKA": settings.kafka,
        "GUANXI_KEYS": settings.keys,
    }
    return {name: str(value) for name, value in told.items() if value}
