"""A real notebook server with our settings: what it offers, and the ways out and in that it closes."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.lib.analyst_environment import PYTHON, ROOT, installed, need_analyst_environment

TOKEN = "a-token-for-the-test"
SECONDS_TO_START = 60

pytestmark = pytest.mark.timeout(180)


class _Connection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket(AF_UNIX, SOCK_STREAM)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Server:
    """A running notebook server."""

    path: str
    home: Path

    def ask(self, method: str, url: str, body: Any = None, *, token: str = TOKEN) -> tuple[int, str]:
        connection = _Connection(self.path)
        headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        connection.request(method, url, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    need_analyst_environment()
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        line = [str(PYTHON), "-m", "jupyterlab", f"--config={ROOT / 'kernels' / 'server_config.py'}"]
        line += [f"--ServerApp.sock={folder}/nb.sock", f"--IdentityProvider.token={TOKEN}"]
        environment = {**installed(Path(folder) / "installed"), "HOME": str(home)}
        log = (Path(folder) / "log").open("wb")
        with log, subprocess.Popen(line, env=environment, cwd=home, stdout=log, stderr=log) as process:
            try:
                yield _started(Server(f"{folder}/nb.sock", home), Path(folder) / "log")
            finally:
                process.terminate()


def _started(server: Server, log: Path) -> Server:
    for _ in range(SECONDS_TO_START * 10):
        try:
            server.ask("GET", "/api")
        except OSError:
            time.sleep(0.1)
        else:
            return server
    raise AssertionError(log.read_text(encoding="utf-8"))


def test_only_the_kernel_of_the_enclave_is_offered(server: Server) -> None:
    status, body = server.ask("GET", "/api/kernelspecs")
    found = json.loads(body)
    assert status == 200
    assert found["default"] == "enclave"
    assert {name: spec["spec"]["display_name"] for name, spec in found["kernelspecs"].items()} == {
        "enclave": "Enclave (Python 3)"
    }


@pytest.mark.parametrize(
    "url",
    [
        "/files/Start.md",
        "/files/Start.md?download=1",
        "/files/",
        "/view/Start.md",
        "/nbconvert/html/tutorials/analyst.ipynb?download=true",
        "/nbconvert/script/tutorials/analyst.ipynb",
        "/api/nbconvert",
        "/terminals/1",
        "/api/terminals",
    ],
)
def test_ways_out_are_closed(server: Server, url: str) -> None:
    status, body = server.ask("GET", url)
    assert status == 403
    assert "Enclave" not in body, "nothing of the file comes with the refusal"


def test_a_conversion_cannot_be_posted(server: Server) -> None:
    assert server.ask("POST", "/nbconvert/html", {"content": {}})[0] == 403
    assert server.ask("POST", "/api/terminals", {})[0] == 403


def test_nothing_is_brought_in_through_the_browser(server: Server) -> None:
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    uploads = {
        "new.ipynb": {"type": "notebook", "format": "json", "content": notebook},
        "new.csv": {"type": "file", "format": "text", "content": "a,b"},
        "new.bin": {"type": "file", "format": "base64", "content": "AAAA"},
        "new.big": {"type": "file", "format": "base64", "content": "AAAA", "chunk": 1},
        "Start.md": {"type": "file", "format": "base64", "content": "AAAA"},
    }
    for name, model in uploads.items():
        status, body = server.ask("PUT", f"/api/contents/{name}", model)
        assert status == 403, name
        assert "ask the steward" in body
    assert not list(server.home.glob("new.*"))


def test_notebooks_are_made_and_saved_as_usual(server: Server) -> None:
    status, body = server.ask("POST", "/api/contents", {"type": "notebook"})
    path = json.loads(body)["path"]
    assert status == 201
    cell = {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "kept"}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    saved = server.ask("PUT", f"/api/contents/{path}", {"type": "notebook", "format": "json", "content": notebook})
    assert saved[0] == 200
    assert "kept" in server.ask("GET", f"/api/contents/{path}?content=1")[1]


def test_bytes_of_binary_files_do_not_reach_the_browser(server: Server) -> None:
    (server.home / "data.parquet").write_bytes(b"PAR1\xff\xfe secret \x00")
    for form in ("", "&format=base64"):
        status, body = server.ask("GET", f"/api/contents/data.parquet?content=1{form}")
        assert status == 403
        assert "secret" not in body
    assert server.ask("GET", "/api/contents/Start.md?content=1&format=base64")[0] == 403


@pytest.mark.parametrize("target", ["/proc/self/environ", "/etc/passwd", "/", ".."])
def test_a_link_out_of_the_home_is_not_followed(server: Server, target: str) -> None:
    link = server.home / "way-out"
    link.symlink_to(target)
    try:
        for url in ("way-out", "way-out?content=1", "way-out/etc/passwd?content=1"):
            status, body = server.ask("GET", f"/api/contents/{url}")
            assert status == 403, url
            assert "root:" not in body
        assert server.ask("PUT", "/api/contents/way-out", {"type": "file", "format": "text", "content": "x"})[0] == 403
        assert server.ask("DELETE", "/api/contents/way-out")[0] == 403
    finally:
        link.unlink()


def test_neither_news_nor_updates_are_fetched(server: Server) -> None:
    assert json.loads(server.ask("GET", "/lab/api/news")[1]) == {"news": []}
    assert json.loads(server.ask("GET", "/lab/api/update")[1]) == {"notification": None}


def test_no_extension_can_be_installed(server: Server) -> None:
    status, _ = server.ask("POST", "/lab/api/extensions", {"cmd": "install", "extension_name": "x"})
    assert status >= 400


def test_language_servers_and_terminals_are_not_there(server: Server) -> None:
    assert server.ask("GET", "/lsp/status")[0] == 404
    page = server.ask("GET", "/lab")[1]
    assert '"terminalsAvailable": false' in page


def test_settings_of_the_page_are_those_of_the_house(server: Server) -> None:
    page = server.ask("GET", "/lab")[1]
    for plugin in ("docmanager-extension:download", "filebrowser-extension:download", "terminal-extension"):
        assert f"@jupyterlab/{plugin}" in page
    widget = json.loads(server.ask("GET", "/lab/api/settings/@jupyterlab/filebrowser-extension:widget")[1])
    assert {"name": "uploader", "disabled": True} in json.loads(json.dumps(widget["schema"]))["properties"]["toolbar"][
        "default"
    ]


def test_the_three_languages_are_there(server: Server) -> None:
    found = json.loads(server.ask("GET", "/lab/api/translations")[1])
    assert {"en", "fr_FR", "nl_NL"} <= set(found["data"])


def test_a_new_home_is_furnished_and_the_start_page_opens_first(server: Server) -> None:
    assert {path.name for path in (server.home / "tutorials").iterdir()} == {
        path.name for path in (ROOT / "kernels" / "tutorials").glob("*.ipynb")
    }
    connection = _Connection(server.path)
    connection.request("GET", "/", headers={"Authorization": f"token {TOKEN}"})
    assert (connection.getresponse().getheader("Location") or "").split("?")[0] == "/lab/tree/Start.md"
    connection.close()


def test_without_the_token_nothing_is_answered(server: Server) -> None:
    for url in ("/api/contents", "/api/kernelspecs"):
        assert server.ask("GET", url, token="another")[0] == 403


def test_every_page_carries_the_banner_even_over_a_style_of_the_person(server: Server) -> None:
    own = server.home / ".jupyter" / "custom" / "custom.css"
    own.parent.mkdir(parents=True)
    own.write_text("body::before { display: none }", encoding="utf-8")
    status, page = server.ask("GET", "/lab")
    assert status == 200
    assert "custom/custom.css" in page
    status, style = server.ask("GET", "/custom/custom.css")
    assert status == 200
    assert "SYNTHETIC" in style
    assert "not isolated" in style, "this server runs in no sandbox"
    assert "28px" in server.ask("GET", "/custom/frame.css")[1]
    assert "display: none" not in style
