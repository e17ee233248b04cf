"""Long work: on disk before it is accepted, made once however often it is asked or interrupted, told to its owner."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from enclave.errors import RequestError
from enclave.gateway.request import RequestState
from enclave.wiring import production
from enclave.wiring.desk.jobs import Job, JobKind, Jobs, JobState, Order
from tests.lib.house_kit import opener_of
from tests.lib.web_app import Asker
from tests.lib.web_house import OUTSIDE, PROJECT, approve

Fresh = Callable[[], Asker]
ASK = f"projects/{PROJECT}/requests"
RESULTS = [
    {
        "id": "at_work",
        "title": {"nl": "Werkenden", "fr": "Au travail", "en": "At work"},
        "kind": "sum",
        "table": "t1",
        "select": {"position": ["1"]},
    }
]
BODY: dict[str, Any] = {"stage": "outside", "purpose": "a question", "results": RESULTS}


def ended(jobs: Jobs, job_id: str, seconds: float = 120) -> Job:
    until = time.monotonic() + seconds
    while jobs._jobs[job_id].state.is_open:
        assert time.monotonic() < until
        time.sleep(0.05)
    return jobs._jobs[job_id]


def test_a_request_by_the_interface_becomes_a_request_for_checkers(fresh: Fresh) -> None:
    asker = fresh()
    answer = asker.api("POST", ASK, "analyst.one", body=BODY)
    assert answer.status == 202
    job = answer.json["job"]
    assert asker.api("GET", f"jobs/{job}", "analyst.one").json["state"] == "waiting"
    asker.services.jobs.start()
    ended(asker.services.jobs, job)
    told = asker.api("GET", f"jobs/{job}", "analyst.one").json
    assert (told["state"], told["error"], told["sent_back"]) == ("done", None, False)
    assert told["progress"] == ["attacking both stages together"]
    assert asker.api("GET", f"requests/{told['request']}", "analyst.one").json["state"] == "submitted"
    assert asker.api("GET", f"jobs/{job}", "staff.one").status == 404


def test_the_same_key_asks_once_and_another_order_under_it_is_refused(fresh: Fresh) -> None:
    asker = fresh()
    key = {"Idempotency-Key": "k1"}
    first = asker.api("POST", ASK, "analyst.one", body=BODY, headers=key).json
    assert asker.api("POST", ASK, "analyst.one", body=BODY, headers=key).json == first
    other = asker.api("POST", ASK, "analyst.one", body=BODY | {"purpose": "another"}, headers=key)
    assert (other.status, other.code) == (409, "KEY_REUSED")
    assert asker.api("POST", ASK, "analyst.one", body=BODY).json != first


def test_what_was_accepted_is_told_again_though_the_vault_is_locked_and_nothing_new_is_accepted(fresh: Fresh) -> None:
    asker = fresh()
    key = {"Idempotency-Key": "k1"}
    first = asker.api("POST", ASK, "analyst.one", body=BODY, headers=key)
    asker.services.house.lock()
    assert asker.api("POST", ASK, "analyst.one", body=BODY, headers=key).json == first.json
    assert asker.api("POST", ASK, "analyst.one", body=BODY).status == 423


def test_what_was_accepted_is_there_after_a_kill(fresh: Fresh) -> None:
    asker = fresh()
    job = asker.api("POST", ASK, "analyst.one", body=BODY).json["job"]
    again = Jobs(asker.services.house)
    assert again.job("analyst.one", job) == asker.services.jobs.job("analyst.one", job)
    again.start()
    assert ended(again, job).state is JobState.DONE


@pytest.mark.parametrize("reached", ["nothing", "created", "submitted"])
def test_work_that_was_interrupted_makes_no_second_request(fresh: Fresh, reached: str) -> None:
    asker = fresh()
    house, jobs = asker.services.house, asker.services.jobs
    job = jobs.job("analyst.one", asker.api("POST", ASK, "analyst.one", body=BODY).json["job"])
    jobs._keep(replace(job, state=JobState.RUNNING))
    before = len(house.gateway.requests("checker.one"))
    if reached != "nothing":
        given = house.gateway.status(OUTSIDE, "checker.one").request
        house.gateway.create(
            "analyst.one",
            project=given.project,
            stage=given.stage,
            population=given.population,
            title=given.title,
            purpose="a question",
            binding=given.binding,
            request_id=job.order.request,
        )
    if reached == "submitted":
        house.gateway.submit(job.order.request, "analyst.one")
    again = Jobs(house)
    again.start()
    assert ended(again, job.id).state is JobState.DONE
    found = house.gateway.requests("checker.one")
    assert len(found) == before + 1
    assert house.gateway.status(job.order.request, "checker.one").state is RequestState.SUBMITTED


def test_a_release_is_asked_once_and_done_once(fresh: Fresh) -> None:
    asker = fresh()
    house, jobs = asker.services.house, asker.services.jobs
    approve(house, OUTSIDE)
    for account in ("operator.one", "steward.one"):
        assert asker.send(f"requests/{OUTSIDE}/release", account).status == 303
    (job,) = jobs.of_person("operator.one")
    assert jobs.of_person("steward.one") == ()
    jobs.start()
    done = ended(jobs, job.id)
    assert done.release is not None
    assert house.gateway.status(OUTSIDE, "checker.one").release == done.release
    assert [entry.state for entry in jobs._jobs.values()] == [JobState.DONE]
    jobs._keep(replace(done, state=JobState.RUNNING, release=None))
    again = Jobs(house)
    again.start()
    assert ended(again, job.id).release == done.release


def test_a_refusal_during_the_work_is_told_by_code_and_sentence(fresh: Fresh) -> None:
    asker = fresh()
    wrong = [RESULTS[0] | {"table": "t9"}]
    job = asker.api("POST", ASK, "analyst.one", body=BODY | {"results": wrong}).json["job"]
    asker.services.jobs.start()
    assert ended(asker.services.jobs, job).state is JobState.FAILED
    told = asker.api("GET", f"jobs/{job}", "analyst.one").json
    assert told["error"]["code"]
    assert told["request"] is None


def test_what_nobody_foresaw_fails_one_job_and_not_the_queue(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = fresh()
    first = asker.api("POST", ASK, "analyst.one", body=BODY).json["job"]
    second = asker.api("POST", ASK, "analyst.one", body=BODY).json["job"]
    whole, calls = production.derive_results, iter([ZeroDivisionError("count 4711")])

    def once_broken(*given: Any, **named: Any) -> Any:
        for error in calls:
            raise error
        return whole(*given, **named)

    monkeypatch.setattr(production, "derive_results", once_broken)
    asker.services.jobs.start()
    assert ended(asker.services.jobs, first).error == (
        "INTERNAL",
        "this work broke off; tell the operator of the house",
    )
    assert ended(asker.services.jobs, second).state is JobState.DONE


def test_a_locked_vault_makes_work_wait(fresh: Fresh) -> None:
    asker = fresh()
    house, jobs = asker.services.house, asker.services.jobs
    job = asker.api("POST", ASK, "analyst.one", body=BODY).json["job"]
    house.lock("operator.one")
    jobs.start()
    time.sleep(0.3)
    assert jobs._jobs[job].state.is_open
    house.unlock(opener_of(house.settings.root), "operator.one")
    assert ended(jobs, job).state is JobState.DONE


def test_a_job_is_on_disk_what_it_is_in_memory() -> None:
    order = Order(JobKind.PRODUCE, "a", "a", "p-2016", "p-2016-r1", "why", "", "k")
    job = Job("j000001-ab", order, JobState.FAILED, error=("CODE", "sentence"), progress=("one", "two"))
    assert Job.from_json(job.to_json()) == job


def test_a_purpose_is_needed(fresh: Fresh) -> None:
    with pytest.raises(RequestError, match="PURPOSE"):
        fresh().services.jobs.produce("staff.one", PROJECT, " \n ")


def test_staff_ask_for_the_tables_of_a_year_on_the_page_and_a_second_click_asks_nothing(fresh: Fresh) -> None:
    asker = fresh()
    page = asker.page(f"projects/{PROJECT}", "staff.one").text
    once = page.partition('name="once" value="')[2].partition('"')[0]
    assert len(once) == 32
    for _ in range(2):
        answer = asker.send(f"projects/{PROJECT}/produce", "staff.one", purpose="tables of the year", once=once)
        assert answer.status == 303
    (job,) = asker.services.jobs.of_person("staff.one")
    assert (job.order.kind, job.order.purpose) == (JobKind.PRODUCE, "tables of the year")
    assert "waits for its turn" in asker.page("", "staff.one").text
    assert "Make the tables" not in asker.page(f"projects/{PROJECT}", "analyst.one").text


def test_an_author_withdraws_by_the_interface_what_came_back(fresh: Fresh) -> None:
    asker = fresh()
    asker.services.house.gateway.return_(OUTSIDE, "checker.one", "too fine")
    told = asker.api("POST", f"requests/{OUTSIDE}/withdraw", "analyst.one").json
    assert (told["state"], told["remarks"][0]["text"]) == ("withdrawn", "too fine")
