"""The command line, called in this process, or run as one of its own."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PATIENCE_SECONDS = 60.0
PROGRAM = (sys.executable, "-c", "from infra.cli.main import run; run()")


@dataclass(frozen=True)
class Answer:
    """What a call gave."""

    status: int
    out: str
    err: str

    def document(self) -> Any:  # noqa: ANN401 - any JSON document
        """Return the one JSON document on stdout."""
        return json.loads(self.out)


def guanxi(*words: str, stdin: str = "") -> Answer:
    """Call `guanxi` here and now."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    argv, sys.argv = sys.argv, ["guanxi", *words]
    read, sys.stdin = sys.stdin, io.StringIO(stdin)
    status: int | str | None = None
    try:
        with redirect_stdout(out), redirect_stderr(err):
            run()
    except SystemExit as ended:
        status = ended.code
    finally:
        sys.argv, sys.stdin = argv, read
    assert status is None or isinstance(status, int)
    return Answer(status or 0, out.buffer.getvalue().decode(), err.getvalue())


class Running:
    """A command in a process of its own. What it logs is read from a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    @property
    def port(self) -> int:
        """The port that the command says it listens on."""
        found = self.wait_for_log(r"listening +address=http://127\.0\.0\.1:(\d+)")
        return int(found[1])

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := re.search(pattern, self.log)) is None:
            assert self.process.poll() is None, f"it ended: {self.log}"
            assert time.monotonic() < deadline, f"{pattern} never came: {self.log}"
            time.sleep(0.05)
        return found

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the body of an answer."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def stop(self) -> None:
        """Send SIGTERM and see the process end well, before anybody would kill it."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        assert status == 0, f"exit status {status}: {self.log}"


@contextmanager
def running(folder: Path, *words: str, **environment: str) -> Iterator[Running]:
    """Run a command until the block ends; kill it where it still runs then."""
    log = folder / f"{words[0]}-{time.monotonic_ns()}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*PROGRAM, *words], stdout=sink, stderr=sink, env=_environment(environment)
        )
    try:
        yield Running(process, log)
    finally:
        process.kill()
        process.wait()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", **more}
