"""The workbench as people meet it: log-in, projects, servers, and what is refused. Everything in it is real."""

import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from pwd import getpwnam

import pytest

from enclave.wiring.workbench.settings import read_settings
from hub_config.words import accepted_text, read_words
from tests.lib.session import Session
from tests.lib.workbench import PROJECT, ROOT, WITHOUT_ROOT, Workbench, person, wait_until

ANALYST, STAFF, OPERATOR, CHECKER = "analyst.one", "staff.one", "operator.one", "checker.one"
BASE = f"/user/{ANALYST}/{PROJECT}/"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def analyst(workbench: Workbench) -> Session:
    """The analyst, logged in, with a running server."""
    session = workbench.session(ANALYST)
    answer = session.start_server(ANALYST, PROJECT)
    assert answer.status == 200, answer.text
    return session


@pytest.fixture
def kernel(analyst: Session) -> Iterator[str]:
    """A running kernel of the analyst's."""
    started = analyst.ask("POST", f"{BASE}api/kernels", body={"name": "enclave"})
    assert started.status == 201, started.text
    yield started.json["id"]
    analyst.ask("DELETE", f"{BASE}api/kernels/{started.json['id']}")


def test_the_log_in_page_says_what_is_not_there_yet_and_forbids_to_re_identify(workbench: Workbench) -> None:
    for language, banner, ban in (
        ("nl", "alleen verzonnen gegevens.", "Niemand wordt heridentificeerd"),
        ("fr", "données inventées uniquement.", "Personne n"),
        ("en", "made-up data only.", "Nobody is re-identified"),
    ):
        page = workbench.session().get("/hub/login", **{"Accept-Language": language})
        assert f'<html lang="{language}">' in page.text
        assert banner in page.text
        assert "SYNTHETIC" in page.text
        assert ban in page.text
    assert (WITHOUT_ROOT in workbench.session().get("/hub/login").text) is (os.geteuid() != 0)


def test_a_wrong_password_is_answered_with_a_sentence(workbench: Workbench) -> None:
    for account in ("auditor.one", "nobody.here"):
        answer = workbench.session().log_in(account, "wrong")
        assert answer.status == 403
        assert "The name or the password is not right" in answer.text
    refused = {"code": "WRONG_PASSWORD", "account": "auditor.one"}
    wait_until(lambda: workbench.logged("log_in_refused", "hub", **refused), "the entry in the audit log")
    assert "nobody.here" not in repr(workbench.audit_log())
    assert "Failed login for 'somebody'" in workbench.log("hub")
    assert "nobody.here" not in workbench.log("hub"), "people type passwords where their name belongs"


def test_who_does_not_accept_the_ban_on_re_identification_does_not_get_in(workbench: Workbench) -> None:
    session = workbench.session()
    answer = session.log_in("auditor.one", workbench.passwords["auditor.one"], ban="")
    assert answer.status == 403
    assert "Whoever logs in accepts the ban on re-identification" in answer.text
    assert session.get("/hub/home").url.partition("?")[0].endswith("/hub/login")
    refused = {"code": "BAN_NOT_ACCEPTED", "account": "auditor.one"}
    wait_until(lambda: workbench.logged("log_in_refused", "hub", **refused), "the entry in the audit log")


def test_log_in_server_and_log_out_are_in_the_audit_log_and_refused_starts_too(workbench: Workbench) -> None:
    staff = workbench.session(STAFF)
    assert staff.start_server(STAFF, PROJECT).status == 200
    assert staff.ask("DELETE", f"/hub/api/users/{STAFF}/servers/{PROJECT}").status in {202, 204}
    assert staff.start_server(STAFF, "advice-17-17-2099").status == 404
    staff.get("/hub/logout")
    checker = workbench.session(CHECKER)
    assert checker.start_server(CHECKER, PROJECT).status == 403
    whose = {"account": STAFF, "project": PROJECT}
    for action, actor, details in (
        ("logged_in", "hub", {"account": STAFF, "accepted": accepted_text(read_words())}),
        ("server_started", "launcher", whose),
        ("server_ended", "launcher", whose | {"code": "STOPPED"}),
        ("server_refused", "hub", {"account": STAFF, "code": "UNKNOWN_PROJECT"}),
        ("server_refused", "hub", {"account": CHECKER, "project": PROJECT, "code": "NOT_ON_PROJECT"}),
        ("logged_out", "hub", {"account": STAFF}),
    ):
        wait_until(lambda: workbench.logged(action, actor, **details), f"{action} {details}")  # noqa: B023


