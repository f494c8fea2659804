from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = (
    "What is recorded",
    "One customer",
    "On track",
    "At risk",
    "Missed",
    "Referrals",
    "What to try next",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("columns", [80, 120])
def test_the_demo_fits_the_terminal_and_what_it_suggests_works(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    answer = guanxi("demo")
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    headings = [line for line in lines if "───" in line and " · " in line]
    assert [line.partition(" · ")[0] for line in headings] == list(SECTIONS)
    shown, suggested = answer.out.split("What to try next")
    assert all(len(line) <= columns for line in shown.splitlines())
    assert "breached" in shown
    assert "└──" in shown
    (export,) = re.findall(r"^export GUANXI_LEDGER=(.+)$", suggested, re.MULTILINE)
    monkeypatch.setenv("GUANXI_LEDGER", shlex.split(export)[0])
    commands = re.findall(r"^guanxi (.+)$", suggested, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        if command != "serve":
            assert guanxi(*shlex.split(command)).status == 0, command


def test_the_demo_for_a_program_is_one_document() -> None:
    answer = guanxi("demo", "--json")
    found = answer.document()
    assert (found["customer"], found["best_referrer"]) == ("GX-001", "GX-001")
    assert set(found["commitments"]) == {"On track", "At risk", "Missed"}
    assert "What to try next" in answer.err


def test_colour_says_nothing_that_words_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = guanxi("demo").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = guanxi("demo").out
    assert "\x1b[" in coloured
    told = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", coloured)
    for section in SECTIONS:
        assert section in told
    assert "at risk" in plain
    assert "at risk" in told
