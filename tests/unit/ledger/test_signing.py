import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from enclave.errors import IntegrityError, SetupError
from enclave.ledger.signing import SigningKey, check_signature, key_id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "release.key"


def test_a_key_comes_back_from_its_file(path: Path) -> None:
    made, loaded = SigningKey.create(path), SigningKey.load(path)
    assert made == loaded
    check_signature(made.public_pem, loaded.sign(b"text"), b"text")
    assert key_id(made.public_pem) == made.key_id
    assert len(made.key_id) == 16


def test_only_the_owner_can_read_the_file_and_nothing_else_is_left(path: Path) -> None:
    before = os.umask(0)
    try:
        SigningKey.create(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["release.key"]


def test_a_key_is_never_replaced(path: Path) -> None:
    SigningKey.create(path)
    before = path.read_bytes()
    with pytest.raises(SetupError, match="KEY_EXISTS"):
        SigningKey.create(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["release.key"]


def test_what_a_kill_left_behind_does_not_stop_the_next_start(path: Path) -> None:
    (path.parent / ".release.key.new").write_bytes(b"half a k")
    SigningKey.create(path)
    SigningKey.load(path)


def test_a_key_does_not_show_itself(path: Path) -> None:
    key = SigningKey.create(path)
    secret = path.read_text().splitlines()[1]
    assert repr(key) == f"SigningKey(key_id='{key.key_id}')"
    assert secret not in f"{key} {key!r}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o660])
def test_a_key_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    SigningKey.create(path)
    path.chmod(mode)
    with pytest.raises(SetupError, match="KEY_PERMISSIONS"):
        SigningKey.load(path)


def test_a_link_to_a_key_is_refused(path: Path) -> None:
    SigningKey.create(path)
    link = path.with_name("link")
    link.symlink_to(path)
    with pytest.raises(SetupError, match="KEY_UNREADABLE"):
        SigningKey.load(link)


def test_a_missing_key_is_named(path: Path) -> None:
    with pytest.raises(SetupError, match=r"KEY_UNREADABLE.*release\.key"):
        SigningKey.load(path)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SetupError, match="KEY_DAMAGED"):
        SigningKey.load(path)


def test_a_key_of_another_kind_is_refused(path: Path) -> None:
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(SetupError, match="KEY_KIND"):
        SigningKey.load(path)
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(SetupError, match="KEY_KIND"):
        check_signature(public, b"s", b"t")


def test_a_signature_fits_one_text_and_one_key(path: Path) -> None:
    key, other = SigningKey.create(path), SigningKey.create(path.with_name("other"))
    signature = key.sign(b"text")
    for public, made, text in [
        (key.public_pem, signature, b"texts"),
        (other.public_pem, signature, b"text"),
        (key.public_pem, signature[:-1], b"text"),
        (key.public_pem, b"", b"text"),
    ]:
        with pytest.raises(IntegrityError, match="SIGNATURE_INVALID"):
            check_signature(public, made, text)


def test_a_damaged_public_key_is_refused() -> None:
    with pytest.raises(SetupError, match="PUBLIC_KEY_DAMAGED"):
        check_signature(b"nonsense", b"s", b"t")
