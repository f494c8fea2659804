"""Commands of ours in processes of their own, as an operator starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.cli.settings import Settings

GUANXI = "from infra.cli.main import run; run()"  # the command, of the code that runs here
STOP_SECONDS_MAX = 20.0


@contextmanager
def running(settings: Settings, log: Path, command: str) -> Iterator[None]:
    """Run `guanxi relay` or `guanxi project` until the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", GUANXI, command, "--port", "0"],
            env={**os.environ, **environment(settings)},
            stdout=output,
            stderr=output,
        )
    try:
        yield
        assert process.poll() is None, f"guanxi {command} has ended: {log.read_text()}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment(settings: Settings) -> dict[str, str]:
    """Return the settings as the variables that every command reads."""
    told = {
        "GUANXI_LEDGER": settings.ledger,
        "GUANXI_KAFKA": settings.kafka,
        "GUANXI_KEYS": settings.keys,
    }
    return {name: str(value) for name, value in told.items() if value}
