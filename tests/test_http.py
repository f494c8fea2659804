"""The routes, asked in this process: answers as documented for good input and for bad."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry

from infra.cli.settings import Settings
from infra.commands import FORMS
from infra.composition import opened
from infra.http.application import application
from infra.http.ledger_totals import LedgerTotals
from infra.http.served import Served
from infra.observers import ServedMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx import Response

    from infra.composition import Parts

KEY = {"Idempotency-Key": "told-1"}
CUSTOMER = {
    "customer_id": "C1",
    "name": "王小明",
    "kind": "person",
    "segment": "retail",
    "branch": "D1",
    "manager": "RM-1",
    "opened_on": "1993-02-20",
}
OPEN = "/commands/open-relationship"
# Of each documented path: what to ask for, and what is not there.
QUERIES = {
    "/relationships/{customer_id}": ("GX-001", "NOBODY"),
    "/relationships/{customer_id}/timeline": ("GX-001", "NOBODY"),
    "/commitments/{commitment_id}": ("GC-003", "NOTHING"),
    "/compliance": ("", None),
    "/closes": ("", None),
    "/circles": ("", None),
    "/findings": ("", None),
    "/agenda": ("", None),
    "/network/leaders": ("", None),
    "/network/figures": ("", None),
    "/network/bursts": ("", None),
    "/network/contagion": ("", None),
    "/circles/groups": ("", None),
    "/circles/joint-liability-groups": ("", None),
    "/guarantees/{customer_id}/loss-walk": ("GX-001", "NOBODY"),
    "/partners": ("", None),
    "/rewards": ("", None),
    "/attribution/{customer_id}": ("GX-002", "NOBODY"),
    "/network/{customer_id}": ("GX-001", "NOBODY"),
}
BAD_PARAMETERS = (
    "as_of=1993-13-01",
    "as_of=19930131",
    "as_of=1707523200",
    "known_at=2024",
    "known_at=1993-01-01T00:00:00",
    "min_position=-1",
    "customer=C1",  # of no path: it would be answered for everybody
)


@contextmanager
def copy_of(ledger: Path, folder: Path) -> Iterator[Parts]:
    shutil.copytree(ledger.parent, folder / "copy")
    with opened(Settings(ledger=f"sqlite:{folder / 'copy' / ledger.name}")) as found:
        yield found


def client_of(parts: Parts) -> TestClient:
    registry, served = CollectorRegistry(), Served()
    observer = ServedMetrics(registry)
    registry.register(LedgerTotals(parts))
    served.open(parts, parts.ledger(on_append=observer.appended))
    return TestClient(application(served, registry), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def asking(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One client for all who only ask: its routes take longer to make than to answer."""
    with copy_of(demo_ledger, tmp_path_factory.mktemp("asked")) as parts:
        yield client_of(parts)


@pytest.fixture
def parts(demo_ledger: Path, tmp_path: Path) -> Iterator[Parts]:
    with copy_of(demo_ledger, tmp_path) as found:
        yield found


@pytest.fixture
def client(parts: Parts) -> TestClient:
    """A client of this test's own, that may tell."""
    return client_of(parts)


@cache
def openapi() -> dict[str, Any]:
    app = application(Served(), CollectorRegistry())
    found: dict[str, Any] = TestClient(app).get("/openapi.json").json()
    return found


def documented(path: str, method: str, answer: Response) -> None:
    """Hold an answer to what `/openapi.json` says of it."""
    contract = openapi()
    responses = contract["paths"][path][method]["responses"]
    status = str(answer.status_code)
    found = responses.get(status) or responses[f"{status[0]}XX"]
    (media_type,) = found["content"]
    assert answer.headers["content-type"] == media_type
    schema = found["content"][media_type]["schema"]
    Draft202012Validator({**schema, "components": contract["components"]}).validate(answer.json())


def problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    """Hold an error to RFC 9457, and return it."""
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code)
    assert found["type"] == f"urn:guanxi:error:{code}"
    assert found["title"]
    assert found["detail"]
    return found


def test_every_query_that_is_documented_is_asked_here() -> None:
    gets = {path: item["get"] for path, item in openapi()["paths"].items() if "get" in item}
    assert {path for path, told in gets.items() if told["tags"] == ["queries"]} == set(QUERIES)


@pytest.mark.parametrize("path", QUERIES)
def test_a_query_answers_as_documented(asking: TestClient, path: str) -> None:
    id_, unknown = QUERIES[path]
    url = path.format(customer_id=id_, commitment_id=id_)
    for query in ("", "?as_of=1993-02-01", "?known_at=2999-01-01T00:00:00Z", "?min_position=1"):
        answer = asking.get(url + query)
        assert answer.status_code == 200, answer.text
        documented(path, "get", answer)
    for query in BAD_PARAMETERS:
        answer = asking.get(f"{url}?{query}")
        name, _, value = query.partition("=")
        told = problem(answer, 400, "bad-parameter")
        assert told["field"] == name
        assert name == "customer" or repr(value) in told["detail"]
        documented(path, "get", answer)
    if unknown is not None:
        answer = asking.get(path.format(customer_id=unknown, commitment_id=unknown))
        problem(answer, 404, "not-found")
        documented(path, "get", answer)


