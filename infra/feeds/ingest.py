"""Ingest: a directory of feed files into the ledger, every sound row of it.

Rows go to the ledger in batches, in the order of the files and of their lines. A row that cannot
be read, is malformed or is refused goes to the rejects, alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from consumers.cycles import search_for_cycles_of_new_objects
from consumers.event_store import StoreError
from domain.errors import RefusedError
from infra.feeds.csv_file import read_csv
from infra.feeds.files_taken import FilesTaken
from infra.feeds.jsonl_file import read_jsonl
from infra.feeds.kinds import KINDS
from infra.feeds.rejects import Rejects, obstacle
from infra.feeds.report import FileReport, Report
from infra.feeds.rows import Broken, UnreadableFileError
from infra.ledger import BATCH_COMMANDS_MAX, Recorded, Refused, Told, Unchanged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infra.feeds.files_taken import FileTaken
    from infra.feeds.kinds import Kind
    from infra.feeds.rows import Read
    from infra.ledger import Ledger

FILE_BUFFER_BYTES = 1 << 20
BATCH_OBJECTS = 50_000  # that a batch makes, about; none of them is a cycle
SHA256_CHARS_SHOWN = 16  # of a file, in the source of its events
READERS = {".csv": read_csv, ".jsonl": read_jsonl}
FEED_FILES = {kind.name + ending: kind for kind in KINDS for ending in READERS}

Progress: TypeAlias = Callable[[str, int], None]  # a file's name, and its rows so far


class FileChangedError(Exception):
    """The file was written to while it was read."""


def ingest(
    directory: Path,
    ledger: Ledger,
    rejects: Path,
    *,
    actor: str = "feed",
    progress: Progress = lambda _file, _rows: None,
) -> Report:
    """Record a feed and return what came of it; what failed is in the report too."""
    report = Report(directory, problem=obstacle(rejects))
    if report.problem:
        return report
    try:
        names = sorted(path.name for path in directory.iterdir() if path.name[0] != ".")
    except OSError as error:
        report.problem = f"{directory}: {error.strerror}: name a directory of feed files"
        return report
    report.ignored = [name for name in names if name not in (*FEED_FILES, rejects.name)]
    with Rejects(rejects) as rejected, search_for_cycles_of_new_objects(BATCH_OBJECTS):
        for name, kind in FEED_FILES.items():
            if name in names and not report.problem:
                taking = _Taking(directory / name, kind, ledger, rejected, actor)
                report.files.append(taking.report)
                report.problem = taking.run(progress)
    if not report.files:
        report.problem = f"{directory}: no feed file in it; they are {', '.join(FEED_FILES)}"
    return report


class _Taking:
    """Takes one file."""

    def __init__(
        self, path: Path, kind: Kind, ledger: Ledger, rejects: Rejects, actor: str
    ) -> None:
        self.report = FileReport(file=path.name)
        self._path = path
        self._kind = kind
        self._ledger = ledger
        self._rejects = rejects
        self._actor = actor
        self._rejected_lines: list[int] = []

    def run(self, progress: Progress) -> str | None:
        """Take the file; return what keeps the rest of the feed from being taken, if it does."""
        try:
            if not self._path.is_file():
                raise OSError(0, "not a regular file")  # noqa: TRY301 - as one that cannot be read
            with self._path.open("rb", FILE_BUFFER_BYTES) as file:
                self._take(file, progress)
        except (OSError, FileChangedError) as error:
            reason = getattr(error, "strerror", None) or error
            self.report.problem = f"{self._path}: {reason}: make it readable and ingest it again"
        except UnreadableFileError as error:
            self._reject(1, error.code, error.message, error.raw)
        except StoreError as error:
            return f"{self._path}: {error}: ingest it again; nothing is recorded twice"
        return None

    def _take(self, file: BinaryIO, progress: Progress) -> None:
        before = _stamp(file)
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a file is enough
        file.seek(0)
        taken = self._begin(digest)
        if taken.rejected_lines == frozenset():
            self.report.taken_before = True
            return
        rows = READERS[self._path.suffix](file, self._kind.columns)
        tell = _Telling(self._kind, self._actor, digest, taken.begun_after)
        while batch := list(islice(rows, BATCH_COMMANDS_MAX)):
            self._handle(self._due(batch, taken), tell)
            progress(self.report.file, self.report.rows)
        if _stamp(file) != before:
            message = "it changed while it was read"
            raise FileChangedError(message)
        self._finish(digest)

    def _due(self, batch: Sequence[Read], taken: FileTaken) -> Sequence[Read]:
        if taken.rejected_lines is None:
            return batch
        due = [read for read in batch if read.line in taken.rejected_lines]
        self.report.skipped += len(batch) - len(due)
        return due

    def _handle(self, batch: Sequence[Read], tell: _Telling) -> None:
        """Handle rows as one batch; the rejects come in the order of the lines."""
        told = [(read, tell(read)) for read in batch]
        commands = [one for _, one in told if isinstance(one, Told)]
        outcomes = iter(self._ledger.handle(commands))
        for read, one in told:
            outcome = next(outcomes) if isinstance(one, Told) else one
            match outcome:
                case Recorded():
                    self.report.recorded += 1
                case Unchanged():
                    self.report.unchanged += 1
                case Refused(error=error):
                    self._reject(read.line, error.code, str(error), read.raw)
                case Broken():
                    self._reject(read.line, outcome.code, outcome.message, read.raw)

    def _reject(self, line: int, code: str, message: str, raw: bytes) -> None:
        self.report.rejected += 1
        self._rejected_lines.append(line)
        self._rejects.add(self._path.name, line, code, message, raw)

    def _begin(self, digest: str) -> FileTaken:
        store, name = self._ledger.store, self._path.name
        files = FilesTaken(store.database)
        return self._ledger.patiently(lambda: files.begin(name, digest, store.position()))

    def _finish(self, digest: str) -> None:
        files = FilesTaken(self._ledger.store.database)
        lines = self._rejected_lines
        self._ledger.patiently(lambda: files.finish(self._path.name, digest, lines))


class _Telling:
    """From the rows of a file to commands with their source."""

    def __init__(self, kind: Kind, actor: str, digest: str, begun_after: int) -> None:
        self._command = kind.form.command
        self._actor = actor
        self._source = f"feed:{kind.name}:{digest[:SHA256_CHARS_SHOWN]}"
        self._begun_after = begun_after

    def __call__(self, read: Read) -> Told | Refused | Broken:
        if isinstance(read, Broken):
            return read
        try:
            command = self._command(read.values)
        except RefusedError as error:
            return Refused(error)
        return Told(
            command,
            self._actor,
            f"{self._source}:{read.number}",
            correlation_id=self._source,
            retold_after=self._begun_after,
        )


def _stamp(file: BinaryIO) -> tuple[int, int]:
    """Return what changes when a file is written to: its size and the time of the last write."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
