"""What is documented works: the README's commands, the alarms' metrics, the links."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from infra.cli.main import MODULES
from infra.contract.surfaces import coded_errors, errors_page
from infra.metrics import SPECS
from tests.surfaces.cli import guanxi

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_the_commands_of_the_readme_work_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "infra" / "demo", tmp_path / "infra" / "demo")
    monkeypatch.setenv("GUANXI_LEDGER", "sqlite:my.db")
    assert "export GUANXI_LEDGER=sqlite:my.db\n" in README
    commands = re.findall(r"^guanxi .+$", README, re.MULTILINE)
    assert len(commands) >= 8
    for command in commands:
        answer = guanxi(*shlex.split(command)[1:])
        assert answer.status == 0, f"{command}: {answer.err}"
        assert answer.out
    assert not (tmp_path / "rejects.csv").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_every_metric_of_an_alarm_is_there() -> None:
    told = set(re.findall(r"`(guanxi_\w+)", OPERATIONS))
    assert told
    assert told <= {spec.name for spec in SPECS}


def test_every_command_that_the_pages_name_is_there() -> None:
    for page in (README, OPERATIONS):
        named = set(re.findall(r"`guanxi ([a-z]+)", page))
        assert named
        assert named <= set(MODULES)


def test_every_code_is_on_the_page_of_errors() -> None:
    page = errors_page()
    codes = {error.code for error in coded_errors()}
    assert len(codes) > 80
    assert [code for code in codes if f"| `{code}` |" not in page] == []


def test_every_code_that_a_feed_can_give_is_on_the_page_of_errors() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "infra" / "feeds").glob("*.py")]
    pattern = r"(?:code=|raw, |code = |else |reject\(1, )\"([a-z]+(?:-[a-z]+)+)\""
    codes = {code for source in sources for code in re.findall(pattern, source)}
    assert len(codes) >= 9
    page = errors_page()
    assert [code for code in codes if f"| `{code}` |" not in page] == []
