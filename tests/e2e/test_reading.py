"""Lists read through the gateway: as a file, only when something has changed, and by somebody who means no good."""

import csv
import io
from urllib.parse import quote

import httpx
import pytest
from tests.conftest import HARBOUR, RIDGE, System

pytestmark = pytest.mark.e2e
PATIENTS = f"/api/v1/patients/{HARBOUR}/patients"
DASHBOARD = f"/api/v1/dashboard/{HARBOUR}"
CONDITIONAL = (
    PATIENTS,
    f"{PATIENTS}?active=all&limit=3",
    f"{PATIENTS}/by-appointment-type/Physio%20%2F%20Rehab%20Review",
    f"{PATIENTS}/appointment-types/summary",
    f"/api/v1/patients/{HARBOUR}/active/summary",
    f"{DASHBOARD}/summary",
    f"{DASHBOARD}/analytics",
    f"{DASHBOARD}/charts?timeframe=90d",
    f"{DASHBOARD}/retention",
)
SOMEBODY = "f1ef3023-1eac-55be-b4a6-cff30ba93542"


def get(system: System, path: str, **headers: str) -> httpx.Response:
    return system.call(
        "GET", path, HARBOUR, role="member", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


@pytest.mark.parametrize("path", CONDITIONAL)
def test_what_a_client_has_already_is_not_sent_again(system: System, path: str) -> None:
    first = get(system, path).raise_for_status()
    again = get(system, path, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "last-modified", "cache-control"):
        assert again.headers[name] == first.headers[name]
    for name in ("x-request-id", "x-ratelimit-remaining"):
        assert again.headers[name]
    assert get(system, path, if_none_match='W/"another"').status_code == 200


def test_a_validator_is_of_no_use_to_another_clinic_or_address(system: System) -> None:
    known = {"if-none-match": get(system, PATIENTS).headers["etag"]}
    foreign = system.call("GET", f"/api/v1/patients/{RIDGE}/patients", RIDGE, headers=known)
    assert foreign.status_code == 200
    assert get(system, f"{PATIENTS}?active=all", if_none_match=known["if-none-match"]).status_code == 200
    assert get(system, PATIENTS, if_none_match=known["if-none-match"], accept="text/csv").status_code == 200
    unsigned = httpx.get(system.url(PATIENTS), headers=known)
    assert unsigned.status_code == 401


@pytest.mark.parametrize("parameters", ["?active=true", "?active=all", "?active=false", "?active=all&search=a"])
def test_a_file_holds_the_list(system: System, parameters: str) -> None:
    listed = get(system, f"{PATIENTS}{parameters}&limit=1000").json()
    file = get(system, f"{PATIENTS}{parameters}", accept="text/csv")
    assert file.headers["content-type"].startswith("text/csv")
    assert file.headers["content-disposition"].startswith(f'attachment; filename="patients-{HARBOUR}-')
    rows = list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))
    assert [row["id"] for row in rows] == [one["id"] for one in listed["patients"]]
    assert len(rows) == listed["total_count"]
    assert get(system, f"{PATIENTS}{parameters}", accept="text/csv", if_none_match=file.headers["etag"]).content == b""


ODD = ("%", "%%", "_", "\\", "'", '"', "\0", "\n", "😀", "\u202e", "\ufeff", "a" * 100, "' OR 1=1 --", "${1}", "*")


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_an_odd_search_is_a_search(system: System, text: str) -> None:
    answer = get(system, f"{PATIENTS}?active=all&limit=1000&search={quote(text, '')}").raise_for_status().json()
    assert answer["total_count"] == len(answer["patients"])
    wanted = text.replace("\0", "").strip().lower()
    for one in answer["patients"]:
        assert any(wanted in (one[key] or "").lower() for key in ("name", "email", "phone")), text
    types = get(system, f"{PATIENTS}/by-appointment-type/{quote(text, '')}")
    assert (types.status_code, types.json()["patients"]) == (200, [])


@pytest.mark.parametrize("text", ["%FF%FE", "%ED%A0%80", "%C0%80", "%", "%zz", "%25", "%2e%2e%2f", "+"])
def test_what_is_no_text_is_looked_for_all_the_same(system: System, text: str) -> None:
    for path in (f"{PATIENTS}?search={text}", f"{PATIENTS}/by-appointment-type/{text}"):
        assert get(system, path).status_code == 200, path


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/patients/{HARBOUR}/%2e%2e/{RIDGE}/patients",
        f"/api/v1/patients/{HARBOUR}%2F..%2F{RIDGE}/patients",
        f"/api/v1/patients/{HARBOUR}/..%2f{RIDGE}/patients",
        f"/api/v1/patients//{RIDGE}/patients",
        f"/api/v1/patients/{RIDGE}%00/patients",
        f"/api/v1/patients/{RIDGE}/patients;{HARBOUR}",
        f"/api/v1/dashboard/{HARBOUR}/%2e%2e/{RIDGE}",
        f"/api/v1/dashboard/{RIDGE}?organization_id={HARBOUR}",
        f"/api/v1/patients/{RIDGE.upper()}/patients",
    ],
)
def test_no_spelling_of_an_address_leads_to_another_clinic(system: System, path: str) -> None:
    answer = get(system, path)
    assert answer.status_code in (400, 403, 404), answer.text
    assert answer.json().keys() >= {"error", "detail", "timestamp", "path"}