def test_too_many_wrong_passwords_close_the_door_even_for_the_right_one(workbench: Workbench) -> None:
    session = workbench.session()
    for _ in range(5):
        session.log_in("checker.two", "wrong")
    try:
        answer = session.log_in("checker.two", workbench.passwords["checker.two"])
        assert answer.status == 403
        assert "Too many wrong passwords" in answer.text
    finally:
        workbench.kill("hub")  # which alone knows of a closed door: others come in by it
    assert workbench.session("checker.two").get("/hub/home").status == 200


def test_the_home_page_lists_ones_own_projects_only(workbench: Workbench) -> None:
    assert PROJECT in workbench.session(STAFF).get("/hub/home").text
    page = workbench.session(CHECKER).get("/hub/home").text
    assert PROJECT not in page
    assert "You are on no project" in page


def test_a_project_starts_and_its_kernel_computes(analyst: Session, kernel: str) -> None:
    assert analyst.execute(BASE, kernel, "print(6 * 7)") == "42\n"


def test_the_kernel_runs_as_a_user_of_its_own_and_sees_nothing_of_the_host(
    workbench: Workbench, analyst: Session, kernel: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("cannot test here: without root everything runs as one user")
    probe = (
        "import os\n"
        f"hidden = [{str(workbench.root)!r}, '/work', '/root', '/var', '/srv', '/boot', '/sys', '/opt/workbench']\n"
        "print(os.getuid() >= 300000, os.getuid() != os.getgid(), os.getgroups() == [], "
        "any(os.path.lexists(path) for path in hidden))"
    )
    assert analyst.execute(BASE, kernel, probe) == "True True True False\n"


def test_the_kernel_can_never_gain_rights_and_has_no_token(analyst: Session, kernel: str) -> None:
    probe = "import os\nprint([l for l in open('/proc/self/status') if l.startswith('NoNewPrivs')][0].split()[1])"
    assert analyst.execute(BASE, kernel, probe) == "1\n"
    names = analyst.execute(BASE, kernel, "import os\nprint(*sorted(os.environ))").split()
    assert "ENCLAVE_WORKBENCH" not in names
    assert "PYTHONPATH" not in names
    assert {"ENCLAVE_GATEWAY_SOCKET", "ENCLAVE_PROJECT"} <= set(names)
    assert not [name for name in names if name.startswith("JUPYTERHUB")]


def test_what_a_steward_brings_is_read_in_kernels_and_changed_by_nobody(
    workbench: Workbench, analyst: Session, kernel: str
) -> None:
    """Open while the server runs already; other projects would have a folder of their own."""
    file = workbench.root / "areas.csv"
    file.write_text("code,people\n21004,188737\n", encoding="utf-8")
    workbench.own_files("bring", str(file))
    cell = (
        "import workbench, pandas\nproject = workbench.open()\nprint(project.files)\n"
        "print(int(pandas.read_csv(project.file('areas.csv')).people.sum()))\n"
        "for change in (lambda p: p.open('a'), lambda p: p.unlink(), lambda p: (p.parent / 'mine.py').touch()):\n"
        "    try: change(project.file('areas.csv'))\n"
        "    except OSError as error: print('no')"
    )
    said = analyst.execute(BASE, kernel, cell)
    workbench.own_files("remove", "areas.csv")
    if os.geteuid() == 0:
        assert said == "['areas.csv']\n188737\nno\nno\nno\n"
    assert "188737" in said
    assert workbench.logged("file_brought_in", "steward.one", project=PROJECT)


def test_what_a_cell_prints_is_capped_and_the_next_cell_prints_again(
    workbench: Workbench, analyst: Session, kernel: str
) -> None:
    printed = analyst.execute(BASE, kernel, "for _ in range(500): print('x' * 100_000)")
    assert len(printed) < 6_000_000
    assert printed.count("OUTPUT_CAPPED") == 1
    assert analyst.execute(BASE, kernel, "print('again')") == "again\n"
    log = workbench.log(f"server-{PROJECT}-{ANALYST}")
    assert "OUTPUT_CAPPED" in log
    assert "xxxx" not in log


def test_a_kernel_is_interrupted_and_restarted(analyst: Session, kernel: str) -> None:
    with ThreadPoolExecutor(1) as beside:
        busy = beside.submit(analyst.execute, BASE, kernel, "print('busy', flush=True)\nwhile True: pass")
        wait_until(lambda: analyst.get(f"{BASE}api/kernels/{kernel}").json["execution_state"] == "busy", "the cell")
        assert analyst.ask("POST", f"{BASE}api/kernels/{kernel}/interrupt", body={}).status == 204
        assert busy.result(60).startswith("busy")
    analyst.execute(BASE, kernel, "kept = 1")
    assert analyst.ask("POST", f"{BASE}api/kernels/{kernel}/restart", body={}).status == 200
    assert "kept" in analyst.execute(BASE, kernel, "print(kept)"), "a name that is not defined any more"


def test_a_project_that_was_worked_in_stops_and_starts_again(workbench: Workbench) -> None:
    staff, base = workbench.session(STAFF), f"/user/{STAFF}/{PROJECT}/"
    assert staff.start_server(STAFF, PROJECT).status == 200
    for _ in range(2):
        kernel = staff.ask("POST", f"{base}api/kernels", body={"name": "enclave"}).json["id"]
        assert staff.execute(base, kernel, "print(6 * 7)") == "42\n"
        assert staff.ask("DELETE", f"/hub/api/users/{STAFF}/servers/{PROJECT}").status in {202, 204}
        wait_until(lambda: "state stopped" in staff.get("/hub/home").text, "the server to stop")
        assert staff.start_server(STAFF, PROJECT).status == 200
    assert "NOT_A_SERVER" not in workbench.log("launcher"), "a server that stops ends its kernels itself"


def test_so_many_kernels_and_no_more(workbench: Workbench, analyst: Session, kernel: str) -> None:
    free = 5 - len(analyst.get(f"{BASE}api/kernels").json)  # pages that people left may hold kernels still
    more = [analyst.ask("POST", f"{BASE}api/kernels", body={"name": "enclave"}) for _ in range(free + 1)]
    try:
        assert [one.status for one in more] == [201] * free + [409]
        assert "KERNELS_FULL: no more kernels at once" in more[-1].text
        refused = {"account": ANALYST, "project": PROJECT, "code": "KERNELS_FULL"}
        wait_until(lambda: workbench.logged("kernel_refused", "launcher", **refused), "the entry in the audit log")
    finally:
        for one in more[:-1]:
            assert analyst.ask("DELETE", f"{BASE}api/kernels/{one.json['id']}").status == 204


def test_a_server_without_a_project_is_refused(workbench: Workbench) -> None:
    session = workbench.session(STAFF)
    page = session.get(f"/hub/spawn/{STAFF}")
    assert page.status == 403
    assert "there is no server without one" in page.text
    assert session.ask("POST", f"/hub/api/users/{STAFF}/server").status == 403
    assert session.ask("POST", f"/hub/api/users/{STAFF}/servers/").status == 403


@pytest.mark.parametrize(
    ("account", "project", "status", "sentence"),
    [
        (CHECKER, PROJECT, 403, "You are not, or no longer, on this project"),
        (STAFF, "advice-17-17-1999", 404, "There is no such project here"),
    ],
)
def test_whoever_may_not_have_a_project_is_told_why(
    workbench: Workbench, account: str, project: str, status: int, sentence: str
) -> None:
    answer = workbench.session(account).start_server(account, project)
    assert answer.status == status
    assert sentence in answer.text


def test_somebody_elses_server_is_closed(workbench: Workbench, analyst: Session) -> None:
    staff = workbench.session(STAFF)
    assert staff.get(f"{BASE}api/contents").status in {403, 404}
    assert staff.ask("DELETE", f"/hub/api/users/{ANALYST}/servers/{PROJECT}").status in {403, 404}
    assert staff.get(f"/hub/spawn/{ANALYST}/{PROJECT}").status in {403, 404}


def test_nobody_is_admin_and_nobody_gets_a_token(workbench: Workbench) -> None:
    for account in (ANALYST, OPERATOR, "steward.one"):
        session = workbench.session(account)
        me = session.get(f"/hub/api/users/{account}").json
        assert me["admin"] is False
        assert session.ask("POST", f"/hub/api/users/{account}/tokens", body={}).status in {403, 404}
        assert session.get("/hub/token").status == 403
        assert session.get("/hub/admin").status in {403, 404}
        assert session.ask("POST", "/hub/api/shutdown", body={}).status == 403
        assert session.get("/hub/api/proxy").status == 403


def test_cookies_of_the_hub_are_for_this_site_and_for_tls_only(workbench: Workbench) -> None:
    cookies = {cookie.name: cookie for cookie in workbench.session(STAFF).cookies}
    assert "jupyterhub-hub-login" in cookies
    for cookie in cookies.values():
        assert cookie.secure, cookie.name
        assert cookie.get_nonstandard_attr("SameSite") == "Lax", cookie.name
    assert cookies["jupyterhub-hub-login"].has_nonstandard_attr("HttpOnly")


@pytest.mark.parametrize("path", ["/hub/login", "/hub/home", "/hub/nothing", "/hub/api/user"])
def test_every_answer_of_the_hub_carries_the_security_headers(workbench: Workbench, path: str) -> None:
    for session in (workbench.session(STAFF), workbench.session()):
        headers = session.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_form_without_the_pages_token_does_nothing(workbench: Workbench) -> None:
    session = workbench.session()
    session.get("/hub/login")
    form = {"username": STAFF, "password": workbench.passwords[STAFF], "ban": "accepted", "_xsrf": "0" * 64}
    assert session.ask("POST", "/hub/login", form=form).status == 403
    assert session.get("/hub/home").url.partition("?")[0].endswith("/hub/login")


def test_the_routes_of_the_front_are_changed_by_the_hub_alone(workbench: Workbench) -> None:
    connection = HTTPConnection("front")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(workbench.layout.proxy_socket))
    connection.request("POST", "/api/routes/elsewhere", body='{"target": "http://127.0.0.1:1"}')
    assert connection.getresponse().status == 403
    connection.close()


