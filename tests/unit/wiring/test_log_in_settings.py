"""The block `log_in` of the settings: an example of each kind, what is refused, and what a start looks for."""

import os
from pathlib import Path

import pytest

from enclave.errors import SetupError
from enclave.wiring.workbench import checks
from enclave.wiring.workbench.log_in_settings import LogInSettings, OidcSettings, PamSettings
from enclave.wiring.workbench.secret_file import read_secret
from enclave.wiring.workbench.settings import DEFAULT, read_settings
from tests.lib.log_in_kit import EXAMPLES, example, with_log_in


def test_each_example_is_right_and_none_is_missing() -> None:
    kinds = {path.stem for path in EXAMPLES.iterdir()}
    assert kinds == set(LogInSettings.model_fields) - {"kind"}
    for kind in kinds:
        found = example(kind)
        assert found.kind == kind
        assert getattr(found, kind) is not None
    assert read_settings(DEFAULT).log_in.made_up


@pytest.mark.parametrize(
    ("kind", "old", "new", "key"),
    [
        ("pam", "kind: pam", "kind: ldap", "log_in.kind"),
        ("pam", "kind: pam\n  pam:", "kind: made_up\n  pam:", "log_in.pam"),
        ("pam", "kind: pam", "kind: everybody", "log_in.kind"),
        ("pam", "service: enclave-workbench", "service: ../login", "log_in.pam.service"),
        ("ldap", "encryption: tls", "encryption: none", "log_in.ldap.encryption"),
        ("ldap", "port: 636", "port: 0", "log_in.ldap.port"),
        ("ldap", "server: ldap.example.org", "server: ldap://ldap.example.org", "log_in.ldap.server"),
        ("ldap", "account_attribute: uid", "account_attribute: '*)(uid'", "log_in.ldap.account_attribute"),
        ("ldap", "password_file: /etc", "password_file: etc", "log_in.ldap.password_file"),
        ("ldap", "password_file:", "password:", "log_in.ldap.password"),
        ("ldap", "certificates: /etc", "certificates: etc", "log_in.ldap.certificates"),
        ("oidc", "token_url: https", "token_url: http", "log_in.oidc.token_url"),
        ("oidc", "issuer: https://login.example.org", "issuer: https://", "log_in.oidc.issuer"),
        ("oidc", "/hub/oauth_callback\n", "/hub/other\n", "log_in.oidc.return_url"),
        ("oidc", "[openid, profile]", "[profile]", "log_in.oidc.scopes"),
        ("oidc", "claim: acr", "claim: email", "log_in.oidc.second_factor.claim"),
        ("oidc", "claim: acr", "claim: unchecked", "log_in.oidc.second_factor.any_of"),
        ("oidc", "any_of: [urn:example:two-factors]", "any_of: []", "log_in.oidc.second_factor.any_of"),
        ("oidc", "secret_file:", "secret:", "log_in.oidc.secret"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(tmp_path: Path, kind: str, old: str, new: str, key: str) -> None:
    block = (EXAMPLES / f"{kind}.yaml").read_text(encoding="utf-8").split("log_in:", 1)[1]
    assert old in block
    text = with_log_in(DEFAULT.read_text(encoding="utf-8"), "log_in:" + block.replace(old, new, 1))
    (tmp_path / "workbench.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError) as refusal:
        read_settings(tmp_path / "workbench.yaml")
    assert refusal.value.code == "WORKBENCH_SETTINGS"
    changed = next(number for number, line in enumerate(text.splitlines(), 1) if new.splitlines()[-1].strip() in line)
    assert f"workbench.yaml, line {changed}, {key}:" in refusal.value.message


def secret(folder: Path, text: str = "the secret\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_secret_is_the_one_line_of_a_file_of_the_hub_alone(tmp_path: Path) -> None:
    assert read_secret(secret(tmp_path), os.geteuid()) == "the secret"
    assert read_secret(secret(tmp_path, mode=0o400), os.geteuid()) == "the secret"


@pytest.mark.parametrize(
    ("text", "mode"),
    [("x\n", 0o640), ("x\n", 0o604), ("x\n", 0o620), ("", 0o600), ("x\ny\n", 0o600), ("x" * 5000, 0o600)],
)
def test_a_secret_that_others_read_or_that_is_none_is_refused(tmp_path: Path, text: str, mode: int) -> None:
    with pytest.raises(SetupError) as refusal:
        read_secret(secret(tmp_path, text, mode), os.geteuid())
    assert refusal.value.code == "SECRET_FILE"


def test_a_secret_of_another_user_a_link_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = secret(tmp_path)
    (tmp_path / "link").symlink_to(path)
    for found, owner in ((path, os.geteuid() + 1), (tmp_path / "link", os.geteuid()), (tmp_path, os.geteuid())):
        with pytest.raises(SetupError) as refusal:
            read_secret(found, owner)
        assert refusal.value.code == "SECRET_FILE"


def oidc(secret_file: Path, certificates: Path) -> LogInSettings:
    found = example("oidc").oidc
    assert isinstance(found, OidcSettings)
    update = {"secret_file": str(secret_file), "certificates": str(certificates)}
    return LogInSettings(kind="oidc", oidc=found.model_copy(update=update))


def test_a_start_looks_whether_somebody_can_be_asked(tmp_path: Path) -> None:
    path = secret(tmp_path)
    checks.who_vouches(oidc(path, path), os.geteuid())
    refused = [
        (oidc(tmp_path / "missing", path), "SECRET_FILE"),
        (oidc(path, tmp_path / "missing"), "LOG_IN_CERTIFICATES"),
        (LogInSettings(kind="pam", pam=PamSettings(service="no-such-service-here")), "PAM_SERVICE"),
    ]
    for told, code in refused:
        with pytest.raises(SetupError) as refusal:
            checks.who_vouches(told, os.geteuid())
        assert refusal.value.code == code
