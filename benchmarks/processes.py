"""Commands of ours in processes of their own, as an operator starts them; and steps alone.

A step that runs alone tells its rate, and its own peak of resident memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.process import spawn, terminate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.cli.settings import Settings

PEAK = "VmHWM:"
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


def alone(settings: Settings, module: str, *told: str) -> tuple[float, float]:
    """Run a module in a process; return the rate that it tells, and its peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-m", module, *told],
        env={**os.environ, **environment(settings)},
        stdout=subprocess.PIPE,
        check=True,
    )
    answer = json.loads(done.stdout)
    return answer["rate"], answer["peak_kib"] / 1024


def tell(rate: float) -> None:
    """Tell the rate to `alone`, with this process's peak so far.

    `ru_maxrss` would count the parent it was forked from.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [peak] = [line.split()[1] for line in status if line.startswith(PEAK)]
    print(json.dumps({"rate": rate, "peak_kib": int(peak)}))