def test_notebook_servers_ask_of_the_hub_what_they_need_and_nothing_else(
    workbench: Workbench, analyst: Session
) -> None:
    """By the socket that stands in their sandboxes. Whether they get on with what is left, every other test shows."""

    def ask(path: str) -> tuple[int, str]:
        connection = HTTPConnection("hub")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(workbench.layout.door_socket))
        connection.request("GET", path)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    status, said = ask("/hub/api/")
    assert (status, "version" in said) == (200, True)
    status, said = ask("/hub/api/users")
    assert (status, "NOT_FOR_SERVERS" in said) == (403, True)
    wait_until(lambda: workbench.logged("hub_call_refused", "door", code="NOT_FOR_SERVERS"), "the entry")


SOCKETS = {
    "hub/hub.sock": ("hub", 0o660),
    "door/hub.sock": ("door", 0o666),
    "gateway/gateway.sock": ("gateway", 0o666),
    "gateway/operator.sock": ("gateway", 0o600),
    "keys/homes.sock": ("gateway", 0o600),
    "proxy/routes.sock": ("proxy", 0o770),
    "launcher/launcher.sock": ("hub", 0o600),
    "kernels/N/kernels.sock": ("root", 0o666),
    "callers/N/gateway.sock": ("gateway", 0o660),
    "servers/N/nb.sock": ("server", 0o660),
}
"""Every socket with its owner and mode; those that everybody may open lie in folders that not everybody may enter."""
FOLDERS = {
    ".": ("root", 0o750),
    "hub": ("hub", 0o2750),
    "door": ("door", 0o755),
    "gateway": ("gateway", 0o2750),
    "keys": ("gateway", 0o700),
    "proxy": ("proxy", 0o2750),
    "launcher": ("root", 0o750),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="without root everything belongs to the present user")
