"""The table of a run: in the terminal, and in the docs with the machine, date and versions."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Figure

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BELOW = "<!-- make bench writes what is below -->\n"
HEADINGS = ("measure", "ours", "peer", "figure", "target", "")
PACKAGES = ("eventsourcing", "kafka-python", "crc32c", "psycopg", "msgpack", "pydantic")
FLUSHES = 200


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(*HEADINGS)
    for figure in figures:
        table.add_row(
            *_cells(figure), style={True: "green", False: "red", None: ""}[figure.reached]
        )
    Console().print(table)


def publish(figures: Sequence[Figure], facts: Sequence[str]) -> None:
    """Write the table below the page's own words, which stay as they are."""
    words = PAGE.read_text(encoding="utf-8").partition(BELOW)[0]
    rows = [HEADINGS, ("---",) * len(HEADINGS), *map(_cells, figures)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    told = "\n".join(f"* {fact}" for fact in facts)
    PAGE.write_text(f"{words}{BELOW}\n{told}\n\n{table}\n", encoding="utf-8")


def machine(postgresql_url: str, seconds: float) -> Sequence[str]:
    """Return what the figures depend on, in words."""
    with psycopg.connect(postgresql_url) as connection:
        server = connection.info.parameter_status("server_version")
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; the run took {seconds / 60:.0f} minutes",
        f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release()}",
        f"load average at the end: {load}",
        f"a flush of 8 KiB to the disk (fdatasync): {_flush_ms():.2f} ms",
        f"Python {platform.python_version()}, {packages}, PostgreSQL {server}",
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    shown = (
        f"{figure.value:,.2f} {figure.unit}"
        if figure.unit == "×"
        else f"{figure.value:,.0f} {figure.unit}"
    )
    sign = "≤" if figure.at_most else "≥"
    target = "" if figure.target is None else f"{sign} {figure.target:g} {figure.unit}"
    verdict = {True: "reached", False: "missed", None: ""}[figure.reached]
    return (figure.measure, figure.ours, figure.peer, shown, target, verdict)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _flush_ms() -> float:
    with tempfile.TemporaryFile() as file:
        begun = time.perf_counter()
        for _ in range(FLUSHES):
            file.write(bytes(8192))
            file.flush()
            os.fdatasync(file.fileno())
        return 1000 * (time.perf_counter() - begun) / FLUSHES
