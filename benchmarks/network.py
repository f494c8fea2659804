"""The networks of a made bank: their exports beside igraph's, and one conversion made visible.

Each step runs in a process of its own, which tells its seconds and its peak of resident memory.
"""

from __future__ import annotations

import sys
import time
import uuid
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import msgpack

from benchmarks import network_in_igraph
from benchmarks.figures import Figure, Rate, compared
from benchmarks.network_material import AS_OF, CURRENCY, Bank, make
from benchmarks.processes import alone, tell
from consumers.event_store import Append, NewRecord
from consumers.projector import Projector
from consumers.rebuild import following
from infra.answers import Answers
from infra.cli.settings import from_environment
from infra.clock import wall_clock
from infra.codec import decode
from infra.composition import opened
from infra.exports import write_export
from infra.kept_network import KeptNetwork
from infra.log_source import LogSource
from infra.network_answers import circle_rows_of, network_rows_of
from projections.guarantee_network import CircleRow
from projections.projection import NETWORK
from projections.referral_network import NetworkRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.bench import Bench
    from infra.cli.settings import Settings
    from infra.composition import Parts

MODULE = "benchmarks.network"
MEMORY_MIB_MAX = 1_536
CONVERSIONS = 20
DEPTHS = (3, 12)  # of those who convert


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of each size of bank."""
    for people in bench.size.network_people:
        folder = bench.folder / f"bank-of-{people}"
        folder.mkdir()
        bench.say(f"network: a bank of {people:,}")
        with bench.sqlite_ledger() as settings:
            told = (str(folder), str(people))
            alone(settings, MODULE, "make", *told)
            peaks: list[float] = []
            for view in ("network", "circles"):
                yield _exported(bench, settings, told, view, peaks)
            for depth in DEPTHS:
                microseconds, peak = alone(settings, MODULE, f"convert-{depth}", *told)
                peaks.append(peak)
                measure = f"a conversion {depth} deep counted at the root, {people:,} people"
                yield Figure(measure, "–", "–", microseconds, "µs")
        measure = f"peak memory of exporting and of keeping a network, {people:,} people"
        yield Figure(measure, "–", "–", max(peaks), "MiB", MEMORY_MIB_MAX, at_most=True)


def _exported(
    bench: Bench, settings: Settings, told: tuple[str, str], view: str, peaks: list[float]
) -> Figure:
    folder, people = Path(told[0]), int(told[1])

    def ours() -> Rate:
        rate, peak = alone(settings, MODULE, f"ours-{view}", *told)
        peaks.append(peak)
        return rate

    found = compared(
        f"export of {view}, {people:,} people (igraph's answers, from and to CSV)",
        0.5 if view == "network" else None,
        bench.size.rounds,
        ours,
        lambda: alone(settings, MODULE, f"peer-{view}", *told)[0],
        "people/s",
    )
    mine, theirs = (folder / f"{who}-{view}.csv" for who in ("ours", "peer"))
    assert mine.read_bytes() == theirs.read_bytes(), f"{view}: igraph's figures are others"
    return found


def _make(parts: Parts, folder: Path, people: int) -> None:
    make(parts, Bank(people), folder)


def _ours_network(parts: Parts, folder: Path, _: int) -> None:
    rows = network_rows_of(Answers(parts), AS_OF, None)
    write_export(NetworkRow, rows, "csv", folder / "ours-network.csv")


def _ours_circles(parts: Parts, folder: Path, _: int) -> None:
    rows = circle_rows_of(Answers(parts), AS_OF, None)
    write_export(CircleRow, rows, "csv", folder / "ours-circles.csv")


def _peer_network(_parts: Parts, folder: Path, _: int) -> None:
    network_in_igraph.export_network(folder, folder / "peer-network.csv")


def _peer_circles(_parts: Parts, folder: Path, _: int) -> None:
    network_in_igraph.export_circles(folder, folder / "peer-circles.csv")


def _converted(parts: Parts, _folder: Path, _people: int, *, depth: int) -> float:
    """Return the median microseconds from the view's new row to the root's sums."""
    kept, answers = KeptNetwork(), Answers(parts)
    with kept.caught_up(answers, AS_OF, CURRENCY) as (network, _):
        rows = [row for row in network.rows() if row.depth == depth and not row.converted_on]
    return 1e6 * median(_seen(parts, kept, answers, row) for row in rows[:CONVERSIONS])


def _seen(parts: Parts, kept: KeptNetwork, answers: Answers, row: NetworkRow) -> float:
    with kept.caught_up(answers, AS_OF, CURRENCY) as (network, _):
        before = network.row(row.root_id)
    parts.store.append(Append(records=[_conversion(row.customer_id)]))
    feeds = following(parts.views, (NETWORK,), 1)
    Projector(LogSource(parts.store), parts.views, decode, feeds, wall_clock).catch_up()
    begun = time.perf_counter()
    with kept.caught_up(answers, AS_OF, CURRENCY) as (network, _):
        after = network.row(row.root_id)
    seconds = time.perf_counter() - begun
    if before and after:
        assert after.converted_descendants == before.converted_descendants + 1, "not counted"
    return seconds


def _conversion(prospect_id: str) -> NewRecord:
    data = {
        "referral_id": f"R-{prospect_id}",
        "converted_on": AS_OF.isoformat(),
    }
    return NewRecord(
        id=str(uuid.uuid4()),
        type="referral-converted",
        version=1,
        stream=f"prospect-{prospect_id}",
        expected_version=None,
        customer_id=prospect_id,
        occurred_on=AS_OF.isoformat(),
        occurred_at=None,
        actor="bench",
        source="bench",
        correlation_id="bench",
        causation_id=None,
        data=msgpack.packb(data),
    )


_STEPS: dict[str, Callable[[Parts, Path, int], Any]] = {
    "make": _make,
    "ours-network": _ours_network,
    "ours-circles": _ours_circles,
    "peer-network": _peer_network,
    "peer-circles": _peer_circles,
    **{f"convert-{depth}": partial(_converted, depth=depth) for depth in DEPTHS},
}

if __name__ == "__main__":
    _, step, folder, people = sys.argv
    with opened(from_environment()) as parts:
        begun = time.perf_counter()
        found = _STEPS[step](parts, Path(folder), int(people))
        tell(found or int(people) / (time.perf_counter() - begun))