@pytest.mark.parametrize("path", ["/agenda", "/network/leaders"])
def test_rules_that_cannot_be_used_any_more_are_told_with_what_is_wrong(
    asking: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUANXI_RULES", "nothing")
    found = problem(asking.get(path), 500, "bad-rules")
    assert found["detail"].startswith("GUANXI_RULES names no folder of rules")
    assert "nothing" in found["detail"]


def test_an_agenda_says_what_it_has_to_do_without(asking: TestClient) -> None:
    unknown = ["festivals not known: festivals.toml has those of 1900 to 2100"]
    for as_of, warnings in (("1993-02-01", []), ("2150-01-01", unknown)):
        answer = asking.get(f"/agenda?as_of={as_of}")
        documented("/agenda", "get", answer)
        assert answer.json()["warnings"] == warnings


def test_an_agenda_without_the_keys_says_that_it_has_no_birthdays(
    client: TestClient, tmp_path: Path
) -> None:
    [keys] = (tmp_path / "copy").glob("*.keys")
    keys.rename(tmp_path / "away")
    answer = client.get("/agenda?as_of=1993-02-01").json()
    assert answer["warnings"] == ["birthdays not known: the keys are not at hand"]


def test_a_page_of_windows_leads_to_the_next(asking: TestClient) -> None:
    everything = asking.get("/compliance").json()
    assert everything["next"] is None
    windows, after = [], ""
    while after is not None:
        page = asking.get("/compliance", params={"limit": 10, "after": after}).json()
        windows += page["windows"]
        after = page["next"]
    assert windows == everything["windows"]
    breached = asking.get("/compliance?status=breached").json()["windows"]
    assert breached == [each for each in windows if each["status"] == "breached"]


def test_leaders_come_best_first(asking: TestClient) -> None:
    found = asking.get("/network/leaders?by=conversions&limit=2").json()["leaders"]
    assert [each["customer_id"] for each in found] == ["GX-001", "GX-004"]
    problem(asking.get("/network/leaders?by=charm"), 400, "bad-parameter")


def test_a_timeline_ends_with_its_date_and_keeps_personal_fields_sealed(
    asking: TestClient,
) -> None:
    found = asking.get("/relationships/GX-001/timeline?as_of=1993-01-10").json()["events"]
    assert found[0]["data"]["name"] == "(sealed)"
    assert max(each["occurred_on"] for each in found) <= "1993-01-10"


@pytest.mark.parametrize("name", FORMS)
def test_every_command_is_a_route_with_its_columns(name: str) -> None:
    path = f"/commands/{name}"
    told = openapi()["paths"][path]["post"]
    schema = told["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) <= set(FORMS[name].required) <= set(schema["properties"])
    assert set(told["responses"]) == {"200", "201", "400", "409", "422", "503"}


def test_a_command_told_twice_is_recorded_once_and_read_at_its_position(
    client: TestClient, parts: Parts
) -> None:
    first = client.post(OPEN, headers=KEY, json=CUSTOMER)
    again = client.post(OPEN, headers=KEY, json=CUSTOMER)
    for answer in (first, again):
        documented(OPEN, "post", answer)
    assert (first.status_code, again.status_code) == (201, 200)
    position = first.json()["position"]
    assert again.json() == {
        "command": "open-relationship",
        "position": position,
        "recorded": False,
    }
    parts.catch_up()
    assert client.get(f"/relationships/C1?min_position={position}").status_code == 200
    events = client.get("/relationships/C1/timeline").json()["events"]
    assert [(each["actor"], each["source"]) for each in events] == [("api", "api")]


def test_a_command_that_is_wrong_is_told_so(client: TestClient) -> None:
    for answer, status, code in (
        (client.post(OPEN, json=CUSTOMER), 400, "idempotency-key-missing"),
        (client.post(OPEN, headers=KEY, content="{"), 400, "bad-parameter"),
        (client.post(OPEN, headers=KEY, json=[1]), 400, "bad-parameter"),
        (client.post(OPEN, headers=KEY, json={**CUSTOMER, "kind": "cat"}), 422, "bad-choice"),
        (client.post("/commands/gossip", headers=KEY, json={}), 404, "not-found"),
    ):
        problem(answer, status, code)
        if answer.request.url.path == OPEN:
            documented(OPEN, "post", answer)
    headers = {**KEY, "Content-Type": "application/json"}
    broken = problem(client.post(OPEN, headers=headers, content='{"a": }'), 400, "bad-parameter")
    assert broken["field"] == "body"
    assert broken["detail"] == "body: no JSON at character 6: Expecting value"
    assert client.post(OPEN, headers=KEY, json=CUSTOMER).status_code == 201
    conflict = client.post(OPEN, headers=KEY, json={**CUSTOMER, "customer_id": "C2"})
    problem(conflict, 409, "conflict")
    documented(OPEN, "post", conflict)


def test_a_view_that_is_behind_says_when_to_try_again(
    asking: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.http.questions.MIN_POSITION_WAIT_SECONDS", 0.05)
    answer = asking.get("/relationships/GX-001?min_position=999999")
    problem(answer, 503, "not-applied-yet")
    assert answer.headers["retry-after"] == "2"


def test_no_route_and_no_method_are_problems_too(asking: TestClient) -> None:
    problem(asking.get("/gossip"), 404, "http-error")
    problem(asking.delete("/compliance"), 405, "http-error")


def test_until_the_ledger_is_open_every_answer_is_503(parts: Parts) -> None:
    served = Served()
    client = TestClient(application(served, CollectorRegistry()))
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "waiting", "waits_for": ["the ledger"]}
    assert client.get("/readyz").status_code == 503
    problem(client.get("/relationships/GX-001"), 503, "not-ready")
    problem(client.post(OPEN, headers=KEY, json=CUSTOMER), 503, "not-ready")
    assert client.get("/metrics").status_code == 200
    served.open(parts, parts.ledger())
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/relationships/GX-001").status_code == 200
