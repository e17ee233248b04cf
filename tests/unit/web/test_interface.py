"""The interface: what it tells, one shape of errors, and no body that makes it stumble."""

import io
import json
import string
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave.errors import SetupError
from enclave.web import application
from enclave.web.api import MOST_BYTES
from enclave.wiring.house import open_house
from tests.lib.house_kit import log_lines, made_house
from tests.lib.web_app import Answer, Asker, services_of
from tests.lib.web_house import INSIDE, OUTSIDE, PROJECT

Fresh = Callable[[], Asker]
KNOWN = {400, 401, 403, 404, 405, 409, 423}


def well_shaped(answer: Answer) -> bool:
    """Whether an answer is a success, or an error of the one shape."""
    if answer.status < 400:
        return True
    error = answer.json
    return (
        answer.status in KNOWN
        and set(error) == {"error"}
        and set(error["error"]) == {"code", "message"}
        and error["error"]["code"].replace("_", "").isupper()
        and len(error["error"]["message"]) > 10
    )


def test_who_one_is(reader: Asker) -> None:
    told = reader.api("GET", "me", "checker.one", headers={"Accept-Language": "fr"}).json
    assert told == {
        "account": "checker.one",
        "person": "checker.one",
        "roles": ["output_checker"],
        "projects": [],
        "trained_until": "2099-12-31",
        "language": "fr",
    }


def test_a_project_in_words_that_a_program_can_use(reader: Asker) -> None:
    told = reader.api("GET", f"projects/{PROJECT}", "analyst.one").json
    assert told["may"] == ["tables", "request_outside"]
    assert (told["state"], told["synthetic"], told["threshold"]) == ("open", True, 5)
    assert told["numbers"] == {"decision": "17/17", "dossier": "SCSZG/17/059"}
    assert [table["id"] for table in told["tables"]] == ["t1", "t3"]
    assert told["periods"] == ["2009-Q2", "2009-Q3", "2009-Q4", "2010-Q1"]
    position = next(one for one in told["variables"] if one["id"] == "position")
    assert set(position["codes"][0]) == {"code", "parent", "label", "valid_from", "valid_to"}
    assert set(told["title"]) == set(told["marks"][0]["meaning"]) == {"nl", "fr", "en"}
    assert reader.api("GET", f"projects/{PROJECT}", "staff.one").json["may"] == [
        "microdata",
        "tables",
        "request_inside",
    ]


def arrow(answer: Answer) -> pa.Table:
    assert answer.status == 200, answer.text
    return pa.ipc.open_stream(io.BytesIO(answer.body)).read_all()


def test_coded_data_come_with_codes_as_words_and_the_opening_is_logged(reader: Asker) -> None:
    data = arrow(reader.api("GET", f"projects/{PROJECT}/data/2009-Q2", "staff.one"))
    assert data.column_names[0] == "person"
    assert set(data["sex"].to_pylist()) == {"M", "F"}
    assert pa.types.is_dictionary(data.schema.field("position").type)
    lines = log_lines(reader.services.house.settings.root)
    assert any('"actor":"staff.one"' in line and "microdata opened by person" in line for line in lines)
    assert reader.api("GET", f"projects/{PROJECT}/data/2019-Q2", "staff.one").status == 404


def test_a_released_table_comes_as_it_was_published(reader: Asker) -> None:
    table = arrow(reader.api("GET", f"projects/{PROJECT}/tables/t3", "analyst.one"))
    status = reader.services.desk.status("analyst.one", INSIDE)
    (released,) = [one for one in reader.services.desk.tables("analyst.one", status).tables if one.spec.id == "t3"]
    assert table.column_names[-5:] == ["TIME_PERIOD", "UNIT", "OBS_VALUE", "CONF_STATUS", "OBS_STATUS"]
    hidden = [row for row in table.to_pylist() if row["CONF_STATUS"] == "C"]
    assert len(hidden) == int((~released.shown).sum()) > 0
    assert all(row["OBS_VALUE"] is None for row in hidden)
    assert table["OBS_VALUE"].null_count == len(hidden)
    assert sum(value or 0 for value in table["OBS_VALUE"].to_pylist()) == int(released.values.sum())
    assert reader.api("GET", f"projects/{PROJECT}/tables/t9", "analyst.one").code == "UNKNOWN_TABLE"


