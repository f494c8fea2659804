"""What came of a feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path

ALL_TAKEN, FAILED, SOME_REJECTED = 0, 1, 3  # exit statuses


@dataclass(slots=True, kw_only=True)
class FileReport:
    """The rows of a file by what came of them; `skipped` ones were taken before."""

    file: str
    recorded: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    taken_before: bool = False  # wholly, without a rejected row: it was not read again
    problem: str | None = None  # why the file was not gone through to its end

    @property
    def rows(self) -> int:
        """How many rows were gone through."""
        return self.recorded + self.unchanged + self.skipped + self.rejected


@dataclass(slots=True)
class Report:
    """The files in the order in which they were taken, and what lay beside them."""

    directory: Path
    files: list[FileReport] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    problem: str | None = None  # why the feed was not gone through to its end

    @property
    def exit_status(self) -> int:
        """Return 0 where all was taken, 3 where rows were rejected, 1 where something failed."""
        if self.problem or any(file.problem for file in self.files):
            return FAILED
        return SOME_REJECTED if any(file.rejected for file in self.files) else ALL_TAKEN

    @property
    def problems(self) -> list[str]:
        """Return what failed, each in one line."""
        return [each for each in (*(f.problem for f in self.files), self.problem) if each]

    def document(self) -> dict[str, Any]:
        """Return the report as one JSON document."""
        return {
            "directory": str(self.directory),
            "files": [
                {
                    "file": file.file,
                    "recorded": file.recorded,
                    "unchanged": file.unchanged,
                    "skipped": file.skipped,
                    "rejected": file.rejected,
                    "taken_before": file.taken_before,
                }
                for file in self.files
            ],
            "ignored": self.ignored,
            "problems": self.problems,
        }

    def table(self) -> Table:
        """Return the report for the terminal."""
        notes = [f"ignored, not a feed file: {name}" for name in self.ignored]
        table = Table(title=str(self.directory), caption="\n".join((*self.problems, *notes)))
        table.add_column("file")
        for column in ("recorded", "unchanged", "skipped", "rejected"):
            table.add_column(column, justify="right")
        for file in self.files:
            counts = (file.recorded, file.unchanged, file.skipped, file.rejected)
            name = f"{file.file} (taken before)" if file.taken_before else file.file
            table.add_row(name, *(f"{count:,}" for count in counts))
        return table
