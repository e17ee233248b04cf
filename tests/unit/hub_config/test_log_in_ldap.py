"""Log-in by a directory server: a real slapd, whose people are looked up and whose passwords are tried."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enclave.wiring.workbench.log_in_settings import LdapSettings
from hub_config.vouching.ldap import LdapLogIn
from tests.lib.log_in_kit import ANALYST, code_of_refusal, form, house_traits, noted, sent
from tests.lib.ports import free_ports
from tests.lib.slapd import OTHER_ADDRESS, PASSWORDS, PEOPLE, SEARCHER, SEARCHERS_PASSWORD, TWICE, Slapd, slapd

RIGHT = form("analyst.one", PASSWORDS["analyst.one"])


@pytest.fixture(scope="module")
def slapd_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("slapd")) as running:
        yield running


def users(slapd_: Slapd, folder: Path, **changes: Any) -> LdapLogIn:
    """Return the log-in with the settings that fit this server, but for `changes`."""
    password = folder / "ldap-password"
    password.write_text(f"{SEARCHERS_PASSWORD}\n", encoding="utf-8")
    password.chmod(0o600)
    told = {
        "server": "127.0.0.1",
        "port": slapd_.tls_port,
        "encryption": "tls",
        "certificates": str(slapd_.certificate),
        "search_below": PEOPLE,
        "account_attribute": "uid",
        "search_as": SEARCHER,
        "password_file": str(password),
        "seconds": 5,
        **changes,
    }
    return LdapLogIn(told=LdapSettings.model_validate(told), **house_traits(folder))


@pytest.mark.parametrize("encryption", ["tls", "start_tls"])
def test_the_right_password_gives_what_the_house_knows(slapd_: Slapd, tmp_path: Path, encryption: str) -> None:
    port = slapd_.tls_port if encryption == "tls" else slapd_.start_tls_port
    assert sent(users(slapd_, tmp_path, encryption=encryption, port=port), RIGHT) == ANALYST


def test_the_ban_counts_here_too(slapd_: Slapd, tmp_path: Path) -> None:
    assert code_of_refusal(users(slapd_, tmp_path), RIGHT | {"ban": ""}) == "BAN_NOT_ACCEPTED"


@pytest.mark.parametrize(
    ("account", "password"),
    [
        ("analyst.one", "wrong"),
        ("analyst.one", ""),
        ("analyst.one", PASSWORDS["visitor.one"]),
        ("nobody", "x"),
        ("ANALYST.ONE", PASSWORDS["analyst.one"]),
        ("analyst.one ", PASSWORDS["analyst.one"]),
        ("analyst.on*", PASSWORDS["analyst.one"]),
        ("*", PASSWORDS["analyst.one"]),
        ("x)(uid=analyst.one", PASSWORDS["analyst.one"]),
        ("analyst.one\0", PASSWORDS["analyst.one"]),
        (TWICE, "the same"),
    ],
)
def test_anything_else_gives_nothing(slapd_: Slapd, tmp_path: Path, account: str, password: str) -> None:
    assert sent(users(slapd_, tmp_path), form(account, password)) is None


@pytest.mark.parametrize("account", ["visitor.one", "Analyst.Two", "star*"])
def test_who_is_not_enrolled_is_told_so_and_noted_without_a_name(slapd_: Slapd, tmp_path: Path, account: str) -> None:
    assert code_of_refusal(users(slapd_, tmp_path), form(account, PASSWORDS[account])) == "UNKNOWN_ACCOUNT"
    assert noted(tmp_path) == [{"event": "log_in_refused", "code": "UNKNOWN_ACCOUNT"}]


def test_wrong_passwords_close_the_door(slapd_: Slapd, tmp_path: Path) -> None:
    people = users(slapd_, tmp_path)
    for spelt in ("analyst.one", "ANALYST.ONE", "analyst.one "):
        assert sent(people, form(spelt, "wrong")) is None
    assert code_of_refusal(people, RIGHT) == "TOO_MANY_ATTEMPTS"


def test_a_server_that_shows_no_trusted_certificate_gets_no_password(slapd_: Slapd, tmp_path: Path) -> None:
    assert code_of_refusal(users(slapd_, tmp_path, certificates="system"), RIGHT) == "NOBODY_TO_ASK"


def test_a_certificate_for_another_name_is_refused(slapd_: Slapd, tmp_path: Path) -> None:
    assert code_of_refusal(users(slapd_, tmp_path, server=OTHER_ADDRESS), RIGHT) == "NOBODY_TO_ASK"


REFUSES_TLS = bytes.fromhex("300c 020101 7807 0a0102 0400 0400")
"""The answer to the first message of a connection: no extended operation (RFC 4511, protocolError)."""


def test_a_server_that_refuses_to_begin_tls_hears_no_password(slapd_: Slapd, tmp_path: Path) -> None:
    heard: list[bytes] = []

    def refuse(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(4096))
            connection.sendall(REFUSES_TLS)
            heard.append(connection.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        hears = threading.Thread(target=refuse, args=(listener,))
        hears.start()
        people = users(slapd_, tmp_path, encryption="start_tls", port=listener.getsockname()[1])
        assert code_of_refusal(people, RIGHT) == "NOBODY_TO_ASK"
        hears.join(timeout=30)
    assert b"1.3.6.1.4.1.1466.20037" in heard[0], "it was asked to begin TLS"
    assert SEARCHERS_PASSWORD.encode() not in b"".join(heard)


@pytest.mark.parametrize("wrong", ["port", "search_as"])
def test_where_nobody_can_be_asked_a_sentence_says_so_and_no_door_closes(
    slapd_: Slapd, tmp_path: Path, wrong: str
) -> None:
    (unused,) = free_ports(1)
    changes = {"port": unused} if wrong == "port" else {"search_as": f"cn=other,{PEOPLE}"}
    people = users(slapd_, tmp_path, **changes)
    for _ in range(5):
        assert code_of_refusal(people, RIGHT) == "NOBODY_TO_ASK"
    assert noted(tmp_path) == [{"event": "log_in_refused", "code": "NOBODY_TO_ASK", "account": "analyst.one"}]


def test_a_password_file_that_others_may_read_is_not_used(slapd_: Slapd, tmp_path: Path) -> None:
    people = users(slapd_, tmp_path)
    (tmp_path / "ldap-password").chmod(0o640)
    assert code_of_refusal(people, RIGHT) == "SECRET_FILE"
