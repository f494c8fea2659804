"""What a feed file is read as: sound rows, broken rows, or a file that cannot be read at all."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple, TypeAlias

ROW_BYTES_MAX = 65_536  # bytes of a row, its line breaks included; an event holds 60,000
BOM = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """A row as told: the line it starts on (from 1), its number among the rows, its columns."""

    line: int
    number: int
    raw: bytes
    values: dict[str, str]


class Broken(NamedTuple):
    """A row that cannot be read, and why: a stable code and a message that says what to do."""

    line: int
    number: int
    raw: bytes
    code: str
    message: str


class UnreadableFileError(Exception):
    """No row of the file can be understood: its header is broken."""

    def __init__(self, *, code: str, message: str, raw: bytes = b"") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.raw = raw


class Columns(NamedTuple):
    """What a kind of file may hold; `multiline` are the columns that may hold line breaks."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    multiline: frozenset[str]


Read: TypeAlias = Row | Broken


class Lines:
    """Physical lines that can be put back; `number` is that of the last one taken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._back: list[bytes] = []
        self.number = 0

    def take(self) -> bytes:
        """Return the next line, or the beginning of an overlong one; empty at the end."""
        line = self._back.pop() if self._back else self._file.readline(ROW_BYTES_MAX + 1)
        if line:
            self.number += 1
        return line

    def put_back(self, lines: list[bytes]) -> None:
        """Give lines back in the order in which they were taken."""
        self.number -= len(lines)
        self._back.extend(reversed(lines))

    def finish(self, part: bytes) -> None:
        """Skip the rest of the line whose beginning was taken."""
        while part and not part.endswith(b"\n"):
            part = self._file.readline(ROW_BYTES_MAX)


def without_end(line: bytes) -> bytes:
    """Return a line without its line break."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def excerpt(raw: bytes) -> str:
    """Return the beginning of a row for a message."""
    return raw[:80].decode(errors="replace")


def expected(columns: Columns) -> str:
    """Return the sentence that names the columns, optional ones in brackets."""
    optional = f" [{', '.join(columns.optional)}]" if columns.optional else ""
    return f"the columns are {', '.join(columns.required)}{optional}"


def not_utf8(error: UnicodeDecodeError) -> str:
    """Return the message of a value that cannot be decoded."""
    return f"byte {error.start} of a value is not UTF-8 ({error.reason}): save the file as UTF-8"


def too_long(at: int, number: int, raw: bytes) -> Broken:
    """Return the row as broken: beyond `ROW_BYTES_MAX`."""
    message = f"longer than {ROW_BYTES_MAX:,} bytes: shorten it, or close its quotes"
    return Broken(at, number, raw, "row-too-long", message)