def test_every_socket_and_its_folder_are_open_to_whom_they_are_for(workbench: Workbench, analyst: Session) -> None:
    assert analyst.get("/hub/home").status == 200
    users = read_settings(workbench.layout.settings).system_users
    names = {getpwnam(name).pw_uid: part for part, name in users.model_dump().items() if part in FOLDERS}
    run = workbench.layout.run.resolve()

    def seen(path: Path) -> tuple[str, int]:
        found = path.stat()
        return names.get(found.st_uid, "root" if found.st_uid == 0 else "server"), stat.S_IMODE(found.st_mode)

    sockets = [path for path in run.rglob("*.sock") if path.is_socket()]
    assert {re.sub("[0-9]+", "N", str(path.relative_to(run))): seen(path) for path in sockets} == SOCKETS
    assert {name: seen(run / name) for name in FOLDERS} == FOLDERS
    assert {seen(path.parent) for path in sockets if path.name == "kernels.sock"} == {("root", 0o750)}


def test_the_hub_is_told_what_it_checks_besides_us(workbench: Workbench) -> None:
    """What the spawner looks up itself at each start, the hub looks up too; one guard alone would not be missed."""
    code = (
        "import runpy\n"
        "c = runpy.run_path('hub_config/jupyterhub_config.py')['c']\n"
        "print(c.Authenticator.refresh_pre_spawn, c.Authenticator.auth_refresh_age, c.Authenticator.manage_groups)\n"
    )
    told = {**os.environ, "PYTHONPATH": str(ROOT), "ENCLAVE_WORKBENCH": str(workbench.root)}
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=told, check=True, capture_output=True, text=True)
    assert ended.stdout == "True 5 True\n"


