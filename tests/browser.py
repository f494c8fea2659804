"""A headless Chromium, driven by the Chrome DevTools Protocol over two pipes.

https://chromedevtools.github.io/devtools-protocol/: with `--remote-debugging-pipe` the browser
reads commands on its descriptor 3 and writes answers and events on 4, each JSON and a zero byte.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe"),
)
READ_BYTES_MAX = 1 << 20
ENDS_WITHIN_SECONDS = 30


def program() -> str | None:
    """Return the browser that is there, if any."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Tab:
    """One page of the browser. All that it reported is in `events`, in order."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._rest = b""
        self._last = 0
        self._session: str | None = None
        self.events: list[tuple[str, dict[str, Any]]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Performance"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> Any:  # noqa: ANN401 - any JSON document
        """Send a command and return its result."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": params}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._last:
                assert "error" not in told, f"{method}: {told['error']}"
                return told["result"]

    def open(self, url: str, width: int = 1400, height: int = 900) -> None:
        """Go to an address and wait for its load event."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.events.clear()
        self.call("Page.navigate", url=url)
        while "Page.loadEventFired" not in {name for name, _ in self.events}:
            self._read()
        self.ask("new Promise(requestAnimationFrame)")

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - any JSON document
        """Return what an expression of JavaScript is worth, a promise's outcome awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression of JavaScript holds."""
        look = f"const look = () => {expression} ? held() : setTimeout(look, 10)"
        self.ask(f"new Promise((held) => {{ {look}; look(); }})")

    def press(self, key: str) -> None:
        """Press a key, named as `KeyboardEvent.key` has it; one character is typed as well."""
        typed = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **typed)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def mouse(self, kind: str, x: float, y: float, **more: object) -> None:
        """Dispatch a mouse event: `mousePressed`, `mouseMoved`, `mouseReleased`, `mouseWheel`."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def _read(self) -> Any:  # noqa: ANN401 - any JSON document
        while b"\0" not in self._rest:
            more = os.read(self._answers, READ_BYTES_MAX)
            assert more, "the browser is gone"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        told = json.loads(message)
        if "method" in told:
            self.events.append((told["method"], told["params"]))
        return told


@contextmanager
def opened_tab(folder: Path) -> Iterator[Tab]:
    """Start a browser of its own, its profile in a folder, and end it."""
    found = program()
    assert found, "no Chromium: run python -m tests.servers.install"
    reads_commands, commands = os.pipe()
    answers, writes_answers = os.pipe()
    # The shell moves the pipes' ends to the descriptors 3 and 4 that the browser looks at.
    moved = f'exec "$@" 3<&{reads_commands} 4>&{writes_answers}'
    words = ("bash", "-c", moved, "-", found, *OPTIONS, f"--user-data-dir={folder}")
    with subprocess.Popen(
        words,
        pass_fds=(reads_commands, writes_answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as browser:
        os.close(reads_commands)
        os.close(writes_answers)
        try:
            yield Tab(commands, answers)
        finally:  # a browser that nobody talks to ends itself
            os.close(commands)
            os.close(answers)
            browser.wait(ENDS_WITHIN_SECONDS)
