"""What both servers share: a process of their own group that ends with the test run."""

from __future__ import annotations

import contextlib
import ctypes
import random
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# Below the range from which the system takes ports of outgoing connections: a port must still
# be free when a killed server comes back to it.
PORTS = range(20_000, 32_000)
START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 30
_PR_SET_PDEATHSIG = 1


class ServerError(RuntimeError):
    """A test server did not start; the message ends with its log's last lines."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    message = f"no free port in {PORTS}"
    raise ServerError(message)


def spawn(command: Sequence[str], log: Path, user: str | None = None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own; it is killed where the test run dies.

    The kernel ties that to the thread that started it, so only the main thread asks for it.
    """
    tied = threading.current_thread() is threading.main_thread()
    libc = ctypes.CDLL(None)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
            preexec_fn=(  # noqa: PLW1509  # one system call, no lock is taken in the child
                (lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)) if tied else None
            ),
        )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers. Raises `ServerError` where it exits or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            message = f"{process.args!r} did not start:\n{tail}"
            raise ServerError(message)
        time.sleep(0.05)


def terminate(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Ask the server to end, and kill it where it does not."""
    process.send_signal(how)
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
