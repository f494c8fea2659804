"""How time and peak memory of the compliance export and of a close grow with the windows.

Each step runs in a process of its own, on a year of monthly windows with a balance a week: the
close is the ledger's first, so that all of them are due.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.deposits import YEAR, Promised, closed, exported, recorded
from benchmarks.figures import Figure, told
from benchmarks.processes import alone, tell
from infra.cli.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

GROWTH_MAX = 1.3  # of a window's time, and of peak memory, from a size to ten times that


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield rate and peak memory of each step and size, and how the time of a window grows."""
    rates: dict[str, list[float]] = {step: [] for step in _STEPS}
    peaks: dict[str, list[float]] = {step: [] for step in _STEPS}
    for customers in bench.size.growth_commitments:
        feed = _feed(bench.folder / f"windows-of-{customers}", customers)
        with recorded(bench, feed) as settings:
            for step, found in rates.items():
                bench.say(f"{step} of {feed.windows:,} windows")
                args = step, str(feed.folder), str(customers)
                rate, peak_mib = alone(settings, "benchmarks.windows", *args)
                found.append(rate)
                peaks[step].append(peak_mib)
                name = f"{step} of {feed.windows:,} windows"
                yield Figure(name, told(rate, "windows/s"), "–", peak_mib, "MiB")
    for step, found in rates.items():
        yield Figure(
            f"time of a window, {step} of {feed.windows:,}",
            f"{1e6 / found[-1]:.3g} µs",
            f"{1e6 / found[-2]:.3g} µs of a tenth",
            found[-2] / found[-1],
            "×",
            GROWTH_MAX,
            at_most=True,
        )
        before, last = peaks[step][-2:]
        yield Figure(
            f"peak memory, {step} of {feed.windows:,}",
            f"{last:.0f} MiB",
            f"{before:.0f} MiB for a tenth",
            last / before,
            "×",
            GROWTH_MAX,
            at_most=True,
        )


def _feed(folder: Path, customers: int) -> Promised:
    return Promised(folder, customers, *YEAR, every=7)


_STEPS = {
    "compliance export": lambda settings, feed: exported(settings, feed, feed.folder / "out.csv"),
    "close": closed,
}

if __name__ == "__main__":
    _, step, folder, customers = sys.argv
    feed = _feed(Path(folder), int(customers))
    tell(feed.windows / _STEPS[step](from_environment(), feed))
