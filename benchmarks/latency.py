"""From the append to the view, in the cluster: a relay and a projector run as their commands."""

from __future__ import annotations

import contextlib
import threading
import time
from contextlib import ExitStack
from statistics import quantiles
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.material import balances
from benchmarks.processes import running
from consumers.event_store import Append
from consumers.views import NoViewError
from infra.composition import opened
from infra.event_store.ledger import open_store
from projections.projection import RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench
    from consumers.views import Generation
    from infra.composition import Parts

WRITERS = 16
EVENTS_A_SECOND = 20  # of each writer
WARM_UP_SECONDS = 3.0
LOOK_SECONDS = 0.004
PATIENCE_SECONDS = 60.0


def measure(bench: Bench) -> Iterator[Figure]:
    """Yield percentiles of the time from an append's begin until the view is applied that far."""
    for durable, target_ms in ((False, 105.0), (True, None)):
        server = ", PostgreSQL with fsync" if durable else ""
        what = (
            f"append to visible in a view, {WRITERS} writers of {EVENTS_A_SECOND} events/s, "
            f"cluster{server}"
        )
        bench.say(what)
        percentiles = quantiles(_measured(bench, durable=durable), n=100)
        yield Figure(
            f"{what}, p99", "–", "–", 1000 * percentiles[98], "ms", target_ms, at_most=True
        )
        yield Figure(f"{what}, p50", "–", "–", 1000 * percentiles[49], "ms")


def _measured(bench: Bench, *, durable: bool) -> list[float]:
    with ExitStack() as stack:
        settings = stack.enter_context(bench.postgresql_ledger(kafka=True, durable=durable))
        log = bench.folder / "processes.log"
        for command in ("relay", "project"):
            stack.enter_context(running(settings, log, command))
        parts = stack.enter_context(opened(settings))
        return _delays(parts, _live(parts), bench.size.latency_seconds)


def _live(parts: Parts) -> Generation:
    """Wait until relay and projector work; return the generation that queries read."""
    parts.store.append(Append(records=[*balances("warm", 0, 1)]))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.1)
        with contextlib.suppress(NoViewError):
            live = parts.views.live(RELATIONSHIP.name)
            if _through(parts, live) > 0:
                return live
    message = "relay or projector do not start"
    raise TimeoutError(message)


def _delays(parts: Parts, live: Generation, seconds: float) -> list[float]:
    """Return of each event how long after its append it was visible."""
    appended: list[tuple[int, float]] = []
    begin = time.perf_counter() + 0.5
    end = begin + WARM_UP_SECONDS + seconds
    writers = [
        threading.Thread(target=_write, args=(parts.settings.ledger, n, (begin, end), appended))
        for n in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    seen: list[tuple[int, float]] = []  # the view stood there, at this time
    while any(writer.is_alive() for writer in writers):
        _look(parts, live, seen)
    last = parts.store.position()
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while seen[-1][0] < last:
        assert time.perf_counter() < deadline, f"the view does not reach {last}"
        _look(parts, live, seen)
    looks = iter(seen)
    through, at = next(looks)
    delays = []
    for position, recorded in sorted(appended):
        while through < position:
            through, at = next(looks)
        if recorded >= begin + WARM_UP_SECONDS:
            delays.append(at - recorded)
    return delays


def _look(parts: Parts, live: Generation, seen: list[tuple[int, float]]) -> None:
    through = _through(parts, live)
    if not seen or through > seen[-1][0]:
        seen.append((through, time.perf_counter()))
    time.sleep(LOOK_SECONDS)


def _through(parts: Parts, live: Generation) -> int:
    """Return up to which position every shard of the view is applied."""
    return min(lane.progress.through for lane in parts.views.lanes(live).values())


def _write(
    url: str, number: int, span: tuple[float, float], appended: list[tuple[int, float]]
) -> None:
    """Append an event each 1/20 s; the writers are spread over that time."""
    store = open_store(url)
    pause = 1 / EVENTS_A_SECOND
    due = span[0] + pause * number / WRITERS
    events = 0
    while due < span[1]:
        time.sleep(max(0.0, due - time.perf_counter()))
        batch = Append(records=[*balances(f"W{number:02d}", events, 1)])
        begun = time.perf_counter()
        [position] = store.append(batch)
        appended.append((position, begun))
        events, due = events + 1, due + pause
    store.close()
