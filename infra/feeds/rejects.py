"""The file of rejected rows: what was wrong where, and the row as it was told."""

from __future__ import annotations

import csv
import os
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

COLUMNS = ("file", "line", "code", "message", "row")
ROW_CHARS_MAX = 2_000  # of a rejected row; the rest is cut off


def obstacle(path: Path) -> str | None:
    """Return what keeps rejects from being written to a path, None where nothing does."""
    if path.is_dir():
        return f"{path} is a directory: name a file for the rejects"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"{path.parent} takes no files: name another place for the rejects"
    return None


class Rejects:
    """Writes rejected rows beside the file's final name, and puts it there when all is done.

    The rows may hold personal data: the file is its owner's alone. Where nothing was rejected
    there is no file, nor one of an earlier run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def add(self, file: str, line: int, code: str, message: str, row: bytes) -> None:
        """Write one rejected row."""
        if self._file is None:
            self._file = self._begin()
        text = row.decode(errors="backslashreplace").replace("\0", "\\x00")
        shown = text if len(text) <= ROW_CHARS_MAX else text[:ROW_CHARS_MAX] + "…"
        csv.writer(self._file).writerow((file, line, code, _printable(message), shown))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is None:
            if error is None:
                self._remove_earlier()
            return
        self._file.close()
        Path(self._file.name).replace(self._path)

    def _begin(self) -> IO[str]:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed by __exit__
            "w",
            encoding="utf-8",
            newline="",
            prefix=f".{self._path.name}.",
            dir=self._path.parent,
            delete=False,
        )
        csv.writer(file).writerow(COLUMNS)
        return file

    def _remove_earlier(self) -> None:
        """Remove the rejects of an earlier run, and nothing that only has the name."""
        header = ",".join(COLUMNS).encode()
        try:
            with self._path.open("rb") as file:
                is_ours = file.read(len(header)) == header
        except FileNotFoundError:
            return
        if is_ours:
            self._path.unlink()


def _printable(message: str) -> str:
    return message.encode(errors="backslashreplace").decode()
