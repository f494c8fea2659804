"""What became of a finding, as of a date."""

from __future__ import annotations

from itertools import permutations

import pytest

from projections.facts import Disposed, Finding, FindingStatus
from projections.findings import assigned_at, status_at
from tests.books import day

ASSIGNED = Disposed(day(8), "assigned", "CO-1")


def finding(*dispositions: Disposed) -> Finding:
    return Finding(
        raised_on=day(1),
        offended_on=day(0),
        pack="cn",
        rule="CN-01",
        rule_version=2,
        severity="high",
        facts=("draw:D1",),
        detail="more",
        dispositions=dispositions,
    )


@pytest.mark.parametrize("status", ["justified", "remediated", "reported"])
def test_a_finding_that_was_dealt_with_is_so_whoever_it_is_assigned_to_later(
    status: FindingStatus,
) -> None:
    for since in (day(5), day(8)):
        done = Disposed(since, status, "CO-1")
        for told in permutations((done, ASSIGNED)):
            assert status_at(finding(*told), day(8)) == status
            assert assigned_at(finding(*told), day(8)) == "CO-1"


def test_until_it_is_dealt_with_a_finding_is_open_or_assigned() -> None:
    done = Disposed(day(9), "remediated", "CO-1")
    told = finding(done, ASSIGNED)
    assert [status_at(told, day(n)) for n in (7, 8, 9)] == ["open", "assigned", "remediated"]


def test_of_what_was_done_the_latest_counts_and_of_one_day_the_last_told() -> None:
    reported = Disposed(day(6), "reported", "CO-1")
    justified = Disposed(day(5), "justified", "CO-1")
    assert status_at(finding(reported, justified), day(9)) == "reported"
    same_day = Disposed(day(6), "remediated", "CO-1")
    assert status_at(finding(reported, same_day), day(9)) == "remediated"
    assert status_at(finding(same_day, reported), day(9)) == "reported"