def test_a_request_as_its_reader_may_see_it(reader: Asker) -> None:
    told = reader.api("GET", f"requests/{INSIDE}", "analyst.one").json
    assert set(told) == {
        *("id", "project", "stage", "state", "title", "purpose", "turn", "author"),
        *("votes", "remarks", "release", "published"),
    }
    assert (told["state"], told["published"], len(told["votes"])) == ("released", True, 2)
    assert {one["id"] for one in reader.api("GET", "requests", "analyst.one").json} == {INSIDE, OUTSIDE}
    assert reader.api("GET", "requests", "analyst.else").json == []


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"projects/{PROJECT}/requests", b"{", 400, "BAD_JSON"),
        (f"projects/{PROJECT}/requests", b"[" * 50_000, 400, "BAD_JSON"),
        (f"projects/{PROJECT}/requests", b'{"stage": "inside", "stage": "outside"}', 400, "BAD_JSON"),
        (f"projects/{PROJECT}/requests", {"stage": "inside", "purpose": "p", "more": 1}, 400, "BAD_JSON"),
        (f"projects/{PROJECT}/requests", {"stage": "inside", "purpose": 5}, 400, "BAD_TEXT"),
        (f"projects/{PROJECT}/requests", {"stage": "outside", "purpose": "\ud800"}, 400, "BAD_TEXT"),
        (f"projects/{PROJECT}/requests", {"stage": "elsewhere", "purpose": "p"}, 400, "BAD_STAGE"),
        (f"projects/{PROJECT}/requests", {"stage": "outside", "purpose": "p", "results": []}, 400, "BAD_STAGE"),
        (f"projects/{PROJECT}/requests", {"stage": "outside", "purpose": "p", "results": [{}]}, 400, "DERIVATION_TEXT"),
        (f"projects/{PROJECT}/requests", b" " * (MOST_BYTES + 1), 400, "BODY_TOO_LARGE"),
        ("requests/nothing/submit", None, 404, "UNKNOWN_REQUEST"),
        (f"requests/{OUTSIDE}/submit", None, 409, "BAD_TRANSITION"),
        ("projects/advice-17-17-1999/requests", {"stage": "outside", "purpose": "p"}, 403, "OTHER_PROJECT"),
    ],
)
def test_what_cannot_be_taken_is_answered_with_a_code(
    reader: Asker, path: str, body: Any, status: int, code: str
) -> None:
    answer = reader.api("POST", path, "analyst.one", body=body)
    assert well_shaped(answer), answer.text
    assert (answer.status, answer.code) == (status, code)


def test_a_project_that_does_not_exist(reader: Asker) -> None:
    for project in ("advice-99-99-2016", "house-2016"):
        assert reader.api("GET", f"projects/{project}", "checker.one", project=project).code == "UNKNOWN_PROJECT"
    project = "advice-99-99-2016"
    assert reader.api("GET", f"projects/{project}", "analyst.one", project=project).status == 403


TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
DECLARED = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXTS,
        "title": st.fixed_dictionaries({"nl": TEXTS, "fr": TEXTS, "en": TEXTS}) | JSON,
        "kind": st.sampled_from(["sum", "share", "change"]) | TEXTS,
        "table": TEXTS,
        "select": st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2), max_size=2) | JSON,
        "denominator": JSON,
        "lag": JSON,
        "decimals": JSON,
    },
)
BODIES = (
    st.binary(max_size=40)
    | JSON
    | st.fixed_dictionaries(
        {"stage": st.sampled_from(["inside", "outside"]) | JSON, "purpose": TEXTS | JSON},
        optional={"results": st.lists(DECLARED, max_size=3) | JSON},
    )
)
NAMES = st.text(string.ascii_letters + string.digits + "-._~%", min_size=1, max_size=20) | st.sampled_from(
    [PROJECT, INSIDE, OUTSIDE, "t1", "2009-Q2"]
)
PATHS = st.one_of(
    st.just("me"),
    st.just("requests"),
    st.builds("projects/{}".format, NAMES),
    st.builds("projects/{}/data/{}".format, NAMES, NAMES),
    st.builds("projects/{}/tables/{}".format, NAMES, NAMES),
    st.builds("projects/{}/requests".format, NAMES),
    st.builds("requests/{}".format, NAMES),
    st.builds("requests/{}/{}".format, NAMES, st.sampled_from(["submit", "withdraw", "vote"])),
    st.builds("jobs/{}".format, NAMES),
    NAMES,
)
ACCOUNTS = st.sampled_from(["staff.one", "analyst.else", "checker.one", "steward.one", "auditor.one"])


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    path=PATHS,
    account=ACCOUNTS,
    sent=st.tuples(BODIES, st.text(string.printable.strip(), max_size=120)),
)
def test_nothing_makes_it_stumble(reader: Asker, method: str, path: str, account: str, sent: tuple[Any, str]) -> None:
    body, key = sent
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = reader.api(method, path, account, body=None if method == "GET" else data, headers={"Idempotency-Key": key})
    assert well_shaped(answer), (answer.status, answer.text)


def test_only_houses_for_made_up_data_are_served(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "house"
    made_house(root)
    described = json.loads((root / "house.json").read_text(encoding="utf-8")) | {"synthetic": False}
    (root / "house.json").write_text(json.dumps(described), encoding="utf-8")
    with open_house(root) as house:
        with pytest.raises(SetupError, match="NOT_SYNTHETIC"):
            application.application(services_of(house))
        with pytest.raises(SetupError, match="only houses for made-up data"):
            application.check_house(house)