def test_sharing_is_off(analyst: Session) -> None:
    assert analyst.ask("POST", f"/hub/api/shares/{ANALYST}/{PROJECT}", body={"user": STAFF}).status in {403, 404}


def test_an_operator_sees_what_runs_and_can_stop_it_but_not_enter_it(workbench: Workbench, analyst: Session) -> None:
    staff, operator = workbench.session(STAFF), workbench.session(OPERATOR)
    assert staff.start_server(STAFF, PROJECT).status == 200
    assert f"/hub/api/users/{STAFF}/servers/{PROJECT}" in operator.get("/hub/home").text
    assert operator.get(f"/user/{STAFF}/{PROJECT}/api/contents").status in {403, 404}
    assert operator.ask("POST", f"/hub/api/users/{STAFF}/servers/{PROJECT}").status in {403, 404}
    assert operator.ask("DELETE", f"/hub/api/users/{STAFF}/servers/{PROJECT}").status in {202, 204}
    wait_until(lambda: f"servers/{PROJECT}" not in _running(operator, STAFF), "the server to stop")


def test_who_is_no_operator_any_more_sees_nothing_running_within_seconds(workbench: Workbench) -> None:
    operator = workbench.session(OPERATOR)
    assert "Running servers" in operator.get("/hub/home").text
    workbench.enrol(person(OPERATOR, "auditor"))
    try:
        wait_until(lambda: "Running servers" not in operator.get("/hub/home").text, "the hub to know")
        assert operator.get("/hub/api/users").status == 403
    finally:
        workbench.enrol(person(OPERATOR, "operator"))


def _running(operator: Session, account: str) -> str:
    page = operator.get("/hub/home").text
    return page if f"/users/{account}/" in page else ""


