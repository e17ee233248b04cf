"""Checking on pages: votes, who may not, what checkers see and nobody else, and the way to a release."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from enclave.gateway.log_entry import LogAction
from enclave.gateway.request import RequestState
from enclave.ledger.verify_release import verify
from tests.lib.house_kit import log_lines, opener_of
from tests.lib.web_app import Asker
from tests.lib.web_house import INSIDE, OUTSIDE, PROJECT, approve

Fresh = Callable[[], Asker]


def state(asker: Asker, request: str) -> RequestState:
    return asker.services.desk.status("checker.one", request).state


def test_two_checkers_approve_and_each_vote_counts_once(fresh: Fresh) -> None:
    asker = fresh()
    vote = f"requests/{OUTSIDE}/vote"
    assert asker.send(vote, "checker.one", decision="approve", comment="").status == 303
    again = asker.send(vote, "checker.one", decision="approve", comment="")
    assert again.status == 403
    assert "You have already voted on this request" in again.text
    assert asker.send(vote, "checker.three", decision="approve").status == 303
    assert state(asker, OUTSIDE) is RequestState.APPROVED
    assert len(asker.services.desk.status("checker.one", OUTSIDE).votes) == 2


def test_a_person_with_two_accounts_has_one_vote(fresh: Fresh) -> None:
    asker = fresh()
    vote = f"requests/{OUTSIDE}/vote"
    assert asker.send(vote, "checker.three", decision="approve").status == 303
    assert asker.send(vote, "checker.four", decision="approve").code == "VOTED_ALREADY"
    assert state(asker, OUTSIDE) is RequestState.PARTIALLY_REVIEWED


@pytest.mark.parametrize(
    ("account", "code", "sentence"),
    [
        ("staff.one", "SAME_PERSON", "You are the author of this request"),
        ("checker.member", "CHECKER_ON_PROJECT", "You are a member of this project"),
        ("analyst.one", "NOT_OUTPUT_CHECKER", "This is for output checkers"),
        ("steward.one", "NOT_OUTPUT_CHECKER", "This is for output checkers"),
    ],
)
def test_who_may_not_vote_is_told_why(reader: Asker, account: str, code: str, sentence: str) -> None:
    answer = reader.send(f"requests/{INSIDE}/vote", account, decision="approve")
    assert (answer.status, answer.code) == (403, code)
    assert sentence in answer.text


def test_an_objection_needs_a_comment_and_a_vote_a_decision(reader: Asker) -> None:
    vote = f"requests/{OUTSIDE}/vote"
    assert reader.send(vote, "checker.one", decision="reject", comment=" ").code == "COMMENT_NEEDED"
    assert reader.send(vote, "checker.one", decision="perhaps").code == "NO_DECISION"
    assert reader.send(vote, "checker.one", decision="approve", comment="x" * 2_001).code == "BAD_TEXT"
    assert reader.send(vote, "checker.one", decision="approve", comment="a\x7fb").code == "BAD_TEXT"
    assert state(reader, OUTSIDE) is RequestState.SUBMITTED


def test_first_votes_are_blind_on_the_page_and_in_the_interface(fresh: Fresh) -> None:
    asker = fresh()
    asker.send(f"requests/{OUTSIDE}/vote", "checker.one", decision="reject", comment="too-fine-classes")
    for account in ("checker.two", "analyst.one", "auditor.one"):
        assert "too-fine-classes" not in asker.page(f"requests/{OUTSIDE}", account).text
        assert asker.api("GET", f"requests/{OUTSIDE}", account).json["votes"] == []
    assert "too-fine-classes" in asker.page(f"requests/{OUTSIDE}", "checker.one").text


def test_what_is_returned_is_handed_in_again_by_its_author(fresh: Fresh) -> None:
    asker = fresh()
    assert asker.send(f"requests/{OUTSIDE}/return", "checker.one", comment="say for whom").status == 303
    page = asker.page("", "analyst.one").text
    assert "Awaiting you" in page
    assert "say for whom" in asker.page(f"requests/{OUTSIDE}", "analyst.one").text
    assert asker.send(f"requests/{OUTSIDE}/submit", "analyst.one").status == 303
    assert asker.services.desk.status("analyst.one", OUTSIDE).request.turn == 2
    assert asker.send(f"requests/{OUTSIDE}/withdraw", "analyst.one").code == "BAD_TRANSITION"


def test_the_oldest_that_awaits_a_checker_stands_first(fresh: Fresh) -> None:
    asker = fresh()
    assert [line.mine for line in asker.services.desk.requests("checker.one")] == [True, False]
    asker.send(f"requests/{OUTSIDE}/vote", "checker.one", decision="approve")
    assert not any(line.mine for line in asker.services.desk.requests("checker.one"))
    assert asker.services.desk.requests("checker.two")[0].mine
    assert not any(line.mine for line in asker.services.desk.requests("staff.one"))


def _hidden_counts(asker: Asker) -> set[str]:
    """Return what stands behind marks of table t3 in the first quarter, and is printed nowhere in it."""
    desk = asker.services.desk
    status = desk.status("checker.one", INSIDE)
    found = desk.evidence("checker.one", status)["t3"]
    table = next(one for one in desk.tables("checker.one", status).tables if one.spec.id == "t3")
    hidden = found.persons[0][~table.shown[0]]
    assert hidden.size
    return {str(value) for value in np.setdiff1d(hidden, table.values[0][table.shown[0]]).tolist()}


def test_checkers_see_reasons_and_intervals_and_the_look_is_logged(fresh: Fresh) -> None:
    asker = fresh()
    page = asker.page(f"requests/{INSIDE}?table=t3&reasons=1", "checker.one").text
    assert "primary suppression" in page
    assert re.search(r'class="span">\[\d', page)
    root = asker.services.house.settings.root
    assert any("reasons shown to checker" in line and "checker.one" in line for line in log_lines(root))


@pytest.mark.parametrize("account", ["staff.one", "analyst.one", "checker.member", "steward.one"])
def test_the_author_and_all_who_may_not_check_never_see_reasons(reader: Asker, account: str) -> None:
    page = reader.page(f"requests/{INSIDE}?table=t3&reasons=1", account).text
    assert 'class="cross' in page
    assert 'class="span">[' not in page
    assert "c-reasons" not in page


def test_intervals_hold_the_truth_and_reach_the_threshold(reader: Asker) -> None:
    desk = reader.services.desk
    status = desk.status("checker.one", INSIDE)
    evidence = desk.evidence("checker.one", status)
    for table in desk.tables("checker.one", status).tables:
        found, hidden = evidence[table.spec.id], ~table.shown
        assert hidden.any()
        assert np.all((found.low <= found.persons) & (found.persons <= found.high))
        assert np.all(found.high[hidden] >= 5)
        assert np.array_equal(found.primary, hidden & (found.persons > 0) & (found.persons < 5))


def test_no_hidden_count_is_in_any_page_or_answer_for_others(reader: Asker) -> None:
    canaries = _hidden_counts(reader)
    paths = [f"requests/{INSIDE}?table=t3&reasons=1", f"projects/{PROJECT}", "", f"requests/{OUTSIDE}?reasons=1"]
    for account in ("staff.one", "analyst.one", "steward.one", "operator.one", "auditor.one", "checker.member"):
        for path in paths:
            cells = re.findall(r'<td class="hidden">(.*?)</td>', reader.page(path, account).text, re.DOTALL)
            assert all(re.sub(r"<[^>]+>", "", cell).strip() in ("C", "C Δ") for cell in cells), account
    shown = re.findall(r'<td class="hidden">(.*?)</td>', reader.page(paths[0], "checker.one").text, re.DOTALL)
    assert canaries & {word for cell in shown for word in re.findall(r"\d+", cell)}, "the canaries live"


def test_before_the_release_analysts_do_not_see_tables_of_stage_one(fresh: Fresh) -> None:
    asker = fresh()
    assert 'class="cross' in asker.page(f"requests/{INSIDE}", "analyst.one").text
    for account in ("operator.one", "auditor.one"):
        page = asker.page(f"requests/{INSIDE}", account)
        assert page.status == 200
        assert 'class="cross' not in page.text


@pytest.mark.parametrize(
    ("account", "sees"), [("steward.one", True), ("analyst.one", True), ("operator.one", False), ("auditor.one", False)]
)
def test_the_files_of_a_release_are_for_who_may_see_its_tables(reader: Asker, account: str, sees: bool) -> None:
    release = reader.services.desk.status("checker.one", INSIDE).release
    page = reader.page(f"releases/{release}", account)
    assert page.status == 200
    assert ("manifest" in page.text or "tables.xlsx" in page.text) is sees


def test_the_table_on_the_page_is_the_table_of_the_release(reader: Asker) -> None:
    desk = reader.services.desk
    status = desk.status("checker.one", INSIDE)
    (table,) = [one for one in desk.tables("checker.one", status).tables if one.spec.id == "t1"]
    page = reader.page(f"requests/{INSIDE}?table=t1&period={table.spec.periods[2]}", "staff.one").text
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("</tr>") if "<td" in row]
    printed = [[re.sub(r"<[^>]+>|,|\s", "", cell) for cell in row] for row in rows]
    due = np.where(table.shown[2], table.values[2].astype(str), table.marks[2]).T.tolist()
    assert printed == due


@pytest.mark.parametrize(
    "query", ["table=t9", "period=1999-Q1", "f.sex=nothing", "f.sex=&f.sex=", "reasons=2", "table="]
)
def test_addresses_that_nobody_made_show_the_usual_table(reader: Asker, query: str) -> None:
    assert 'class="cross' in reader.page(f"requests/{INSIDE}?{query}", "checker.one").text


def test_the_way_to_a_download_by_the_steward_alone(fresh: Fresh, tmp_path: Path) -> None:
    asker = fresh()
    house = asker.services.house
    assert asker.send(f"requests/{OUTSIDE}/release", "operator.one").code == "BAD_TRANSITION"
    approve(house, OUTSIDE)
    release = house.gateway.release(OUTSIDE, "operator.one").release
    for account in ("analyst.one", "staff.one", "operator.one", "checker.one", "auditor.one"):
        assert asker.send(f"releases/{release}/download", account).status == 403
    answer = asker.send(f"releases/{release}/download", "steward.one")
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        archive.extractall(tmp_path / "out")
    assert verify(tmp_path / "out" / str(release), house.release_key.public_pem) == []
    lines = [json.loads(line) for line in log_lines(house.settings.root)]
    (logged,) = [line for line in lines if line["action"] == LogAction.DOWNLOADED]
    assert (logged["actor"], logged["subject"]) == ("steward.one", release)


def test_what_is_inside_stays_inside_for_the_steward_too(reader: Asker) -> None:
    release = reader.services.desk.status("steward.one", INSIDE).release
    answer = reader.send(f"releases/{release}/download", "steward.one")
    assert (answer.status, answer.code) == (403, "STAYS_INSIDE")


def test_a_changed_release_is_not_handed_out(fresh: Fresh) -> None:
    asker = fresh()
    house = asker.services.house
    approve(house, OUTSIDE)
    outcome = house.gateway.release(OUTSIDE, "operator.one")
    readme = house.settings.outboxes[outcome.request.stage] / str(outcome.release) / "README.txt"
    readme.chmod(0o644)
    readme.write_text("changed", encoding="utf-8")
    answer = asker.send(f"releases/{outcome.release}/download", "steward.one")
    assert (answer.status, answer.code) == (500, "RELEASE_INVALID")


def test_while_the_vault_is_locked_pages_say_so_and_nothing_is_opened(fresh: Fresh) -> None:
    asker = fresh()
    house = asker.services.house
    asker.page(f"requests/{INSIDE}?reasons=1", "checker.one")
    house.lock("operator.one")
    for path in ("", f"projects/{PROJECT}", f"requests/{INSIDE}?reasons=1"):
        page = asker.page(path, "checker.one")
        assert page.status == 200
        assert "The vault is locked" in page.text
        assert 'class="cross' not in page.text
    assert asker.send(f"requests/{OUTSIDE}/vote", "checker.one", decision="approve").status == 423
    assert asker.api("GET", f"projects/{PROJECT}", "staff.one").json["state"] == "locked"
    for path in (f"projects/{PROJECT}/data/2009-Q2", f"projects/{PROJECT}/tables/t1"):
        assert asker.api("GET", path, "staff.one").status == 423
    ask = {"stage": "inside", "purpose": "p"}
    for _ in range(2):
        assert asker.api("POST", f"projects/{PROJECT}/requests", "staff.one", body=ask).status == 423
    lines = [json.loads(line) for line in log_lines(house.settings.root)]
    refused = [line["details"] for line in lines if line["details"].get("code") == "VAULT_LOCKED"]
    assert sorted((one["account"], one["operation"]) for one in refused) == [
        ("checker.one", "vote"),
        ("staff.one", "open_microdata"),
        ("staff.one", "produce"),
        ("staff.one", "see_tables"),
    ], "each once, though one of them was tried again"
    house.unlock(opener_of(house.settings.root), "operator.one")
    assert 'class="cross' in asker.page(f"requests/{INSIDE}", "checker.one").text


def test_the_audit_log_is_filtered_paged_verified_and_each_look_is_logged(fresh: Fresh) -> None:
    asker = fresh()
    page = asker.page("audit?action=voted&person=checker.two", "auditor.one").text
    assert page.count('<th scope="row"') == 1
    assert INSIDE in page
    assert "Older entries" in asker.page("audit", "auditor.one").text
    assert "No entry fits." in asker.page("audit?subject=nothing", "auditor.one").text
    assert asker.page("audit?before=x&before=9999999999999999999", "auditor.one").status == 200
    assert "Verified: every entry" in asker.send("audit", "auditor.one").text
    lines = [json.loads(line) for line in log_lines(asker.services.house.settings.root)]
    assert sum(line["action"] == LogAction.LOG_READ for line in lines) == 6