REFUSED = (
    f"{PATIENTS}?limit=99999999999999999999",
    f"{PATIENTS}?limit=-1",
    f"{PATIENTS}?limit=1e3",
    f"{PATIENTS}?limit=%00",
    f"{PATIENTS}?active=True%00",
    f"{PATIENTS}?search={'a' * 101}",
    f"{PATIENTS}?cursor={'A' * 4000}",
    f"{PATIENTS}?cursor=%00",
    f"{PATIENTS}?cursor=..%2F..%2Fetc",
    f"{DASHBOARD}?activity_limit=101",
    f"{DASHBOARD}/activity?limit=0",
    f"{DASHBOARD}/analytics?timeframe=30d%00",
    f"{DASHBOARD}/retention?cursor=%00",
    f"{DASHBOARD}/retention?cursor=WzQsIjk5OTktMTItMzFUMjM6NTk6NTkuOTk5OTk5OTk5WiIsIlx1MDAwMCJd",
    f"{DASHBOARD}/retention?risk=high%27",
    f"{PATIENTS}/not-a-uuid/export",
)


@pytest.mark.parametrize("path", REFUSED)
def test_what_makes_no_sense_is_refused_and_not_repeated(system: System, path: str) -> None:
    answer = system.call("GET", path, HARBOUR)
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() >= {"error", "detail", "timestamp", "path", "errors"}
    assert "Traceback" not in answer.text
    assert "A" * 100 not in answer.text


def test_a_cursor_of_another_clinic_leads_nowhere(system: System) -> None:
    theirs = system.get(f"/api/v1/patients/{RIDGE}/patients?limit=1&active=all", RIDGE)["next_cursor"]
    assert get(system, f"{PATIENTS}?cursor={theirs}").status_code == 400
    own = get(system, f"{PATIENTS}?limit=1&active=all").json()["next_cursor"]
    assert get(system, f"{PATIENTS}?limit=1&active=all&cursor={own}").status_code == 200
    for broken in (own[:-4], f"{own[:8]}{'A' * 8}{own[16:]}", own[::-1]):
        assert get(system, f"{PATIENTS}?cursor={quote(broken, '')}").status_code == 400


def test_a_patient_of_another_clinic_reads_as_one_who_is_nowhere(system: System) -> None:
    theirs = system.get(f"/api/v1/patients/{RIDGE}/patients?limit=1&active=all", RIDGE)["patients"][0]["id"]
    answers = []
    for one in (theirs, SOMEBODY):
        for method, path in (("GET", f"{PATIENTS}/{one}/export"), ("DELETE", f"{PATIENTS}/{one}")):
            answer = system.call(method, path, HARBOUR)
            answers.append((answer.status_code, answer.json()["error"], answer.json()["detail"]))
    assert answers[:2] == answers[2:]
    assert {status for status, *_ in answers} == {404}


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/html",
        "text/*;q=0",
        "application/json;q=0.1,*/*;q=0",
        ";;,,=",
        "text/csv;q=nan",
        "text/csv;q=0.1,*/*",
    ],
)
def test_an_odd_wish_for_a_form_gets_json(system: System, accept: str) -> None:
    answer = get(system, PATIENTS, accept=accept)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["patients"]


@pytest.mark.parametrize("path", [PATIENTS, DASHBOARD])
def test_a_part_of_a_list_is_not_to_be_had(system: System, path: str) -> None:
    """Ranges are not offered; the whole is a good answer to who asks for one."""
    answer = get(system, path, range="bytes=0-10", if_range='W/"x"')
    assert (answer.status_code, answer.json()["organization_id"]) == (200, HARBOUR)


@pytest.mark.parametrize("path", [PATIENTS, DASHBOARD])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_another_method_changes_and_tells_nothing(system: System, path: str, method: str) -> None:
    answer = system.call(method, path, HARBOUR)
    assert answer.status_code in ((405, 501) if method != "HEAD" else (200, 405))
    assert "patients" not in (answer.json() if answer.content else {})


def test_a_header_that_says_who_asks_is_believed_of_the_gateway_only(system: System) -> None:
    mine = get(system, PATIENTS).json()["total_count"]
    for name in ("x-routiq-identity", "x-identity", "x-forwarded-user", "x-original-url", "x-http-method-override"):
        answer = get(system, PATIENTS, **{name: RIDGE})
        assert (answer.status_code, answer.json()["total_count"]) == (200, mine)
    direct = f"http://127.0.0.1:{system.environment['PATIENTS_PORT']}{PATIENTS}"
    assert httpx.get(direct, headers={"authorization": f"Bearer {system.token(HARBOUR)}"}).status_code == 401
