"""Secrets of the service: its token and what cookies are signed with are closed to others, or nothing starts."""

from pathlib import Path

import pytest

from enclave.errors import EnclaveError
from enclave.web.settings import WebSettings


@pytest.fixture
def settings(tmp_path: Path) -> WebSettings:
    (tmp_path / "config").mkdir()
    (tmp_path / "house").mkdir()
    return WebSettings(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_token_that_others_may_read_is_refused(settings: WebSettings, mode: int) -> None:
    path = settings.root / "config" / "gateway.token"
    path.write_text("a-token\n", encoding="ascii")
    path.chmod(0o600)
    assert settings.token() == "a-token"
    path.chmod(mode)
    with pytest.raises(EnclaveError):
        settings.token()


def test_what_cookies_are_signed_with_is_drawn_once_and_refused_where_others_may_read_it(settings: WebSettings) -> None:
    drawn = settings.cookie_secret()
    assert len(drawn) == 32
    assert settings.cookie_secret() == drawn
    (settings.house / "web.secret").chmod(0o644)
    with pytest.raises(EnclaveError):
        settings.cookie_secret()
