from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from consumers.views import Change, Waiting
from infra.cli.settings import Settings
from infra.clock import wall_clock
from infra.codec import canonical
from infra.composition import opened
from infra.key_folder import make_keys
from projections.projection import NETWORK, PROJECTIONS
from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
    from pathlib import Path

VIEW, CUSTOMER = NETWORK.name, "GX-001"


@pytest.fixture(autouse=True)
def ledger(demo_ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of the demo's ledger, to write into."""
    shutil.copytree(demo_ledger.parent, tmp_path / "copy")
    url = f"sqlite:{tmp_path / 'copy' / demo_ledger.name}"
    monkeypatch.setenv("GUANXI_LEDGER", url)
    return url


@pytest.fixture
def parked(ledger: str) -> int:
    """The position of an event that a projector could not apply: it is parked."""
    with opened(Settings(ledger=ledger)) as parts:
        told = parts.store.read_customers([CUSTOMER])
        first = next(each for each in told if each.type == "contact-recorded")
        live = parts.views.live(VIEW)
        (lane,) = parts.views.lanes(live).values()
        waiting = Waiting(
            CUSTOMER,
            first.position,
            0,
            canonical(first),
            "unreadable",
            "told by a test",
            wall_clock(),
        )
        change = Change(shard=0, revision=lane.revision, progress=lane.progress, park=[waiting])
        parts.views.commit(live, [change])
        return first.position


def test_nothing_is_parked_in_a_sound_ledger() -> None:
    assert guanxi("parked", "list", "--json").document() == {"parked": []}
    assert guanxi("parked", "list").out == "Nothing is parked.\n"


def test_what_is_parked_is_listed_and_counted(parked: int) -> None:
    (found,) = guanxi("parked", "list", "--json").document()["parked"]
    assert (found["projection"], found["customer_id"]) == (VIEW, CUSTOMER)
    assert (found["position"], found["code"]) == (parked, "unreadable")
    shown = guanxi("parked", "list").out
    assert CUSTOMER in shown
    status = guanxi("status", "--json", "--digests").document()["projections"][VIEW]
    assert (status["parked_keys"], status["digest"]) == (1, None)


def test_a_parked_event_is_retried(parked: int) -> None:
    done = guanxi("parked", "retry", VIEW, CUSTOMER, "--why", "mended", "--json")
    assert done.document()["still_parked"] == 0, parked
    assert guanxi("parked", "list", "--json").document() == {"parked": []}


def test_a_parked_event_is_dropped_for_good_and_counted_as_skipped(
    parked: int, ledger: str
) -> None:
    assert guanxi("parked", "drop", VIEW, CUSTOMER).status == 2  # it needs a reason
    done = guanxi("parked", "drop", VIEW, CUSTOMER, "--why", "a test", "--all", "--json")
    assert done.document()["still_parked"] == 0
    with opened(Settings(ledger=ledger)) as parts:
        assert parts.views.dropped(VIEW) == {parked}
        assert parts.views.deals(VIEW)[-1].why == "a test"


def test_rebuilt_views_have_the_digests_they_had() -> None:
    before = guanxi("status", "--digests", "--json").document()["projections"]
    one = guanxi("rebuild", VIEW, "--json").document()
    assert one == {"rebuilt": {VIEW: before[VIEW]["position"]}}
    every = guanxi("rebuild")
    assert every.status == 0
    assert every.out.count("built afresh") == len(PROJECTIONS)
    after = guanxi("status", "--digests", "--json").document()["projections"]
    assert after == before


def test_a_schema_is_that_of_the_newest_version_or_the_whole_contract() -> None:
    assert guanxi("schema", "loan-drawn").document()["title"].startswith("loan-drawn, version")
    assert guanxi("schema").document()["asyncapi"].startswith("3.")
    assert json.loads(guanxi("--json", "schema", "loan-drawn").out)


def test_status_warns_of_keys_that_are_missing_or_another_ledger_s(
    ledger: str, tmp_path: Path
) -> None:
    sound = guanxi("status", "--json")
    assert sound.err == ""
    keys = tmp_path / "copy" / f"{ledger.rpartition('/')[2]}.keys"
    keys.rename(tmp_path / "away")
    missing = guanxi("status", "--json")
    assert missing.err.startswith("guanxi: warning: keys-missing: ")
    make_keys(keys)
    other = guanxi("status")
    assert other.err.startswith("guanxi: warning: keys-mismatch: ")
    assert (missing.status, missing.document()) == (0, sound.document())
    assert other.status == 0
