"""How time and peak memory grow with the ledger: a bank of ten and of a hundred times the size.

Each step runs in a process of its own, which tells its own peak of resident memory.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, told
from benchmarks.ingest import ingested
from benchmarks.material import write_feed
from benchmarks.processes import alone, tell
from benchmarks.rebuilding import rebuilt
from benchmarks.relaying import relayed
from infra.cli.settings import from_environment
from infra.composition import kafka_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench
    from infra.cli.settings import Settings

MEMORY_GROWTH_MAX = 1.3  # of a rebuild, from the last but one size to the last


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield rate and peak memory of each step and size, and how the rebuild's memory grows."""
    peaks = []
    for accounts in bench.size.growth_accounts:
        feed = bench.folder / f"feed-of-{accounts}"
        rows = write_feed(feed, accounts)
        bench.say(f"growth: {rows:,} events")
        with bench.postgresql_ledger(kafka=True) as settings:
            for step in _STEPS:
                rate, peak_mib = alone(settings, "benchmarks.growth", step, str(feed))
                yield Figure(
                    f"{step} of {rows:,} events", told(rate, "events/s"), "–", peak_mib, "MiB"
                )
            peaks.append(peak_mib)  # of the last step
    yield Figure(
        f"peak memory of a rebuild, {rows:,} events",
        f"{peaks[-1]:,.0f} MiB",
        f"{peaks[-2]:,.0f} MiB for a tenth",
        peaks[-1] / peaks[-2],
        "×",
        MEMORY_GROWTH_MAX,
        at_most=True,
    )


def _ingest(settings: Settings, feed: Path) -> float:
    return ingested(settings, feed)


def _relay(settings: Settings, _feed: Path) -> float:
    with opened(settings) as parts:
        return relayed(parts, kafka_of(settings), parts.meta.topic_prefix)


def _rebuild(settings: Settings, _feed: Path) -> float:
    with opened(settings) as parts:
        return rebuilt(parts)


_STEPS = {"ingest": _ingest, "relay": _relay, "rebuild": _rebuild}


if __name__ == "__main__":
    _, step, feed = sys.argv
    tell(_STEPS[step](from_environment(), Path(feed)))
