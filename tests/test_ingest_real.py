"""The two real feeds whole, and ingest killed in their middle."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.feeds.ingest import ingest
from infra.feeds.report import ALL_TAKEN
from tests.write_side import events, ledger_at, make_ledger, new_ledger

if TYPE_CHECKING:
    from infra.ledger import Ledger

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("GUANXI_FEEDS", ROOT.parent / "shared" / "data"))
BALANCES = 30_000  # of 163,085, of the feed whose ingest is killed
CHILD = """
import sys
from pathlib import Path
from infra.feeds.ingest import ingest
from tests.write_side import ledger_at
with ledger_at(sys.argv[1]) as ledger:
    report = ingest(Path(sys.argv[2]), ledger, Path(sys.argv[3]))
sys.exit(report.exit_status)
"""


def feed(name: str) -> Path:
    directory = DATA / name
    if not directory.is_dir():
        pytest.skip(f"the feed {name} is not there: GUANXI_FEEDS names the folder of feeds")
    return directory


def rows_of(directory: Path) -> int:
    rows = 0
    for path in directory.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows += sum(1 for _ in csv.DictReader(file))
    return rows


@pytest.mark.parametrize("name", ["berka", "bank-marketing"])
def test_a_real_feed_is_taken_whole(name: str, tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        report = ingest(feed(name), ledger, tmp_path / "rejects.csv")
        assert report.exit_status == ALL_TAKEN
        assert ledger.store.position() == rows_of(feed(name))
        assert all(file.taken_before for file in ingest(feed(name), ledger, tmp_path / "r").files)


@pytest.mark.cluster
def test_a_real_feed_is_taken_whole_by_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    make_ledger(postgresql_url)
    with ledger_at(postgresql_url) as ledger:
        assert ingest(feed("berka"), ledger, tmp_path / "r").exit_status == ALL_TAKEN
        assert ledger.store.position() == rows_of(feed("berka"))
        assert all(
            file.taken_before for file in ingest(feed("berka"), ledger, tmp_path / "r").files
        )


def part_of_berka(folder: Path) -> Path:
    directory = folder / "feed"
    shutil.copytree(feed("berka"), directory)
    balances = directory / "balances.csv"
    with balances.open("rb") as file:
        lines = [next(file) for _ in range(BALANCES + 1)]
    balances.chmod(0o600)
    balances.write_bytes(b"".join(lines))
    return directory


def kill_at(position: int, ledger: Ledger, arguments: list[str]) -> bool:
    """Run an ingest and kill it once the ledger is past a position; was it there to kill?"""
    child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], cwd=ROOT)
    while child.poll() is None and ledger.store.position() < position:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


def test_an_ingest_killed_again_and_again_records_everything_once(tmp_path: Path) -> None:
    directory = part_of_berka(tmp_path)
    whole = tmp_path / "whole"
    whole.mkdir()
    with new_ledger(whole) as ledger:
        assert ingest(directory, ledger, tmp_path / "rejects.csv").exit_status == ALL_TAKEN
        expected = events(ledger)
    url = f"sqlite:{tmp_path / 'killed.db'}"
    make_ledger(url)
    arguments = [url, str(directory), str(tmp_path / "rejects.csv")]
    chance = random.Random(3)  # noqa: S311 - a seed, no secret
    with ledger_at(url) as ledger:
        places = sorted(chance.sample(range(1, len(expected)), 5))
        killed = [kill_at(place, ledger, arguments) for place in places]
        assert any(killed)
        subprocess.run([sys.executable, "-c", CHILD, *arguments], cwd=ROOT, check=True)
        assert events(ledger) == expected
