"""A quarter of the Berka feed closed day by day, whole and killed at random moments."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from infra.cli.settings import Settings
from infra.closes import closes_of
from infra.composition import make_ledger, opened
from infra.feeds.ingest import ingest
from projections.deposit_compliance import begun
from tests.berka import FEED, berka, needs_berka
from tests.closing_ledger import close, identities
from tests.surfaces.cli import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

    from domain.compliance import WindowResult
    from infra.composition import Parts
    from projections.facts import Report

pytestmark = [pytest.mark.slow, needs_berka, pytest.mark.timeout(900)]

FIRST, LAST = date(1993, 10, 1), date(1993, 12, 31)
KILLS = 12
SEED = 19_931_001


def settings_of(folder: Path) -> Settings:
    return Settings(ledger=f"sqlite:{folder / 'ledger.db'}")


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that has taken the feed. For reading: copy it to write."""
    folder = tmp_path_factory.mktemp("fed")
    make_ledger(settings_of(folder), partitions=12, topic_prefix="guanxi")
    with opened(settings_of(folder)) as parts:
        assert ingest(FEED, parts.ledger(), folder / "rejects.csv").exit_status == 0
        parts.catch_up()
        with parts.store.database.connection() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


@pytest.fixture(scope="module")
def closed(fed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same ledger, the quarter closed by one run."""
    folder = tmp_path_factory.mktemp("closed") / "ledger"
    shutil.copytree(fed, folder)
    with opened(settings_of(folder)) as parts:
        assert len(close(parts, FIRST, LAST)) == 92
        parts.catch_up()
    return folder


def figures(of: Report | WindowResult) -> tuple[object, ...]:
    return (
        of.window_end,
        of.balance_days,
        of.required_days,
        of.shortfall,
    )


def test_reports_are_what_compliance_says_as_of_each_date(closed: Path) -> None:
    with opened(settings_of(closed)) as parts:
        reported = dict(parts.views.rows("compliance", kinds=["tested"]))
    assert len(reported) > 2_000
    by_id = {id_: row for (_, _, id_), row in reported.items()}
    compared = 0
    for days in (*range(0, 92, 9), 91):
        on = FIRST + timedelta(days)
        for commitment_id in berka().commitments:
            for known in begun(berka(), commitment_id, on):
                id_ = f"{commitment_id}/{known.window_start}"
                reports = [r for r in getattr(by_id.get(id_), "reports", ()) if r.tested_on <= on]
                assert bool(reports) == (known.window_end <= on), id_
                if reports:
                    assert reports[-1].outcome == known.status, (id_, on)
                    assert reports[-1].cured_on == known.cured_on
                    assert figures(reports[-1]) == figures(known)
                    compared += 1
    assert compared > 10_000


def test_a_close_killed_at_random_moments_ends_as_one_that_was_not(
    fed: Path, closed: Path, tmp_path: Path
) -> None:
    chance = random.Random(SEED)  # noqa: S311  # reproducible
    folder = tmp_path / "killed"
    shutil.copytree(fed, folder)
    words = ("close", str(FIRST), "--through", str(LAST), "--ledger", settings_of(folder).ledger)
    kills = 0
    while True:
        with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.DEVNULL) as process:
            if kills < KILLS:
                before = position(folder)
                while process.poll() is None and position(folder) == before:
                    time.sleep(0.01)
                time.sleep(chance.uniform(0, 0.6))
                process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
            kills += 1
    assert kills >= KILLS // 2
    with opened(settings_of(folder)) as parts, opened(settings_of(closed)) as whole:
        assert closes_of(parts.store).finished == LAST
        assert identities(parts) == identities(whole)
        assert digest(parts) == digest(whole)


def position(folder: Path) -> int:
    with opened(settings_of(folder)) as parts:
        return parts.store.position()


def digest(parts: Parts) -> str:
    parts.catch_up()
    return parts.views.digest(parts.views.live("compliance")).sha256