@pytest.mark.parametrize(
    "way", ["files/note.txt", "files/tutorials/analyst.ipynb?download=1", "nbconvert/html/x.ipynb"]
)
def test_files_do_not_leave_through_the_server(analyst: Session, kernel: str, way: str) -> None:
    analyst.execute(BASE, kernel, "open('note.txt', 'w').write('raw')")
    assert analyst.get(f"{BASE}{way}").status == 403


def test_terminals_are_off(analyst: Session) -> None:
    assert analyst.ask("POST", f"{BASE}api/terminals", body={}).status in {403, 404}


def test_no_answer_to_what_was_sent_gets_lost_at_the_front(analyst: Session) -> None:
    answers = {analyst.ask("POST", f"{BASE}api/terminals", body={}).status for _ in range(200)}
    assert answers == {403}


def test_a_launcher_that_starts_again_still_stops_what_it_did_not_start(workbench: Workbench) -> None:
    staff = workbench.session(STAFF)
    assert staff.start_server(STAFF, PROJECT).status == 200
    workbench.kill("launcher")
    assert f"taken over: {STAFF}" in workbench.log("launcher")
    assert staff.ask("DELETE", f"/hub/api/users/{STAFF}/servers/{PROJECT}").status in {202, 204}
    wait_until(lambda: f"ended: {STAFF} for {PROJECT} (STOPPED)" in workbench.log("launcher"), "the server to end")


def test_who_is_taken_off_a_project_loses_the_server_and_is_told(workbench: Workbench) -> None:
    staff = workbench.session(STAFF)
    assert staff.start_server(STAFF, PROJECT).status == 200
    workbench.enrol(person(STAFF, "cbss_staff"))
    try:
        wait_until(lambda: f"{STAFF} for {PROJECT} (MEMBERSHIP_WITHDRAWN)" in workbench.log("launcher"), "the end")
        wait_until(lambda: staff.get(f"/user/{STAFF}/{PROJECT}/api").status == 424, "the hub to know")
        answer = staff.start_server(STAFF, PROJECT)
        assert answer.status == 403
        assert "You are not, or no longer, on this project" in answer.text
        assert PROJECT not in staff.get("/hub/home").text
    finally:
        workbench.enrol(person(STAFF, "cbss_staff", projects=(PROJECT,)))
    wait_until(lambda: PROJECT in staff.get("/hub/home").text, "the project to come back")
    assert staff.start_server(STAFF, PROJECT).status == 200


def _ask_for_stage_1(session: Session) -> int:
    """Send the form of the project's page; return the status of the answer."""
    address = f"/services/gateway/projects/{PROJECT}"
    found = re.search(r'name="_xsrf" value="([0-9a-f]{64})"', session.get(address).text)
    assert found is not None
    return session.ask("POST", f"{address}/produce", form={"_xsrf": found[1], "purpose": "p", "once": "1"}).status


def test_a_locked_vault_closes_the_projects_and_says_why(workbench: Workbench) -> None:
    staff = workbench.session(STAFF)
    staff.ask("DELETE", f"/hub/api/users/{STAFF}/servers/{PROJECT}")
    workbench.lock()
    try:
        wait_until(lambda: not workbench.vault_open(), "the directory to say so")
        assert "The vault is locked" in staff.get("/hub/home").text
        wait_until(lambda: staff.start_server(STAFF, PROJECT).status == 423, "the refusal")
        assert "The vault is locked" in staff.start_server(STAFF, PROJECT).text
        assert _ask_for_stage_1(staff) == 423
        refused = {"account": STAFF, "code": "VAULT_LOCKED"}
        for action, actor, more in (
            ("server_refused", "hub", {"project": PROJECT}),
            ("refused", "system", {"operation": "produce"}),
        ):
            wait_until(lambda: workbench.logged(action, actor, **refused, **more), action)  # noqa: B023
    finally:
        workbench.unlock()
    wait_until(workbench.vault_open, "the vault to open")
    assert staff.start_server(STAFF, PROJECT).status == 200
