"""A relay in a process of its own, to be killed: `python -m tests.relaying.process …`."""

from __future__ import annotations

import subprocess
import sys
import threading

from tests.relaying.ledger import SilentObserver, make_relay


def spawn(url: str, bootstrap: str, name: str) -> subprocess.Popen[bytes]:
    """Start a relay that runs until it is killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.relaying.process", url, bootstrap, name],
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    _, url, bootstrap, name = sys.argv
    make_relay(url, bootstrap, name, SilentObserver()).run(threading.Event())
