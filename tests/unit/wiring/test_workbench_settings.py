"""The settings of a workbench: strict, and every trouble is named with file, line and key."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.wiring.workbench import certificate
from enclave.wiring.workbench.folders import give_file, make_folders
from enclave.wiring.workbench.layout import LONGEST_SOCKET, Layout
from enclave.wiring.workbench.settings import DEFAULT, ServerUsers, read_settings
from enclave.wiring.workbench.system_users import present_user, system_users
from enclave.wiring.workbench.tokens import GATEWAY_TOKEN, PROXY_TOKEN, make_tokens, read_token

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def read(folder: Path, old: str = "", new: str = "", more: str = "") -> object:
    text = DEFAULT.read_text(encoding="utf-8")
    assert old in text
    path = folder / "workbench.yaml"
    path.write_text(text.replace(old, new, 1) + more, encoding="utf-8")
    return read_settings(path)


def test_the_settings_that_ship_are_right() -> None:
    settings = read_settings(DEFAULT)
    assert settings.url == "https://127.0.0.1:8443/"
    assert settings.allowed_networks == ("127.0.0.1/32",)
    assert settings.tls.made


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("port: 8443", "port: 84430", "port"),
        ("port: 8443", 'port: "8443"', "port"),
        ("address: 127.0.0.1", "address: localhost", "address"),
        ("[127.0.0.1/32]", "[]", "allowed_networks"),
        ("[127.0.0.1/32]", "[127.0.0.1/8]", "allowed_networks.0"),
        ("[127.0.0.1/32]", "[everybody]", "allowed_networks.0"),
        ("{certificate: made, key: made}", "{certificate: /a.pem, key: made}", "tls.key"),
        ("first: 70000", "first: 0", "server_users.first"),
        ("first: 70000", "first: 999", "server_users.first"),
        ("hub: enclave-hub", "hub: 'root; rm'", "system_users.hub"),
        ("hours: 10", "hours: 1000", "sessions.hours"),
        ("refresh_seconds: 5", "refresh_secs: 5", "sessions.refresh_secs"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(SetupError) as refusal:
        read(tmp_path, old, new)
    assert refusal.value.code == "WORKBENCH_SETTINGS"
    assert f"workbench.yaml, line {line_of(tmp_path, new)}, {key}" in refusal.value.message


def line_of(folder: Path, text: str) -> int:
    lines = (folder / "workbench.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refusal:
        read(tmp_path, more="debug: true\n")
    assert "debug: this key is not known here" in refusal.value.message


def test_a_range_that_holds_somebody_is_refused() -> None:
    if os.geteuid() != 0:
        pytest.skip("users are looked at when the workbench starts as root")
    with pytest.raises(SetupError) as refusal:
        system_users(read_settings(DEFAULT).system_users, ServerUsers(first=10_000, count=1_000_000))
    assert refusal.value.code == "SERVER_USERS"
    assert "nobody" in refusal.value.message


def test_a_made_certificate_is_good_for_its_address_until_its_end() -> None:
    made, key = certificate.make("127.0.0.1", NOW)
    assert certificate.check(made, key, NOW) == ""
    assert certificate.is_for(made, "127.0.0.1")
    assert not certificate.is_for(made, "127.0.0.2")
    assert "order a new one" in certificate.check(made, key, NOW + timedelta(days=certificate.DAYS - 10))
    with pytest.raises(SetupError) as refusal:
        certificate.check(made, key, NOW + timedelta(days=certificate.DAYS))
    assert refusal.value.code == "CERTIFICATE_EXPIRED"
    with pytest.raises(SetupError) as refusal:
        certificate.check(made, key, NOW - timedelta(days=1))
    assert refusal.value.code == "CERTIFICATE_EARLY"


def test_a_key_of_another_certificate_is_refused() -> None:
    made, _ = certificate.make("127.0.0.1", NOW)
    _, other = certificate.make("127.0.0.1", NOW)
    with pytest.raises(SetupError) as refusal:
        certificate.check(made, other, NOW)
    assert refusal.value.code == "CERTIFICATE_KEY"
    with pytest.raises(SetupError) as refusal:
        certificate.check(b"no certificate", other, NOW)
    assert refusal.value.code == "CERTIFICATE"


def test_sockets_fit_however_long_the_folders_path_is(tmp_path: Path) -> None:
    root = tmp_path / ("a-long-name" * 9)
    root.mkdir()
    layout = Layout(root)
    make_folders(layout, present_user())
    short = layout.run.resolve()
    assert layout.run.is_symlink()
    assert len(os.fsencode(short / "servers" / "2000000000" / "nb.sock")) <= LONGEST_SOCKET
    make_folders(layout, present_user())
    assert layout.run.resolve() == short


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "homes").symlink_to(tmp_path)
    with pytest.raises(SetupError) as refusal:
        make_folders(Layout(tmp_path), present_user())
    assert refusal.value.code == "FOLDER_IS_LINK"


def test_tokens_are_drawn_once_and_both_sides_have_the_same(tmp_path: Path) -> None:
    layout, who = Layout(tmp_path), present_user()
    make_folders(layout, who)
    make_tokens(layout, who)
    first = read_token(layout, "hub", PROXY_TOKEN)
    make_tokens(layout, who)
    assert read_token(layout, "proxy", PROXY_TOKEN) == first == read_token(layout, "hub", PROXY_TOKEN)
    assert read_token(layout, "gateway", GATEWAY_TOKEN) == read_token(layout, "hub", GATEWAY_TOKEN) != first
    for path in layout.config.glob("*/*-token"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_closed_to_others_from_its_first_byte(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        give_file(tmp_path / "secret", b"x", os.getuid(), present_user())
    finally:
        os.umask(before)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
