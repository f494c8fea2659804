"""`python -m benchmarks [--quick] [NAME …]`: measure, show the table, write it to the docs."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks import (
    appends,
    compliance,
    growth,
    ingest,
    latency,
    network,
    rebuilding,
    relaying,
    windows,
)
from benchmarks.bench import FULL, QUICK, bench
from benchmarks.report import machine, publish, show

MEASURES = {
    "appends": appends.measure,
    "ingest": ingest.measure,
    "relay": relaying.measure,
    "rebuild": rebuilding.measure,
    "latency": latency.measure,
    "growth": growth.measure,
    "network": network.measure,
    "compliance": compliance.measure,
    "windows": windows.measure,
}


def main() -> None:
    """Measure what was named, or all; only a whole run is written down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--quick", action="store_true", help="small sizes, about two minutes")
    told = parser.parse_args()
    if unknown := set(told.names) - MEASURES.keys():
        parser.error(f"no measure {', '.join(unknown)}; they are {', '.join(MEASURES)}")
    names = told.names or [*MEASURES]
    begun = time.monotonic()
    with bench(QUICK if told.quick else FULL, say=_say) as running:
        figures = [figure for name in names for figure in MEASURES[name](running)]
        facts = machine(running.postgresql.url(), time.monotonic() - begun)
    show(figures)
    if not (told.names or told.quick):
        publish(figures, facts)


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


if __name__ == "__main__":
    main()
